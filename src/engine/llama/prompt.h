// Turns a request into tasks for llama.cpp's scheduler: template, tokens, sampling, limits. Runs on the caller's thread.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/dialect/reply_writer.h"
#include "engine/dialect/request_fields.h"
#include "engine/llama/loaded_model.h"

namespace cloister::engine::llama {

struct PreparedReply {
  std::vector<server_task> tasks;   // one for each prompt; further choices of a prompt are its children
  int choices = 0;                  // number for all prompts together; choice i is the task with index i
  std::uint64_t prompt_tokens = 0;  // sum over all prompts
  // True when the model's text is sent unchanged. Else it is parsed for tool calls, reasoning, fences around JSON.
  bool plain = false;
  bool stream = false;
  int top_logprobs = -1;          // -1: none wanted
  std::vector<std::string> stop;  // as the client gave them
  Json echoed = Json::object();   // for ReplyHead
  Json sampling;                  // for Outcome
};

// Checks the whole body before anything else is done with it, since the library's time grows with the square of an
// object's members.
Result<void> check_shape(const Json& body);

// Takes body and fields as read_request_fields() left them. Fails on a prompt that is too long, saying both lengths.
Result<PreparedReply> prepare_reply(LoadedModel& model, Route route, bool stream, const Json& body,
                                    const RequestFields& fields);

// The tokens of a tokenize request (its prompt as in a completion, or its messages as in a chat), or of a Messages
// request whose tokens are to be counted.
Result<std::vector<std::int32_t>> tokenize_request(LoadedModel& model, Route route, const Json& body);

// The tokens of each input of an embeddings request.
Result<std::vector<std::vector<std::int32_t>>> tokenize_inputs(LoadedModel& model, const Json& body);

// Makes an Error for the client from the library's message, cut to a readable length.
Error invalid_request(std::string_view what);

}  // namespace cloister::engine::llama
