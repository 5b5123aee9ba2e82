// Embedder: computes vectors with the loaded model, in a small context of its own next to the scheduler's, so that
// generation keeps its batches, its sequences and its memory. Thread and context are made at the first request.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/fair_queue.h"
#include "base/result.h"
#include "engine/llama/body_reply.h"
#include "engine/llama/dispatcher.h"
#include "engine/llama/loaded_model.h"

namespace cloister::engine::llama {

struct EmbeddingJob {
  std::vector<std::vector<std::int32_t>> inputs;
  std::string model_id;
  bool base64 = false;
  std::shared_ptr<BodyReply> reply;
  std::vector<std::vector<float>> vectors = {};  // vectors of the first inputs
};

class Embedder {
 public:
  // `model` outlives the embedder; replies are delivered through `inbox`.
  Embedder(LoadedModel& model, std::shared_ptr<DispatcherInbox> inbox) : model_(model), inbox_(std::move(inbox)) {}
  // Finishes the current input and fails the rest.
  ~Embedder();
  Embedder(const Embedder&) = delete;
  Embedder& operator=(const Embedder&) = delete;

  // Any thread. The clients take turns input by input. When too many jobs wait, the newest of the client with the most
  // fails with kBusy.
  void submit(const std::string& client, EmbeddingJob job);

 private:
  struct ContextFree {
    void operator()(llama_context* context) const { llama_free(context); }
  };
  void run();
  void finish(const EmbeddingJob& job, Result<std::string> body) const;
  // Computes the next input; returns true when it was the last.
  Result<bool> compute_one(EmbeddingJob& job);
  Result<std::vector<float>> embed(const std::vector<std::int32_t>& tokens);
  Result<void> make_context();

  LoadedModel& model_;
  std::shared_ptr<DispatcherInbox> inbox_;
  std::unique_ptr<llama_context, ContextFree> context_;  // used by the thread alone

  std::mutex mutex_;
  std::condition_variable wake_;
  FairQueue<EmbeddingJob> jobs_{1024};
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace cloister::engine::llama
