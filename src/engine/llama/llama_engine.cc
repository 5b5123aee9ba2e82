#include "engine/llama/llama_engine.h"

#include <pthread.h>

#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "engine/dialect/members.h"
#include "engine/dialect/request_forms.h"
#include "engine/dialect/vectors_and_tokens.h"
#include "engine/known_answers/engine_ask.h"
#include "engine/known_answers/watch.h"
#include "engine/llama/body_reply.h"
#include "engine/llama/dispatcher.h"
#include "engine/llama/embedder.h"
#include "engine/llama/llama_identity.h"
#include "engine/llama/llama_reply.h"
#include "engine/llama/loaded_model.h"
#include "engine/llama/model_file.h"
#include "engine/llama/process_guard.h"
#include "engine/llama/prompt.h"
#include "engine/llama/prompt_owners.h"
#include "engine/weights/weight_measurement.h"
#include "engine/weights/weight_watch.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"

namespace cloister::engine {
namespace {

using namespace llama;

constexpr std::string_view kFingerprint = "llama.cpp-" CLOISTER_LLAMA_COMMIT;

Error changed_error() {
  return fail(ErrorCode::kEngineFailed, "the model's files have changed since they were measured");
}

Error withdrawn_error() {
  return fail(ErrorCode::kEngineFailed,
              "the model does not give its known answers any more, so this node takes no prompts");
}

class LlamaEngine : public Engine, public TestedEngine {
 public:
  LlamaEngine(LlamaOptions options, ModelFile file, std::shared_ptr<const WeightFiles> weights);
  ~LlamaEngine() override;

  std::string_view name() const override { return "llama.cpp"; }
  Health health() const override {
    const Health health = health_.load(std::memory_order_acquire);
    return health == Health::kReady && model_->progress().is_stalled() ? Health::kStalled : health;
  }
  std::string failure() const override { return std::lock_guard(mutex_), failure_; }
  std::vector<ModelInfo> models() const override { return std::lock_guard(mutex_), std::vector<ModelInfo>{info_}; }
  std::set<Route> routes() const override;
  EngineStats stats() const override;
  std::vector<KnownAnswersState> known_answers() const override;
  std::shared_ptr<const evidence::KnownAnswersResult> known_answers_of(std::string_view model) const override;
  Result<std::shared_ptr<Generation>> start(EngineRequest request, std::shared_ptr<ReplySink> sink) override;

 private:
  void run();
  // Does everything before the first prompt.
  Result<void> prepare();
  Result<evidence::ModelIdentity> identify();
  // Checks that the known answers belong to these weights.
  Result<void> check_answers(const evidence::ModelIdentity& identity) const;
  void watch_answers(const ByteArray<32>& model_digest);
  TrialOutcome test_answers();
  void on_tested(const TrialOutcome& outcome, const ByteArray<32>& model_digest);
  // Like start(), in any state of health.
  Result<std::shared_ptr<Generation>> begin(EngineRequest request, std::shared_ptr<ReplySink> sink, bool from_scratch);
  void become_ready();
  // Accepts no prompts from here on, and ends the running replies with `error`.
  void withdraw(const std::string& reason, const Error& error);
  Error closed_error() const;
  void close(const std::string& reason);
  void cancel_replies();
  ReplyHead make_head(const EngineRequest& request, const RequestFields& fields, const PreparedReply& prepared) const;
  // `from_scratch`: no cached part of a prompt is used.
  Result<std::shared_ptr<Generation>> start_reply(const EngineRequest& request, const Json& body,
                                                  const RequestFields& fields, std::shared_ptr<ReplySink> sink,
                                                  bool from_scratch);
  Result<std::shared_ptr<Generation>> start_embeddings(const Json& body, const std::string& client,
                                                       std::shared_ptr<ReplySink> sink);
  Result<std::shared_ptr<Generation>> start_tokenize(Route route, const Json& body, std::shared_ptr<ReplySink> sink);

