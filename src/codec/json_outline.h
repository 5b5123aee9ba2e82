// JsonOutline: walks the text of one JSON object, in pieces of any size, and remembers a few named members and where
// the object ends. Keeps nothing else and allocates nothing for the rest, so it can watch bytes that only pass by.
// What it calls whole() has balanced structure; whether the numbers, literals and strings in it are JSON is told apart. One thread.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "codec/json_tokens.h"

namespace cloister::codec {

class JsonOutline {
 public:
  // A member to watch: of the outermost object, or of the object that is its member `parent`, or of the objects in the array that is
  // its member `parent`. Names are ASCII text in lower case.
  struct Watch {
    std::string_view parent;  // "" for the outermost object
    std::string_view name;
    bool in_items = false;  // `parent` is the array
  };
  static constexpr std::size_t kMaxWatches = 16;
  static constexpr std::size_t kMaxDepth = 256;
  static constexpr std::size_t kMaxTextBytes = 1024;
  static constexpr std::size_t kMaxObjectBytes = 2048;

  // Accepts at most kMaxWatches; the strings must outlive this object.
  explicit JsonOutline(std::span<const Watch> watches);

  void feed(std::string_view bytes);
  // As if new; keeps its memory.
  void reset();

  // True when the member exists, with a value of any type.
  bool has(std::size_t watch) const { return seen_[watch]; }
  // Its first value, when that is a string of at most kMaxTextBytes raw bytes and complete; empty otherwise.
  // For a member of items: the last such string.
  const std::string& text(std::size_t watch) const { return texts_[watch]; }
  // Its first value is null or an empty string.
  bool blank(std::size_t watch) const { return blank_[watch]; }
  // Its first value as it stands, when that is an object of at most kMaxObjectBytes; empty otherwise. Only when whole().
  const std::string& object(std::size_t watch) const { return objects_[watch]; }
  // That object was there and was larger.
  bool too_large(std::size_t watch) const { return too_large_[watch]; }
  // Two readers can find different values for a watched member: its name, or its parent's, stands twice in one object, or in
  // letters of another case (some parsers take no notice of the case), or a name beside it is no valid text.
  bool ambiguous() const { return ambiguous_; }
  // The outermost object has ended, and only white space has come since.
  bool whole() const { return state_ == State::kDone; }
  // The outermost object's brace was there.
  bool begun() const { return begun_; }
  // No JSON object, as far as this can tell, or nested deeper than kMaxDepth.
  bool broken() const { return state_ == State::kBroken; }
  // A number, literal, escape or character is not as RFC 8259 has it, so that a strict reader finds nothing and a lax one finds something.
  bool malformed() const { return tokens_.wrong(); }
  // The position of the closing brace, counted from the first byte fed. Valid only when whole().
  std::size_t end_position() const { return end_position_; }
  bool has_members() const { return has_members_; }

 private:
  enum class State {
    kBefore,
    kFirstName,
    kName,
    kInName,
    kColon,
    kFirstItem,
    kValue,
    kInString,
    kScalar,
    kAfter,
    kDone,
    kBroken
  };

  std::size_t take_string(std::string_view bytes, std::size_t from);
  void end_string();
  void step(char c, std::size_t position);
  void begin_value(char c);
  void open(bool object);
  void close(bool object, std::size_t position);
  void match_name();
  void keep_object(std::string_view bytes);
  bool in_items() const { return depth_ == 3 && is_object_[0] && !is_object_[1] && is_object_[2]; }
  bool in_object() const { return is_object_[depth_ - 1]; }

  std::span<const Watch> watches_;
  std::array<bool, kMaxWatches> seen_{};
  std::array<std::string, kMaxWatches> texts_;
  std::array<std::string, kMaxWatches> objects_;
  std::bitset<kMaxWatches> blank_;
  std::bitset<kMaxWatches> too_large_;
  std::bitset<kMaxWatches> named_outside_;  // watches whose name, or parent, the outermost object has had
  std::bitset<kMaxWatches> inside_;         // watches whose parent is the member of the outermost object at hand
  std::bitset<kMaxWatches> named_inside_;   // watches whose name the inner object at hand has had
  JsonTokens tokens_;
  std::bitset<kMaxDepth> is_object_;
  std::size_t depth_ = 0;
  State state_ = State::kBefore;
  bool escape_ = false;
  bool capture_ = false;  // the current string is wanted
  bool too_long_ = false;
  bool has_members_ = false;
  bool begun_ = false;
  bool ambiguous_ = false;
  int matched_ = -1;            // the watch that the member at hand belongs to
  int kept_ = -1;               // the watch whose object is at hand
  std::size_t kept_depth_ = 0;  // of the braces of that object
  std::string raw_;             // the string at hand, escapes as they came
  std::size_t fed_ = 0;
  std::size_t end_position_ = 0;
};

}  // namespace cloister::codec
