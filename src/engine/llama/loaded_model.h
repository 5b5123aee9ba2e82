// LoadedModel: llama.cpp's scheduler with a model in it, and what the other files of this folder read from it.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "engine/llama/llama_options.h"
#include "engine/llama/model_file.h"
#include "engine/llama/progress.h"
#include "engine/llama/prompt_pieces.h"
#include "server-context.h"

namespace cloister::engine::llama {

class LoadedModel {
 public:
  // Blocks until the weights are in memory. Ends early, with an Error, when `stop` becomes true; later computations
  // then end too. `stop` outlives the model.
  static Result<std::unique_ptr<LoadedModel>> load(const LlamaOptions& options, const ModelFile& file,
                                                   const std::atomic<bool>& stop);

  // Computes until terminate(). This is all that the engine thread does.
  void run() { context_.start_loop(); }
  // Any thread. It has no effect before run() has begun, so call it until run() has returned.
  void terminate() { context_.terminate(); }

  // Constant while the model is loaded; any thread.
  const common_params& params() const { return params_; }
  const server_context_meta& meta() const { return *meta_; }
  llama_model* model() const { return model_; }
  const llama_vocab* vocab() const { return vocab_; }
  int context_tokens() const { return meta_->slot_n_ctx; }
  // Number of bytes of the longest token's text.
  std::size_t longest_piece() const { return longest_piece_; }
  // The parameters that write a chat as a prompt. A chat with tools may need a template of ours; null when there is no way.
  const server_chat_params* chat_params() const { return &meta_->chat_params; }
  const server_chat_params* tool_chat_params() const;
  // True when tool_chat_params() is ours: the model was then not trained for it and needs a push (prompt.cc).
  bool tools_are_ours() const { return tool_params_.has_value(); }

  // The progress of the engine's thread. Thread-safe.
  Progress& progress() const { return *progress_; }
  // The queues are thread-safe by themselves.
  server_queue& tasks() { return reader_->queue_tasks; }
  server_response& results() { return reader_->queue_results; }

 private:
  LoadedModel() = default;

  std::unique_ptr<Progress> progress_;  // declared before the context, which calls it
  common_params params_;
  server_context context_;
  std::unique_ptr<PromptPieces> pieces_;  // after the context: another one may get its address
  std::optional<server_response_reader> reader_;
  std::unique_ptr<server_context_meta> meta_;
  llama_model* model_ = nullptr;
  const llama_vocab* vocab_ = nullptr;
  std::size_t longest_piece_ = 1;
  bool tools_are_native_ = false;
  std::optional<server_chat_params> tool_params_;
};

}  // namespace cloister::engine::llama
