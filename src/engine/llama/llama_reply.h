// LlamaReply: one running reply of the embedded engine, from the scheduler's results to bytes for the sink. It is made
// on the caller's thread; results come on the dispatcher's; cancel() may come on any.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/dialect/reply_writer.h"
#include "engine/llama/dispatcher.h"
#include "engine/llama/prompt.h"
#include "engine/llama/prompt_owners.h"
#include "engine/llama/sampling_share.h"

namespace cloister::engine::llama {

// Number of choices that run or wait; shared with the engine's stats(), and outlives the engine.
using LiveCount = std::shared_ptr<std::atomic<std::uint64_t>>;

class LlamaReply : public Generation, public ResultReceiver, public std::enable_shared_from_this<LlamaReply> {
 public:
  LlamaReply(const LoadedModel& model, Dispatcher& dispatcher, const PreparedReply& prepared, ReplyHead head,
             std::shared_ptr<ReplySink> sink, LiveCount live);
  ~LlamaReply() override;

  // Called before it is submitted: keeps the claim as long as this object lives.
  void hold(std::unique_ptr<PromptOwners::Claim> claim) { claims_.push_back(std::move(claim)); }
  // Counts the sampling for its tasks as this client's, and marks the tasks.
  void share_sampling(const std::string& client, std::vector<server_task>& tasks);

  void cancel() override;

  bool on_result(server_task_result& result) override;
  void on_failure(const Error& error) override;
  bool is_cancelled() const override { return cancelled_.load(std::memory_order_acquire); }
  std::vector<int> task_ids() const override { return ids_; }

 private:
  struct Choice {
    std::unique_ptr<task_result_state> parser;  // null when the text is sent unchanged
    std::string held;  // text that the scheduler holds back because a stop string may begin there
    FinishReason finish = FinishReason::kStop;
    std::vector<TokenLogprob> tokens;  // log probabilities of text that the parser has not yet released
    bool shares_prompt = false;        // a further choice of a prompt that was computed for another choice
  };

  void start(const server_task_result_cmpl_partial* partial, const server_task_result_cmpl_final* final_result);
  void on_partial(server_task_result_cmpl_partial& partial);
  bool on_final(server_task_result_cmpl_final& final_result);
  void on_text(int index, const std::string& text, bool is_partial, std::vector<TokenLogprob> logprobs);
  void hold_back(Choice& choice, const server_task_result_cmpl_partial& partial) const;
  TokenLogprob logprob_of(const completion_token_output& token) const;
  std::uint64_t count_reasoning() const;
  void flush();
  void leave();

  const llama_vocab* vocab_;
  Dispatcher& dispatcher_;  // used on its own thread only, while it lives
  std::shared_ptr<DispatcherInbox> inbox_;
  std::shared_ptr<ReplySink> sink_;
  std::unique_ptr<ReplyWriter> writer_;
  std::vector<Choice> choices_;
  std::vector<int> ids_;
  std::vector<std::unique_ptr<PromptOwners::Claim>> claims_;
  std::unique_ptr<SamplingShares::Share> share_;
  std::vector<std::string> stop_;
  const bool stream_;
  const int top_logprobs_;
  int choices_left_;
  Usage usage_;
  const Json sampling_;
  std::uint64_t cached_tokens_ = 0;  // of the prompts that have ended
  bool started_ = false;
  std::string out_;
  std::atomic<bool> cancelled_{false};
  LiveCount live_;
  std::atomic<bool> counted_{true};
};

}  // namespace cloister::engine::llama
