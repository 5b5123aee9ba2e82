// GET /health, /health/live, /health/ready and /metrics.
#include "codec/json.h"
#include "engine/known_answers/record.h"
#include "evidence/json_reader.h"
#include "serve/endpoints/endpoints.h"

namespace cloister::serve {
namespace {

std::string_view health_text(engine::Health health) {
  switch (health) {
    case engine::Health::kLoading: return "loading";
    case engine::Health::kReady: return "ok";
    case engine::Health::kStalled: return "stalled";
    case engine::Health::kFailed: return "failed";
  }
  return "failed";
}

// Only the operator may know where they are and how much they do.
Json upstreams_json(const std::vector<engine::UpstreamState>& upstreams) {
  Json out = Json::array();
  for (const engine::UpstreamState& one : upstreams) {
    out.push_back({{"up", one.up},
                   {"server", one.server},
                   {"models", one.models},
                   {"routes", one.routes},
                   {"cache_salt", one.cache_salt}});
  }
  return out;
}

std::string_view stage_text(engine::TestStage stage) {
  switch (stage) {
    case engine::TestStage::kPending: return "pending";
    case engine::TestStage::kPassed: return "passed";
    case engine::TestStage::kFailed: return "failed";
  }
  return "failed";
}

// One entry for each tested model and each server that has it. It holds no addresses and no word of a prompt.
Json known_answers_json(const std::vector<engine::KnownAnswersState>& states) {
  Json out = Json::array();
  for (const engine::KnownAnswersState& state : states) {
    Json one = {{"model", state.model},
                {"state", stage_text(state.stage)},
                {"answers_digest", evidence::digest_text(state.answers_digest)},
                {"failures", state.failures},
                {"milliseconds", state.took.count()}};
    one["reason"] = state.stage == engine::TestStage::kFailed ? Json(state.reason) : Json();
    one["passed_at"] = state.last ? Json(to_rfc3339(state.last->passed_at)) : Json();
    if (state.last) {
      one["cases"] = state.last->cases;
      one["positions"] = state.last->positions;
      one["deviation"] = state.last->deviation;
      one["tolerance"] = state.last->tolerance;
    }
    out.push_back(std::move(one));
  }
  return out;
}

// Only the operator may see the store's error messages, which may name paths and hosts.
Json receipts_json(const receipts::ReceiptJournal& journal, const receipts::JournalState& state) {
  return {{"store", journal.store_type()},
          {"failing", state.failing},
          {"waiting", state.waiting},
          {"in_memory", state.in_memory},
          {"lost", state.lost}};
}

// The process runs and its loops turn; the node need not be able to serve.
http::Response live() {
  http::Response response;
  response.headers.emplace_back("cache-control", "no-store");
  response.body = R"({"status":"live"})";
  return response;
}

http::Response health(NodeContext& context) {
  engine::Health state = context.engine.health();
  Json body = {{"status", health_text(state)},           {"engine", context.engine.name()},
               {"tee_type", context.tee_type},           {"gpu_evidence", context.gpu_evidence_type},
               {"signing", context.receipts != nullptr}, {"version", CLOISTER_VERSION}};
  if (state == engine::Health::kFailed) body["reason"] = context.engine.failure();
  if (const auto tests = engine::known_answers(context.engine); !tests.empty())
    body["known_answers"] = known_answers_json(tests);
  if (context.engine.passes_on()) body["upstreams"] = upstreams_json(context.engine.upstreams());
  bool ready = state == engine::Health::kReady;
  if (context.gpu_gate != nullptr) {
    const reports::GpuGateState gate = context.gpu_gate->state();
    if (ready && !gate.open) body["status"] = "gpu_not_attested";
    ready = ready && gate.open;
    body["gpu_gate"] = to_json(gate);
  }
  if (context.receipts != nullptr) {
    const receipts::JournalState receipts = context.receipts->state();
    const bool refusing = context.receipts->refusal().has_value();
    if (ready && refusing) body["status"] = "receipts_unavailable";
    ready = ready && !refusing;
    body["receipts"] = receipts_json(*context.receipts, receipts);
  }
  http::Response response;
  response.status = ready ? 200 : 503;
  response.headers.emplace_back("cache-control", "no-store");
  response.body = codec::write_json(body);
  return response;
}

http::Response metrics(NodeContext& context) {
  context.metrics.engine.set_engine(context.engine.stats(), context.engine.health() == engine::Health::kReady);
  context.metrics.engine.set_upstreams(context.engine.upstreams());
  context.metrics.engine.set_known_answers(engine::known_answers(context.engine));
  if (context.receipts != nullptr) {
    const receipts::JournalState state = context.receipts->state();
    context.metrics.receipts.set_receipts(state.waiting + state.in_memory, state.lost);
  }
  if (context.attestation != nullptr) context.attestation->update_metrics();
  if (context.gpu_gate != nullptr)
    context.metrics.evidence.set_gpu_gate(context.gpu_gate->state(), context.clock.now());
  if (context.server_stats) context.metrics.requests.set_connections(context.server_stats().connections_open);
  http::Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.body = context.metrics.registry.render();
  return response;
}

}  // namespace

void install_health(api::EndpointRegistry& registry, NodeContext& context) {
  api::Endpoint endpoint;
  endpoint.method = "GET";
  endpoint.path = "/health";
  endpoint.name = "health";
  endpoint.access = api::Access::kPublic;
  endpoint.handle = [&context](api::Call call) { reply(context, call, health(context)); };
  registry.install(endpoint);
  endpoint.path = "/health/ready";
  registry.install(endpoint);
  endpoint.path = "/health/live";
  endpoint.handle = [&context](api::Call call) { reply(context, call, live()); };
  registry.install(endpoint);

  endpoint.path = "/metrics";
  endpoint.name = "metrics";
  endpoint.access = api::Access::kOperator;
  endpoint.handle = [&context](api::Call call) { reply(context, call, metrics(context)); };
  registry.install(endpoint);
}

}  // namespace cloister::serve
