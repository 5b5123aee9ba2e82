#include "collateral/downloader.h"

#include <algorithm>
#include <charconv>
#include <thread>

namespace cloister::collateral {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

bool may_pass(const Error& error) { return error.code == ErrorCode::kNetwork || error.code == ErrorCode::kTimeout; }
bool may_pass(int status) { return status == 429 || (status >= 500 && status <= 504); }

// Seconds of a Retry-After header as milliseconds; 0 when there is no readable one.
std::int64_t retry_after_ms(const FetchResponse& response) {
  const auto header = http::find_header(response.headers, "retry-after");
  std::int64_t seconds = 0;
  if (header) std::from_chars(header->data(), header->data() + header->size(), seconds);
  return std::clamp<std::int64_t>(seconds, 0, 3600) * 1000;
}

Error bad_status(const Download& download, int status) {
  std::string message = download.request.url + " answered " + std::to_string(status);
  if (status == 404 && !download.on_404.empty()) message += ": " + download.on_404;
  if (status == 410 && !download.on_410.empty()) message += ": " + download.on_410;
  if (status == 401 || status == 403) message += ": it wants a service key, or another one";
  return fail(ErrorCode::kNoCollateral, std::move(message));
}

std::string_view verb(FetchNote::Outcome outcome) {
  switch (outcome) {
    case FetchNote::Outcome::kFetched: return "fetched";
    case FetchNote::Outcome::kCached: return "cached";
    case FetchNote::Outcome::kStale: return "cached, service unavailable:";
    case FetchNote::Outcome::kRetry: return "trying again:";
    case FetchNote::Outcome::kFailed: return "missing";
  }
  return "";
}

}  // namespace

std::string to_text(const FetchNote& note) {
  std::string out = std::string(verb(note.outcome)) + " " + note.what;
  if (note.outcome == FetchNote::Outcome::kFetched) {
    out += " (" + std::to_string(note.size_bytes) + " bytes, " + std::to_string(note.elapsed_ms) + " ms)";
  }
  if (note.outcome == FetchNote::Outcome::kFetched || note.outcome == FetchNote::Outcome::kCached) {
    out += " from " + note.url;
  }
  if (!note.detail.empty()) out += ": " + note.detail;
  return out;
}

Downloader::Downloader(Fetcher* fetcher, DiskCache* cache, const Clock& clock, DownloadOptions options,
                       Progress progress)
    : fetcher_(fetcher),
      cache_(cache),
      clock_(clock),
      options_(options),
      progress_(std::move(progress)),
      deadline_(Steady::now() + milliseconds(options.deadline_ms)) {}

std::int64_t Downloader::rest_ms() const { return duration_cast<milliseconds>(deadline_ - Steady::now()).count(); }

void Downloader::note(const FetchNote& note) {
  if (!progress_) return;
  const std::lock_guard lock(progress_mutex_);
  progress_(note);
}

Result<void> Downloader::get(const Download& download, const Reader& read) {
  const std::string& url = download.request.url;
  if (from_cache(download, read, false, {})) return {};
  const auto begun = Steady::now();
  Result<FetchResponse> response = from_network(download);
  if (response) {
    const auto valid_until = read(*response);
    if (valid_until) {
      const auto elapsed = duration_cast<milliseconds>(Steady::now() - begun).count();
      note({FetchNote::Outcome::kFetched, download.what, url, response->body.size(), elapsed, {}});
      if (cache_ != nullptr && download.max_age_s > 0) {
        std::erase_if(response->headers, [&](const auto& header) {
          return std::find(download.keep_headers.begin(), download.keep_headers.end(), header.first) ==
                 download.keep_headers.end();
        });
        cache_->put({url, clock_.now(), *valid_until, std::move(*response)});
      }
      return {};
    }
    response = fail(ErrorCode::kNoCollateral, url + ": " + valid_until.error().message);
  }
  if (from_cache(download, read, true, response.error().message)) return {};
  note({FetchNote::Outcome::kFailed, download.what, url, 0, 0, response.error().message});
  return fail(response.error().code, download.what + ": " + response.error().message, url);
}

bool Downloader::from_cache(const Download& download, const Reader& read, bool any_age, const std::string& detail) {
  if (cache_ == nullptr || download.max_age_s == 0) return false;
  const auto entry = cache_->find(download.request.url);
  const UnixSeconds now = clock_.now();
  // An entry from the future was written with a wrong clock.
  if (!entry || entry->fetched > now || entry->valid_until <= now) return false;
  if (!any_age && fetcher_ != nullptr && now - entry->fetched >= download.max_age_s) return false;
  const auto valid_until = read(entry->response);
  if (!valid_until || *valid_until <= now) return false;
  note({any_age ? FetchNote::Outcome::kStale : FetchNote::Outcome::kCached, download.what, download.request.url,
        entry->response.body.size(), 0, detail});
  return true;
}

Result<FetchResponse> Downloader::from_network(const Download& download) {
  if (fetcher_ == nullptr) {
    return fail(ErrorCode::kNoCollateral, "offline, and the cache holds no valid answer of " + download.request.url);
  }
  for (int count = 1;; ++count) {
    Result<FetchResponse> response = attempt(download);
    if (response && response->status == 200) return response;
    const bool again = response ? may_pass(response->status) : may_pass(response.error());
    const std::int64_t asked_ms = response ? retry_after_ms(*response) : 0;
    Error error = response ? bad_status(download, response->status) : std::move(response).error();
    if (!again || count >= options_.attempts) return error;
    const std::int64_t wait_ms = std::max(asked_ms, std::int64_t{options_.backoff_ms} << (count - 1));
    if (wait_ms >= rest_ms()) return error;
    note({FetchNote::Outcome::kRetry, download.what, download.request.url, 0, 0, error.message});
    std::this_thread::sleep_for(milliseconds(wait_ms));
  }
}

Result<FetchResponse> Downloader::attempt(const Download& download) {
  const std::int64_t rest = rest_ms();
  if (rest <= 0) {
    return fail(ErrorCode::kNoCollateral, download.request.url + " was not asked: all fetching together may take " +
                                              std::to_string(options_.deadline_ms) + " ms");
  }
  FetchRequest request = download.request;
  request.timeout_ms = static_cast<int>(std::min<std::int64_t>(rest, options_.request_timeout_ms));
  return fetcher_->fetch(request);
}

}  // namespace cloister::collateral
