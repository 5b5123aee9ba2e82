#include "verify/gpu.h"

#include <algorithm>
#include <set>

#include "codec/json.h"
#include "evidence/cmw_evidence.h"
#include "evidence/gpu_evidence.h"
#include "evidence/native_report.h"
#include "verify/check.h"
#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/gpu_checks.h"
#include "verify/nvidia/rim_ids.h"
#include "verify/nvidia/rim_library.h"
#include "verify/policy/rules.h"
#include "verify/report/judges.h"

namespace cloister::verify {
namespace {

// The nvidia_payload of a report, else the text itself. Absent for a report without GPU evidence.
Result<std::optional<std::string>> payload_of(std::string_view file_text) {
  TRY(json, codec::parse_json(file_text));
  if (!json.is_object()) return std::optional(std::string(file_text));
  const auto member = json.find("nvidia_payload");
  if (member == json.end()) {
    // A report of a node without a GPU may lack the member.
    if (json.contains("intel_quote")) return std::optional<std::string>();
    return std::optional(std::string(file_text));
  }
  if (member->is_null() || *member == "") return std::optional<std::string>();
  if (member->is_string()) return std::optional(member->get<std::string>());
  return std::optional(codec::write_json(*member));
}

Verdict new_verdict(const Context& context) {
  Verdict verdict;
  verdict.subject = "gpu";
  verdict.facts["judged_at"] = to_rfc3339(context.time);
  return verdict;
}

class NeedsCollector {
 public:
  void add_rim(const std::string& id) {
    if (std::ranges::find(needs_.rim_ids, id) == needs_.rim_ids.end()) needs_.rim_ids.push_back(id);
  }
  void add_chain(const std::vector<crypto::Certificate>& chain, std::size_t first) {
    for (std::size_t i = first; i + 1 < chain.size(); ++i) {
      if (seen_.insert(chain[i].der()).second) needs_.certificates.push_back({chain[i], chain[i + 1]});
    }
  }
  NvidiaNeeds take() { return std::move(needs_); }

 private:
  NvidiaNeeds needs_;
  std::set<Bytes> seen_;
};

constexpr std::string_view kWithItsReport =
    "the GPU evidence within a report of this form is verified with the report: use verify report";

// The GPU evidence in a whole report can be verified without the rest where the verifier's own nonce leads to the nonce of the GPUs.
Result<void> check_report_of_gpus(ReportShape shape, const Json& object) {
  if (shape == ReportShape::kLegacy) return {};
  if (shape == ReportShape::kNative && evidence::parse_native_report(object)) return {};
  return fail(ErrorCode::kUsage, std::string(kWithItsReport));
}

}  // namespace

Result<void> check_gpu_text(std::string_view file_text) {
  TRY(json, codec::parse_json(file_text));
  if (json.is_array()) return {};
  const Result<ReportShape> shape = find_shape(json);
  if (shape) return check_report_of_gpus(*shape, json);
  if (shape.error().code != ErrorCode::kUnsupported) return {};
  if (json.is_object() &&
      (json.contains("evidence_list") || json.contains("nvidia_payload") || evidence::is_cmw_collection(json)))
    return {};
  return fail(ErrorCode::kBadGpuEvidence,
              "this is no GPU evidence: expected an nvidia_payload, a list of devices, or a report with one of both");
}

std::optional<ByteArray<32>> device_nonce(std::string_view file_text, const std::optional<ByteArray<32>>& nonce) {
  if (!nonce) return nonce;
  const Result<Json> json = codec::parse_json(file_text);
  if (!json) return nonce;
  const Result<ReportShape> shape = find_shape(*json);
  if (!shape || *shape != ReportShape::kNative) return nonce;
  const Result<evidence::NativeReport> report = evidence::parse_native_report(*json);
  return report ? evidence::gpu_nonce(report->keyset.digest, *nonce) : nonce;
}

Verdict verify_gpu(std::string_view file_text, const std::optional<ByteArray<32>>& nonce, const Context& context) {
  Verdict verdict = new_verdict(context);
  const auto payload = payload_of(file_text);
  // Text that is no JSON is verified as a payload, which it then fails to be.
  judge_gpu_payload(payload ? *payload : std::string(file_text), {device_nonce(file_text, nonce), std::nullopt, {}},
                    context, verdict);
  require_rules(context.policy, verdict);
  return verdict;
}

Verdict verify_gpu(ByteView report_file, ByteView chain_file, const std::optional<ByteArray<32>>& nonce,
                   const Context& context) {
  Verdict verdict = new_verdict(context);
  verdict.facts["gpu"] = true;
  evidence::NvidiaPayload payload;
  // Files that cannot be parsed count as a device that cannot be parsed.
  payload.evidence_list.push_back(evidence::parse_gpu_files(report_file, chain_file).value_or({}));
  judge_gpus(payload, {nonce, std::nullopt, {}}, context, verdict);
  require_rules(context.policy, verdict);
  return verdict;
}

Result<NvidiaNeeds> nvidia_needs(std::string_view file_text, const Collateral& collateral) {
  TRY(payload_text, payload_of(file_text));
  NeedsCollector needs;
  if (!payload_text) return needs.take();
  TRY(payload, evidence::parse_nvidia_payload(*payload_text));
  for (const evidence::GpuEvidence& device : payload.evidence_list) {
    TRY(report, codec::parse_spdm_report(device.report));
    TRY(chain, crypto::parse_pem_chain(as_bytes(device.certificate_chain_pem)));
    for (const std::string& id : required_rim_ids(report, chain)) {
      needs.add_rim(id);
      const auto text = collateral.rims.find(id);
      if (text != collateral.rims.end()) needs.add_chain(rim_signers(text->second), 0);
    }
    needs.add_chain(chain, kFirstRevocable);
  }
  return needs.take();
}

}  // namespace cloister::verify
