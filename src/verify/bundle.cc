#include "verify/bundle.h"

#include <algorithm>
#include <functional>
#include <initializer_list>
#include <utility>

#include "base/encoding.h"
#include "codec/json.h"
#include "verify/snp/chain_file.h"
#include "verify/tdx/collateral_bundle.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kForm = "cloister.collateral.v1";
constexpr std::size_t kMostBytes = 64u << 20;
constexpr std::size_t kMostEntries = 1024;  // for each list; a report is about a few dozen devices at most

Error malformed(const std::string& message) { return fail(ErrorCode::kBadCollateral, "collateral: " + message); }

Result<void> check_members(const Json& object, std::string_view where, std::initializer_list<std::string_view> known) {
  if (!object.is_object()) return malformed("expected `" + std::string(where) + "` to be an object");
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return malformed("`" + std::string(where) + "` has a member of an unknown name");
    }
  }
  return {};
}

// Absent and null mean empty.
Result<std::string> optional_text(const Json& object, std::string_view name) {
  const auto member = object.find(name);
  if (member == object.end() || member->is_null()) return std::string();
  if (!member->is_string()) return malformed("expected `" + std::string(name) + "` to be a string");
  return member->get<std::string>();
}

// Returns the elements of a list, none when it is absent.
Result<const Json*> optional_list(const Json& object, const char* name) {
  static const Json kNone = Json::array();
  const auto member = object.find(name);
  if (member == object.end()) return &kNone;
  if (!member->is_array() || member->size() > kMostEntries) {
    return malformed("expected `" + std::string(name) + "` to be a list of at most " + std::to_string(kMostEntries));
  }
  return &*member;
}

Result<Bytes> base64_text(const std::string& text, const std::string& where) {
  auto bytes = from_base64(text);
  if (!bytes) return malformed("`" + where + "`: " + bytes.error().message);
  return bytes;
}

Result<Bytes> base64_member(const Json& object, const char* name) {
  TRY(text, optional_text(object, name));
  return base64_text(text, name);
}

Result<TdxCollateral> parse_platform(const Json& object) {
  auto platform = read_tdx_bundle(object);
  if (!platform) return malformed(platform.error().message);
  return platform;
}

Result<void> parse_platforms(const Json& object, Collateral& out) {
  TRY(list, optional_list(object, "tdx"));
  for (const Json& item : *list) {
    TRY_VOID(check_members(
        item, "tdx",
        {"pck_crl_issuer_chain", "root_ca_crl", "pck_crl", "tcb_info_issuer_chain", "tcb_info", "tcb_info_signature",
         "qe_identity_issuer_chain", "qe_identity", "qe_identity_signature", "pck_certificate_chain"}));
    TRY(platform, parse_platform(item));
    out.tdx.push_back(std::move(platform));
  }
  return {};
}

Result<void> parse_rims(const Json& object, Collateral& out) {
  const auto member = object.find("rims");
  if (member == object.end()) return {};
  if (!member->is_object() || member->size() > kMostEntries) {
    return malformed("expected `rims` to be an object of at most " + std::to_string(kMostEntries));
  }
  for (const auto& [id, value] : member->items()) {
    if (!is_rim_id(id)) return malformed("`rims` names a manifest with characters that no id has");
    if (!value.is_string()) return malformed("expected `rims." + id + "` to be a string");
    TRY(document, base64_text(value.get<std::string>(), "rims." + id));
    out.rims.emplace(id, as_text(document));
  }
  return {};
}

Result<void> parse_ocsp(const Json& object, Collateral& out) {
  TRY(list, optional_list(object, "ocsp_responses"));
  for (const Json& item : *list) {
    if (!item.is_string()) return malformed("expected `ocsp_responses` to be a list of strings");
    TRY(der, base64_text(item.get<std::string>(), "ocsp_responses"));
    out.ocsp_responses.push_back(std::move(der));
  }
  return {};
}

Result<void> parse_nras(const Json& object, Collateral& out) {
  const auto member = object.find("nras");
  if (member == object.end()) return {};
  TRY_VOID(check_members(*member, "nras", {"token", "switch_token", "jwks"}));
  TRY(token, optional_text(*member, "token"));
  TRY(switch_token, optional_text(*member, "switch_token"));
  TRY(jwks, optional_text(*member, "jwks"));
  out.nras_token = std::move(token);
  out.nras_switch_token = std::move(switch_token);
  out.nras_jwks = std::move(jwks);
  return {};
}

Result<void> parse_snp(const Json& object, Collateral& out) {
  TRY(list, optional_list(object, "snp"));
  for (const Json& item : *list) {
    TRY_VOID(check_members(item, "snp", {"vcek", "ask_ark", "crl"}));
    TRY(vcek, base64_member(item, "vcek"));
    TRY(ask_ark, optional_text(item, "ask_ark"));
    TRY(crl, base64_member(item, "crl"));
    out.snp.push_back({std::move(vcek), std::move(ask_ark), std::move(crl)});
  }
  return {};
}

