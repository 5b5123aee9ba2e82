#include "apps/audit/replay.h"

#include <algorithm>
#include <chrono>

#include "codec/json.h"
#include "crypto/hash.h"
#include "engine/collecting_sink.h"
#include "engine/dialect/members.h"
#include "engine/dialect/reply_reader.h"
#include "engine/dialect/request_fields.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "verify/replay.h"

namespace cloister::apps {
namespace {

using engine::Route;

constexpr codec::JsonLimits kBodyLimits = {64u << 20, 64};

Error cannot(const std::string& why) { return fail(ErrorCode::kUnsupported, why); }

Result<Route> route_of(const std::string& endpoint) {
  if (endpoint == "/v1/chat/completions") return Route::kChatCompletions;
  if (endpoint == "/v1/completions") return Route::kCompletions;
  if (endpoint == "/v1/responses") return Route::kResponses;
  if (endpoint == "/v1/messages") return Route::kMessages;
  return cannot("a reply of " + endpoint + " is not one that a model has generated from a prompt");
}

const evidence::ReceiptEvent* find_event(const evidence::Receipt& receipt, std::string_view type) {
  const auto found = std::find_if(receipt.events.begin(), receipt.events.end(),
                                  [&](const evidence::ReceiptEvent& event) { return event.type == type; });
  return found == receipt.events.end() ? nullptr : &*found;
}

Result<void> check_body(const evidence::Receipt& receipt, std::string_view type, const std::string& body,
                        const char* what) {
  const evidence::ReceiptEvent* event = find_event(receipt, type);
  if (event == nullptr || event->body_hash != crypto::sha256(as_bytes(body))) {
    return cannot(std::string("the ") + what + " in the archive is not the one that the receipt is about");
  }
  return {};
}

bool is_greedy(const Json& body) {
  const Json* temperature = engine::find_member(body, "temperature");
  return temperature != nullptr && temperature->is_number() && temperature->get<double>() == 0;
}

// The body of the new request: the archived one, with the seed that was in effect where the archive names none.
Result<Json> body_to_ask(const ReplayCase& asked) {
  TRY(body, codec::parse_json(asked.request, kBodyLimits));
  if (!body.is_object()) return cannot("the archived request is no JSON object");
  if (engine::find_member(body, "seed") != nullptr) return body;
  const Json* seed = engine::find_member(asked.sampling, "seed");
  if (seed != nullptr && seed->is_number_unsigned()) {
    body["seed"] = *seed;
  } else if (!is_greedy(body)) {
    return cannot("the seed is unknown: neither the request nor the receipt names one, and the temperature is not 0");
  }
  return body;
}

bool wants_stream(const Json& body) {
  const Json* stream = engine::find_member(body, "stream");
  return stream != nullptr && stream->is_boolean() && stream->get<bool>();
}

Result<std::string> ask(engine::Engine& engine, Route route, Json body) {
  auto sink = std::make_shared<engine::CollectingSink>();
  engine::EngineRequest request;
  request.route = route;
  request.id = "replay";
  request.stream = wants_stream(body);
  request.body = std::make_shared<const std::string>(codec::write_json(body));
  request.json = std::move(body);
  TRY(generation, engine.start(std::move(request), sink));
  static_cast<void>(generation);
  return sink->wait();
}

Result<std::vector<std::int64_t>> tokens_of(engine::Engine& engine, const std::string& text) {
  std::vector<std::int64_t> out;
  if (text.empty()) return out;
  TRY(body, ask(engine, Route::kTokenize, {{"prompt", text}}));
  TRY(object, codec::parse_json(body, kBodyLimits));
  TRY(tokens, codec::array_member(object, "tokens"));
  for (const Json& token : *tokens) out.push_back(token.get<std::int64_t>());
  return out;
}

// Everything that was said, in one text: the position of the first difference is counted in it.
std::string said(const engine::ReadReply& reply) {
  std::string out;
  for (const engine::ReadChoice& choice : reply.choices) {
    for (const std::string* part : {&choice.reasoning, &choice.text, &choice.calls}) out += *part;
  }
  return out;
}

Result<verify::ReplayedReply> as_judged(engine::Engine& engine, const engine::ReadReply& reply) {
  verify::ReplayedReply out;
  out.said = said(reply);
  for (const engine::ReadChoice& choice : reply.choices) out.finishes.push_back(choice.finish);
  out.prompt_tokens = reply.prompt_tokens;
  out.completion_tokens = reply.completion_tokens;
  TRY(tokens, tokens_of(engine, out.said));
  out.tokens = std::move(tokens);
  return out;
}

}  // namespace

Result<ReplayCase> read_replay_case(const std::string& receipt_text, const std::string& request,
                                    const std::string& response, const Json& model_document) {
  TRY(receipt, evidence::parse_receipt(receipt_text));
  ReplayCase out;
  TRY(route, route_of(receipt.endpoint.substr(0, receipt.endpoint.find('?'))));
  out.route = route;
  TRY_VOID(check_body(receipt, evidence::kRequestReceived, request, "request"));
  TRY_VOID(check_body(receipt, evidence::kResponseReturned, response, "reply"));
  out.request = request;
  out.response = response;
  const evidence::ReceiptEvent* served = find_event(receipt, evidence::kModelServed);
  if (served == nullptr) return cannot("the receipt does not say which model answered");
  out.model_digest = engine::text_member(served->fields, "model_digest");
  out.sampling = served->fields;
  if (model_document.is_null())
    return cannot("the archive does not identify the model: it needs a native report, or a manifest");
  TRY(digest, evidence::document_digest(model_document));
  if (evidence::digest_text(digest) != out.model_digest) {
    return cannot("the archive describes the model " + evidence::digest_text(digest) + ", and the receipt names " +
                  (out.model_digest.empty() ? "none" : out.model_digest));
  }
  TRY(model, evidence::parse_model_identity(model_document));
  out.model = std::move(model);
  TRY(body, body_to_ask(out));
  static_cast<void>(body);
  return out;
}

Result<void> replay(engine::Engine& engine, const ReplayCase& asked, verify::Verdict& verdict) {
  TRY(body, body_to_ask(asked));
  const auto begun = std::chrono::steady_clock::now();
  TRY(reply, ask(engine, asked.route, std::move(body)));
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun);
  TRY(archived, engine::read_reply(asked.route, asked.response));
  TRY(now, engine::read_reply(asked.route, reply));
  TRY(before, as_judged(engine, archived));
  TRY(after, as_judged(engine, now));
  verify::check_replayed(before, after, took, verdict);
  return {};
}

}  // namespace cloister::apps
