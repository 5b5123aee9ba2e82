// Entries of the disk cache. An accepted entry is written and accepted again with the same content.
#include "collateral/cache_entry.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto entry = collateral::parse_cache_entry(as_text(input));
  if (!entry) return;
  const auto again = collateral::parse_cache_entry(collateral::write_cache_entry(*entry));
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(again->url == entry->url && again->fetched == entry->fetched);
  FUZZ_CHECK(again->valid_until == entry->valid_until && again->response.headers == entry->response.headers);
  FUZZ_CHECK(again->response.body == entry->response.body);
}
