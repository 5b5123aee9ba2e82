#include "collateral/disk_cache.h"

#include <algorithm>
#include <cstdlib>
#include <system_error>
#include <vector>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/hash.h"

namespace cloister::collateral {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kEntryLimit = 16u << 20;
constexpr std::string_view kSuffix = ".entry";

struct Stored {
  fs::path path;
  fs::file_time_type written;
  std::uint64_t size_bytes = 0;
};

// The cache's own files in the folder, oldest first.
std::vector<Stored> stored_entries(const fs::path& folder) {
  std::vector<Stored> out;
  std::error_code code;
  for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
    if (at->path().extension() != kSuffix) continue;
    std::error_code ignored;
    Stored one{at->path(), at->last_write_time(ignored), at->file_size(ignored)};
    if (!ignored) out.push_back(std::move(one));
  }
  std::sort(out.begin(), out.end(), [](const Stored& a, const Stored& b) { return a.written < b.written; });
  return out;
}

}  // namespace

fs::path default_cache_folder() {
  // The XDG rule: a relative path is to be ignored.
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache == '/') return fs::path(cache) / "cloister";
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home == '/') return fs::path(home) / ".cache" / "cloister";
  return {};
}

Result<std::unique_ptr<DiskCache>> DiskCache::open(fs::path folder, std::uint64_t limit_bytes) {
  TRY_VOID(ensure_private_folder(folder));
  return std::make_unique<DiskCache>(std::move(folder), limit_bytes);
}

fs::path DiskCache::path_of(const std::string& url) const {
  return folder_ / (to_hex(crypto::sha256(as_bytes(url))) + std::string(kSuffix));
}

std::optional<CacheEntry> DiskCache::find(const std::string& url) const {
  const auto bytes = read_file(path_of(url), kEntryLimit);
  if (!bytes) return std::nullopt;
  auto entry = parse_cache_entry(*bytes);
  if (!entry || entry->url != url) return std::nullopt;
  return std::move(*entry);
}

void DiskCache::put(const CacheEntry& entry) {
  const std::string bytes = write_cache_entry(entry);
  if (bytes.size() > std::min<std::uint64_t>(kEntryLimit, limit_bytes_)) return;
  const std::lock_guard lock(mutex_);
  if (write_file_atomically(path_of(entry.url), bytes, 0600)) prune();
}

void DiskCache::prune() {
  std::vector<Stored> entries = stored_entries(folder_);
  std::uint64_t total = 0;
  for (const Stored& entry : entries) total += entry.size_bytes;
  for (const Stored& entry : entries) {
    if (total <= limit_bytes_) return;
    std::error_code ignored;
    fs::remove(entry.path, ignored);
    total -= entry.size_bytes;
  }
}

}  // namespace cloister::collateral
