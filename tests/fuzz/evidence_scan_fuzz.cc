// Evidence that is found in reports of any shape. The search keeps its bounds, and every quote that it finds is a
// quote.
#include "codec/tdx_quote.h"
#include "collateral/evidence_scan.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto found = collateral::find_evidence(as_text(input));
  FUZZ_CHECK(found.quotes.size() <= 64 && found.devices.size() <= 256);
  for (const Bytes& quote : found.quotes) FUZZ_CHECK(codec::parse_tdx_quote(quote).has_value());
}
