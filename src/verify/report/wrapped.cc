// Verifies what gateways serve: a report of the gateway itself and one for each of its models.
#include <string>

#include "evidence/simulator_roots.h"
#include "verify/check.h"
#include "verify/report/instances.h"
#include "verify/report/judges.h"
#include "verify/report/known_answers.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kMostInstances = 64;

const Json* find_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

bool is_wrapped(const Json& object) {
  const Result<ReportShape> shape = find_shape(object);
  return shape && *shape == ReportShape::kWrapped;
}

// The total of all lists of models is bounded, since one report costs several signature verifications.
Result<void> check_size(const Json& models) {
  std::size_t instances = 0;
  for (const Json& model : models) instances += count_instances(model);
  if (instances <= kMostInstances) return {};
  return fail(ErrorCode::kBadReport, "model_attestations: expected at most " + std::to_string(kMostInstances) +
                                         " reports in all, found " + std::to_string(instances));
}

Verdict judge_model(const Json& model, const Expected& expected, const Context& context) {
  if (!is_wrapped(model)) return judge_report(model, {}, expected, context);
  Verdict verdict;
  verdict.add(failed("report.form", "a gateway's answer inside a gateway's answer"));
  return verdict;
}

// If any part is simulated, the whole counts as simulated, so that nobody overlooks it.
void note_tee(Json& facts, const Json& own) {
  const std::string type = own.value("tee_type", "unknown");
  if (!facts.contains("tee_type") || type == evidence::kSimulatorName) facts["tee_type"] = type;
}

// NEAR's gateway puts its key for oblivious requests next to its report instead of into it.
Json with_ohttp_key(const Json& gateway, const Json& object) {
  Json out = gateway;
  for (const char* name : {"ohttp_attestation", "ohttp_key_config"}) {
    const Json* member = find_member(object, name);
    if (member != nullptr && out.is_object() && !out.contains(name)) out[name] = *member;
  }
  return out;
}

void judge_gateway(const Json& gateway, const Expected& expected, const Context& context, Verdict& verdict) {
  // Gateways compute nothing: GPU and model are required of the models' reports.
  Policy policy = without_known_answers(context.policy);
  policy.nvidia.required = GpuRequirement::kWhenPresent;
  policy.nvidia.gpu_count.reset();
  policy.nvidia.require_nras = false;
  policy.service.model_digests.clear();
  policy.service.model_manifest.reset();
  const Context own{policy, context.collateral, context.time, context.tdx_cache};
  Json facts = verdict.append_under("gateway", judge_model(gateway, expected, own));
  note_tee(verdict.facts, facts);
  verdict.facts["gateway"] = std::move(facts);
}

}  // namespace

Verdict judge_wrapped_report(const Json& object, const Expected& expected, const Context& context) {
  Verdict verdict;
  verdict.subject = "report";
  const Json* gateway = find_member(object, "gateway_attestation");
  const Json* models = find_member(object, "model_attestations");
  if (models != nullptr && !models->is_array()) {
    verdict.add(
        failed("report.form", std::string("model_attestations: expected an array, found ") + models->type_name()));
    return verdict;
  }
  if (const Result<void> size = check_size(models == nullptr ? Json::array() : *models); !size) {
    verdict.add(failed("report.form", size.error().message));
    return verdict;
  }
  verdict.add(passed("report.form", "a gateway's"));
  if (models == nullptr || models->empty()) {
    // A genuine gateway proves nothing about the server that answers.
    verdict.add(failed("report.models", "the gateway vouches for itself only; no model's TEE is shown", "at least one",
                       "none"));
  } else {
    verdict.add(passed("report.models", std::to_string(models->size()) + " listed, verified as model.N"));
  }
  // The client's channel ends at the gateway where there is one; nobody sees which key the gateway uses towards its models.
  Expected of_models = expected;
  if (gateway != nullptr) {
    judge_gateway(with_ohttp_key(*gateway, object), expected, context, verdict);
    of_models = Expected{.nonce = expected.nonce, .no_connection = true};
  } else if (expected.tls_spki_sha256) {
    verdict.add(skipped("report_data.tls", "no report of the gateway shows where the TLS connection ends"));
    of_models = Expected{.nonce = expected.nonce, .no_connection = true};
  }
  std::size_t index = 0;
  for (const Json& model : models == nullptr ? Json::array() : *models) {
    const std::string place = "model." + std::to_string(index++);
    Json facts = verdict.append_under(place, judge_model(model, of_models, context));
    note_tee(verdict.facts, facts);
    add_attested(verdict.facts, facts.value("attested_addresses", Json()));
    facts["model"] = place;
    verdict.facts["models"].push_back(std::move(facts));
  }
  verdict.facts["judged_at"] = to_rfc3339(context.time);
  return verdict;
}

}  // namespace cloister::verify
