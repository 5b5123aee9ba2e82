#include "verify/nvidia/nras.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <set>

#include "base/clock.h"
#include "base/encoding.h"
#include "codec/json.h"
#include "codec/jwt.h"
#include "crypto/hash.h"
#include "verify/check.h"
#include "verify/nvidia/nras_keys.h"

namespace cloister::verify {
namespace {

using codec::Jwt;

constexpr std::string_view kIssuer = "https://nras.attestation.nvidia.com";
constexpr std::string_view kSubject = "NVIDIA-PLATFORM-ATTESTATION";
constexpr std::int64_t kLeewaySeconds = 60;
constexpr std::size_t kMostSubmodules = 64;
constexpr std::array<const char*, 7> kChecks = {"form", "signature", "time", "nonce", "digests", "devices", "result"};

std::string id_of(const std::string& check) { return "nvidia.nras." + check; }

Error malformed(const std::string& what) { return fail(ErrorCode::kBadToken, "NRAS: " + what); }

struct Token {
  bool of_switches = false;
  Jwt overall;
  std::map<std::string, std::string> texts;  // submodule -> as served
  std::map<std::string, Jwt> submodules;
};

// [["JWT", overall], {"GPU-0": jwt, ...}]
Result<Token> parse_token(const std::string& text) {
  TRY(json, codec::parse_json(text, {.max_bytes = 8u << 20, .max_depth = 4}));
  if (!json.is_array() || json.size() != 2 || !json[0].is_array() || json[0].size() != 2 || json[0][0] != "JWT" ||
      !json[0][1].is_string() || !json[1].is_object()) {
    return malformed("expected [[\"JWT\", token], {submodule: token}]");
  }
  if (json[1].size() > kMostSubmodules) return malformed("more than 64 submodules");
  Token out;
  TRY(overall, codec::parse_jwt(json[0][1].get<std::string>()));
  out.overall = std::move(overall);
  for (const auto& [name, value] : json[1].items()) {
    if (!value.is_string()) return malformed("a submodule is no token");
    TRY(submodule, codec::parse_jwt(value.get<std::string>()));
    out.texts.emplace(name, value.get<std::string>());
    out.submodules.emplace(name, std::move(submodule));
  }
  return out;
}

// Every part of the tokens with its name, the overall parts first.
std::vector<std::pair<std::string, const Jwt*>> all_parts(const std::vector<Token>& tokens) {
  std::vector<std::pair<std::string, const Jwt*>> out;
  for (const Token& token : tokens) {
    out.emplace_back(token.of_switches ? "overall (switches)" : "overall", &token.overall);
    for (const auto& [name, submodule] : token.submodules) out.emplace_back(name, &submodule);
  }
  return out;
}

bool claim_is(const Json& claims, const char* name, const Json& value) {
  const auto found = claims.find(name);
  return found != claims.end() && *found == value;
}

std::string claim_text(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  return found != claims.end() && found->is_string() ? found->get<std::string>() : "none";
}

// `source` says why the keys are trusted: "live", "pinned" or "policy"; "none" where one is not.
Check check_signature(const std::vector<Token>& tokens, const Context& context, const crypto::Certificate* authority,
                      std::string& source) {
  const std::string id = id_of("signature");
  source = "none";
  const auto keys = NrasKeys::read(context, authority);
  if (!keys) return failed(id, "the service's keys: " + keys.error().message);
  std::string unproven, believed_for;
  for (const auto& [name, jwt] : all_parts(tokens)) {
    const NrasKeys::Judged judged = keys->judge(*jwt);
    if (judged.finding == NrasKeys::Finding::kInvalid) return failed(id, name + ": " + judged.why);
    if (judged.finding == NrasKeys::Finding::kUnproven && unproven.empty()) unproven = name + ": " + judged.why;
    believed_for = judged.source;
  }
  if (!unproven.empty()) return skipped(id, unproven, context.policy.nvidia.require_nras);
  source = believed_for;
  return passed(id, "ES384", "key: " + source);
}

// Reads a claim of whole seconds.
std::optional<std::int64_t> seconds(const Json& claims, const char* name) {
  const auto found = claims.find(name);
  if (found == claims.end() || !found->is_number_integer()) return std::nullopt;
  if (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX / 2) return std::nullopt;
  return found->get<std::int64_t>();
}

Check check_time(const std::vector<Token>& tokens, UnixSeconds time) {
  const std::string id = id_of("time");
  for (const auto& [name, jwt] : all_parts(tokens)) {
    const auto from = seconds(jwt->claims, "nbf");
    const auto until = seconds(jwt->claims, "exp");
    if (!from || !until) return failed(id, name + ": no nbf or exp");
    if (time + kLeewaySeconds < *from || time - kLeewaySeconds >= *until) {
      return failed(id, name + ": not valid at " + to_rfc3339(time), to_rfc3339(*from) + " to " + to_rfc3339(*until),
                    to_rfc3339(time));
    }
  }
  return passed(id);
}

Check check_nonce(const std::vector<Token>& tokens, const NrasSubject& subject) {
  const std::string id = id_of("nonce");
  if (!subject.nonce) return skipped(id, "the nonce that the devices answered is not known");
  for (const auto& [name, jwt] : all_parts(tokens)) {
    const std::string text = claim_text(jwt->claims, "eat_nonce");
    const Result<Bytes> nonce = from_hex(text);
    if (nonce && equal(*nonce, *subject.nonce)) continue;
    return failed(id, name + ": the token is about another nonce", to_hex(*subject.nonce), text);
  }
  return passed(id, to_hex(*subject.nonce));
}

// ["DIGEST", ["SHA-256", hex]] for each submodule, over its token's text.
Check check_digests_of(const Token& token) {
  const std::string id = id_of("digests");
  const auto list = token.overall.claims.find("submods");
  if (list == token.overall.claims.end() || !list->is_object()) return failed(id, "the overall token has no submods");
  for (const auto& [name, text] : token.texts) {
    if (!list->contains(name)) return failed(id, "the overall token does not name " + name);
  }
  for (const auto& [name, value] : list->items()) {
    const auto text = token.texts.find(name);
    if (text == token.texts.end()) return failed(id, "the token of " + name + " is missing");
    const std::string actual = to_hex(crypto::sha256(as_bytes(text->second)));
    const bool form = value.is_array() && value.size() == 2 && value[0] == "DIGEST" && value[1].is_array() &&
                      value[1].size() == 2 && value[1][0] == "SHA-256" && value[1][1].is_string();
    if (!form) return failed(id, name + ": expected a SHA-256 digest");
    const Result<Bytes> expected = from_hex(value[1][1].get<std::string>());
    if (!expected || to_hex(*expected) != actual) {
      return failed(id, name + " is not the token that the overall one is about", value[1][1].get<std::string>(),
                    actual);
    }
  }
  return passed(id, std::to_string(token.texts.size()) + " submodules");
}

// Returns the first check that does not pass, else the last.
Check worst_of(const std::vector<Token>& tokens, const std::function<Check(const Token&)>& check) {
  Check out;
  for (const Token& token : tokens) {
    out = check(token);
    if (out.state != State::kPass) break;
  }
  return out;
}

// There must be as many submodules as devices of that kind, about these very devices.
Check check_devices_of(const Token& token, const NrasSubject& subject) {
  const std::string id = id_of("devices");
  const std::vector<std::string>& ueids = token.of_switches ? subject.switch_ueids : subject.gpu_ueids;
  const std::string kind = token.of_switches ? "switch" : "GPU";
  const std::string kinds = token.of_switches ? "switches" : "GPUs";
  if (token.submodules.size() != ueids.size()) {
    return failed(id, "the token is about another number of " + kinds, std::to_string(ueids.size()),
                  std::to_string(token.submodules.size()));
  }
  std::multiset<std::string> missing(ueids.begin(), ueids.end());
  for (const auto& [name, jwt] : token.submodules) {
    const std::string ueid = claim_text(jwt.claims, "ueid");
    const auto found = missing.find(ueid);
    if (found == missing.end()) return failed(id, name + " is not one of the " + kinds + " in the evidence", {}, ueid);
    missing.erase(found);
  }
  return passed(id, std::to_string(token.submodules.size()) + " " + (token.submodules.size() == 1 ? kind : kinds));
}

Check check_devices(const std::vector<Token>& tokens, const NrasSubject& subject, bool required) {
  const std::string id = id_of("devices");
  if (!subject.complete) return skipped(id, "not every device could be read");
  Check compared = worst_of(tokens, [&](const Token& token) { return check_devices_of(token, subject); });
  if (compared.state != State::kPass) return compared;
  const auto covers = [&](bool switches) {
    return std::ranges::any_of(tokens, [&](const Token& token) { return token.of_switches == switches; });
  };
  for (const bool switches : {false, true}) {
    if ((switches ? subject.switch_ueids : subject.gpu_ueids).empty() || covers(switches)) continue;
    return skipped(id, std::string("no token about the ") + (switches ? "switches" : "GPUs") + " is here", required);
  }
  return compared;
}

// True when a list of mismatches, which older claims leave out or give as null, names any.
bool names_any(const Json& list) { return !(list.is_null() || (list.is_structured() && list.empty())); }

// Empty when the submodule reports no fault.
std::string complaint_of(const Json& claims) {
  const std::string result = claim_text(claims, "measres");
  if (result != "success" && result != "comparison-successful") return "measres is " + result;
  if (!claim_is(claims, "secboot", true)) return "secboot is not true";
  if (const std::string debug = claim_text(claims, "dbgstat"); debug != "disabled") return "dbgstat is " + debug;
  for (const auto& [name, value] : claims.items()) {
    if (value == Json(false)) return name + " is false";
    if (name.starts_with("x-nvidia-mismatch-") && names_any(value)) return name + " names a mismatch";
    if (!name.ends_with("-cert-chain") || !value.is_object()) continue;
    if (claim_text(value, "x-nvidia-cert-status") != "valid") return name + " is not valid";
    if (claim_text(value, "x-nvidia-cert-ocsp-status") != "good") return name + " is not good by OCSP";
  }
  return {};
}

Check check_result_of(const Token& token) {
  const std::string id = id_of("result");
  const Json& overall = token.overall.claims;
  if (!claim_is(overall, "sub", kSubject)) {
    return failed(id, "another kind of token", std::string(kSubject), claim_text(overall, "sub"));
  }
  if (!claim_is(overall, "x-nvidia-overall-att-result", true)) {
    return failed(id, "the service's overall result is not true");
  }
  if (token.submodules.empty()) return failed(id, "the token is about no device");
  for (const auto& [name, jwt] : token.submodules) {
    const std::string complaint = complaint_of(jwt.claims);
    if (!complaint.empty()) return failed(id, name + ": " + complaint);
  }
  return passed(id, "true");
}

Check check_result(const std::vector<Token>& tokens) {
  for (const auto& [name, jwt] : all_parts(tokens)) {
    if (claim_is(jwt->claims, "iss", kIssuer)) continue;
    return failed(id_of("result"), name + ": another issuer", std::string(kIssuer), claim_text(jwt->claims, "iss"));
  }
  return worst_of(tokens, check_result_of);
}

// Claims 2 to 4 are known; what a later major version says about a device, and how, is unknown.
Check check_claims_version(const std::vector<Token>& tokens, std::size_t submodules) {
  const std::string id = id_of("form");
  for (const auto& [name, jwt] : all_parts(tokens)) {
    for (const auto& [claim, value] : jwt->claims.items()) {
      if (claim != "x-nvidia-ver" && !claim.ends_with("-claims-version")) continue;
      const std::string text = value.is_string() ? value.get<std::string>() : std::string();
      const bool known = text.size() > 1 && text[1] == '.' && text[0] >= '1' && text[0] <= '4';
      if (!known) return skipped(id, name + ": claims of another version than 1 to 4 are not supported");
    }
  }
  return passed(id, std::to_string(submodules) + " submodules");
}

// What claims 4.0 state about minimum versions: submodule -> name -> security version number.
Json attester_claims(const std::vector<Token>& tokens) {
  Json out = Json::object();
  for (const auto& [name, jwt] : all_parts(tokens)) {
    const auto found = jwt->claims.find("x-nvidia-attester-claims");
    if (found != jwt->claims.end() && found->is_object() && !found->empty()) out[name] = *found;
  }
  return out;
}

// Parses the tokens that were given.
Result<std::vector<Token>> parse_tokens(const Collateral& collateral) {
  std::vector<Token> out;
  for (const bool switches : {false, true}) {
    const std::string& text = switches ? collateral.nras_switch_token : collateral.nras_token;
    if (text.empty()) continue;
    TRY(token, parse_token(text));
    token.of_switches = switches;
    out.push_back(std::move(token));
  }
  return out;
}

}  // namespace

void add_nras_not_applicable(const std::string& why, Verdict& verdict) {
  for (const char* check : kChecks) verdict.add(not_applicable(id_of(check), why));
}

void check_nras(const NrasSubject& subject, const Context& context, const crypto::Certificate* authority,
                Verdict& verdict) {
  const bool required = context.policy.nvidia.require_nras;
  const Result<std::vector<Token>> tokens = parse_tokens(context.collateral);
  if (!tokens) {
    verdict.add(failed(id_of("form"), tokens.error().message));
    for (const char* check : kChecks) {
      if (std::string_view(check) != "form") verdict.add(skipped(id_of(check), "a token could not be read"));
    }
    return;
  }
  if (tokens->empty()) {
    if (!required) {
      add_nras_not_applicable("no token of NVIDIA's service is here, and the policy does not ask for one", verdict);
      return;
    }
    for (const char* check : kChecks) verdict.add(skipped(id_of(check), "no token of NVIDIA's service is here"));
    return;
  }
  std::size_t submodules = 0;
  for (const Token& token : *tokens) submodules += token.submodules.size();
  Check form = check_claims_version(*tokens, submodules);
  const bool supported = form.state == State::kPass;
  if (!supported) form.required = required;
  verdict.add(std::move(form));
  if (!supported) {
    for (const std::string_view check : kChecks) {
      if (check == "form") continue;
      verdict.add(skipped(id_of(std::string(check)), "the token's claims are not supported", required));
    }
    return;
  }
  std::string source;
  Check signature = check_signature(*tokens, context, authority, source);
  const bool unproven = signature.state == State::kSkipped;
  verdict.add(std::move(signature));
  const Jwt& first = tokens->front().overall;
  verdict.facts["nras"] = {
      {"key_id", first.key_id}, {"claims_version", claim_text(first.claims, "x-nvidia-ver")}, {"keys", source}};
  if (unproven) {
    for (const std::string_view check : kChecks) {
      if (check == "form" || check == "signature") continue;
      verdict.add(skipped(id_of(std::string(check)), "nothing vouches for the key that signed the token", required));
    }
    return;
  }
  verdict.add(check_time(*tokens, context.time));
  verdict.add(check_nonce(*tokens, subject));
  verdict.add(worst_of(*tokens, check_digests_of));
  verdict.add(check_devices(*tokens, subject, required));
  verdict.add(check_result(*tokens));
  Json claims = attester_claims(*tokens);
  if (!claims.empty()) verdict.facts["nras"]["attester_claims"] = std::move(claims);
}

}  // namespace cloister::verify