// The list is a signed document: base64 keeps every byte.
Result<void> parse_measurement_list(const Json& object, Collateral& out) {
  const auto member = object.find("measurement_list");
  if (member == object.end()) return {};
  TRY_VOID(check_members(*member, "measurement_list", {"list", "signature"}));
  TRY(list, base64_member(*member, "list"));
  TRY(signature, optional_text(*member, "signature"));
  out.measurement_list = as_text(list);
  out.measurement_list_signature = std::move(signature);
  return {};
}

template <typename List, typename Equal>
void add_new(List& list, List more, Equal equal) {
  for (auto& item : more) {
    const bool known = std::any_of(list.begin(), list.end(), [&](const auto& other) { return equal(item, other); });
    if (!known) list.push_back(std::move(item));
  }
}

}  // namespace

std::string write_bundle(const Collateral& collateral) {
  Json out = {{"collateral", kForm}};
  for (const TdxCollateral& platform : collateral.tdx) out["tdx"].push_back(tdx_bundle_json(platform));
  // Manifests are signed documents: base64 keeps every byte, whatever their encoding.
  for (const auto& [id, document] : collateral.rims) out["rims"][id] = to_base64(as_bytes(document));
  for (const Bytes& der : collateral.ocsp_responses) out["ocsp_responses"].push_back(to_base64(der));
  if (!collateral.nras_token.empty()) out["nras"]["token"] = collateral.nras_token;
  if (!collateral.nras_switch_token.empty()) out["nras"]["switch_token"] = collateral.nras_switch_token;
  if (!collateral.nras_jwks.empty()) out["nras"]["jwks"] = collateral.nras_jwks;
  for (const SnpCollateral& snp : collateral.snp) {
    out["snp"].push_back({{"vcek", to_base64(snp.vcek)}, {"ask_ark", snp.ask_ark}, {"crl", to_base64(snp.crl)}});
  }
  if (!collateral.measurement_list.empty()) {
    out["measurement_list"] = {{"list", to_base64(as_bytes(collateral.measurement_list))},
                               {"signature", collateral.measurement_list_signature}};
  }
  return codec::write_json(out);
}

Result<Collateral> parse_bundle(std::string_view text) {
  if (is_pem_text(text)) {
    Collateral out;
    TRY(chain, read_snp_chain_file(text));
    out.snp.push_back(std::move(chain));
    return out;
  }
  auto json = codec::parse_json(text, {kMostBytes, 8, 16 * kMostEntries});
  if (!json) return malformed(json.error().message);
  if (!json->is_object()) return malformed("expected an object");
  Collateral out;
  if (!json->contains("collateral")) {
    if (!json->contains("tcb_info")) return malformed("expected `collateral` to be " + std::string(kForm));
    TRY(platform, parse_platform(*json));
    out.tdx.push_back(std::move(platform));
    return out;
  }
  TRY(form, optional_text(*json, "collateral"));
  if (form != kForm) return malformed("expected `collateral` to be " + std::string(kForm));
  TRY_VOID(check_members(*json, "collateral",
                         {"collateral", "tdx", "rims", "ocsp_responses", "nras", "snp", "measurement_list"}));
  TRY_VOID(parse_platforms(*json, out));
  TRY_VOID(parse_rims(*json, out));
  TRY_VOID(parse_ocsp(*json, out));
  TRY_VOID(parse_nras(*json, out));
  TRY_VOID(parse_snp(*json, out));
  TRY_VOID(parse_measurement_list(*json, out));
  return out;
}

void add_collateral(Collateral& collateral, Collateral more) {
  add_new(collateral.tdx, std::move(more.tdx), std::equal_to<TdxCollateral>());
  collateral.rims.merge(more.rims);
  add_new(collateral.ocsp_responses, std::move(more.ocsp_responses), std::equal_to<Bytes>());
  add_new(collateral.ocsp_nonces, std::move(more.ocsp_nonces), std::equal_to<Bytes>());
  // Tokens and the keys that sign them stay together. What has just been fetched takes precedence over what a file brought.
  const bool none_here = collateral.nras_token.empty() && collateral.nras_switch_token.empty();
  const bool fetched = more.nras_jwks_live && !(more.nras_token.empty() && more.nras_switch_token.empty());
  if (none_here || (fetched && !collateral.nras_jwks_live)) {
    collateral.nras_token = std::move(more.nras_token);
    collateral.nras_switch_token = std::move(more.nras_switch_token);
    collateral.nras_jwks = std::move(more.nras_jwks);
    collateral.nras_jwks_live = more.nras_jwks_live;
  }
  if (collateral.measurement_list.empty()) {
    collateral.measurement_list = std::move(more.measurement_list);
    collateral.measurement_list_signature = std::move(more.measurement_list_signature);
  }
  add_new(collateral.snp, std::move(more.snp), [](const SnpCollateral& a, const SnpCollateral& b) {
    return a.vcek == b.vcek && a.ask_ark == b.ask_ark && a.crl == b.crl;
  });
}

bool is_rim_id(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  };
  return !text.empty() && text.size() <= 128 && text.front() != '.' && std::all_of(text.begin(), text.end(), is_plain);
}

}  // namespace cloister::verify
