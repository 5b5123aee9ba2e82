// Clients send the same request in several forms; this brings them to one form before anything is checked or computed.
// A reply that a server produced has to be accepted when it comes back as history, and null has to mean absent.
#pragma once

#include "base/json.h"
#include "engine/engine.h"

namespace cloister::engine {

// Rewrites the body in place; read_request_fields() refuses what is not of a known form. Any thread; linear in the body.
//
// Chat completions: a tool's null members and a past tool call's arguments that are blank or no JSON (a reply that max_tokens cut) become
// absent and "{}"; the refusal of an assistant message without content is its text; assistant messages at the end of the history are joined.
// Responses: a message item may lack its type; a reasoning item without text of its own is left out or replaced by its summary; tools
// that are no functions are left out, so that the reply's `tools` names what was offered.
// Messages, and the count of a message's tokens: a tool's null members become absent.
void unify_request(Route route, Json& body);

// Moves the system messages of a Messages body behind its system prompt, in their order: for templates that accept a
// system message at the beginning only. False when the body holds none.
bool join_system_messages(Json& body);

}  // namespace cloister::engine
