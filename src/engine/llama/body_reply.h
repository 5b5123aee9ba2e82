// BodyReply: a reply whose body is made elsewhere in one piece: embeddings and tokens.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "base/result.h"
#include "engine/engine.h"
#include "engine/llama/llama_reply.h"

namespace cloister::engine::llama {

class BodyReply : public Generation {
 public:
  BodyReply(std::shared_ptr<ReplySink> sink, LiveCount live) : sink_(std::move(sink)), live_(std::move(live)) {
    ++*live_;
  }
  ~BodyReply() override { leave(); }

  void cancel() override { leave(); }
  bool is_over() const { return over_.load(std::memory_order_acquire); }

  // Called once, on the dispatcher's thread.
  void deliver(const Result<std::string>& body, std::uint64_t prompt_tokens) {
    if (!leave()) return;
    if (!body.has_value()) return sink_->on_error(body.error());
    sink_->on_start("application/json");
    sink_->on_end({"", {prompt_tokens, 0, 0}}, *body);
  }

 private:
  // False when the reply was cancelled or delivered before.
  bool leave() {
    bool first = !over_.exchange(true, std::memory_order_acq_rel);
    if (first) --*live_;
    return first;
  }

  std::shared_ptr<ReplySink> sink_;
  LiveCount live_;
  std::atomic<bool> over_{false};
};

}  // namespace cloister::engine::llama
