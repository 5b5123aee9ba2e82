// Proof files. An accepted file is written and accepted again with the same content.
#include "evidence/proof.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto proof = evidence::parse_proof(as_text(input));
  if (!proof) return;
  const std::string written = evidence::write_proof(*proof);
  const auto again = evidence::parse_proof(written);
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(again->time == proof->time && again->url == proof->url && again->report == proof->report);
  FUZZ_CHECK(again->request == proof->request && again->response == proof->response);
  FUZZ_CHECK(evidence::write_proof(*again) == written);
}
