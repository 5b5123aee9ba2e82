#include "config/attested.h"

#include <utility>

#include "base/clock.h"
#include "config/effects.h"
#include "identity/policy.h"

namespace cloister::config {
namespace {

constexpr int kReplicaTimeoutSeconds = 10;

}  // namespace

Result<Attested> make_attested(const ServeOptions& options, PolicySurroundings around, const identity::Keyring& keyring,
                               const TlsKey& tls, tee::Tee* tee) {
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
  TRY_VOID(change_policy(options, out, tee));
  return out;
}

Result<void> change_policy(const ServeOptions& options, const Attested& attested, tee::Tee* tee) {
  TRY(policy, policy_document(options, attested.around));
  return identity::enter_policy(policy, tee, *attested.identity);
}

reports::ReportParts report_parts(const ServeOptions& options, tee::Tee& tee, gpu::GpuEvidenceSource* gpu,
                                  const identity::Keyring& keyring, const Attested& attested) {
  return {.tee = tee,
          .gpu = gpu,
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

}  // namespace cloister::config
