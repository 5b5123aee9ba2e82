#include "codec/json_outline.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "codec/folded_name.h"
#include "codec/json.h"

namespace cloister::codec {
namespace {

constexpr std::size_t kStringPart = 256;

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool is_scalar(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '+' || c == '.';
}

// The text that a JSON string stands for; absent for an invalid one.
std::optional<std::string> unescaped(const std::string& raw) {
  Result<Json> value = parse_json("\"" + raw + "\"");
  if (!value || !value->is_string()) return std::nullopt;
  return std::move(value->get_ref<std::string&>());
}

bool is_plain(std::string_view raw) {
  return std::all_of(raw.begin(), raw.end(), [](char c) { return c >= ' ' && c <= '~' && c != '\\'; });
}

}  // namespace

JsonOutline::JsonOutline(std::span<const Watch> watches)
    : watches_(watches.first(std::min(watches.size(), kMaxWatches))) {}

void JsonOutline::feed(std::string_view bytes) {
  std::size_t at = 0;
  while (at < bytes.size() && state_ != State::kBroken) {
    const std::size_t begin = at;
    const int kept = kept_;
    if (state_ == State::kInString || state_ == State::kInName) {
      at = take_string(bytes, at);
    } else if (state_ == State::kScalar && is_scalar(bytes[at])) {
      while (at < bytes.size() && is_scalar(bytes[at])) ++at;
      tokens_.scalar(bytes.substr(begin, at - begin));
    } else {
      step(bytes[at], fed_ + at);
      ++at;
    }
    if (kept >= 0) keep_object(bytes.substr(begin, at - begin));
  }
  fed_ += bytes.size();
}

void JsonOutline::reset() {
  seen_.fill(false);
  for (std::string& text : texts_) text.clear();
  for (std::string& object : objects_) object.clear();
  blank_.reset();
  too_large_.reset();
  named_outside_.reset();
  named_inside_.reset();
  inside_.reset();
  tokens_ = {};
  depth_ = 0;
  state_ = State::kBefore;
  escape_ = capture_ = too_long_ = has_members_ = begun_ = ambiguous_ = false;
  matched_ = kept_ = -1;
  fed_ = end_position_ = 0;
}

// The closing brace comes after the depth has changed.
void JsonOutline::keep_object(std::string_view bytes) {
  std::string& object = objects_[static_cast<std::size_t>(kept_)];
  const bool complete = depth_ < kept_depth_;
  if (object.size() + bytes.size() <= kMaxObjectBytes) {
    object.append(bytes);
    if (complete) kept_ = -1;
    return;
  }
  object.clear();
  too_large_.set(static_cast<std::size_t>(kept_));
  kept_ = -1;
}

// Takes bytes of a string up to its closing quote, an escape or the end of a part; returns where to go on.
std::size_t JsonOutline::take_string(std::string_view bytes, std::size_t from) {
  // Looked at in parts: the quote can be far behind many escapes, and is looked for anew behind each.
  const std::string_view rest = bytes.substr(from, kStringPart);
  std::size_t size = 1;
  bool ends = false;
  if (escape_) {
    escape_ = false;
    tokens_.escaped(rest.front());
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
    tokens_.text(rest.substr(0, escape_ ? size - 1 : size));
    if (escape_ || ends) tokens_.end_text();
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
    if (capture_ && !too_long_) {
      std::string& text = texts_[static_cast<std::size_t>(matched_)];
      blank_[static_cast<std::size_t>(matched_)] = raw_.empty();
      if (raw_.find('\\') == std::string::npos) {
        text = raw_;
      } else {
        text = unescaped(raw_).value_or("");
      }
    }
  }
  capture_ = false;
}

void JsonOutline::match_name() {
  matched_ = -1;
  const bool outside = depth_ == 1;
  if (outside) inside_.reset();
  // A name so long is none of those that are watched, whatever it stands for.
  if (too_long_) return;
  const bool plain = is_plain(raw_);
  if (!plain) {
    std::optional<std::string> name = unescaped(raw_);
    if (!name) ambiguous_ = true;
    raw_ = std::move(name).value_or("");
  }
  std::bitset<kMaxWatches>& named = outside ? named_outside_ : named_inside_;
  std::bitset<kMaxWatches> now;
  for (std::size_t i = 0; i < watches_.size(); ++i) {
    const Watch& watch = watches_[i];
    const bool is_parent = outside && !watch.parent.empty();
    if (!outside && (!inside_[i] || watch.in_items != in_items())) continue;
    const std::string_view wanted = is_parent ? watch.parent : watch.name;
    if (plain && raw_.size() != wanted.size()) continue;
    if (raw_ != wanted) {
      if (is_same_but_for_case(raw_, wanted)) ambiguous_ = true;
      continue;
    }
    now.set(i);
    if (is_parent) {
      inside_.set(i);
    } else {
      matched_ = static_cast<int>(i);
    }
  }
  if ((named & now).any()) ambiguous_ = true;
  named |= now;
}

void JsonOutline::step(char c, std::size_t position) {
  if (state_ == State::kScalar) {
    tokens_.end_scalar();
    state_ = State::kAfter;
  }
  if (is_space(c)) return;
  switch (state_) {
    case State::kBefore:
      if (c != '{') break;
      begun_ = true;
      return open(true);
    case State::kFirstName:
      if (c == '}') return close(true, position);
      [[fallthrough]];
    case State::kName:
      if (c != '"') break;
      state_ = State::kInName;
      has_members_ = true;
      // Deeper names, and those of members that nobody watches, are not even copied.
      capture_ = depth_ == 1 || (inside_.any() && (depth_ == 2 || in_items()));
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
  const bool watched = matched_ >= 0 && in_object();
  const bool wanted =
      watched && (!seen_[static_cast<std::size_t>(matched_)] || watches_[static_cast<std::size_t>(matched_)].in_items);
  if (wanted) {
    seen_[static_cast<std::size_t>(matched_)] = true;
    blank_[static_cast<std::size_t>(matched_)] = c == 'n';
  }
  if (wanted && c == '{' && kept_ < 0 && depth_ < kMaxDepth) {
    kept_ = matched_;
    kept_depth_ = depth_ + 1;
    objects_[static_cast<std::size_t>(kept_)].assign(1, c);
  }
  if (c == '"') {
    state_ = State::kInString;
    capture_ = wanted;
    too_long_ = false;
    raw_.clear();
  } else if (c == '{' || c == '[') {
    open(c == '{');
  } else {
    state_ = is_scalar(c) ? State::kScalar : State::kBroken;
    tokens_.begin_scalar(c);
  }
}

void JsonOutline::open(bool object) {
  if (depth_ == kMaxDepth) {
    state_ = State::kBroken;
    return;
  }
  is_object_[depth_++] = object;
  named_inside_.reset();
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
