#include "engine/echo/echo_engine.h"

#include "base/clock.h"
#include "engine/dialect/make_reply_writer.h"
#include "engine/dialect/members.h"
#include "engine/dialect/request_forms.h"
#include "engine/dialect/vectors_and_tokens.h"
#include "engine/echo/echo_reply.h"
#include "evidence/model_identity.h"

namespace cloister::engine {
namespace {

constexpr std::uint64_t kContextLength = 1 << 20;

// The engine has no weights, and its identity says so.
std::shared_ptr<const Json> identity_of(const EchoOptions& options) {
  evidence::ModelIdentity identity;
  identity.id = evidence::identity_text(options.model_id);
  identity.engine = {"echo", CLOISTER_VERSION, {}, {}, {}};
  identity.context_length = kContextLength;
  identity.settings = {{"fixed_tokens", options.fixed_tokens}};
  return std::make_shared<const Json>(evidence::to_json(identity));
}

class EchoEngine : public Engine {
 public:
  explicit EchoEngine(EchoOptions options)
      : options_(std::move(options)), created_(system_clock().now()), identity_(identity_of(options_)) {}

  std::string_view name() const override { return "echo"; }
  Health health() const override { return Health::kReady; }
  bool starts_quickly() const override { return true; }
  std::vector<ModelInfo> models() const override {
    return {{options_.model_id, created_, kContextLength, 0, "", identity_}};
  }
  std::set<Route> routes() const override {
    return {Route::kChatCompletions, Route::kCompletions, Route::kEmbeddings, Route::kResponses,
            Route::kMessages,        Route::kTokenize,    Route::kCountTokens};
  }
  EngineStats stats() const override { return {active_->load(), 0}; }
  Result<std::shared_ptr<Generation>> start(EngineRequest request, std::shared_ptr<ReplySink> sink) override;

 private:
  std::shared_ptr<EchoReply> make_stream(const EngineRequest& request, const Json& body, const RequestFields& fields,
                                         std::shared_ptr<ReplySink> sink) const;
  std::shared_ptr<EchoReply> make_body(Route route, const Json& body, std::shared_ptr<ReplySink> sink) const;

  const EchoOptions options_;
  const std::int64_t created_;
  const std::shared_ptr<const Json> identity_;
  ActiveCount active_ = std::make_shared<std::atomic<std::uint64_t>>(0);
  EchoTimer timer_;  // declared last, so that its thread ends first
};

Result<std::shared_ptr<Generation>> EchoEngine::start(EngineRequest request, std::shared_ptr<ReplySink> sink) {
  unify_request(request.route, request.json);
  const Json& body = request.json;
  TRY(fields, read_request_fields(request.route, body));
  bool generates = generates_text(request.route);
  std::shared_ptr<EchoReply> reply =
      generates ? make_stream(request, body, fields, std::move(sink)) : make_body(request.route, body, std::move(sink));
  auto due = std::chrono::steady_clock::now() + options_.first_token_delay;
  // A body without delay is due now: sending it here costs the caller no change of threads. A stream is not sent here,
  // since its reader could not hold it back.
  if (!request.stream && options_.first_token_delay.count() == 0) due = reply->run(due);
  if (due != EchoTime::max()) timer_.add(due, reply);
  return std::shared_ptr<Generation>(reply);
}

std::shared_ptr<EchoReply> EchoEngine::make_stream(const EngineRequest& request, const Json& body,
                                                   const RequestFields& fields, std::shared_ptr<ReplySink> sink) const {
  std::vector<EchoPlan> plans;
  for (std::string& text : texts_to_echo(request.route, body)) {
    EchoPlan plan = plan_echo(std::move(text), fields, options_.fixed_tokens);
    plans.insert(plans.end(), static_cast<std::size_t>(fields.choices), plan);
  }
  ReplyHead head;
  head.route = request.route;
  head.id = request.id;
  head.model = options_.model_id;
  head.created = system_clock().now();
  head.stream = request.stream;
  head.include_usage = fields.include_usage;
  head.choices = static_cast<int>(plans.size());
  return std::make_shared<EchoStream>(std::move(sink), active_, make_reply_writer(std::move(head)), std::move(plans),
                                      demanded_tool(request.route, body), count_prompt_tokens(request.route, body),
                                      options_.token_gap);
}

std::shared_ptr<EchoReply> EchoEngine::make_body(Route route, const Json& body, std::shared_ptr<ReplySink> sink) const {
  std::vector<std::string> texts = texts_to_echo(route, body);
  std::uint64_t prompt_tokens = count_prompt_tokens(route, body);
  if (route == Route::kCountTokens) {
    return std::make_shared<EchoBody>(std::move(sink), active_, count_tokens_body(prompt_tokens), prompt_tokens);
  }
  if (route == Route::kTokenize) {
    return std::make_shared<EchoBody>(std::move(sink), active_, tokenize_body(token_ids(texts.front()), kContextLength),
                                      prompt_tokens);
  }
  std::vector<std::vector<float>> vectors;
  for (const std::string& text : texts) vectors.push_back(echo_vector(text));
  bool base64 = text_member(body, "encoding_format") == "base64";
  return std::make_shared<EchoBody>(std::move(sink), active_,
                                    embeddings_body(options_.model_id, vectors, base64, prompt_tokens), prompt_tokens);
}

}  // namespace

std::unique_ptr<Engine> make_echo_engine(EchoOptions options) {
  return std::make_unique<EchoEngine>(std::move(options));
}

}  // namespace cloister::engine