  const LlamaOptions options_;
  ModelFile file_;  // used by the engine's thread alone, once it runs
  const std::string model_id_;
  const std::shared_ptr<const WeightFiles> weight_files_;
  LiveCount live_ = std::make_shared<std::atomic<std::uint64_t>>(0);

  std::atomic<Health> health_{Health::kLoading};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> loaded_{false};  // a model is running, whether or not it may be asked
  mutable std::mutex mutex_;         // guards the four members below
  std::condition_variable changed_;
  std::string failure_;
  std::optional<Error> closed_with_;  // the error that requests get from then on
  ModelInfo info_;
  bool run_over_ = false;

  // The engine's thread writes it before health_ becomes kReady; others read it after that.
  std::unique_ptr<LoadedModel> model_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Embedder> embedder_;
  std::unique_ptr<WeightMeasurement> measurement_;  // holds the lock on the weights
  std::unique_ptr<WeightWatch> watch_;
  std::unique_ptr<TestRecord> test_record_;  // null: the model is not tested. Made before any other thread exists
  EngineAsk ask_;
  std::unique_ptr<AnswersWatch> answers_watch_;
  std::thread thread_;
};

LlamaEngine::LlamaEngine(LlamaOptions options, ModelFile file, std::shared_ptr<const WeightFiles> weights)
    : options_(std::move(options)),
      file_(std::move(file)),
      model_id_(llama::model_id(options_, file_)),
      weight_files_(std::move(weights)),
      ask_([this](EngineRequest request, std::shared_ptr<ReplySink> sink) {
        return begin(std::move(request), std::move(sink), /*from_scratch=*/true);
      }) {
  if (options_.known_answers != nullptr) test_record_ = std::make_unique<TestRecord>(options_.known_answers, "");
  info_.id = model_id_;
  info_.created = system_clock().now();
  info_.quantization = file_.quantization;
  MeasureOptions measure;
  measure.lock = options_.lock_model;
  measurement_ = std::make_unique<WeightMeasurement>(weight_files_, measure);
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "engine");
}

// Called before a batch is given up, which its replies would otherwise take for a failure of the engine.
void LlamaEngine::cancel_replies() {
  std::promise<void> told;
  dispatcher_->inbox()->post([this, &told] {
    dispatcher_->fail_all(fail(ErrorCode::kCancelled, "the engine stopped"));
    told.set_value();
  });
  told.get_future().wait();
}

LlamaEngine::~LlamaEngine() {
  const bool loaded = loaded_;
  if (loaded) cancel_replies();
  stopping_ = true;
  measurement_->stop();
  ask_.stop();
  // The watches call the dispatcher.
  if (loaded) answers_watch_.reset();
  if (loaded) watch_.reset();
  if (loaded) embedder_.reset();
  if (loaded) dispatcher_.reset();
  {
    // terminate() has no effect before run() has begun, so it is repeated until it was heard.
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::milliseconds(1), [this] { return run_over_; })) {
      if (loaded_) model_->terminate();
    }
  }
  thread_.join();
  // When it is stopped between the end of loading and this line, the helpers may exist though `loaded` was false.
  answers_watch_.reset();
  watch_.reset();
  embedder_.reset();
  dispatcher_.reset();
}

void LlamaEngine::run() {
  if (const Result<void> prepared = prepare(); prepared) {
    if (!stopping_) model_->run();
  } else {
    close(prepared.error().message);
  }
  std::lock_guard lock(mutex_);
  run_over_ = true;
  changed_.notify_all();
}

void LlamaEngine::close(const std::string& reason) {
  std::lock_guard lock(mutex_);
  failure_ = reason;
  info_.identity = nullptr;
  health_.store(Health::kFailed, std::memory_order_release);
}

void LlamaEngine::withdraw(const std::string& reason, const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_with_) closed_with_ = error;
  }
  close(reason);
  dispatcher_->inbox()->post([this, error] { dispatcher_->fail_all(error); });
}

Error LlamaEngine::closed_error() const {
  const std::lock_guard lock(mutex_);
  return closed_with_.value_or(fail(ErrorCode::kEngineFailed, "the model could not be loaded"));
}

