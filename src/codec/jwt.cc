#include "codec/jwt.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/ecdsa.h"

namespace cloister::codec {
namespace {

constexpr std::size_t kMostTokenBytes = 64 * 1024;
constexpr std::size_t kMostKeys = 64;
constexpr std::size_t kMostKeyIdBytes = 256;
constexpr std::size_t kMostCertificates = 4;

Error malformed(const std::string& what) { return fail(ErrorCode::kBadToken, "token: " + what); }

Result<Json> json_part(std::string_view encoded, const char* name) {
  const Result<Bytes> bytes = from_base64url(encoded);
  if (!bytes) return malformed(std::string(name) + ": " + bytes.error().message);
  Result<Json> json = parse_json(as_text(*bytes), {.max_bytes = kMostTokenBytes, .max_depth = 16});
  if (!json) return malformed(std::string(name) + ": " + json.error().message);
  if (!json->is_object()) return malformed(std::string(name) + ": expected an object, got " + json->type_name());
  return json;
}

Result<std::string> read_header(const Json& header) {
  TRY(algorithm, string_member(header, "alg"));
  if (algorithm != "ES384") return malformed("expected the algorithm ES384, got \"" + algorithm.substr(0, 32) + "\"");
  if (header.contains("crit")) return malformed("critical header members are not understood");
  if (const auto type = header.find("typ"); type != header.end() && *type != "JWT")
    return malformed("not of the type JWT");
  TRY(key_id, string_member(header, "kid"));
  if (key_id.empty() || key_id.size() > kMostKeyIdBytes) return malformed("expected a key id of 1 to 256 bytes");
  return key_id;
}

// RFC 7517, 4.7: base64 of DER, not in the URL alphabet.
Result<std::vector<Bytes>> read_certificates(const Json& key) {
  std::vector<Bytes> out;
  if (!key.contains("x5c")) return out;
  TRY(list, array_member(key, "x5c"));
  if (list->size() > kMostCertificates) return malformed("more than 4 certificates next to a key");
  for (const Json& text : *list) {
    Result<Bytes> der = text.is_string() ? from_base64(text.get<std::string>()) : malformed("not a string");
    if (!der) return malformed("`x5c` of a key: " + der.error().message);
    out.push_back(*std::move(der));
  }
  return out;
}

// The point is empty for a key that is not for ES384.
Result<JwtKey> read_key(const Json& key) {
  const auto has = [&](const char* name, const char* value) {
    const auto found = key.find(name);
    return found != key.end() && *found == value;
  };
  const auto absent_or = [&](const char* name, const char* value) { return !key.contains(name) || has(name, value); };
  if (!has("kty", "EC") || !has("crv", "P-384") || !absent_or("use", "sig") || !absent_or("alg", "ES384")) {
    return JwtKey();
  }
  JwtKey out;
  for (const char* name : {"x", "y"}) {
    TRY(text, string_member(key, name));
    const Result<Bytes> coordinate = from_base64url(text);
    if (!coordinate || coordinate->size() != crypto::coordinate_size(crypto::Curve::kP384)) {
      return malformed(std::string("expected `") + name + "` of a key to hold 48 bytes");
    }
    append(out.point, *coordinate);
  }
  TRY(certificates, read_certificates(key));
  out.certificates = std::move(certificates);
  return out;
}

}  // namespace

Result<Bytes> from_base64url(std::string_view text) {
  std::string standard;
  for (const char c : text) {
    if (c == '+' || c == '/' || c == '=') return fail(ErrorCode::kBadBase64, "not the URL alphabet without padding");
    standard.push_back(c == '-' ? '+' : c == '_' ? '/' : c);
  }
  standard.append((4 - standard.size() % 4) % 4, '=');
  return from_base64(standard);
}

std::string to_base64url(ByteView bytes) {
  std::string out = to_base64(bytes);
  out.erase(std::ranges::find(out, '='), out.end());
  std::ranges::replace(out, '+', '-');
  std::ranges::replace(out, '/', '_');
  return out;
}

Result<Jwt> parse_jwt(std::string_view text) {
  if (text.size() > kMostTokenBytes)
    return malformed("expected at most 65536 bytes, got " + std::to_string(text.size()));
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos) {
    return malformed("expected three parts");
  }
  TRY(header, json_part(text.substr(0, first), "header"));
  Jwt out;
  Result<std::string> key_id = read_header(header);
  if (!key_id) return malformed(key_id.error().message);
  out.key_id = *std::move(key_id);
  TRY(claims, json_part(text.substr(first + 1, second - first - 1), "claims"));
  out.claims = std::move(claims);
  out.signed_text = text.substr(0, second);
  Result<Bytes> signature = from_base64url(text.substr(second + 1));
  if (!signature || signature->size() != 96) return malformed("expected a signature of 96 bytes");
  out.signature = *std::move(signature);
  return out;
}

Result<JwtKeys> parse_jwks(std::string_view json_text) {
  TRY(json, parse_json(json_text, {.max_bytes = 1u << 20, .max_depth = 8}));
  TRY(list, array_member(json, "keys"));
  if (list->size() > kMostKeys) return malformed("more than 64 keys");
  JwtKeys out;
  for (const Json& key : *list) {
    TRY(key_id, string_member(key, "kid"));
    TRY(read, read_key(key));
    // It would be unclear which of two keys counts.
    if (!out.emplace(key_id, std::move(read)).second) return malformed("two keys of the same id");
  }
  std::erase_if(out, [](const auto& entry) { return entry.second.point.empty(); });
  return out;
}

Result<void> verify_jwt(const Jwt& token, ByteView point) {
  return crypto::verify_ecdsa(crypto::Curve::kP384, point, as_bytes(token.signed_text), token.signature);
}

}  // namespace cloister::codec
