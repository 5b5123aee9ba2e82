// The evidence of Chutes' instances, from the service itself and as Redpill passes it on (docs/spec/foreign-reports.md,
// layout C1). The parser was tested with recorded answers of both.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"
#include "evidence/report_data.h"

namespace cloister::evidence {

struct ChutesInstance {
  std::string id;
  std::optional<std::string> e2e_key;  // ML-KEM-768, base64 as served; absent where another document holds it
  Bytes quote;
  Json devices = Json::array();  // entries as parse_nvidia_payload() accepts them, but without a nonce
};

struct ChutesReport {
  std::optional<Nonce> nonce;  // as the answer names it; the service's own answer names none
  std::vector<ChutesInstance> instances;
  std::size_t failed = 0;  // number of instances of which the service got no evidence
};

// Redpill's form: {"attestation_type":"chutes","nonce","all_attestations":[{"instance_id","nonce","e2e_pubkey","intel_quote",
// "gpu_evidence"}]}; Chutes' own: {"evidence":[{"instance_id","quote","gpu_evidence","certificate"}],"failed_instance_ids"}.
// Quotes are base64. 1 to 64 instances, no duplicate id. Unknown members are ignored. Errors are kBadReport.
bool is_chutes_report(const Json& object);
Result<ChutesReport> parse_chutes_report(const Json& object);

// {"instances":[{"instance_id","e2e_pubkey"}]}, as Chutes lists them: the key of each instance by its id.
using InstanceKeys = std::map<std::string, std::string>;
Result<InstanceKeys> parse_chutes_instances(std::string_view text);

// SHA-256 of the nonce as lower-case hex followed by the key as base64, both as text.
ByteArray<32> chutes_binding(const Nonce& nonce, std::string_view e2e_key);

}  // namespace cloister::evidence
