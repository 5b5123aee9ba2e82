#include "engine/llama/llama_reply.h"
#include "engine/dialect/make_reply_writer.h"

#include <algorithm>
#include <iterator>

namespace cloister::engine::llama {
namespace {

Error to_error(const server_task_result_error& error) {
  switch (error.err_type) {
    case ERROR_TYPE_EXCEED_CONTEXT_SIZE:
      return fail(ErrorCode::kContextLength,
                  "the prompt has " + std::to_string(error.n_prompt_tokens) + " tokens, but this model's context is " +
                      std::to_string(error.n_ctx) + " tokens",
                  "messages");
    case ERROR_TYPE_INVALID_REQUEST: return invalid_request(error.err_msg);
    default: return fail(ErrorCode::kEngineFailed, "the engine could not compute the reply");
  }
}

// Takes the tokens of `piece`, and those before it, out of `tokens`: the log probabilities of a choice are those of its
// content, and the tokens of its reasoning and of the text around it have none. Later tokens stay.
std::vector<TokenLogprob> take_tokens_of(std::string_view piece, std::vector<TokenLogprob>& tokens) {
  std::string text;
  for (const TokenLogprob& token : tokens) text += token.token;
  const std::size_t begin = text.rfind(piece);
  // A piece that the parser has changed cannot be found: then all tokens belong to it.
  const std::size_t from = begin == std::string::npos ? 0 : begin;
  const std::size_t to = begin == std::string::npos ? text.size() : begin + piece.size();
  std::vector<TokenLogprob> taken;
  std::size_t at = 0, used = 0;
  for (TokenLogprob& token : tokens) {
    if (at >= to) break;
    at += token.token.size();
    ++used;
    if (at > from) taken.push_back(std::move(token));
  }
  tokens.erase(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(used));
  return taken;
}

}  // namespace

LlamaReply::LlamaReply(const LoadedModel& model, Dispatcher& dispatcher, const PreparedReply& prepared, ReplyHead head,
                       std::shared_ptr<ReplySink> sink, LiveCount live)
    : vocab_(model.vocab()),
      dispatcher_(dispatcher),
      inbox_(dispatcher.inbox()),
      sink_(std::move(sink)),
      writer_(make_reply_writer(std::move(head))),
      choices_(static_cast<std::size_t>(prepared.choices)),
      stop_(prepared.stop),
      stream_(prepared.stream),
      top_logprobs_(prepared.top_logprobs),
      choices_left_(prepared.choices),
      sampling_(prepared.sampling),
      live_(std::move(live)) {
  usage_.prompt_tokens = prepared.prompt_tokens;
  for (const server_task& task : prepared.tasks) {
    ids_.push_back(task.id);
    for (const server_task& child : task.child_tasks) {
      ids_.push_back(child.id);
      choices_[child.index].shares_prompt = true;
    }
    if (prepared.plain) continue;
    for (std::size_t i = 0; i <= task.child_tasks.size(); ++i) {
      choices_[task.index + i].parser = std::make_unique<task_result_state>(task.params.chat_parser_params);
    }
  }
  *live_ += choices_.size();
}

LlamaReply::~LlamaReply() { leave(); }

void LlamaReply::leave() {
  if (counted_.exchange(false)) *live_ -= choices_.size();
}

void LlamaReply::share_sampling(const std::string& client, std::vector<server_task>& tasks) {
  const auto on_begun = [weak = weak_from_this()](int task) {
    if (const auto self = weak.lock()) self->inbox_->post([self, task] { self->dispatcher_.on_begun(task); });
  };
  share_ = std::make_unique<SamplingShares::Share>(client, on_begun, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self) return;
    self->inbox_->post([self] {
      if (self->is_cancelled()) return;
      self->cancelled_ = true;  // results that still arrive belong to nobody
      self->dispatcher_.drop(*self);
      self->on_failure(
          fail(ErrorCode::kOverShare,
               "the reply was ended: its schema or tools cost more time for each token than one client's share; "
               "use fewer or shorter alternatives"));
    });
  });
  for (server_task& task : tasks) {
    share_->mark(task.params.sampling, task.id);
    for (server_task& child : task.child_tasks) share_->mark(child.params.sampling, child.id);
  }
}

void LlamaReply::cancel() {
  if (cancelled_.exchange(true)) return;
  leave();
  inbox_->post([self = shared_from_this()] { self->dispatcher_.drop(*self); });
}

bool LlamaReply::on_result(server_task_result& result) {
  try {
    if (auto* partial = dynamic_cast<server_task_result_cmpl_partial*>(&result)) {
      if (!partial->is_begin) on_partial(*partial);
      return false;
    }
    if (auto* final_result = dynamic_cast<server_task_result_cmpl_final*>(&result)) return on_final(*final_result);
    if (auto* error = dynamic_cast<server_task_result_error*>(&result)) {
      on_failure(to_error(*error));
      return true;
    }
    return false;
  } catch (const std::exception&) {
    // Only the parser of the model's output throws here, and its message quotes the output.
    on_failure(fail(ErrorCode::kEngineFailed, "the model's output does not follow the form of its tool calls"));
    return true;
  }
}

void LlamaReply::on_failure(const Error& error) {
  leave();
  if (started_ && stream_) {
    writer_->fail(out_, error);
    flush();
  }
  sink_->on_error(error);
}