// Loading and hashing run at the same time. Where the files are locked at all, no byte is used before it is locked, so
// that the loaded bytes are the hashed ones; for the same reason the header is read again.
Result<void> LlamaEngine::prepare() {
  TRY_VOID(measurement_->wait_locked());
  TRY(file, read_model_file(options_.model_path));
  file_ = std::move(file);
  TRY(model, LoadedModel::load(options_, file_, stopping_));
  model_ = std::move(model);
  TRY(identity, identify());
  TRY_VOID(check_answers(identity));
  const auto document = std::make_shared<const Json>(evidence::to_json(identity));
  TRY(digest, evidence::document_digest(*document));
  if (options_.on_identity) TRY_VOID(options_.on_identity(*document));
  dispatcher_ = std::make_unique<Dispatcher>(*model_);
  embedder_ = std::make_unique<Embedder>(*model_, dispatcher_->inbox());
  watch_ = std::make_unique<WeightWatch>(weight_files_, options_.watch_interval, [this](const Error& change) {
    log::error("closed for prompts, the model is no longer what was measured: " + change.message);
    withdraw(change.message + " after it was measured", changed_error());
  });
  {
    const std::lock_guard lock(mutex_);
    info_.context_length = static_cast<std::uint64_t>(model_->context_tokens());
    info_.parameters = model_->meta().model_n_params;
    if (failure_.empty()) info_.identity = document;  // otherwise the watch has closed the engine already
    if (test_record_ != nullptr) watch_answers(digest);
    loaded_ = true;
  }
  if (test_record_ == nullptr) become_ready();
  return {};
}

void LlamaEngine::become_ready() {
  const std::lock_guard lock(mutex_);
  if (failure_.empty()) health_.store(Health::kReady, std::memory_order_release);
}

Result<evidence::ModelIdentity> LlamaEngine::identify() {
  TRY(weights, measurement_->wait());
  evidence::ModelIdentity identity = describe_model(options_, file_);
  TRY_VOID(check_loaded(identity, options_, file_, *model_));
  TRY_VOID(weight_files_->check_unchanged());  // including what was loaded last
  identity.weights = std::move(weights);
  return identity;
}

Result<void> LlamaEngine::check_answers(const evidence::ModelIdentity& identity) const {
  if (test_record_ == nullptr) return {};
  const evidence::KnownAnswers& answers = test_record_->answers()->document;
  if (!answers.weights_digest) {
    if (answers.model_id == identity.id) return {};
    return fail(ErrorCode::kModelFile, "the known answers are of the model " + answers.model_id +
                                           ", and the model that is served is " + identity.id);
  }
  if (*answers.weights_digest == identity.weights->digest) return {};
  return fail(ErrorCode::kModelFile,
              "the known answers are of the weights " + evidence::digest_text(*answers.weights_digest) +
                  ", and the model that is served has " + evidence::digest_text(identity.weights->digest));
}

// The engine's thread computes only once prepare() is over, so the first test also runs on a thread of its own.
void LlamaEngine::watch_answers(const ByteArray<32>& model_digest) {
  AnswersWatch::Hooks hooks;
  hooks.test = [this] { return test_answers(); };
  hooks.on_outcome = [this, model_digest](const TrialOutcome& outcome) { on_tested(outcome, model_digest); };
  hooks.on_withdraw = [this](const std::string& reason) {
    test_record_->withdraw(reason);
    log::error("closed for prompts, the known-answer test failed: " + reason);
    withdraw("the known-answer test failed: " + reason, withdrawn_error());
  };
  hooks.stop_test = [this] { ask_.stop(); };
  answers_watch_ = std::make_unique<AnswersWatch>(options_.known_answers_every, std::move(hooks));
}

