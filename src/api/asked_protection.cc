#include "api/asked_protection.h"

#include <algorithm>
#include <array>

#include "evidence/native_report.h"

namespace cloister::api {
namespace {

constexpr std::string_view kNotEncrypted =
    "this node encrypts no bodies and no fields; it refuses requests for encryption";

Refusal invalid(std::string message, std::string param) {
  return {400, "invalid_request_error", "request.invalid", std::move(message), std::move(param)};
}

Refusal encryption(std::string type, std::string_view header) {
  const std::string code = type;
  return {400, std::move(type), code, std::string(kNotEncrypted), std::string(header)};
}

// Removes what two writers of one name may differ in, in headers and in members of bodies: "X_Client.PubKey" counts as
// "x-client-pub-key", "Venice Parameters" as "venice_parameters".
std::string bare_name(std::string_view name) {
  std::string bare;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') bare += static_cast<char>(c + 32);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) bare += c;
  }
  return bare;
}

// Names that most requests have, and that ask for nothing: other names alone need the check. Sorted.
constexpr auto kOrdinaryHeaders = std::to_array<std::string_view>(
    {"accept",         "accept-encoding",   "accept-language", "authorization", "cache-control",   "connection",
     "content-length", "content-type",      "cookie",          "host",          "origin",          "referer",
     "traceparent",    "transfer-encoding", "user-agent",      "x-api-key",     "x-forwarded-for", "x-forwarded-proto",
     "x-real-ip",      "x-request-id"});
constexpr auto kOrdinaryMembers = std::to_array<std::string_view>({"frequency_penalty",
                                                                   "input",
                                                                   "logprobs",
                                                                   "max_completion_tokens",
                                                                   "max_tokens",
                                                                   "messages",
                                                                   "model",
                                                                   "n",
                                                                   "presence_penalty",
                                                                   "response_format",
                                                                   "seed",
                                                                   "stop",
                                                                   "stream",
                                                                   "stream_options",
                                                                   "system",
                                                                   "temperature",
                                                                   "tool_choice",
                                                                   "tools",
                                                                   "top_logprobs",
                                                                   "top_p"});
static_assert(std::ranges::is_sorted(kOrdinaryHeaders) && std::ranges::is_sorted(kOrdinaryMembers));

bool is_ordinary_header(std::string_view name) { return std::ranges::binary_search(kOrdinaryHeaders, name); }

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Whether a word of the name begins with "e2e": "e2e_nonce", "enableE2E", "xe2enonce", and not "ke2e". The three characters
// are too few to be looked for inside of words.
bool has_word_e2e(std::string_view name) {
  constexpr std::string_view kWord = "e2e";
  std::size_t matched = 0;
  bool after_x = false;  // all before is "x"
  char before = '-';
  for (std::size_t i = 0; i < name.size(); ++i) {
    const char c = is_upper(name[i]) ? static_cast<char>(name[i] + 32) : name[i];
    if (!is_lower(c) && !is_digit(c)) {
      before = name[i];
      continue;
    }
    const bool in_word = is_lower(before) || is_upper(before) || is_digit(before);
    const bool begins = !in_word || after_x || (is_upper(name[i]) && !is_upper(before));
    if (matched > 0 && c == kWord[matched]) {
      ++matched;
    } else {
      matched = begins && c == kWord[0] ? 1 : 0;
    }
    if (matched == kWord.size()) return true;
    after_x = i == 0 && c == 'x';
    before = name[i];
  }
  return false;
}

bool speaks_of_encryption(std::string_view name) {
  constexpr std::array<std::string_view, 14> kWords = {
      "encrypt",   "e2ee",   "hpke",  "pubkey",    "publickey",   "cipher",    "encapsulated",
      "ephemeral", "sealed", "ohttp", "cryptokey", "signingalgo", "clientkey", "responsepk"};
  const std::string bare = bare_name(name);
  return bare == "xenc" || bare == "enc" || has_word_e2e(name) ||
         std::ranges::any_of(kWords, [&](std::string_view word) { return bare.find(word) != std::string_view::npos; });
}

// docs/spec/encryption.md holds the table.
std::optional<Refusal> refused_header(std::string_view name) {
  const std::string bare = bare_name(name);
  if (bare.starts_with("ehbp")) {
    // The client concludes that the node's key has changed, asks for the new one and finds none.
    return Refusal{
        422, "urn:ietf:params:ehbp:error:key-config", "ehbp.key_config", std::string(kNotEncrypted), std::string(name),
        true};
  }
  if (bare == "xencryptionversion" || bare == "xencryptallfields") return encryption("bad_request", name);
  const bool family = bare.starts_with("xe2e") || bare.starts_with("xvenicetee") || bare.starts_with("venicetee");
  if (family || speaks_of_encryption(name)) return encryption("e2ee_invalid_version", name);
  if (bare == bare_name(evidence::kExpectedPolicyHeader) && name != evidence::kExpectedPolicyHeader) {
    return invalid("the header name must be written 'X-Cloister-Policy-Digest'", std::string(name));
  }
  if (bare == "xupstreamverification" || bare == "upstreamverification") {
    return invalid("X-Upstream-Verification cannot be set by a caller", std::string(name));
  }
  return std::nullopt;
}

// Checks the names in a `Trailer` field, which is a list.
std::optional<Refusal> refused_trailers(std::string_view names) {
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(','), names.size());
    std::string_view name = names.substr(0, end);
    names.remove_prefix(std::min(end + 1, names.size()));
    while (name.starts_with(' ') || name.starts_with('\t')) name.remove_prefix(1);
    while (name.ends_with(' ') || name.ends_with('\t')) name.remove_suffix(1);
    if (auto refusal = refused_header(name)) return refusal;
    if (bare_name(name) == bare_name(evidence::kExpectedPolicyHeader))
      return invalid("'X-Cloister-Policy-Digest' stands in the head", std::string(name));
  }
  return std::nullopt;
}

