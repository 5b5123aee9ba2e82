// For tests only: recorded quotes and the collateral of their time.
#pragma once

#include <string>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/signed_json.h"
#include "crypto/crl.h"
#include "verify/quote.h"
#include "verify/tdx/collateral_bundle.h"

namespace cloister::testing {

constexpr UnixSeconds kJune2023 = 1687250000;  // 2023-06-20
constexpr UnixSeconds kJune2025 = 1750500000;  // 2025-06-21
constexpr UnixSeconds kFebruary2026 = 1770768000;

inline Bytes recorded_quote(const std::string& file) {
  Result<Bytes> quote = verify::read_quote_text(vector_text("tdx/" + file));
  EXPECT_TRUE(quote) << file;
  return quote ? *quote : Bytes();
}

inline verify::TdxCollateral recorded_bundle(const std::string& file) {
  Result<verify::TdxCollateral> bundle = verify::parse_tdx_bundle(vector_text("tdx/" + file));
  EXPECT_TRUE(bundle) << file;
  return bundle ? *bundle : verify::TdxCollateral();
}

inline verify::TdxCollateral bundle_of_2025() { return recorded_bundle("v4_b0c06f_uptodate.collateral.json"); }

inline void set_tcb_info(verify::TdxCollateral& collateral, const std::string& file) {
  const auto split = codec::split_signed_json(vector_text("tdx/" + file), "tcbInfo");
  ASSERT_TRUE(split);
  collateral.tcb_info = split->text;
  collateral.tcb_info_signature = split->signature_hex;
}

// Answers of 2023. The issuer chains of that time were not recorded; those of 2025 have the same keys, and certificates
// that were not yet valid.
inline verify::TdxCollateral collateral_of_2023() {
  verify::TdxCollateral out = bundle_of_2025();
  set_tcb_info(out, "v4_50806f.tcbinfo.json");
  const auto identity = codec::split_signed_json(vector_text("tdx/v4_50806f.qeidentity.json"), "enclaveIdentity");
  EXPECT_TRUE(identity);
  out.qe_identity = identity->text;
  out.qe_identity_signature = identity->signature_hex;
  out.root_ca_crl = *crypto::decode_crl(vector_bytes("tdx/v4_50806f.rootcrl.der"));
  out.pck_crl = *crypto::decode_crl(vector_bytes("tdx/v4_50806f.pckcrl.hex"));
  return out;
}

// TCB info of 2026 alone.
inline verify::TdxCollateral collateral_of_2026() {
  verify::TdxCollateral out;
  out.tcb_info_issuer_chain = bundle_of_2025().tcb_info_issuer_chain;
  set_tcb_info(out, "v5_td15_90c06f.tcbinfo.json");
  return out;
}

// The part of tdx/v4_50806f.bin that is a quote: somebody appended a sentence to it.
inline Bytes quote_of_2023() {
  const Bytes file = vector_bytes("tdx/v4_50806f.bin");
  const std::size_t end = as_text(file).find("\nextra byte");
  EXPECT_NE(end, std::string_view::npos);
  return Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(std::min(end, file.size())));
}

// These tests are not about which code a relying party expects, nor about whom a bare quote answers.
inline verify::Policy any_code() {
  verify::Policy policy;
  policy.require_nonce = false;
  policy.boot.allow_any_measurements = true;
  return policy;
}

}  // namespace cloister::testing