TrialOutcome LlamaEngine::test_answers() {
  Question question;
  question.model = model_id_;
  ByteArray<16> tenant;
  crypto::fill_random(tenant);
  TrialOutcome outcome = run_trial(test_record_->answers()->document, question,
                                   [&](const std::string& body) { return ask_.ask(body, tenant); });
  const auto& recorded = test_record_->answers()->document.chat_template_digest;
  if (outcome.finding == Finding::kFailed && recorded &&
      *recorded != describe_model(options_, file_).chat_template_digest) {
    outcome.reason += " (the answers were recorded with another chat template)";
  }
  return outcome;
}

void LlamaEngine::on_tested(const TrialOutcome& outcome, const ByteArray<32>& model_digest) {
  test_record_->note(outcome, model_digest, system_clock().now());
  if (outcome.finding != Finding::kPassed) {
    return log::warn(
        (outcome.finding == Finding::kFailed ? "known-answer test failed: " : "known-answer test could not be made: ") +
        outcome.reason);
  }
  const auto tell = health() == Health::kLoading ? log::info : log::debug;
  tell("known-answer test passed tokens=" + std::to_string(outcome.positions) +
       " deviation=" + test_record_->state().last->deviation + " ms=" + std::to_string(outcome.took.count()));
  if (health() == Health::kLoading) become_ready();
}

std::vector<KnownAnswersState> LlamaEngine::known_answers() const {
  if (test_record_ == nullptr) return {};
  KnownAnswersState state = test_record_->state();
  state.model = model_id_;
  return {state};
}

std::shared_ptr<const evidence::KnownAnswersResult> LlamaEngine::known_answers_of(std::string_view model) const {
  return test_record_ != nullptr && model == model_id_ ? test_record_->result() : nullptr;
}

std::set<Route> LlamaEngine::routes() const {
  std::set<Route> routes = {Route::kChatCompletions, Route::kCompletions, Route::kResponses,
                            Route::kMessages,        Route::kTokenize,    Route::kCountTokens};
  if (options_.embeddings) routes.insert(Route::kEmbeddings);
  return routes;
}

EngineStats LlamaEngine::stats() const {
  std::uint64_t live = live_->load();
  std::uint64_t slots = loaded_ ? static_cast<std::uint64_t>(model_->params().n_parallel) : 0;
  std::uint64_t active = std::min(live, slots);
  return {active, live - active};
}

Result<std::shared_ptr<Generation>> LlamaEngine::start(EngineRequest request, std::shared_ptr<ReplySink> sink) {
  if (health() == Health::kLoading) return fail(ErrorCode::kEngineLoading, "the model is still loading");
  if (health() == Health::kFailed) return closed_error();
  return begin(std::move(request), std::move(sink), /*from_scratch=*/false);
}

Result<std::shared_ptr<Generation>> LlamaEngine::begin(EngineRequest request, std::shared_ptr<ReplySink> sink,
                                                       bool from_scratch) {
  TRY_VOID(check_shape(request.json));
  unify_request(request.route, request.json);
  const Json& body = request.json;
  TRY(fields, read_request_fields(request.route, body));
  switch (request.route) {
    case Route::kEmbeddings: return start_embeddings(body, request.client, std::move(sink));
    case Route::kTokenize:
    case Route::kCountTokens: return start_tokenize(request.route, body, std::move(sink));
    default: return start_reply(request, body, fields, std::move(sink), from_scratch);
  }
}

ReplyHead LlamaEngine::make_head(const EngineRequest& request, const RequestFields& fields,
                                 const PreparedReply& prepared) const {
  ReplyHead head;
  head.route = request.route;
  head.id = request.id;
  head.model = model_id_;
  head.fingerprint = kFingerprint;
  head.created = system_clock().now();
  head.stream = request.stream;
  head.include_usage = fields.include_usage;
  head.choices = prepared.choices;
  head.echoed = prepared.echoed;
  return head;
}