std::optional<Refusal> refused_venice(const Json& venice) {
  if (venice.is_null()) return std::nullopt;
  if (!venice.is_object()) return invalid("'venice_parameters' must be an object", "venice_parameters");
  for (const auto& [name, value] : venice.items()) {
    const std::string param = "venice_parameters." + name.substr(0, 64);
    if (name != "enable_e2ee") {
      if (speaks_of_encryption(name)) return invalid("'" + param + "' is not known here", param);
      continue;
    }
    if (value.is_null() || value == Json(false)) continue;
    if (!value.is_boolean()) return invalid("'" + param + "' must be a boolean", param);
    return encryption("e2ee_invalid_version", param);
  }
  return std::nullopt;
}

std::optional<Refusal> refused_provider(const Json& provider, bool serves_itself) {
  if (provider.is_null()) return std::nullopt;
  if (!provider.is_object()) return invalid("'provider' must be an object", "provider");
  for (const auto& [name, value] : provider.items()) {
    const std::string param = "provider." + name.substr(0, 64);
    const std::string bare = bare_name(name);
    const bool of_aci = name.starts_with("aci_") || bare == "aciverified" || bare == "acisessionids";
    if (!of_aci) continue;
    if (name == "aci_verified") {
      if (!value.is_boolean()) return invalid("'" + param + "' must be a boolean", param);
      if (!value.get<bool>() || serves_itself) continue;
      return Refusal{503, "upstream_verification_failed", "upstream_verification_failed",
                     "the engine is outside of this TEE and was not verified", param};
    }
    if (name != "aci_session_ids") return invalid("'" + param + "' is not known here", param);
    return Refusal{412, "session_not_accepted", "session_not_accepted", "this node has no attested sessions", param};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> refused_headers(const http::RequestHead& head, bool has_receipts) {
  for (const auto& [name, value] : head.headers) {
    if (is_ordinary_header(name)) continue;
    if (auto refusal = refused_header(name)) return refusal;
    // A field after the body asks for something that was not done to the body.
    if (name == "trailer") {
      if (auto refusal = refused_trailers(value)) return refusal;
    }
    if (bare_name(name) != "xreceipt") continue;
    if (name != "x-receipt") return invalid("the header name must be written 'X-Receipt'", name);
    if (value != "inline") return invalid("'X-Receipt' must be 'inline'", "x-receipt");
    if (!has_receipts) return invalid("this node makes no receipts", "x-receipt");
  }
  return std::nullopt;
}

bool is_coded(const http::RequestHead& head) {
  for (const auto& [name, value] : head.headers) {
    if (is_ordinary_header(name) || bare_name(name) != "contentencoding") continue;
    // The list may be in one line or several; an empty element does not count (RFC 9110, section 5.6.1).
    for (std::string_view rest = value; !rest.empty();) {
      const std::size_t end = std::min(rest.find(','), rest.size());
      std::string_view coding = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (coding.starts_with(' ') || coding.starts_with('\t')) coding.remove_prefix(1);
      while (coding.ends_with(' ') || coding.ends_with('\t')) coding.remove_suffix(1);
      if (!coding.empty() && bare_name(coding) != "identity") return true;
    }
  }
  return false;
}

bool asks_for_protection(std::string_view member) {
  if (std::ranges::binary_search(kOrdinaryMembers, member)) return false;
  const std::string bare = bare_name(member);
  return bare == "provider" || bare == "providers" || bare == "veniceparameters" || bare == "cachesalt" ||
         bare.starts_with("aciverified") || bare.starts_with("acisession") || speaks_of_encryption(member);
}

std::optional<Refusal> refused_members(const Json& members, bool serves_itself, bool takes_cache_salt) {
  for (const auto& [name, value] : members.items()) {
    if (!asks_for_protection(name) || name == "provider" || name == "venice_parameters" || name == "cache_salt")
      continue;
    const std::string param = name.substr(0, 64);
    return speaks_of_encryption(name) ? encryption("e2ee_invalid_version", param)
                                      : invalid("'" + param + "' is not known here", param);
  }
  if (const auto venice = members.find("venice_parameters"); venice != members.end()) {
    if (auto refusal = refused_venice(*venice)) return refusal;
  }
  if (const auto salt = members.find("cache_salt"); salt != members.end() && !salt->is_null() && !takes_cache_salt) {
    return invalid("'cache_salt' is not taken here: prompts of one credential share a cache", "cache_salt");
  }
  const auto provider = members.find("provider");
  return provider == members.end() ? std::nullopt : refused_provider(*provider, serves_itself);
}

}  // namespace cloister::api
