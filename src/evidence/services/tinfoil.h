// The attestation documents of Tinfoil's enclaves, versions 2 and 3 (docs/spec/foreign-reports.md, layouts T2 and T3).
// The parser was tested with recorded answers of both versions; no recorded answer with switches exists.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "evidence/report_data.h"

namespace cloister::evidence {

struct TinfoilDocument {
  int version = 3;                     // 2 or 3
  bool snp = false;                    // what it says the evidence is; else a TDX quote
  Bytes evidence;                      // TDX quote or SEV-SNP report

  // The rest of version 3 alone: in version 2 the two keys stand in report data and nowhere else, and no nonce does.
  ByteArray<32> tls_key_sha256{};      // of the SubjectPublicKeyInfo of the enclave's TLS key
  ByteArray<32> hpke_key{};            // X25519
  Nonce nonce{};
  std::optional<ByteArray<32>> gpu_evidence_hash, switch_evidence_hash;  // as named in report_data
  std::optional<std::string> gpu_text, switch_text;                      // the members as they stand in the document
  std::optional<std::string> devices;  // GPUs and switches as one list, in the form of parse_nvidia_payload()
  std::string certificate;             // PEM of the TLS certificate; empty when there is none
  Bytes signature;                     // ECDSA in DER, by the key of that certificate; empty when there is none
  std::string signed_text;             // the document with an empty signature
};

// Whether a document calls itself one of Tinfoil's, of whatever version.
bool is_tinfoil_format(std::string_view format);
// Whether parse_tinfoil_document() reads this format.
bool is_known_tinfoil_format(std::string_view format);

// `text` is the document as served, at most 16 MiB, and `object` what parse_json() made of it. Strict: a member that the form
// does not have is an error, except in version 2, beside which resellers put members of their own. Packed evidence has at most
// 64 KiB once it is unpacked. Errors are kBadReport and name the member.
Result<TinfoilDocument> parse_tinfoil_document(std::string_view text, const Json& object);

// Version 3: the first half of report data. SHA-256 of the TLS key's hash, the HPKE key, the nonce and those of the two hashes
// that are there, 32 bytes each.
ByteArray<32> tinfoil_binding(const TinfoilDocument& document);

}  // namespace cloister::evidence
