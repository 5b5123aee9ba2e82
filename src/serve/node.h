// Node: the HTTP face of a host. Admits requests (path, token, body size), hands them to endpoints, and owns nothing else.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/worker_pool.h"
#include "engine/engine.h"
#include "http/server.h"
#include "serve/attestation_service.h"
#include "serve/auth.h"
#include "serve/cors.h"
#include "serve/endpoint.h"
#include "serve/gpu_gate.h"
#include "serve/identity.h"
#include "serve/keyring.h"
#include "serve/metrics.h"
#include "serve/receipt_journal.h"

namespace cloister::serve {

// The parts a node is wired from. All outlive it.
struct NodeContext {
  engine::Engine& engine;
  const Keyring& keyring;
  const Identity& identity;
  AttestationService* attestation;  // null without a TEE
  std::string tee_type;             // "none" without one
  std::string gpu_evidence_type;    // "none" without GPU evidence
  ReceiptJournal* receipts;         // null: nothing is signed, only to measure what that costs
  Metrics& metrics;
  WorkerPool& requests;             // parsing of large bodies
  WorkerPool& lookups;              // of receipts: may wait for a disk
  const BearerAuth& auth;
  const Cors& cors;
  const Clock& clock;
  std::uint64_t body_limit_bytes = 10u << 20;
  // False: requests are passed on to where this TEE does not vouch for.
  bool serves_itself = true;
  const GpuGate* gpu_gate = nullptr;  // null: prompts are taken whatever the GPUs are
  std::function<http::ServerStats()> server_stats;
};

class Node : public http::Handler {
 public:
  explicit Node(NodeContext context);

  http::Admission admit(const http::RequestHead& head) override;
  void handle(std::shared_ptr<http::Exchange> exchange) override;
  http::Response protocol_error(int status, std::string_view message, std::string_view path) override;

  NodeContext& context() { return context_; }

 private:
  NodeContext context_;
  EndpointRegistry registry_;
};

// Replies and counts: every endpoint ends here or in an InferenceCall.
void reply(NodeContext& context, const Call& call, std::string_view endpoint_name, http::Response response);

}  // namespace cloister::serve
