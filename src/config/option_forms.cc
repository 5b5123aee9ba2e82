#include "config/option_forms.h"

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/encoding.h"
#include "config/listen_address.h"
#include "engine/upstream/upstream_engine.h"
#include "http/client.h"

namespace cloister::config {
namespace {

Error wrong(const std::string& option, const std::string& what) {
  return fail(ErrorCode::kUsage, option + ": " + what);
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

// A browser sends scheme, host and port, and nothing else: any other form would never match.
bool is_origin(std::string_view text) {
  const std::size_t scheme = text.find("://");
  if (scheme == 0 || scheme == std::string_view::npos) return false;
  const std::string_view host = text.substr(scheme + 3);
  const bool upper = std::ranges::any_of(text, [](char c) { return c >= 'A' && c <= 'Z'; });
  return !host.empty() && !upper && is_plain(text) && host.find_first_of("/?#@") == std::string_view::npos;
}

bool is_source_url(std::string_view text) {
  const std::size_t scheme = text.find("://");
  const bool known = text.starts_with("https://") || text.starts_with("http://") || text.starts_with("ssh://") ||
                     text.starts_with("git://");
  return known && text.size() > scheme + 3 && is_plain(text);
}

bool is_commit(std::string_view text) {
  return text.size() >= 7 && text.size() <= 64 &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

Result<void> check_source(const ServeOptions& options) {
  constexpr std::string_view kDigest = "sha256:";
  if (!options.source_repo.empty() && !is_source_url(options.source_repo)) {
    return wrong("--source-repo", "expected a URL like https://example.org/repository");
  }
  if (!options.source_commit.empty() && !is_commit(options.source_commit)) {
    return wrong("--source-commit", "expected 7 to 64 hex digits in lower case");
  }
  const std::string& digest = options.image_digest;
  const bool whole =
      digest.starts_with(kDigest) && from_hex_exactly<32>(std::string_view(digest).substr(kDigest.size()));
  if (!digest.empty() && !whole) return wrong("--image-digest", "expected sha256: and 64 hex digits");
  return {};
}

}  // namespace

Result<void> check_option_forms(const ServeOptions& options) {
  TRY_VOID(parse_listen(options.listen));
  if (options.tls == "tee-key" && options.tls_names.empty()) {
    return wrong("--tls tee-key", "the certificate needs the name of the host: --tls-name");
  }
  if (options.receipts == "postgres" && options.receipt_postgres_file.empty()) {
    return wrong("--receipts postgres", "the connection string stands in a file: --receipt-postgres-file");
  }
  std::error_code ignored;
  if (!options.rim_dir.empty() && !std::filesystem::is_directory(options.rim_dir, ignored)) {
    return wrong("--rim-dir", options.rim_dir + " is no folder");
  }
  for (const std::string& url : options.upstreams) {
    if (const auto parsed = engine::parse_upstream_url(url); !parsed)
      return wrong("--upstream", parsed.error().message);
  }
  for (const std::string& url : options.replicas) {
    if (const auto parsed = http::parse_url(url); !parsed) return wrong("--replica", parsed.error().message);
  }
  for (const std::string& origin : options.cors_origins) {
    if (origin != "*" && !is_origin(origin)) {
      return wrong("--cors-origin",
                   "expected an origin as browsers send it, like https://app.example, or *; got '" + origin + "'");
    }
  }
  return check_source(options);
}

}  // namespace cloister::config
