// Versioned attestations of dstack. Every text is parsed or refused, and the result holds no more than was sent.
#include "evidence/services/dstack_attestation.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  const auto attestation = cloister::evidence::parse_dstack_attestation(input);
  if (!attestation) return;
  FUZZ_CHECK(attestation->evidence.size() <= input.size() && attestation->report_data.size() == 64);
}
