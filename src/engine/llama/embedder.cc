#include "engine/llama/embedder.h"

#include <pthread.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "engine/dialect/vectors_and_tokens.h"

namespace cloister::engine::llama {
namespace {

// Tokens computed at once when the model leaves pooling to us: each needs a row of logits that nobody reads.
constexpr std::uint32_t kChunkTokens = 256;

Error engine_error(const char* what) { return fail(ErrorCode::kEngineFailed, what); }

void normalize(std::vector<float>& vector) {
  double squares = 0;
  for (float value : vector) squares += static_cast<double>(value) * static_cast<double>(value);
  if (squares <= 0) return;
  auto scale = static_cast<float>(1.0 / std::sqrt(squares));
  for (float& value : vector) value *= scale;
}

std::uint64_t count_tokens(const EmbeddingJob& job) {
  std::uint64_t count = 0;
  for (const auto& input : job.inputs) count += input.size();
  return count;
}

struct Batch {
  explicit Batch(int tokens) : batch(llama_batch_init(tokens, 0, 1)) {}
  ~Batch() { llama_batch_free(batch); }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  llama_batch batch;
};

}  // namespace

Embedder::~Embedder() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
  while (const auto job = jobs_.pop()) finish(*job, fail(ErrorCode::kCancelled, "the engine stopped"));
}

void Embedder::submit(const std::string& client, EmbeddingJob job) {
  std::optional<EmbeddingJob> dropped;
  {
    const std::lock_guard lock(mutex_);
    dropped = jobs_.push(client, std::move(job));
    if (!thread_.joinable()) {
      thread_ = std::thread([this] { run(); });
      pthread_setname_np(thread_.native_handle(), "engine-vectors");
    }
  }
  wake_.notify_one();
  if (dropped) finish(*dropped, fail(ErrorCode::kBusy, "too many inputs wait for their vectors; try again"));
}

void Embedder::run() {
  std::string client;
  const auto next = [&](const std::string& name, EmbeddingJob&) {
    client = name;
    return true;
  };
  while (true) {
    std::optional<EmbeddingJob> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [&] { return stopping_ || (job = jobs_.pop_if(next)); });
      if (stopping_) {
        if (job) jobs_.push(client, std::move(*job));
        return;
      }
    }
    if (job->reply->is_over()) continue;
    const Result<bool> last = compute_one(*job);
    if (!last) {
      finish(*job, last.error());
    } else if (*last) {
      finish(*job, embeddings_body(job->model_id, job->vectors, job->base64, count_tokens(*job)));
    } else {
      const std::string owner = client;
      submit(owner, std::move(*job));
    }
  }
}

void Embedder::finish(const EmbeddingJob& job, Result<std::string> body) const {
  inbox_->post(
      [reply = job.reply, body = std::move(body), tokens = count_tokens(job)] { reply->deliver(body, tokens); });
}

Result<bool> Embedder::compute_one(EmbeddingJob& job) {
  TRY_VOID(make_context());
  TRY(vector, embed(job.inputs[job.vectors.size()]));
  job.vectors.push_back(std::move(vector));
  return job.vectors.size() == job.inputs.size();
}

Result<void> Embedder::make_context() {
  if (context_) return {};
  llama_context_params params = llama_context_default_params();
  params.n_ctx = static_cast<std::uint32_t>(model_.context_tokens());
  params.n_batch = params.n_ctx;
  params.n_ubatch = kChunkTokens;
  params.n_seq_max = 1;
  params.embeddings = true;
  params.n_threads = model_.params().cpuparams.n_threads;
  params.n_threads_batch = model_.params().cpuparams_batch.n_threads;
  context_.reset(llama_init_from_model(model_.model(), params));
  // A model with pooling of its own must see its whole input at once.
  if (context_ && llama_pooling_type(context_.get()) != LLAMA_POOLING_TYPE_NONE) {
    params.n_ubatch = params.n_ctx;
    context_.reset(llama_init_from_model(model_.model(), params));
  }
  if (!context_) return engine_error("no memory for the context that computes embeddings");
  model_.progress().end_in_time(context_.get());
  return {};
}

Result<std::vector<float>> Embedder::embed(const std::vector<std::int32_t>& tokens) {
  llama_context* context = context_.get();
  if (llama_memory_t memory = llama_get_memory(context)) llama_memory_clear(memory, /*data=*/false);
  auto size = static_cast<std::size_t>(llama_model_n_embd_out(model_.model()));
  bool own_pooling = llama_pooling_type(context) != LLAMA_POOLING_TYPE_NONE;
  std::size_t chunk = own_pooling ? tokens.size() : std::min<std::size_t>(tokens.size(), kChunkTokens);
  Batch holder(static_cast<int>(chunk));
  llama_batch& batch = holder.batch;
  std::vector<float> vector(size, 0.0f);
  for (std::size_t from = 0; from < tokens.size(); from += chunk) {
    std::size_t count = std::min(chunk, tokens.size() - from);
    common_batch_clear(batch);
    for (std::size_t i = 0; i < count; ++i) {
      common_batch_add(batch, tokens[from + i], static_cast<llama_pos>(from + i), {0}, /*logits=*/true);
    }
    if (llama_decode(context, batch) != 0) return engine_error("the engine could not compute the embedding");
    for (std::size_t i = 0; i < (own_pooling ? 1 : count); ++i) {
      const float* row = own_pooling ? llama_get_embeddings_seq(context, 0)
                                     : llama_get_embeddings_ith(context, static_cast<std::int32_t>(i));
      if (row == nullptr) return engine_error("the model gave no embedding");
      for (std::size_t j = 0; j < size; ++j) vector[j] += row[j];
    }
  }
  normalize(vector);  // the mean and the sum have the same direction
  return vector;
}

}  // namespace cloister::engine::llama
