// YAML texts. The parser ends within its bounds and gives the same tree twice.
#include "codec/yaml.h"
#include "fuzz.h"

namespace {

std::size_t size_of(const cloister::codec::YamlNode& node, std::size_t depth) {
  FUZZ_CHECK(depth <= 32);
  FUZZ_CHECK(node.line > 0);
  std::size_t out = 1;
  for (const auto& item : node.items) out += size_of(item, depth + 1);
  for (const auto& member : node.members) out += size_of(member.value, depth + 1);
  return out;
}

}  // namespace

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto read = codec::parse_yaml(as_text(input));
  if (!read) return;
  FUZZ_CHECK(size_of(*read, 1) <= 1u << 16);
  for (const codec::YamlMember& member : read->members) FUZZ_CHECK(read->find(member.name) == &member.value);
}
