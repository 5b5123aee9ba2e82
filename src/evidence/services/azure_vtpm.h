// The evidence of a virtual TPM on Azure, as its guests' attestation agents write it (docs/spec/foreign-reports.md): the report of the CPU's TEE binds
// the TPM's key, and the TPM's quote binds the nonce and the registers. Checked on recorded evidence of TDX and SEV-SNP guests, versions 1 and 2.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

// TPMS_ATTEST of a quote (TCG TPM 2.0 Library, part 2, section 10.12.8).
struct TpmQuote {
  Bytes extra_data;            // the data that the caller passed in
  std::uint32_t pcr_mask = 0;  // of the SHA-256 bank
  ByteArray<32> pcr_digest{};  // SHA-256 of the concatenated selected registers
};
// Accepts exactly one quote, of the SHA-256 bank alone. Errors are kBadReport.
Result<TpmQuote> parse_tpm_quote(ByteView message);

struct AzureEvidence {
  int version = 1;
  bool snp = false;          // the paravisor's report says that it is SEV-SNP; else TDX
  Bytes evidence;            // TDX quote or SEV-SNP report
  std::string runtime_data;  // JSON whose hash is in report data
  Bytes attestation_key;     // RSA modulus of the TPM's key, from runtime_data
  std::string user_data;     // hex, from runtime_data; empty when there is none
  Bytes message, signature;  // the TPM's quote, and the key's signature over it
  std::vector<ByteArray<32>> pcrs;
};

// {"version":1|2,"tpm_quote":{"message","signature","pcrs"},"hcl_report","td_quote"|"vcek"}: hex inside tpm_quote, base64url elsewhere. Errors:
// kBadReport, and kUnsupported for another version.
Result<AzureEvidence> parse_azure_evidence(const Json& object);

}  // namespace cloister::evidence
