// Archives. An accepted archive is written and accepted again with the same content.
#include "evidence/archive.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto archive = evidence::parse_archive(as_text(input));
  if (!archive) return;
  const std::string written = evidence::write_archive(*archive);
  FUZZ_CHECK(evidence::is_archive(written));
  const auto again = evidence::parse_archive(written);
  FUZZ_CHECK(again.has_value() && *again == *archive);
  FUZZ_CHECK(evidence::write_archive(*again) == written);
}
