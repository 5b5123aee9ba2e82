// What a host proves of itself: its identity and the reports about it.
#pragma once

#include <memory>

#include "apps/gpu_parts.h"
#include "apps/policy_parts.h"
#include "apps/serve_options.h"
#include "apps/serve_parts.h"
#include "base/worker_pool.h"
#include "engine/engine.h"
#include "serve/attestation_service.h"
#include "serve/identity.h"
#include "serve/metrics.h"
#include "serve/replicas.h"
#include "store/receipt_store.h"

namespace cloister::apps {

struct Attested {
  PolicySurroundings around;                             // what the policy in force was made with
  std::unique_ptr<serve::Identity> identity;
  std::unique_ptr<serve::Replicas> replicas;             // null: none
};

// Measures the policy into RTMR3, before anything listens. `keyring` outlives it.
Result<Attested> make_attested(const ServeOptions& options, PolicySurroundings around, const serve::Keyring& keyring,
                               const Tls& tls, tee::Tee* tee);

// Null without a TEE. All outlive it. `store` keeps the report of each epoch; null for none.
std::unique_ptr<serve::AttestationService> make_attestation(const ServeOptions& options, const Platform& platform,
                                                            const serve::Keyring& keyring, const Attested& attested,
                                                            const Tls& tls, engine::Engine& engine, bool gpu_optional,
                                                            serve::Metrics& metrics, WorkerPool& pool,
                                                            store::ReceiptStore* store);

// The identity of the engine's model, once it is ready.
Result<void> follow_model(const engine::Engine& engine, serve::Identity& identity);

}  // namespace cloister::apps
