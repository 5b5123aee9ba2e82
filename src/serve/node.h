// Node: the HTTP side of a host. It admits requests (path, token, body size), hands them to endpoints, and owns nothing else.
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
#include "serve/preparation.h"
#include "serve/receipt_journal.h"
#include "serve/web_guard.h"

namespace cloister::serve {

// The parts that a node is wired from. All of them outlive the node.
struct NodeContext {
  engine::Engine& engine;
  const Keyring& keyring;
  const Identity& identity;
  AttestationService* attestation;  // null without a TEE
  std::string tee_type;             // "none" without a TEE
  std::string app_id;               // id of the application, as the TEE names it; empty where it names none
  std::string gpu_evidence_type;    // "none" without GPU evidence
  ReceiptJournal* receipts;         // null: nothing is signed, only to measure the cost of signing
  Metrics& metrics;
  Preparation& preparation;  // threads for inference requests
  WorkerPool& lookups;       // threads for looking up receipts, which may wait for a disk
  const BearerAuth& auth;
  const BearerAuth* operators;  // the operator's tokens; null: there are none
  const Cors& cors;
  const WebGuard& web;
  const Clock& clock;
  std::uint64_t body_limit_bytes = 10u << 20;
  // False: requests are passed on to a server that this TEE does not vouch for.
  bool serves_itself = true;
  const GpuGate* gpu_gate = nullptr;  // null: prompts are accepted whatever the state of the GPUs
  // Where the operator has no tokens, all callers count as the operator.
  bool anybody_operates = false;
  std::string tls_request = {};  // PEM: what an authority needs to certify the TEE's own TLS key; or empty
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
  // Refuses a caller that may not use this endpoint, or a head that asks for what this node does not do. Absent when
  // the request may continue. `owner`: of the client's token; absent where it has no known one.
  std::optional<http::Response> refuse_caller(const http::RequestHead& head, const Endpoint& endpoint,
                                              const std::optional<Owner>& owner) const;
  std::optional<http::Response> refuse_head(const http::RequestHead& head, const Endpoint& endpoint) const;
  // Refuses a request that is for a node with another configuration than this one.
  std::optional<http::Response> refuse_configuration(const http::RequestHead& head, const Endpoint& endpoint,
                                                     const Epoch& epoch) const;

  NodeContext context_;
  EndpointRegistry registry_;
};

// Replies and counts: every endpoint ends here or in an InferenceCall.
void reply(NodeContext& context, const Call& call, std::string_view endpoint_name, http::Response response);

}  // namespace cloister::serve
