// The request as llama.cpp is to see it: only members on our list, in its names. What is not on the list never reaches the
// library (it would take slot numbers, adapters, debug output, file paths from the body).
#pragma once

#include "base/json.h"
#include "engine/dialect/request_fields.h"
#include "engine/engine.h"

namespace cloister::engine::llama {

// Members for llama.cpp's sampling and limits; all routes that generate.
Json sampling_members(Route route, const Json& body, const RequestFields& fields);

// The conversation, tools and output format as a chat completions body; chat, responses, messages and tokenize.
// Responses and Messages bodies still have their own conversation shape: the caller converts those.
Json conversation_members(Route route, const Json& body);

// True when the conversation has tools to offer, or calls and results of tools in it.
bool uses_tools(Route route, const Json& body);
// True when the reply must be a tool call.
bool demands_tool(Route route, const Json& body);

}  // namespace cloister::engine::llama
