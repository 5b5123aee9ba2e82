// One cached answer and its form on disk: a line of JSON about it, then the unchanged body.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "collateral/fetcher.h"

namespace cloister::collateral {

struct CacheEntry {
  std::string url;
  UnixSeconds fetched = 0;
  UnixSeconds valid_until = 0;  // what the answer says about itself
  FetchResponse response;       // status 200; only the headers that its reader wants to keep
};

// {"cache":"cloister.cache.v1","url","fetched","valid_until","headers":[[name,value]...],"sha256"} '\n' body; the
// digest is of the body.
std::string write_cache_entry(const CacheEntry& entry);
// Any other form, and a body with another digest, is an error (kBadCollateral). At most 16 MiB.
Result<CacheEntry> parse_cache_entry(std::string_view bytes);

}  // namespace cloister::collateral
