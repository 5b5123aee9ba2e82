// The request in the form for llama.cpp: only members on our list, under its names. What is not on the list never
// reaches the library (which would take slot numbers, adapters, debug output and file paths from the body).
#pragma once

#include "base/json.h"
#include "engine/dialect/request_fields.h"
#include "engine/engine.h"

namespace cloister::engine::llama {

// Members for llama.cpp's sampling and limits; all routes that generate.
Json sampling_members(Route route, const Json& body, const RequestFields& fields);

// The conversation, tools and output format as a chat completions body; for chat, responses, messages and tokenize.
// Responses and Messages bodies still have their own conversation shape, which the caller converts.
Json conversation_members(Route route, const Json& body);

// True when the conversation offers tools, or holds calls and results of tools.
bool uses_tools(Route route, const Json& body);
// True when the reply must be a tool call.
bool demands_tool(Route route, const Json& body);

}  // namespace cloister::engine::llama
