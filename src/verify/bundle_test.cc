#include "verify/bundle.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "crypto/x509.h"

namespace cloister::verify {
namespace {

TdxCollateral platform(const std::string& name) {
  TdxCollateral out;
  out.tcb_info = "{\"fmspc\":\"" + name + "\"}";
  out.tcb_info_signature = "00ff";
  out.tcb_info_issuer_chain = "PEM\n";
  out.qe_identity = "{}";
  out.root_ca_crl = {0x30, 1};
  out.pck_crl = {0x30, 2};
  return out;
}

Collateral sample() {
  Collateral out;
  out.tdx = {platform("a"), platform("b")};
  out.rims["NV_GPU_DRIVER_GH100_550.144.03"] = std::string("<x>\xff\0</x>", 9);
  out.ocsp_responses = {{0x30, 3}, {0x30, 4}};
  out.ocsp_nonces = {{1}};
  out.nras_token = "[[\"JWT\",\"a\"],{}]";
  out.nras_switch_token = "[[\"JWT\",\"s\"],{}]";
  out.nras_jwks = "{\"keys\":[]}";
  out.snp = {{{0x30, 5}, "PEM\n", {0x30, 6}}, {{}, "PEM2\n", {}}};
  out.measurement_list = "{}\n";
  out.measurement_list_signature = "00aa";
  return out;
}

void expect_same(const Collateral& a, const Collateral& b) {
  ASSERT_EQ(a.tdx.size(), b.tdx.size());
  for (std::size_t i = 0; i < a.tdx.size(); ++i) {
    EXPECT_EQ(a.tdx[i].tcb_info, b.tdx[i].tcb_info);
    EXPECT_EQ(a.tdx[i].tcb_info_signature, b.tdx[i].tcb_info_signature);
    EXPECT_EQ(a.tdx[i].tcb_info_issuer_chain, b.tdx[i].tcb_info_issuer_chain);
    EXPECT_EQ(a.tdx[i].qe_identity, b.tdx[i].qe_identity);
    EXPECT_EQ(a.tdx[i].qe_identity_signature, b.tdx[i].qe_identity_signature);
    EXPECT_EQ(a.tdx[i].qe_identity_issuer_chain, b.tdx[i].qe_identity_issuer_chain);
    EXPECT_EQ(a.tdx[i].root_ca_crl, b.tdx[i].root_ca_crl);
    EXPECT_EQ(a.tdx[i].pck_crl, b.tdx[i].pck_crl);
    EXPECT_EQ(a.tdx[i].pck_crl_issuer_chain, b.tdx[i].pck_crl_issuer_chain);
    EXPECT_EQ(a.tdx[i].pck_certificate_chain, b.tdx[i].pck_certificate_chain);
  }
  EXPECT_EQ(a.rims, b.rims);
  EXPECT_EQ(a.ocsp_responses, b.ocsp_responses);
  EXPECT_EQ(a.nras_token, b.nras_token);
  EXPECT_EQ(a.nras_switch_token, b.nras_switch_token);
  EXPECT_EQ(a.nras_jwks, b.nras_jwks);
  EXPECT_EQ(a.measurement_list, b.measurement_list);
  EXPECT_EQ(a.measurement_list_signature, b.measurement_list_signature);
  ASSERT_EQ(a.snp.size(), b.snp.size());
  for (std::size_t i = 0; i < a.snp.size(); ++i) {
    EXPECT_EQ(a.snp[i].vcek, b.snp[i].vcek);
    EXPECT_EQ(a.snp[i].ask_ark, b.snp[i].ask_ark);
    EXPECT_EQ(a.snp[i].crl, b.snp[i].crl);
  }
}

TEST(Bundle, ComesBackAsItWasWithoutNonces) {
  const auto again = parse_bundle(write_bundle(sample()));
  ASSERT_TRUE(again) << again.error().to_string();
  expect_same(*again, sample());
  EXPECT_TRUE(again->ocsp_nonces.empty());
  const auto empty = parse_bundle(write_bundle({}));
  ASSERT_TRUE(empty) << empty.error().to_string();
  expect_same(*empty, {});
}

TEST(Bundle, TakesThePlatformObjectOfDcapQvl) {
  const std::string text = testing::vector_text("tdx/v4_b0c06f_uptodate.collateral.json");
  const auto got = parse_bundle(text);
  ASSERT_TRUE(got) << got.error().to_string();
  ASSERT_EQ(got->tdx.size(), 1u);
  const Json object = *codec::parse_json(text);
  EXPECT_EQ(got->tdx[0].tcb_info, object["tcb_info"].get<std::string>());
  EXPECT_EQ(to_hex(got->tdx[0].pck_crl), object["pck_crl"].get<std::string>());
  const auto again = parse_bundle(write_bundle(*got));
  ASSERT_TRUE(again) << again.error().to_string();
  expect_same(*again, *got);
}

TEST(Bundle, RefusesEveryOtherForm) {
  const Json good = *codec::parse_json(write_bundle(sample()));
  const auto refused = [&](const std::function<void(Json&)>& change) {
    Json changed = good;
    change(changed);
    const auto got = parse_bundle(codec::write_json(changed));
    return !got && got.error().code == ErrorCode::kBadCollateral;
  };
  EXPECT_FALSE(refused([](Json&) {}));
  EXPECT_TRUE(refused([](Json& json) { json["collateral"] = "cloister.collateral.v2"; }));
  EXPECT_TRUE(refused([](Json& json) { json["collateral"] = 1; }));
  EXPECT_TRUE(refused([](Json& json) { json.erase("collateral"); }));
  EXPECT_TRUE(refused([](Json& json) { json["more"] = 1; }));
  EXPECT_TRUE(refused([](Json& json) { json["tdx"] = Json::object(); }));
  EXPECT_TRUE(refused([](Json& json) { json["tdx"][0] = 1; }));
  EXPECT_TRUE(refused([](Json& json) { json["tdx"][0]["more"] = ""; }));
  EXPECT_TRUE(refused([](Json& json) { json["tdx"][0]["tcb_info"] = Json::object(); }));
  EXPECT_TRUE(refused([](Json& json) { json["tdx"][0]["pck_crl"] = "3"; }));
  EXPECT_TRUE(refused([](Json& json) { json["rims"] = Json::array(); }));
  EXPECT_TRUE(refused([](Json& json) { json["rims"]["../x"] = ""; }));
  EXPECT_TRUE(refused([](Json& json) { json["rims"]["x"] = "*"; }));
  EXPECT_TRUE(refused([](Json& json) { json["rims"]["x"] = 1; }));
  EXPECT_TRUE(refused([](Json& json) { json["ocsp_responses"][0] = 1; }));
  EXPECT_TRUE(refused([](Json& json) { json["ocsp_responses"][0] = "*"; }));
  EXPECT_TRUE(refused([](Json& json) { json["ocsp_responses"] = Json::array_t(1025, "MAA="); }));
  EXPECT_TRUE(refused([](Json& json) { json["nras"] = "x"; }));
  EXPECT_TRUE(refused([](Json& json) { json["nras"]["more"] = "x"; }));
  EXPECT_TRUE(refused([](Json& json) { json["nras"]["token"] = 1; }));
  EXPECT_TRUE(refused([](Json& json) { json["snp"][0]["vcek"] = "*"; }));
  EXPECT_TRUE(refused([](Json& json) { json["snp"][0]["more"] = "x"; }));
  EXPECT_TRUE(refused([](Json& json) { json["snp"][0] = nullptr; }));
  for (const char* text : {"", "x", "[]", "1", "{}", "{\"collateral\":\"cloister.collateral.v1\"}x"}) {
    EXPECT_FALSE(parse_bundle(text)) << text;
  }
}

// Each file in the form in which its users keep it.
TEST(ParseBundle, TakesTheCertificatesOfAnAmdChip) {
  for (const char* file : {"snp/genoa_v5.vcek_chain.pem", "snp/turin_v5.vcek_chain.pem"}) {
    const std::string pem = testing::vector_text(file);
    const auto out = parse_bundle(pem);
    ASSERT_TRUE(out) << file << out.error().message;
    ASSERT_EQ(out->snp.size(), 1U);
    const auto chip = crypto::Certificate::from_der(out->snp.front().vcek);
    ASSERT_TRUE(chip);
    EXPECT_EQ(chip->subject_common_name(), "SEV-VCEK");
    EXPECT_EQ(crypto::parse_pem_chain(as_bytes(out->snp.front().ask_ark))->size(), 2U);
    EXPECT_TRUE(out->snp.front().crl.empty());
    const auto written = parse_bundle(write_bundle(*out));
    ASSERT_TRUE(written);
    EXPECT_EQ(written->snp.front().ask_ark, out->snp.front().ask_ark);
    const std::string first = pem.substr(0, pem.find("-----END CERTIFICATE-----") + 26);
    for (const std::string& other :
         {first, first + pem, "{}" + pem, pem + std::string(1, '\x1b'), pem.substr(0, pem.size() - 40)}) {
      const auto refused = parse_bundle(other);
      ASSERT_FALSE(refused) << other.substr(0, 60);
      EXPECT_EQ(refused.error().code, ErrorCode::kBadCollateral);
    }
  }
}

TEST(AddCollateral, KeepsWhatBothHoldOnce) {
  Collateral all = sample();
  add_collateral(all, sample());
  expect_same(all, sample());
  Collateral more;
  more.tdx = {platform("c")};
  more.rims = {{"NV_GPU_DRIVER_GH100_550.144.03", "another"}, {"NV_X", "new"}};
  more.nras_token = "other";
  more.ocsp_nonces = {{2}};
  add_collateral(all, more);
  EXPECT_EQ(all.tdx.size(), 3u);
  EXPECT_EQ(all.rims.at("NV_X"), "new");
  EXPECT_NE(all.rims.at("NV_GPU_DRIVER_GH100_550.144.03"), "another");
  EXPECT_EQ(all.nras_token, sample().nras_token);
  EXPECT_EQ(all.ocsp_nonces.size(), 2u);
}

}  // namespace
}  // namespace cloister::verify
