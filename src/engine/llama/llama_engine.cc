#include "engine/llama/llama_engine.h"

#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "engine/dialect/request_forms.h"
#include "engine/dialect/vectors_and_tokens.h"
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

namespace cloister::engine {
namespace {

using namespace llama;

constexpr std::string_view kFingerprint = "llama.cpp-" CLOISTER_LLAMA_COMMIT;

Error changed_error() {
  return fail(ErrorCode::kEngineFailed, "the model's files have changed since they were measured");
}

class LlamaEngine : public Engine {
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
  Result<std::shared_ptr<Generation>> start(EngineRequest request, std::shared_ptr<ReplySink> sink) override;

 private:
  void run();
  // Everything up to the first prompt.
  Result<void> prepare();
  Result<std::shared_ptr<const Json>> identify();
  void close(const std::string& reason);
  ReplyHead make_head(const EngineRequest& request, const RequestFields& fields, const PreparedReply& prepared) const;
  Result<std::shared_ptr<Generation>> start_reply(const EngineRequest& request, const Json& body,
                                                  const RequestFields& fields, std::shared_ptr<ReplySink> sink);
  Result<std::shared_ptr<Generation>> start_embeddings(const Json& body, const std::string& client,
                                                       std::shared_ptr<ReplySink> sink);
  Result<std::shared_ptr<Generation>> start_tokenize(Route route, const Json& body, std::shared_ptr<ReplySink> sink);

  const LlamaOptions options_;
  ModelFile file_;                // the engine thread's, once it runs
  const std::string model_id_;
  const std::shared_ptr<const WeightFiles> weight_files_;
  LiveCount live_ = std::make_shared<std::atomic<std::uint64_t>>(0);

  std::atomic<Health> health_{Health::kLoading};
  std::atomic<bool> stopping_{false};
  std::atomic<bool> loaded_{false};   // there is a model that runs, whether or not it may be asked
  mutable std::mutex mutex_;  // guards the three below
  std::condition_variable changed_;
  std::string failure_;
  ModelInfo info_;
  bool run_over_ = false;

  // Written by the engine thread before health_ becomes kReady, read by others after.
  std::unique_ptr<LoadedModel> model_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Embedder> embedder_;
  std::unique_ptr<WeightMeasurement> measurement_;   // holds the lock on the weights
  std::unique_ptr<WeightWatch> watch_;
  std::thread thread_;
};

LlamaEngine::LlamaEngine(LlamaOptions options, ModelFile file, std::shared_ptr<const WeightFiles> weights)
    : options_(std::move(options)),
      file_(std::move(file)),
      model_id_(llama::model_id(options_, file_)),
      weight_files_(std::move(weights)) {
  info_.id = model_id_;
  info_.created = system_clock().now();
  info_.quantization = file_.quantization;
  MeasureOptions measure;
  measure.lock = options_.lock_model;
  measurement_ = std::make_unique<WeightMeasurement>(weight_files_, measure);
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "engine");
}

LlamaEngine::~LlamaEngine() {
  stopping_ = true;
  measurement_->stop();
  const bool loaded = loaded_;
  // The watch tells the dispatcher.
  if (loaded) watch_.reset();
  if (loaded) embedder_.reset();
  if (loaded) dispatcher_.reset();
  {
    // terminate() is lost when it comes before run() has begun, so it is said until it was heard.
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::milliseconds(1), [this] { return run_over_; })) {
      if (loaded_) model_->terminate();
    }
  }
  thread_.join();
  // Stopped between the end of loading and this line, the helpers may exist though `loaded` was false.
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

// Loading and hashing go on together. Nothing is read for use before it is locked, where it is locked at all, so that what is
// loaded are the bytes that are hashed; the header, too, is read again.
Result<void> LlamaEngine::prepare() {
  TRY_VOID(measurement_->wait_locked());
  TRY(file, read_model_file(options_.model_path));
  file_ = std::move(file);
  TRY(model, LoadedModel::load(options_, file_, stopping_));
  model_ = std::move(model);
  TRY(identity, identify());
  if (options_.on_identity) TRY_VOID(options_.on_identity(*identity));
  dispatcher_ = std::make_unique<Dispatcher>(*model_);
  embedder_ = std::make_unique<Embedder>(*model_, dispatcher_->inbox());
  watch_ = std::make_unique<WeightWatch>(weight_files_, options_.watch_interval, [this](const Error& change) {
    log::error("closed for prompts, the model is no longer what was measured: " + change.message);
    close(change.message + " after it was measured");
    dispatcher_->inbox()->post([this] { dispatcher_->fail_all(changed_error()); });
  });
  std::lock_guard lock(mutex_);
  info_.context_length = static_cast<std::uint64_t>(model_->context_tokens());
  info_.parameters = model_->meta().model_n_params;
  loaded_ = true;
  if (!failure_.empty()) return {};   // the watch has closed it already
  info_.identity = std::move(identity);
  health_.store(Health::kReady, std::memory_order_release);
  return {};
}

Result<std::shared_ptr<const Json>> LlamaEngine::identify() {
  TRY(weights, measurement_->wait());
  evidence::ModelIdentity identity = describe_model(options_, file_);
  TRY_VOID(check_loaded(identity, options_, file_, *model_));
  TRY_VOID(weight_files_->check_unchanged());   // what was loaded last, too
  identity.weights = std::move(weights);
  return std::make_shared<const Json>(evidence::to_json(identity));
}

std::set<Route> LlamaEngine::routes() const {
  std::set<Route> routes = {Route::kChatCompletions, Route::kCompletions, Route::kResponses, Route::kMessages,
                            Route::kTokenize,        Route::kCountTokens};
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
  if (health() == Health::kFailed) {
    return loaded_ ? changed_error() : fail(ErrorCode::kEngineFailed, "the model could not be loaded");
  }
  TRY_VOID(check_shape(request.json));
  unify_request(request.route, request.json);
  const Json& body = request.json;
  TRY(fields, read_request_fields(request.route, body));
  switch (request.route) {
    case Route::kEmbeddings: return start_embeddings(body, request.client, std::move(sink));
    case Route::kTokenize:
    case Route::kCountTokens: return start_tokenize(request.route, body, std::move(sink));
    default: return start_reply(request, body, fields, std::move(sink));
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
                                                             const RequestFields& fields, std::shared_ptr<ReplySink> sink) {
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
  auto tasks = std::make_shared<std::vector<server_task>>(std::move(prepared.tasks));  // a std::function must be copyable
  dispatcher_->inbox()->post([this, tasks, reply, client = request.client] {
    // Closed since start() looked: then fail_all() was a job before this one.
    if (health() == Health::kFailed) return reply->on_failure(changed_error());
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
  std::string text = route == Route::kCountTokens ? count_tokens_body(tokens.size())
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