void LlamaReply::start(const server_task_result_cmpl_partial* partial,
                       const server_task_result_cmpl_final* final_result) {
  if (started_) return;
  started_ = true;
  usage_.cached_tokens = static_cast<std::uint64_t>(partial != nullptr ? partial->n_prompt_tokens_cache
                                                                       : final_result->n_prompt_tokens_cache);
  sink_->on_start(writer_->content_type());
  writer_->begin(out_, usage_);
}

void LlamaReply::flush() {
  if (!out_.empty()) sink_->on_bytes(out_);
  out_.clear();
}

TokenLogprob LlamaReply::logprob_of(const completion_token_output& token) const {
  TokenLogprob out;
  // The text that the scheduler sends for it. A character of several tokens comes with the last of them.
  out.token = token.text_to_send;
  out.logprob = completion_token_output::logarithm(token.prob);
  std::size_t count = std::min(token.probs.size(), static_cast<std::size_t>(std::max(0, top_logprobs_)));
  for (std::size_t i = 0; i < count; ++i) {
    out.top.push_back({token.probs[i].txt, completion_token_output::logarithm(token.probs[i].prob)});
  }
  return out;
}

// While a stop string may have begun, pieces come without text. If the reply then ends by its limit, the scheduler
// sends nothing more, and the text that is held back would be lost.
void LlamaReply::hold_back(Choice& choice, const server_task_result_cmpl_partial& partial) const {
  if (stop_.empty()) return;
  choice.held = partial.content.empty() ? choice.held + tokens_to_str(vocab_, partial.tokens) : std::string();
}

void LlamaReply::on_text(int index, const std::string& text, bool is_partial, std::vector<TokenLogprob> logprobs) {
  Choice& choice = choices_.at(static_cast<std::size_t>(index));
  if (choice.parser == nullptr) {
    if (!text.empty() || !logprobs.empty()) writer_->text(out_, index, text, logprobs);
    return;
  }
  std::move(logprobs.begin(), logprobs.end(), std::back_inserter(choice.tokens));
  std::vector<common_chat_msg_diff> diffs;
  choice.parser->update_chat_msg(text, is_partial, diffs);
  for (const common_chat_msg_diff& diff : diffs) {
    if (!diff.reasoning_content_delta.empty()) writer_->reasoning(out_, index, diff.reasoning_content_delta);
    if (!diff.content_delta.empty()) {
      writer_->text(out_, index, diff.content_delta, take_tokens_of(diff.content_delta, choice.tokens));
    }
    if (diff.tool_call_index != std::string::npos) {
      const common_chat_tool_call& call = diff.tool_call_delta;
      writer_->tool_call(out_, index, static_cast<int>(diff.tool_call_index), call.id, call.name, call.arguments);
    }
  }
}

// The scheduler counts all tokens alike, so the text of the reasoning is tokenized again.
std::uint64_t LlamaReply::count_reasoning() const {
  std::uint64_t count = 0;
  for (const Choice& choice : choices_) {
    if (choice.parser == nullptr || choice.parser->chat_msg.reasoning_content.empty()) continue;
    count += common_tokenize(vocab_, choice.parser->chat_msg.reasoning_content, /*add_special=*/false,
                             /*parse_special=*/true)
                 .size();
  }
  return count;
}

void LlamaReply::on_partial(server_task_result_cmpl_partial& partial) {
  start(&partial, nullptr);
  hold_back(choices_.at(partial.index), partial);
  std::vector<TokenLogprob> logprobs;
  if (top_logprobs_ >= 0) logprobs.push_back(logprob_of(partial.prob_output));
  on_text(static_cast<int>(partial.index), partial.content, /*is_partial=*/true, std::move(logprobs));
  flush();
}

bool LlamaReply::on_final(server_task_result_cmpl_final& final_result) {
  start(nullptr, &final_result);
  int index = static_cast<int>(final_result.index);
  Choice& choice = choices_.at(final_result.index);
  bool by_limit = final_result.stop != STOP_TYPE_EOS && final_result.stop != STOP_TYPE_WORD;
  std::vector<TokenLogprob> logprobs;
  if (!stream_ && top_logprobs_ >= 0) {
    for (const completion_token_output& token : final_result.probs_output) logprobs.push_back(logprob_of(token));
  }
  // A tool call that was cut short need not be complete.
  on_text(index, stream_ && by_limit ? choice.held : final_result.content, /*is_partial=*/by_limit,
          std::move(logprobs));
  bool calls = choice.parser != nullptr && !choice.parser->chat_msg.tool_calls.empty();
  choice.finish = by_limit ? FinishReason::kLength : calls ? FinishReason::kToolCalls : FinishReason::kStop;
  bool by_client = std::find(stop_.begin(), stop_.end(), final_result.stopping_word) != stop_.end();
  writer_->finish(out_, index, choice.finish, by_client ? std::string_view(final_result.stopping_word) : "");
  if (!choice.shares_prompt) cached_tokens_ += static_cast<std::uint64_t>(final_result.n_prompt_tokens_cache);
  usage_.completion_tokens += static_cast<std::uint64_t>(final_result.n_decoded);
  if (--choices_left_ > 0) {
    flush();
    return false;
  }
  usage_.cached_tokens = cached_tokens_;
  usage_.reasoning_tokens = std::min(count_reasoning(), usage_.completion_tokens);
  writer_->end(out_, usage_);
  leave();
  sink_->on_end({std::string(finish_text(choices_.front().finish)), usage_, sampling_}, out_);
  return true;
}

}  // namespace cloister::engine::llama
