// CharacterSet: a set of Unicode code points, as ranges. For the classes of a pattern
// (engine/dialect/string_pattern.h).
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace cloister::engine {

class CharacterSet {
 public:
  struct Range {
    std::uint32_t first, last;  // both are in the set
  };
  CharacterSet() = default;
  CharacterSet(std::initializer_list<Range> ranges);

  void add(std::uint32_t first, std::uint32_t last);
  void add(const CharacterSet& other);
  // All code points that are not in the set.
  CharacterSet complement() const;
  CharacterSet without(const CharacterSet& other) const;
  bool empty() const { return ranges_.empty(); }

  // "[...]" in the library's syntax: letters and digits unchanged, other characters as \x, \u or \U. The set is not empty.
  std::string text() const;

 private:
  std::vector<Range> ranges_;  // ascending, with a gap between two
};

}  // namespace cloister::engine
