// The ACI attestation report (`aci/1`): a keyset, and evidence of the TEE whose quote binds that keyset.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "evidence/aci/keyset.h"

namespace cloister::evidence {

struct AciReport {
  ByteArray<32> keyset_digest{};  // as the report states it; the keyset has its own digest
  Keyset keyset;
  std::string tee_type;  // "tdx", "sev_snp", "insecure_simulator"
  Bytes report_data;     // as the report states it, not as the quote has it
  Bytes quote;
  std::optional<Bytes> quote_report_data;
  Json source_provenance;  // object, or null: the service's own statement
  Json evidence;           // the object that holds the quote and the evidence of the boot
  std::optional<TlsKey> downstream_tls_binding;
  std::string serving;  // "direct"; any other value means that other servers answer
};

// Errors are kBadReport and name the member. Unknown members are ignored where the form may grow (evidence,
// service_capabilities) and refused elsewhere.
Result<AciReport> parse_aci_report(const Json& object);

}  // namespace cloister::evidence
