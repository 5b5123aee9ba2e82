// What a host proves about itself: its identity and the reports about it.
#pragma once

#include <memory>
#include <string>

#include "apps/gpu_parts.h"
#include "apps/policy_parts.h"
#include "apps/serve_options.h"
#include "apps/serve_parts.h"
#include "engine/engine.h"
#include "identity/identity.h"
#include "reports/attestation_service.h"
#include "reports/replicas.h"

namespace cloister::apps {

struct Attested {
  PolicySurroundings around;  // the facts that the policy in force was made with
  std::unique_ptr<identity::Identity> identity;
  std::unique_ptr<reports::Replicas> replicas;  // null: none
};

// Measures the policy into RTMR3, before anything listens. `keyring` outlives it.
Result<Attested> make_attested(const ServeOptions& options, PolicySurroundings around, const identity::Keyring& keyring,
                               const Tls& tls, tee::Tee* tee);

// The parts of reports, as far as the options state them. `platform.tee` exists; all of it outlives the parts.
reports::ReportParts report_parts(const ServeOptions& options, const Platform& platform,
                                  const identity::Keyring& keyring, const Attested& attested);
reports::ReportLimits report_limits(const ServeOptions& options);

// The application's id as the TEE's information names it; empty where it names none.
std::string app_id_of(tee::Tee* tee);
// "" while the engine loads.
std::string first_model_id(const engine::Engine& engine);

}  // namespace cloister::apps
