// EchoReply: one running reply of the echo engine. Everything but cancel() happens on the timer's thread.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/dialect/reply_writer.h"
#include "engine/echo/echo_text.h"
#include "engine/echo/echo_timer.h"

namespace cloister::engine {

// Shared with the engine's stats(), and outlives the engine.
using ActiveCount = std::shared_ptr<std::atomic<std::uint64_t>>;

class EchoReply : public EchoTask, public Generation {
 public:
  EchoReply(std::shared_ptr<ReplySink> sink, ActiveCount active);
  ~EchoReply() override;

  void cancel() override { done(); }
  void abandon() override;

 protected:
  // True once the reply was cancelled or has ended.
  bool is_done() const { return done_.load(std::memory_order_acquire); }
  // Stops counting the reply as active. False when it was not counted already.
  bool done();
  ReplySink& sink() { return *sink_; }

 private:
  std::shared_ptr<ReplySink> sink_;
  ActiveCount active_;
  std::atomic<bool> done_{false};
};

// Sends one piece each `gap`, for each choice; all of it at once when the gap is zero.
class EchoStream : public EchoReply {
 public:
  EchoStream(std::shared_ptr<ReplySink> sink, ActiveCount active, std::unique_ptr<ReplyWriter> writer,
             std::vector<EchoPlan> plans, std::string tool, std::uint64_t prompt_tokens, EchoTime::duration gap);
  EchoTime run(EchoTime due) override;
  void abandon() override;

 private:
  struct Position {
    std::size_t at = 0;
    std::uint64_t said = 0;
  };
  // False when every choice has ended.
  bool say_next(std::string& out);
  void say_token(std::string& out, std::size_t choice);
  void say_tool_call(std::string& out, std::size_t choice);
  EchoTime end(std::string& out);

  std::unique_ptr<ReplyWriter> writer_;
  std::vector<EchoPlan> plans_;  // one for each choice
  std::vector<Position> positions_;
  std::string tool_;
  Usage usage_;
  EchoTime::duration gap_;
  bool started_ = false;
};

// A reply whose body is known beforehand.
class EchoBody : public EchoReply {
 public:
  EchoBody(std::shared_ptr<ReplySink> sink, ActiveCount active, std::string body, std::uint64_t prompt_tokens);
  EchoTime run(EchoTime due) override;

 private:
  std::string body_;
  std::uint64_t prompt_tokens_;
};

}  // namespace cloister::engine
