#include "codec/folded_name.h"

namespace cloister::codec {
namespace {

constexpr std::string_view kLongS = "\xc5\xbf", kKelvin = "\xe2\x84\xaa";

// The first letter of `rest`, which is not empty, in lower case. Moves behind it.
char take_folded(std::string_view& rest) {
  char c = rest.front();
  std::size_t size = 1;
  if (c >= 'A' && c <= 'Z') {
    c = static_cast<char>(c + 32);
  } else if (rest.starts_with(kLongS)) {
    c = 's';
    size = kLongS.size();
  } else if (rest.starts_with(kKelvin)) {
    c = 'k';
    size = kKelvin.size();
  }
  rest.remove_prefix(size);
  return c;
}

}  // namespace

std::string folded_name(std::string_view name) {
  std::string out;
  out.reserve(name.size());
  while (!name.empty()) out.push_back(take_folded(name));
  return out;
}

bool is_same_but_for_case(std::string_view name, std::string_view folded) {
  if (name.size() < folded.size() || name == folded) return false;
  for (const char c : folded) {
    if (name.empty() || take_folded(name) != c) return false;
  }
  return name.empty();
}

}  // namespace cloister::codec
