// The text of the echo engine: pure functions of the request.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/dialect/reply_writer.h"
#include "engine/dialect/request_fields.h"

namespace cloister::engine {

// The end of the token that starts at `from`: white space and the word after it. The tokens joined are the text.
std::size_t token_end(std::string_view text, std::size_t from);
std::uint64_t count_tokens(std::string_view text);
std::vector<std::int32_t> token_ids(std::string_view text);

// What the client said last: one text for each prompt of a completion, one text otherwise.
std::vector<std::string> texts_to_echo(Route route, const Json& body);
// Number of tokens in everything that the request says.
std::uint64_t count_prompt_tokens(Route route, const Json& body);

struct EchoPlan {
  std::string text;  // text of one round; it repeats, with a space between, until `tokens` are said
  std::uint64_t tokens = 0;
  FinishReason finish = FinishReason::kStop;
  std::string stop;  // the stop string that ended the text
};
// `fixed_tokens` as in EchoOptions.
EchoPlan plan_echo(std::string text, const RequestFields& fields, int fixed_tokens);

// The name of the tool that the request demands; empty when the request leaves the choice to the model.
std::string demanded_tool(Route route, const Json& body);

// A unit vector that depends on the text only.
std::vector<float> echo_vector(std::string_view text);

}  // namespace cloister::engine