Result<std::shared_ptr<Generation>> LlamaEngine::start_reply(const EngineRequest& request, const Json& body,
                                                             const RequestFields& fields,
                                                             std::shared_ptr<ReplySink> sink, bool from_scratch) {
  TRY(prepared, prepare_reply(*model_, request.route, request.stream, body, fields));
  auto reply = std::make_shared<LlamaReply>(*model_, *dispatcher_, prepared, make_head(request, fields, prepared),
                                            std::move(sink), live_);
  if (!options_.share_prompt_cache) {
    for (const server_task& task : prepared.tasks) {
      reply->hold(std::make_unique<PromptOwners::Claim>(task.tokens.get_tokens().data(), request.tenant,
                                                        !task.child_tasks.empty()));
    }
  }
  reply->share_sampling(request.client, prepared.tasks);
  if (from_scratch) {
    for (server_task& task : prepared.tasks) task.params.cache_prompt = false;
  }
  auto tasks =
      std::make_shared<std::vector<server_task>>(std::move(prepared.tasks));  // a std::function must be copyable
  dispatcher_->inbox()->post([this, tasks, reply, client = request.client] {
    // Closed since start() looked: fail_all() then ran as a job before this one.
    if (health() == Health::kFailed) return reply->on_failure(closed_error());
    dispatcher_->submit(std::move(*tasks), reply, client);
  });
  return std::shared_ptr<Generation>(reply);
}

Result<std::shared_ptr<Generation>> LlamaEngine::start_embeddings(const Json& body, const std::string& client,
                                                                  std::shared_ptr<ReplySink> sink) {
  if (!options_.embeddings) return fail(ErrorCode::kUnsupported, "this node serves no embeddings");
  TRY(inputs, tokenize_inputs(*model_, body));
  EmbeddingJob job;
  job.inputs = std::move(inputs);
  job.model_id = model_id_;
  job.base64 = text_member(body, "encoding_format") == "base64";
  job.reply = std::make_shared<BodyReply>(std::move(sink), live_);
  std::shared_ptr<Generation> generation = job.reply;
  embedder_->submit(client, std::move(job));
  return generation;
}

Result<std::shared_ptr<Generation>> LlamaEngine::start_tokenize(Route route, const Json& body,
                                                                std::shared_ptr<ReplySink> sink) {
  TRY(tokens, tokenize_request(*model_, route, body));
  auto reply = std::make_shared<BodyReply>(std::move(sink), live_);
  std::string text = route == Route::kCountTokens
                         ? count_tokens_body(tokens.size())
                         : tokenize_body(tokens, static_cast<std::uint64_t>(model_->context_tokens()));
  dispatcher_->inbox()->post([reply, text = std::move(text), count = tokens.size()] { reply->deliver(text, count); });
  return std::shared_ptr<Generation>(reply);
}

struct OpenedModel {
  ModelFile file;
  std::shared_ptr<const WeightFiles> weights;
};

Result<OpenedModel> open_model(const LlamaOptions& options) {
  if (!options.chat_template.empty()) TRY_VOID(check_template(options.chat_template));
  TRY(file, read_model_file(options.model_path));
  std::vector<std::string> names;
  for (const std::filesystem::path& part : file.parts) names.push_back(part.filename().string());
  TRY(weights, WeightFiles::open(file.parts, names));
  return OpenedModel{std::move(file), std::move(weights)};
}

}  // namespace

Result<std::unique_ptr<Engine>> make_llama_engine(LlamaOptions options) {
  TRY_VOID(enter_llama());
  TRY(opened, open_model(options));
  if (!options.share_prompt_cache) PromptOwners::instance().isolate();
  return std::unique_ptr<Engine>(
      std::make_unique<LlamaEngine>(std::move(options), std::move(opened.file), std::move(opened.weights)));
}

Result<Json> llama_model_identity(const LlamaOptions& options) {
  TRY_VOID(enter_llama());
  TRY(opened, open_model(options));
  WeightMeasurement measurement(opened.weights, {.low_priority = false});
  TRY(weights, measurement.wait());
  weights.locked = options.lock_model != LockMode::kOff;
  evidence::ModelIdentity identity = describe_model(options, opened.file);
  identity.weights = std::move(weights);
  return evidence::to_json(identity);
}

}  // namespace cloister::engine
