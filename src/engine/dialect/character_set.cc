#include "engine/dialect/character_set.h"

#include <algorithm>
#include <cstdio>

namespace cloister::engine {
namespace {

constexpr std::uint32_t kLast = 0x10ffff;

bool is_plain(std::uint32_t point) {
  return (point >= '0' && point <= '9') || (point >= 'A' && point <= 'Z') || (point >= 'a' && point <= 'z');
}

std::string escaped(std::uint32_t point) {
  if (is_plain(point)) return std::string(1, static_cast<char>(point));
  char text[16];
  const char* form = point <= 0xff ? "\\x%02X" : point <= 0xffff ? "\\u%04X" : "\\U%08X";
  std::snprintf(text, sizeof(text), form, point);
  return text;
}

}  // namespace

CharacterSet::CharacterSet(std::initializer_list<Range> ranges) {
  for (const Range& range : ranges) add(range.first, range.last);
}

void CharacterSet::add(std::uint32_t first, std::uint32_t last) {
  std::vector<Range> merged;
  for (const Range& range : ranges_) {
    const bool apart = (range.last < kLast && range.last + 1 < first) || (last < kLast && last + 1 < range.first);
    if (apart) {
      merged.push_back(range);
    } else {
      first = std::min(first, range.first);
      last = std::max(last, range.last);
    }
  }
  const auto place = std::ranges::lower_bound(merged, first, {}, &Range::first);
  merged.insert(place, Range{first, last});
  ranges_ = std::move(merged);
}

void CharacterSet::add(const CharacterSet& other) {
  for (const Range& range : other.ranges_) add(range.first, range.last);
}

CharacterSet CharacterSet::complement() const {
  CharacterSet out;
  std::uint32_t next = 0;
  for (const Range& range : ranges_) {
    if (range.first > next) out.ranges_.push_back({next, range.first - 1});
    next = range.last + 1;
  }
  if (next <= kLast) out.ranges_.push_back({next, kLast});
  return out;
}

CharacterSet CharacterSet::without(const CharacterSet& other) const {
  CharacterSet outside = complement();
  outside.add(other);
  return outside.complement();
}

std::string CharacterSet::text() const {
  std::string out = "[";
  for (const Range& range : ranges_) {
    out += escaped(range.first);
    if (range.last == range.first) continue;
    if (range.last > range.first + 1) out += '-';
    out += escaped(range.last);
  }
  return out + "]";
}

}  // namespace cloister::engine
