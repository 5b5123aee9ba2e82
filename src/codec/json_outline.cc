#include "codec/json_outline.h"

#include <algorithm>
#include <cstring>

#include "codec/json.h"

namespace cloister::codec {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_scalar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.';
}

// The text that a JSON string stands for; empty for an invalid one.
std::string unescaped(const std::string& raw) {
  if (raw.find('\\') == std::string::npos) return raw;
  const Result<Json> value = parse_json("\"" + raw + "\"");
  return value && value->is_string() ? value->get<std::string>() : std::string();
}

}  // namespace

JsonOutline::JsonOutline(std::span<const Watch> watches) : watches_(watches.first(std::min(watches.size(), kMaxWatches))) {}

void JsonOutline::feed(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::kBroken) {
    if (state_ == State::kInString || state_ == State::kInName) {
      at = take_string(bytes, at);
    } else {
      step(bytes[at], fed_ + at);
      ++at;
    }
  }
  fed_ += bytes.size();
}

// Takes bytes of a string up to its closing quote, an escape or the end of the piece; returns where to continue.
std::size_t JsonOutline::take_string(std::string_view bytes, std::size_t from) {
  const std::string_view rest = bytes.substr(from);
  std::size_t size = 1;
  bool ends = false;
  if (escape_) {
    escape_ = false;
  } else {
    const void* const quote = std::memchr(rest.data(), '"', rest.size());
    size = quote == nullptr ? rest.size() : static_cast<std::size_t>(static_cast<const char*>(quote) - rest.data());
    const void* const slash = std::memchr(rest.data(), '\\', size);
    if (slash != nullptr) {
      size = static_cast<std::size_t>(static_cast<const char*>(slash) - rest.data()) + 1;
      escape_ = true;
    } else {
      ends = quote != nullptr;
    }
  }
  if (capture_ && !too_long_) {
    if (raw_.size() + size > kMaxTextBytes) {
      too_long_ = true;
    } else {
      raw_.append(rest.substr(0, size));
    }
  }
  if (ends) end_string();
  return from + size + (ends ? 1 : 0);
}

void JsonOutline::end_string() {
  if (state_ == State::kInName) {
    state_ = State::kColon;
    if (capture_) match_name();
  } else {
    state_ = State::kAfter;
    if (capture_ && !too_long_) texts_[static_cast<std::size_t>(matched_)] = unescaped(raw_);
  }
  capture_ = false;
}

void JsonOutline::match_name() {
  const std::string name = too_long_ ? std::string() : unescaped(raw_);
  const std::string_view parent = depth_ == 1 ? std::string_view() : std::string_view(name_);
  matched_ = -1;
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    if (watches_[i].parent == parent && watches_[i].name == name && !name.empty()) matched_ = static_cast<int>(i);
  }
  if (depth_ == 1) name_ = name;
}

void JsonOutline::step(char c, std::size_t position) {
  if (state_ == State::kScalar) {
    if (is_scalar(c)) return;
    state_ = State::kAfter;
  }
  if (is_space(c)) return;
  switch (state_) {
    case State::kBefore:
      if (c == '{') return open(true);
      break;
    case State::kFirstName:
      if (c == '}') return close(true, position);
      [[fallthrough]];
    case State::kName:
      if (c != '"') break;
      state_ = State::kInName;
      has_members_ = true;
      // Deeper names, and those of members that nobody watches, are not even copied.
      capture_ = depth_ == 1 || (depth_ == 2 && is_object_[0] && !name_.empty());
      too_long_ = false;
      raw_.clear();
      matched_ = -1;
      return;
    case State::kColon:
      if (c != ':') break;
      state_ = State::kValue;
      return;
    case State::kFirstItem:
      if (c == ']') return close(false, position);
      [[fallthrough]];
    case State::kValue: return begin_value(c);
    case State::kAfter:
      if (c == '}' || c == ']') return close(c == '}', position);
      if (c != ',') break;
      state_ = in_object() ? State::kName : State::kValue;
      return;
    default: break;
  }
  state_ = State::kBroken;
}

void JsonOutline::begin_value(char c) {
  const bool wanted = matched_ >= 0 && in_object() && !seen_[static_cast<std::size_t>(matched_)];
  if (wanted) seen_[static_cast<std::size_t>(matched_)] = true;
  if (c == '"') {
    state_ = State::kInString;
    capture_ = wanted;
    too_long_ = false;
    raw_.clear();
  } else if (c == '{' || c == '[') {
    open(c == '{');
  } else {
    state_ = is_scalar(c) ? State::kScalar : State::kBroken;
  }
}

void JsonOutline::open(bool object) {
  if (depth_ == kMaxDepth) {
    state_ = State::kBroken;
    return;
  }
  is_object_[depth_++] = object;
  matched_ = -1;
  state_ = object ? State::kFirstName : State::kFirstItem;
}

void JsonOutline::close(bool object, std::size_t position) {
  if (in_object() != object) {
    state_ = State::kBroken;
    return;
  }
  --depth_;
  matched_ = -1;
  state_ = depth_ == 0 ? State::kDone : State::kAfter;
  if (depth_ == 0) end_position_ = position;
}

}  // namespace cloister::codec
