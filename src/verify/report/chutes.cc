// Verifies the evidence of Chutes' instances: report data binds the nonce and the key that prompts are encrypted to,
// and the GPUs answer a nonce from report data.
#include <algorithm>
#include <set>
#include <string>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/services/chutes.h"
#include "evidence/simulator_roots.h"
#include "verify/check.h"
#include "verify/nvidia/gpu_checks.h"
#include "verify/report/services.h"
#include "verify/report/statement_binding.h"
#include "verify/report/tee_kind.h"

namespace cloister::verify {
namespace {

using evidence::ChutesInstance;
using evidence::ChutesReport;
using evidence::Nonce;

Check check_nonce(const ChutesReport& report, const Expected& expected, const Policy& policy) {
  const std::string id = "report.nonce";
  if (!expected.nonce) return skipped(id, "the verifier gave no nonce: the report may be old", policy.require_nonce);
  if (!report.nonce) return not_applicable(id, "this form names no nonce; report data binds it");
  return compared(id, to_hex(*expected.nonce), to_hex(*report.nonce), "the report answers another nonce");
}

// FIPS 203 section 7.2: 384 * 3 + 32 bytes, each number of 12 bits below the modulus.
Check check_key(const std::optional<std::string>& key) {
  constexpr std::size_t kVectors = 1152, kSize = kVectors + 32;
  constexpr unsigned kModulus = 3329;
  const std::string id = "report.e2e_key";
  if (!key) return skipped(id, "the key of this instance is not known here");
  const Result<Bytes> bytes = from_base64(*key);
  if (!bytes) return failed(id, bytes.error().message);
  if (bytes->size() != kSize)
    return failed(id, "not a key of ML-KEM-768", "1184 bytes", std::to_string(bytes->size()) + " bytes");
  for (std::size_t i = 0; i < kVectors; i += 3) {
    const unsigned low = (*bytes)[i] | (((*bytes)[i + 1] & 0xfu) << 8);
    const unsigned high = ((*bytes)[i + 1] >> 4) | ((*bytes)[i + 2] << 4);
    if (low >= kModulus || high >= kModulus)
      return failed(id, "a number in the key is not below the modulus of ML-KEM");
  }
  return passed(id, "ML-KEM-768");
}

// The nonce that the GPUs must have answered: the first half of report data.
Nonce device_nonce(const evidence::ReportData& data) {
  Nonce out;
  std::copy_n(data.begin(), out.size(), out.begin());
  return out;
}

// The evidence as a payload. Its entries have no nonce, so the one that they must have answered is inserted.
std::optional<std::string> payload_of(const ChutesInstance& instance, const Nonce& nonce) {
  if (instance.devices.empty()) return std::nullopt;
  Json list = instance.devices;
  for (Json& entry : list) {
    if (entry.is_object() && !entry.contains("nonce")) entry["nonce"] = to_hex(nonce);
  }
  return codec::write_json(list);
}

void check_binding(const std::optional<Nonce>& nonce, const std::optional<std::string>& key,
                   const evidence::ReportData& data, const Expected& expected, const Policy& policy, Verdict& verdict) {
  const std::string id = "report_data.identity", fresh = "report_data.nonce";
  if (!nonce || !key) {
    verdict.add(skipped(id, key ? "the nonce that the quote was made for is not known here"
                                : "the key of this instance is not known here"));
    verdict.add(skipped(fresh, "report data binds key and nonce as one, and not both are known",
                        key ? policy.require_nonce : true));
    return;
  }
  const std::string wanted = to_hex(evidence::chutes_binding(*nonce, *key));
  verdict.add(compared(id, wanted, bound_half(data), "the quote binds another key, or another nonce"));
  if (verdict.checks.back().state != State::kPass) {
    verdict.add(skipped(fresh, "report data binds key and nonce as one, and they are not known to be right"));
  } else if (expected.nonce) {
    verdict.add(compared(fresh, to_hex(*expected.nonce), to_hex(*nonce), "the quote was made for another nonce"));
    verdict.facts["report_data_layout"] = "C1";
  } else {
    verdict.add(skipped(fresh, "the verifier gave no nonce", policy.require_nonce));
    verdict.facts["report_data_layout"] = "C1";
  }
}

std::optional<std::string> key_of(const ChutesInstance& instance, const Expected& expected) {
  if (instance.e2e_key) return instance.e2e_key;
  const auto found = expected.instance_keys.find(instance.id);
  return found == expected.instance_keys.end() ? std::nullopt : std::optional(found->second);
}

// Collateral for the platform of another instance does not count for this one.
TeeFindings judge_tee_of(const ChutesInstance& instance, const Context& context, Verdict& verdict) {
  Verdict judged;
  TeeFindings findings = judge_tee(instance.quote, std::nullopt, {}, context, judged);
  const Check* platform = judged.find("tdx.fmspc");
  if (platform != nullptr && platform->state == State::kFail) {
    Collateral rest = context.collateral;
    rest.tdx.clear();
    judged = {};
    findings = judge_tee(instance.quote, std::nullopt, {}, {context.policy, rest, context.time, nullptr}, judged);
  }
  verdict.append(std::move(judged));
  return findings;
}

Verdict judge_one(const ChutesInstance& instance, const std::optional<Nonce>& nonce, const Expected& expected,
                  const Context& context) {
  Verdict verdict;
  const auto key = key_of(instance, expected);
  const TeeFindings tee = judge_tee_of(instance, context, verdict);
  verdict.add(check_key(key));
  if (tee.report_data) {
    check_binding(nonce, key, *tee.report_data, expected, context.policy, verdict);
  } else {
    skip_all(verdict, {"report_data.identity", "report_data.nonce"}, "the quote could not be read");
  }
  // Prompts are encrypted to the instance's key, where a client does that; the connection may end anywhere.
  constexpr const char* kNoTlsKey = "this form binds no TLS key: prompts are encrypted to the instance's key";
  verdict.add(expected.tls_spki_sha256 ? skipped("report_data.tls", kNoTlsKey)
                                       : not_applicable("report_data.tls", kNoTlsKey));
  const Nonce of_devices = tee.report_data ? device_nonce(*tee.report_data) : Nonce{};
  check_gpus(payload_of(instance, of_devices), of_devices, tee.root, context, verdict);
  verdict.facts["gpu_binding"] =
      gpu_binding(!instance.devices.empty(), "the GPU's nonce is what the quote binds", context.policy);
  if (key) verdict.facts["e2e_key"] = *key;
  return verdict;
}

// A device that stands behind two instances would show one machine as two.
Check check_distinct(const ChutesReport& report, const Json& facts) {
  const std::string id = "report.distinct_devices";
  std::set<std::string> seen;
  std::size_t devices = 0;
  for (const Json& instance : facts) {
    for (const Json& device : instance.value("gpus", Json::array())) {
      const auto ueid = device.find("ueid");
      if (ueid == device.end() || !ueid->is_string()) continue;
      ++devices;
      if (!seen.insert(ueid->get<std::string>()).second)
        return failed(id, "two instances show one GPU", {}, ueid->get<std::string>());
    }
  }
  if (devices == 0) return not_applicable(id, "no instance shows a GPU that could be read");
  return passed(id, std::to_string(devices) + " GPUs of " + std::to_string(report.instances.size()) + " instances");
}

}  // namespace

Verdict judge_chutes_report(const Json& object, const Expected& expected, const Context& context) {
  Verdict verdict;
  verdict.subject = "report";
  const Result<ChutesReport> report = evidence::parse_chutes_report(object);
  if (!report) {
    verdict.add(failed("report.form", report.error().message));
    return verdict;
  }
  verdict.add(passed("report.form", "Chutes"));
  verdict.add(check_nonce(*report, expected, context.policy));
  verdict.add(
      passed("report.all_attestations", std::to_string(report->instances.size()) + " listed, verified as instance.N"));
  const std::optional<Nonce> nonce = report->nonce ? report->nonce : expected.nonce;
  // A token of NVIDIA is about one machine, and does not say which of these.
  Collateral collateral = context.collateral;
  collateral.nras_token.clear();
  collateral.nras_switch_token.clear();
  const Context own{context.policy, collateral, context.time, context.tdx_cache};
  Verdict judged;
  std::size_t index = 0;
  for (const ChutesInstance& instance : report->instances) {
    const std::string place = "instance." + std::to_string(index++);
    Json facts = judged.append_under(place, judge_one(instance, nonce, expected, own));
    const std::string type = facts.value("tee_type", "unknown");
    if (!verdict.facts.contains("tee_type") || type == evidence::kSimulatorName) verdict.facts["tee_type"] = type;
    facts["instance"] = place;
    facts["instance_id"] = instance.id;
    verdict.facts["instances"].push_back(std::move(facts));
  }
  verdict.add(check_distinct(*report, verdict.facts["instances"]));
  verdict.append(std::move(judged));
  if (report->failed > 0) verdict.facts["instances_without_evidence"] = report->failed;
  verdict.facts["judged_at"] = to_rfc3339(context.time);
  return verdict;
}

}  // namespace cloister::verify
