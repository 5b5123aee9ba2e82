#include "verify/expected_values.h"

#include <utility>

#include "base/encoding.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kMostShown = 8;

}  // namespace

std::string listed_values(const std::set<Bytes>& values) {
  std::string out;
  std::size_t count = 0;
  for (const Bytes& value : values) {
    if (count++ == kMostShown) return out + " or " + std::to_string(values.size() - kMostShown) + " more";
    out += (out.empty() ? "" : " or ") + to_hex(value);
  }
  return out;
}

Check one_of(std::string id, const std::set<Bytes>& expected, ByteView actual) {
  if (expected.contains(to_bytes(actual))) return passed(std::move(id), to_hex(actual));
  return failed(std::move(id), "not one that the policy expects", listed_values(expected), to_hex(actual));
}

}  // namespace cloister::verify
