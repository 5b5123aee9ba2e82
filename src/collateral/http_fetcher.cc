#include "collateral/http_fetcher.h"

#include <algorithm>
#include <utility>

#include "base/terminal_text.h"
#include "collateral/curl_library.h"

namespace cloister::collateral {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.back() == '\r' || text.back() == '\n' || text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  return text;
}

// For messages: a server's text about itself is not safe for a terminal.
std::string printable(std::string_view text) { return ascii_line(text.substr(0, 200)); }

// http to an address, or to the name, that means this machine whatever a resolver says.
bool is_plain_to_this_machine(std::string_view url) {
  constexpr std::string_view kHttp = "http://";
  if (!url.starts_with(kHttp)) return false;
  const std::string_view authority = url.substr(kHttp.size(), url.find_first_of("/?#", kHttp.size()) - kHttp.size());
  const std::string_view host = authority.starts_with('[') ? authority.substr(0, authority.find(']') + 1)
                                                           : authority.substr(0, authority.find(':'));
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

// A line break in one of these would be a header of its own.
bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return (c >= 0 && c < ' ') || c == 127; });
}

// Handle, header list and the data from libcurl, for one exchange.
class Exchange {
 public:
  Exchange(const CurlLibrary& curl, const HttpFetcherOptions& options, const FetchRequest& request)
      : curl_(curl), options_(options), request_(request), handle_(curl.easy_init()) {}
  ~Exchange() {
    curl_.slist_free_all(headers_);
    if (handle_ != nullptr) curl_.easy_cleanup(handle_);
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  Result<FetchResponse> run() {
    if (handle_ == nullptr || !set_up()) return fail(ErrorCode::kInternal, "libcurl refuses an option it must have");
    const CURLcode code = curl_.easy_perform(handle_);
    if (too_large_) {
      return fail(ErrorCode::kTooLarge, request_.url + " sent more than " + std::to_string(request_.limit_bytes) +
                                            " bytes, or headers beyond " + std::to_string(options_.header_limit_bytes));
    }
    if (code != CURLE_OK) return transport_error(code);
    long status = 0;
    curl_.easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    if (status >= 300 && status < 400) return redirect_error();
    return std::move(response_);
  }

 private:
  template <typename Value>
  bool set(CURLoption option, Value value) {
    return curl_.easy_setopt(handle_, option, value) == CURLE_OK;
  }

  bool add_header(const std::string& line) {
    curl_slist* longer = curl_.slist_append(headers_, line.c_str());
    if (longer != nullptr) headers_ = longer;
    return longer != nullptr;
  }

  bool set_up() {
    bool good = set(CURLOPT_URL, request_.url.c_str()) && set(CURLOPT_PROTOCOLS_STR, "http,https") &&
                set(CURLOPT_FOLLOWLOCATION, 0L) && set(CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED)) &&
                set(CURLOPT_NOSIGNAL, 1L) && set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1)) &&
                set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2)) &&
                set(CURLOPT_SSL_VERIFYPEER, 1L) && set(CURLOPT_SSL_VERIFYHOST, 2L) &&
                set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) && set(CURLOPT_USERAGENT, "cloister/" CLOISTER_VERSION) &&
                set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout_ms)) &&
                set(CURLOPT_TIMEOUT_MS, static_cast<long>(std::max(1, request_.timeout_ms))) &&
                set(CURLOPT_WRITEFUNCTION, &Exchange::on_body) && set(CURLOPT_WRITEDATA, this) &&
                set(CURLOPT_HEADERFUNCTION, &Exchange::on_header) && set(CURLOPT_HEADERDATA, this) &&
                set(CURLOPT_ERRORBUFFER, error_);
    // The system's authorities stay: Debian's libcurl reads them from a folder as well.
    if (!options_.ca_file.empty()) good = good && set(CURLOPT_CAINFO, options_.ca_file.c_str());
    if (request_.post) {
      good = good && set(CURLOPT_POST, 1L) && set(CURLOPT_POSTFIELDS, request_.body.data()) &&
             set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size())) &&
             add_header("Content-Type: " + request_.content_type) && add_header("Expect:");
    }
    if (!request_.accept.empty()) good = good && add_header("Accept: " + request_.accept);
    // A proxy would send a request for this machine to another one, unencrypted.
    if (is_plain_to_this_machine(request_.url)) good = good && set(CURLOPT_NOPROXY, "*");
    if (!request_.bearer_token.empty()) good = good && add_header("Authorization: Bearer " + request_.bearer_token);
    return good && set(CURLOPT_HTTPHEADER, headers_);
  }

  Error transport_error(CURLcode code) const {
    const std::string why = printable(error_[0] != '\0' ? error_ : curl_.easy_strerror(code));
    switch (code) {
      case CURLE_OPERATION_TIMEDOUT:
        return fail(ErrorCode::kTimeout, request_.url + " does not answer in time: " + why);
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
      case CURLE_SSL_ISSUER_ERROR: return fail(ErrorCode::kBadCertificate, request_.url + ": " + why);
      case CURLE_UNSUPPORTED_PROTOCOL:
      case CURLE_URL_MALFORMAT: return fail(ErrorCode::kBadUrl, request_.url + ": " + why);
      case CURLE_WEIRD_SERVER_REPLY:
      case CURLE_BAD_CONTENT_ENCODING: return fail(ErrorCode::kBadHttp, request_.url + ": " + why);
      default: return fail(ErrorCode::kNetwork, request_.url + ": " + why);
    }
  }

  Error redirect_error() const {
    const auto location = http::find_header(response_.headers, "location");
    return fail(ErrorCode::kBadHttp, request_.url + " answered " + std::to_string(response_.status) +
                                         ", a redirect to " + printable(location.value_or("nowhere")) +
                                         "; redirects are not followed, name the address itself");
  }

  // libcurl is C, so no exception may pass through it.
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self) noexcept {
    return static_cast<Exchange*>(self)->take_body({data, size}) ? size : 0;
  }
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self) noexcept {
    return static_cast<Exchange*>(self)->take_header({data, size}) ? size : 0;
  }

  bool take_body(std::string_view bytes) {
    if (bytes.size() > request_.limit_bytes - response_.body.size()) {
      too_large_ = true;
      return false;
    }
    response_.body += bytes;
    return true;
  }

  bool take_header(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > options_.header_limit_bytes) {
      too_large_ = true;
      return false;
    }
    if (line.starts_with("HTTP/")) {  // a new head: the one before was an interim response
      response_.headers.clear();
      return true;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return true;
    response_.headers.emplace_back(lower(line.substr(0, colon)), std::string(trimmed(line.substr(colon + 1))));
    return true;
  }

  const CurlLibrary& curl_;
  const HttpFetcherOptions& options_;
  const FetchRequest& request_;
  CURL* handle_;
  curl_slist* headers_ = nullptr;
  char error_[CURL_ERROR_SIZE] = {};
  FetchResponse response_;
  std::size_t header_bytes_ = 0;
  bool too_large_ = false;
};

class HttpFetcher final : public Fetcher {
 public:
  explicit HttpFetcher(HttpFetcherOptions options) : options_(std::move(options)) {}

  Result<FetchResponse> fetch(const FetchRequest& request) override {
    if (!is_one_line(request.url) || !is_one_line(request.content_type) || !is_one_line(request.accept) ||
        !is_one_line(request.bearer_token)) {
      return fail(ErrorCode::kUsage, "an address, a media type or a token holds control characters");
    }
    if (!request.bearer_token.empty() && !request.url.starts_with("https://") &&
        !is_plain_to_this_machine(request.url)) {
      return fail(ErrorCode::kUsage,
                  "a token is not sent to another machine over http: expected https, got " + request.url);
    }
    TRY(curl, curl_library());
    return Exchange(*curl, options_, request).run();
  }

 private:
  const HttpFetcherOptions options_;
};

}  // namespace

std::unique_ptr<Fetcher> make_http_fetcher(HttpFetcherOptions options) {
  return std::make_unique<HttpFetcher>(std::move(options));
}

}  // namespace cloister::collateral
