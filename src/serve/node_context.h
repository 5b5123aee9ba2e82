// NodeContext: the parts that a node is wired from, and the way by which its endpoints reply.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "api/authenticator.h"
#include "api/cors.h"
#include "api/endpoint.h"
#include "api/web_guard.h"
#include "base/clock.h"
#include "base/fair_pool.h"
#include "engine/engine.h"
#include "http/server.h"
#include "identity/identity.h"
#include "identity/keyring.h"
#include "receipts/receipt_journal.h"
#include "reports/attestation_service.h"
#include "reports/gpu_gate.h"
#include "serve/metrics.h"
#include "serve/run_later.h"

namespace cloister::serve {

// All of the parts outlive the node.
struct NodeContext {
  engine::Engine& engine;
  const identity::Keyring& keyring;
  const identity::Identity& identity;
  reports::AttestationService* attestation;  // null without a TEE
  std::string tee_type;                      // "none" without a TEE
  std::string app_id;                        // id of the application, as the TEE names it; empty where it names none
  std::string gpu_evidence_type;             // "none" without GPU evidence
  receipts::ReceiptJournal* receipts;        // null: nothing is signed, only to measure the cost of signing
  Metrics& metrics;
  FairPool& preparation;  // threads that read and check inference requests and hand them to the engine
  FairPool& lookups;      // threads for looking up receipts, which may wait for a disk
  api::Authenticator& auth;
  api::Authenticator* operators;  // knows the operator's tokens; null: there are none
  const api::Cors& cors;
  const api::WebGuard& web;
  const Clock& clock;
  std::uint64_t body_limit_bytes = 10u << 20;
  // False: requests are passed on to a server that this TEE does not vouch for.
  bool serves_itself = true;
  const reports::GpuGate* gpu_gate = nullptr;  // null: prompts are accepted whatever the state of the GPUs
  // Where the operator has no tokens, all callers count as the operator.
  bool anybody_operates = false;
  // How long the caller of a complete request may be in doubt, after tokens have changed.
  std::chrono::seconds caller_timeout{10};
  RunLater run_later = run_later_on_loop;  // how streams wait
  std::string tls_request = {};            // PEM: what an authority needs to certify the TEE's own TLS key; or empty
  std::function<http::ServerStats()> server_stats;
};

// Replies and counts: every endpoint ends here or in an InferenceCall.
void reply(NodeContext& context, const api::Call& call, http::Response response);

}  // namespace cloister::serve
