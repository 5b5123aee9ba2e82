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
  ByteArray<32> keyset_digest{};      // as the report names it; the keyset has its own
  Keyset keyset;
  std::string tee_type;               // "tdx", "sev_snp", "insecure_simulator"
  Bytes report_data;                  // as the report names it, not as the quote has it
  Bytes quote;
  std::optional<Bytes> quote_report_data;
  Json source_provenance;             // object, or null: the service's own word
  Json evidence;                      // the object that holds the quote and what the boot left behind
  std::optional<TlsKey> downstream_tls_binding;
  std::string serving;                // "direct"; anything else means that others answer
};

// Errors are kBadReport and name the member. Members that the form does not have are passed over where it may grow
// (evidence, service_capabilities) and refused elsewhere.
Result<AciReport> parse_aci_report(const Json& object);

}  // namespace cloister::evidence
