// The table of contents in which a device says what its measurements cover. An accepted table is compared with itself.
#include "codec/coev.h"
#include "fuzz.h"
#include "verify/nvidia/corim_match.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto toc = codec::read_spdm_toc(input);
  if (!toc) return;
  FUZZ_CHECK(!toc->triples.empty());
  for (const codec::ComidTriple& triple : toc->triples) {
    FUZZ_CHECK(!triple.measurements.empty());
    FUZZ_CHECK(verify::same_environment(triple.environment, triple.environment));
    (void)verify::environment_text(triple.environment);
    for (const codec::ComidMeasurement& measurement : triple.measurements) (void)verify::key_text(measurement);
  }
}
