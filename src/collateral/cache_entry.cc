#include "collateral/cache_entry.h"

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"

namespace cloister::collateral {
namespace {

constexpr std::string_view kForm = "cloister.cache.v1";
constexpr std::size_t kHeadLimit = 256u << 10;
constexpr std::size_t kEntryLimit = 16u << 20;

Error malformed(const std::string& why) { return fail(ErrorCode::kBadCollateral, "cache entry: " + why); }

Result<UnixSeconds> time_member(const Json& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number_unsigned() || member->get<std::uint64_t>() > 253402300799u) {
    return malformed(std::string(name) + " is no time");
  }
  return member->get<UnixSeconds>();
}

Result<http::Headers> headers_member(const Json& object) {
  TRY(list, codec::array_member(object, "headers"));
  http::Headers out;
  for (const Json& pair : *list) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
      return malformed("headers are no list of pairs");
    }
    out.emplace_back(pair[0].get<std::string>(), pair[1].get<std::string>());
  }
  return out;
}

}  // namespace

std::string write_cache_entry(const CacheEntry& entry) {
  Json headers = Json::array();
  for (const auto& [name, value] : entry.response.headers) headers.push_back(Json::array({name, value}));
  const Json head = {{"cache", kForm},
                     {"url", entry.url},
                     {"fetched", entry.fetched},
                     {"valid_until", entry.valid_until},
                     {"headers", std::move(headers)},
                     {"sha256", to_hex(crypto::sha256(as_bytes(entry.response.body)))}};
  return codec::write_json(head) + "\n" + entry.response.body;
}

Result<CacheEntry> parse_cache_entry(std::string_view bytes) {
  if (bytes.size() > kEntryLimit) return malformed("larger than 16 MiB");
  const std::size_t end = bytes.substr(0, kHeadLimit).find('\n');
  if (end == std::string_view::npos) return malformed("no first line");
  TRY(head, codec::parse_json(bytes.substr(0, end), {kHeadLimit, 4, 1000}));
  if (!head.is_object() || head.size() != 6) return malformed("expected six members");
  TRY(form, codec::string_member(head, "cache"));
  if (form != kForm) return malformed("expected the form cloister.cache.v1");
  CacheEntry out;
  TRY(url, codec::string_member(head, "url"));
  TRY(fetched, time_member(head, "fetched"));
  TRY(valid_until, time_member(head, "valid_until"));
  TRY(headers, headers_member(head));
  TRY(digest, codec::string_member(head, "sha256"));
  out.url = std::move(url);
  out.fetched = fetched;
  out.valid_until = valid_until;
  out.response.status = 200;
  out.response.headers = std::move(headers);
  out.response.body = bytes.substr(end + 1);
  if (digest != to_hex(crypto::sha256(as_bytes(out.response.body)))) return malformed("the body has another digest");
  return out;
}

}  // namespace cloister::collateral
