#include "codec/json_fast.h"

#include <simdjson.h>
#include <string.h>

#include <algorithm>
#include <cstdint>
#include <vector>

namespace cloister::codec {
namespace {

// A parser takes about 15 bytes of memory for each byte of text. So larger texts are parsed slowly, and each thread
// keeps only the memory for small ones, which most are.
constexpr std::size_t kMostTaken = 1u << 20;
constexpr std::size_t kMostKept = 64u << 10;

using simdjson::dom::element_type;

bool build(simdjson::dom::element value, JsonBuilder& builder);

bool build_array(simdjson::dom::array items, JsonBuilder& builder) {
  if (!builder.start_array(items.size())) return false;
  for (const simdjson::dom::element item : items) {
    if (!build(item, builder)) return false;
  }
  return builder.end_array();
}

bool build_object(simdjson::dom::object members, JsonBuilder& builder) {
  if (!builder.start_object(members.size())) return false;
  for (const simdjson::dom::key_value_pair member : members) {
    if (!builder.key(std::string(member.key)) || !build(member.value, builder)) return false;
  }
  return builder.end_object();
}

// No deeper than the builder's limit allows: the builder refuses to open more.
bool build(simdjson::dom::element value, JsonBuilder& builder) {
  switch (value.type()) {
    case element_type::ARRAY: return build_array(value.get_array().value_unsafe(), builder);
    case element_type::OBJECT: return build_object(value.get_object().value_unsafe(), builder);
    case element_type::INT64: {
      // Numbers that are not negative come as this kind, too.
      const std::int64_t number = value.get_int64().value_unsafe();
      return number < 0 ? builder.number_integer(number) : builder.number_unsigned(static_cast<std::uint64_t>(number));
    }
    case element_type::UINT64: return builder.number_unsigned(value.get_uint64().value_unsafe());
    case element_type::DOUBLE: return builder.number_float(value.get_double().value_unsafe(), {});
    case element_type::STRING: {
      std::string text(value.get_string().value_unsafe());
      return builder.string(text);
    }
    case element_type::BOOL: return builder.boolean(value.get_bool().value_unsafe());
    case element_type::NULL_VALUE: return builder.null();
  }
  return false;
}

}  // namespace

FastJson build_json_fast(std::string_view text, JsonBuilder& builder) {
  // The parser copies its input, and an empty text may have no address at all.
  if (text.empty() || text.size() > kMostTaken) return FastJson::kNotTaken;
  thread_local simdjson::dom::parser kept;
  simdjson::dom::parser passing;
  simdjson::dom::parser& parser = text.size() <= kMostKept ? kept : passing;
  simdjson::dom::element root;
  if (parser.parse(text.data(), text.size()).get(root) != simdjson::SUCCESS) return FastJson::kNotTaken;
  return build(root, builder) ? FastJson::kBuilt : FastJson::kRefused;
}

FastJson build_secret_json(std::string_view text, JsonBuilder& builder) {
  if (text.empty() || text.size() > kMostTaken) return FastJson::kNotTaken;
  // The parser's own copy of the text is out of reach, so it gets one with the room after it that the parser reads into.
  std::vector<char> copy(text.size() + simdjson::SIMDJSON_PADDING);
  std::copy(text.begin(), text.end(), copy.begin());
  simdjson::dom::document document;
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  FastJson outcome = FastJson::kNotTaken;
  if (parser.parse_into_document(document, copy.data(), text.size(), false).get(root) == simdjson::SUCCESS) {
    outcome = build(root, builder) ? FastJson::kBuilt : FastJson::kRefused;
  }
  // The parser writes whole blocks: at most the padding beyond the longest possible strings, which is what it allocates
  // (document::allocate).
  if (document.string_buf) {
    ::explicit_bzero(document.string_buf.get(), 5 * document.capacity() / 3 + simdjson::SIMDJSON_PADDING);
  }
  ::explicit_bzero(copy.data(), copy.size());
  return outcome;
}

}  // namespace cloister::codec
