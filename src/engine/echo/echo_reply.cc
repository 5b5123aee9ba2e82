#include "engine/echo/echo_reply.h"

#include "engine/dialect/json_text.h"

namespace cloister::engine {
namespace {

constexpr std::size_t kFlushBytes = 16 * 1024;
const std::vector<TokenLogprob> kNoLogprobs;

Error stopped_error() { return fail(ErrorCode::kCancelled, "the engine stopped"); }

}  // namespace

EchoReply::EchoReply(std::shared_ptr<ReplySink> sink, ActiveCount active)
    : sink_(std::move(sink)), active_(std::move(active)) {
  ++*active_;
}

EchoReply::~EchoReply() { done(); }

bool EchoReply::done() {
  bool first = !done_.exchange(true, std::memory_order_acq_rel);
  if (first) --*active_;
  return first;
}

void EchoReply::abandon() {
  if (done()) sink_->on_error(stopped_error());
}

EchoStream::EchoStream(std::shared_ptr<ReplySink> sink, ActiveCount active, std::unique_ptr<ReplyWriter> writer,
                       std::vector<EchoPlan> plans, std::string tool, std::uint64_t prompt_tokens,
                       EchoTime::duration gap)
    : EchoReply(std::move(sink), std::move(active)),
      writer_(std::move(writer)),
      plans_(std::move(plans)),
      positions_(plans_.size()),
      tool_(std::move(tool)),
      gap_(gap) {
  usage_.prompt_tokens = prompt_tokens;
}

void EchoStream::abandon() {
  if (!done()) return;
  std::string out;
  if (started_) writer_->fail(out, stopped_error());
  if (!out.empty()) sink().on_bytes(out);
  sink().on_error(stopped_error());
}

EchoTime EchoStream::run(EchoTime due) {
  if (is_done()) return EchoTime::max();
  // One buffer serves all streams, since only this thread runs here.
  thread_local std::string out;
  out.clear();
  if (!started_) {
    started_ = true;
    sink().on_start(writer_->content_type());
    writer_->begin(out, usage_);
  }
  bool more = say_next(out);
  while (more && gap_ == EchoTime::duration::zero()) {
    if (out.size() >= kFlushBytes) {
      sink().on_bytes(out);
      out.clear();
      if (is_done()) return EchoTime::max();
    }
    more = say_next(out);
  }
  if (!more) return end(out);
  if (!out.empty()) sink().on_bytes(out);
  return due + gap_;
}

bool EchoStream::say_next(std::string& out) {
  bool more = false;
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    if (!tool_.empty()) {
      say_tool_call(out, i);
      continue;
    }
    if (positions_[i].said < plans_[i].tokens) say_token(out, i);
    more = more || positions_[i].said < plans_[i].tokens;
  }
  return more;
}

void EchoStream::say_token(std::string& out, std::size_t choice) {
  const EchoPlan& plan = plans_[choice];
  Position& position = positions_[choice];
  int index = static_cast<int>(choice);
  bool again = position.at == plan.text.size();
  if (again) position.at = 0;
  std::size_t end = token_end(plan.text, position.at);
  std::string_view token = std::string_view(plan.text).substr(position.at, end - position.at);
  if (again) {
    writer_->text(out, index, std::string(" ").append(token), kNoLogprobs);
  } else {
    writer_->text(out, index, token, kNoLogprobs);
  }
  position.at = end;
  ++position.said;
  ++usage_.completion_tokens;
}

void EchoStream::say_tool_call(std::string& out, std::size_t choice) {
  int index = static_cast<int>(choice);
  std::string arguments = "{\"text\":";
  append_json_string(arguments, plans_[choice].text);
  arguments += "}";
  writer_->tool_call(out, index, 0, "call_echo_" + std::to_string(choice), tool_, "");
  writer_->tool_call(out, index, 0, "", "", arguments);
  plans_[choice].finish = FinishReason::kToolCalls;
  usage_.completion_tokens += plans_[choice].tokens;
}

EchoTime EchoStream::end(std::string& out) {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    writer_->finish(out, static_cast<int>(i), plans_[i].finish, plans_[i].stop);
  }
  writer_->end(out, usage_);
  if (done()) sink().on_end({std::string(finish_text(plans_.front().finish)), usage_}, out);
  return EchoTime::max();
}

EchoBody::EchoBody(std::shared_ptr<ReplySink> sink, ActiveCount active, std::string body, std::uint64_t prompt_tokens)
    : EchoReply(std::move(sink), std::move(active)), body_(std::move(body)), prompt_tokens_(prompt_tokens) {}

EchoTime EchoBody::run(EchoTime) {
  if (is_done()) return EchoTime::max();
  sink().on_start("application/json");
  if (done()) sink().on_end({"", {prompt_tokens_, 0, 0}}, body_);
  return EchoTime::max();
}

}  // namespace cloister::engine
