#include "verify/tdx/collateral_bundle.h"

#include <utility>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/crl.h"

namespace cloister::verify {
namespace {

constexpr codec::JsonLimits kLimits{8u << 20, 4, 64};

struct Field {
  const char* name;
  std::string TdxCollateral::*text;
};
constexpr Field kTexts[] = {
    {"pck_crl_issuer_chain", &TdxCollateral::pck_crl_issuer_chain},
    {"tcb_info_issuer_chain", &TdxCollateral::tcb_info_issuer_chain},
    {"tcb_info", &TdxCollateral::tcb_info},
    {"tcb_info_signature", &TdxCollateral::tcb_info_signature},
    {"qe_identity_issuer_chain", &TdxCollateral::qe_identity_issuer_chain},
    {"qe_identity", &TdxCollateral::qe_identity},
    {"qe_identity_signature", &TdxCollateral::qe_identity_signature},
};
constexpr const char* kPckChain = "pck_certificate_chain";

Result<Bytes> read_list(const Json& object, const char* name) {
  TRY(text, codec::string_member(object, name));
  Result<Bytes> der = crypto::decode_crl(as_bytes(text));
  if (!der) return fail(der.error().code, std::string("`") + name + "`: " + der.error().message, name);
  return der;
}

}  // namespace

Result<TdxCollateral> parse_tdx_bundle(std::string_view json) {
  TRY(object, codec::parse_json(json, kLimits));
  return read_tdx_bundle(object);
}

Result<TdxCollateral> read_tdx_bundle(const Json& object) {
  TdxCollateral out;
  for (const Field& field : kTexts) {
    TRY(text, codec::string_member(object, field.name));
    out.*field.text = std::move(text);
  }
  TRY(root_ca_crl, read_list(object, "root_ca_crl"));
  out.root_ca_crl = std::move(root_ca_crl);
  TRY(pck_crl, read_list(object, "pck_crl"));
  out.pck_crl = std::move(pck_crl);
  // null where a writer had none
  if (object.contains(kPckChain) && !object[kPckChain].is_null()) {
    TRY(chain, codec::string_member(object, kPckChain));
    out.pck_certificate_chain = std::move(chain);
  }
  return out;
}

Json tdx_bundle_json(const TdxCollateral& collateral) {
  Json object = Json::object();
  for (const Field& field : kTexts) object[field.name] = collateral.*field.text;
  object["root_ca_crl"] = to_hex(collateral.root_ca_crl);
  object["pck_crl"] = to_hex(collateral.pck_crl);
  if (!collateral.pck_certificate_chain.empty()) object[kPckChain] = collateral.pck_certificate_chain;
  return object;
}

std::string write_tdx_bundle(const TdxCollateral& collateral) { return codec::write_json(tdx_bundle_json(collateral)); }

}  // namespace cloister::verify
