#include "apps/attested_parts.h"

#include <utility>

#include "base/clock.h"
#include "identity/policy_document.h"

namespace cloister::apps {
namespace {

constexpr int kReplicaTimeoutSeconds = 10;

}  // namespace

Result<Attested> make_attested(const ServeOptions& options, PolicySurroundings around, const identity::Keyring& keyring,
                               const Tls& tls, tee::Tee* tee) {
  Attested out;
  out.around = std::move(around);
  if (!options.replicas.empty()) {
    TRY(replicas, reports::Replicas::make(options.replicas, kReplicaTimeoutSeconds));
    out.replicas = std::move(replicas);
  }
  identity::IdentityOptions identity;
  identity.keyset_days = options.keyset_days;
  identity.tls_spki_sha256 = tls.spki_sha256;
  identity.tls_key_origin = tls.origin;
  out.identity = std::make_unique<identity::Identity>(keyring, system_clock(), identity);
  TRY(policy, policy_of(options, out.around));
  TRY_VOID(identity::enter_policy(policy, tee, *out.identity));
  return out;
}

reports::ReportParts report_parts(const ServeOptions& options, const Platform& platform,
                                  const identity::Keyring& keyring, const Attested& attested) {
  return {.tee = *platform.tee,
          .gpu = platform.gpu.get(),
          .keyring = keyring,
          .identity = *attested.identity,
          .model_name = {},
          .replicas = attested.replicas.get(),
          .source = {options.source_repo, options.source_commit, options.image_digest, attested.around.executable},
          .serves_itself = serves_itself(options),
          .keep_report = {}};
}

reports::ReportLimits report_limits(const ServeOptions& options) {
  reports::ReportLimits limits;
  limits.per_client_per_minute = options.report_rate;
  limits.per_client_burst = options.report_burst;
  limits.local_per_minute = options.report_rate_local;
  return limits;
}

std::string app_id_of(tee::Tee* tee) {
  if (tee == nullptr) return {};
  const auto info = tee->info();
  if (!info || !info->info.is_object()) return {};
  const auto id = info->info.find("app_id");
  return id != info->info.end() && id->is_string() ? id->get<std::string>() : std::string();
}

std::string first_model_id(const engine::Engine& engine) {
  auto models = engine.models();
  return models.empty() ? "" : models.front().id;
}

}  // namespace cloister::apps
