// JsonOutline: walks the text of one JSON object, in pieces of any size, and remembers a few named string members and where the
// object ends. It keeps nothing else and allocates nothing for the rest, so it can watch bytes that only pass through. It is no
// validator: an object that is whole() has balanced structure, but numbers and literals are not checked. One thread.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace cloister::codec {

class JsonOutline {
 public:
  // A member to watch: a member of the outermost object, or of the object that is its member `parent`.
  struct Watch {
    std::string_view parent;   // "" for the outermost object
    std::string_view name;
  };
  static constexpr std::size_t kMaxWatches = 6;
  static constexpr std::size_t kMaxDepth = 256;
  static constexpr std::size_t kMaxTextBytes = 1024;

  // Accepts at most kMaxWatches; the strings must outlive this object.
  explicit JsonOutline(std::span<const Watch> watches);

  void feed(std::string_view bytes);

  // True when the member exists, with a value of any type.
  bool has(std::size_t watch) const { return seen_[watch]; }
  // Its first value, when that is a complete string of at most kMaxTextBytes raw bytes; empty otherwise.
  const std::string& text(std::size_t watch) const { return texts_[watch]; }
  // True when the outermost object has ended and only white space has followed.
  bool whole() const { return state_ == State::kDone; }
  // True when the text is no JSON object, as far as this class can tell, or is nested deeper than kMaxDepth.
  bool broken() const { return state_ == State::kBroken; }
  // The position of the closing brace, counted from the first byte fed. Valid only when whole().
  std::size_t end_position() const { return end_position_; }
  bool has_members() const { return has_members_; }

 private:
  enum class State { kBefore, kFirstName, kName, kInName, kColon, kFirstItem, kValue, kInString, kScalar, kAfter, kDone, kBroken };

  std::size_t take_string(std::string_view bytes, std::size_t from);
  void end_string();
  void step(char c, std::size_t position);
  void begin_value(char c);
  void open(bool object);
  void close(bool object, std::size_t position);
  void match_name();
  bool in_object() const { return is_object_[depth_ - 1]; }

  std::span<const Watch> watches_;
  std::array<bool, kMaxWatches> seen_{};
  std::array<std::string, kMaxWatches> texts_;
  std::bitset<kMaxDepth> is_object_;
  std::size_t depth_ = 0;
  State state_ = State::kBefore;
  bool escape_ = false;
  bool capture_ = false;       // the current string is wanted
  bool too_long_ = false;
  bool has_members_ = false;
  int matched_ = -1;           // the watch that the current member belongs to
  std::string raw_;            // the current string, with its escapes
  std::string name_;           // of the current member of the outermost object, where it can matter
  std::size_t fed_ = 0;
  std::size_t end_position_ = 0;
};

}  // namespace cloister::codec
