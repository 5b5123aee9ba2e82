// Downloader: gets one answer at a time from the cache or the network, with retries under a deadline, and reports what
// it did. Made for one collection; any thread, several at once.
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "collateral/disk_cache.h"
#include "collateral/fetcher.h"

namespace cloister::collateral {

// One line of progress.
struct FetchNote {
  enum class Outcome { kFetched, kCached, kStale, kRetry, kFailed };
  Outcome outcome = Outcome::kFetched;
  std::string what;  // "TDX TCB information of FMSPC b0c06f000000"
  std::string url;
  std::size_t size_bytes = 0;
  std::int64_t elapsed_ms = 0;
  std::string detail;  // why it failed or is tried again, or that an old answer is used
};
// "fetched TDX TCB ... (2934 bytes, 81 ms) from https://..."
std::string to_text(const FetchNote& note);
// Called by the fetching threads, never two at a time.
using Progress = std::function<void(const FetchNote&)>;

struct DownloadOptions {
  int attempts = 3;      // for failures that may be temporary: no connection, time-outs, 429 and 5xx
  int backoff_ms = 250;  // before the second attempt, doubled for each further one
  int request_timeout_ms = 15'000;
  int deadline_ms = 60'000;  // for everything this Downloader does
};

struct Download {
  FetchRequest request;
  std::string what;                       // for people
  std::string on_404, on_410;             // what these statuses mean for this request
  std::int64_t max_age_s = 0;             // how long an answer is used without asking again; 0: never cached
  std::vector<std::string> keep_headers;  // headers that `read` needs, in lower case
};

class Downloader {
 public:
  // Parses an answer with status 200 into the caller's variables and returns until when it is valid.
  using Reader = std::function<Result<UnixSeconds>(const FetchResponse&)>;

  // All pointers may be null: no network (offline), no cache. The objects must outlive this one.
  Downloader(Fetcher* fetcher, DiskCache* cache, const Clock& clock, DownloadOptions options, Progress progress);

  // Takes the answer from the cache while it is younger than its max_age_s and valid, else from the network; from the
  // cache again, while still valid, when the network has no answer. The Error names what is missing and its address.
  Result<void> get(const Download& download, const Reader& read);

 private:
  using Steady = std::chrono::steady_clock;

  bool from_cache(const Download& download, const Reader& read, bool any_age, const std::string& detail);
  Result<FetchResponse> from_network(const Download& download);
  Result<FetchResponse> attempt(const Download& download);
  std::int64_t rest_ms() const;
  void note(const FetchNote& note);

  Fetcher* const fetcher_;
  DiskCache* const cache_;
  const Clock& clock_;
  const DownloadOptions options_;
  const Progress progress_;
  const Steady::time_point deadline_;
  std::mutex progress_mutex_;
};

}  // namespace cloister::collateral
