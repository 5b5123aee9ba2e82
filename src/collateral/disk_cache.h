// Answers cached on disk, one file each, named by the digest of their address. The cache saves requests and is not
// trusted: what is read from it is verified as if it had just been fetched.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "collateral/cache_entry.h"

namespace cloister::collateral {

// $XDG_CACHE_HOME/cloister, else $HOME/.cache/cloister; empty when neither is set.
std::filesystem::path default_cache_folder();

// Any thread; several processes may share a folder.
class DiskCache {
 public:
  // Creates the folder, mode 0700, when it does not exist.
  static Result<std::unique_ptr<DiskCache>> open(std::filesystem::path folder, std::uint64_t limit_bytes = 64u << 20);
  DiskCache(std::filesystem::path folder, std::uint64_t limit_bytes)
      : folder_(std::move(folder)), limit_bytes_(limit_bytes) {}

  // An entry that is damaged, or about another address, counts as absent.
  std::optional<CacheEntry> find(const std::string& url) const;
  // Best effort: on a full disk the next run asks again. Removes the oldest entries beyond the limit.
  void put(const CacheEntry& entry);

 private:
  std::filesystem::path path_of(const std::string& url) const;
  void prune();

  const std::filesystem::path folder_;
  const std::uint64_t limit_bytes_;
  std::mutex mutex_;  // one writer at a time in this process
};

}  // namespace cloister::collateral
