// CBOR, COSE signatures and CoRIM manifests. Accepted input is written again byte for byte.
#include "codec/cbor.h"
#include "codec/corim.h"
#include "codec/cose.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  if (const auto value = codec::parse_cbor(input); value) {
    FUZZ_CHECK(equal(codec::write_cbor(*value), input));
  }
  if (const auto corim = codec::read_corim(input); corim) {
    FUZZ_CHECK(!corim->id.empty() && !corim->tag_ids.empty());
    for (const codec::ComidTriple& reference : corim->references) FUZZ_CHECK(!reference.measurements.empty());
  }
  if (const auto signed_item = codec::parse_cose_sign1(input); signed_item) {
    FUZZ_CHECK(!signed_item->certificates.empty() && signed_item->signature.size() == 96);
    (void)codec::read_corim(signed_item->payload);
  }
}
