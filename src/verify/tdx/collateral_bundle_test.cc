#include "verify/tdx/collateral_bundle.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "verify/testing/own_platform.h"

namespace cloister::verify {
namespace {

TEST(CollateralBundle, IsReadAsItWasWritten) {
  TdxCollateral collateral = testing::OwnPlatform().build();
  EXPECT_EQ(*parse_tdx_bundle(write_tdx_bundle(collateral)), collateral);
  collateral.pck_certificate_chain = collateral.pck_crl_issuer_chain;
  EXPECT_EQ(*parse_tdx_bundle(write_tdx_bundle(collateral)), collateral);
  EXPECT_EQ(*parse_tdx_bundle(write_tdx_bundle({})), TdxCollateral{});
}

TEST(CollateralBundle, TakesListsInHexOfEitherCaseAndPem) {
  const TdxCollateral collateral = testing::OwnPlatform().build();
  Json json = *codec::parse_json(write_tdx_bundle(collateral));
  std::string upper = to_hex(collateral.pck_crl);
  for (char& c : upper) c = c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c;
  json["pck_crl"] = upper;
  json["root_ca_crl"] = "-----BEGIN X509 CRL-----\n" + to_base64(collateral.root_ca_crl) + "\n-----END X509 CRL-----\n";
  json["pck_certificate_chain"] = nullptr;
  json["a member of later versions"] = 1;
  EXPECT_EQ(*parse_tdx_bundle(codec::write_json(json)), collateral);
}

TEST(CollateralBundle, RefusesWhatIsNone) {
  const Json good = *codec::parse_json(write_tdx_bundle(testing::OwnPlatform().build()));
  for (const auto& member : good.items()) {
    Json missing = good;
    missing.erase(member.key());
    const auto refused = parse_tdx_bundle(codec::write_json(missing));
    ASSERT_FALSE(refused) << member.key();
    EXPECT_NE(refused.error().message.find(member.key()), std::string::npos);
    Json wrong = good;
    wrong[member.key()] = 1;
    EXPECT_FALSE(parse_tdx_bundle(codec::write_json(wrong))) << member.key();
  }
  for (const char* name : {"root_ca_crl", "pck_crl"}) {
    Json odd = good;
    odd[name] = "308";
    EXPECT_FALSE(parse_tdx_bundle(codec::write_json(odd)));
  }
  for (const char* text : {"", "[]", "null", "{}"}) EXPECT_FALSE(parse_tdx_bundle(text)) << text;
  const std::string text = codec::write_json(good);
  EXPECT_REFUSED(parse_tdx_bundle(text + "x"), "not valid JSON at byte 7632");
  EXPECT_REFUSED(parse_tdx_bundle(text.substr(0, text.size() - 1) + R"(,"tcb_info":""})"),
                 "an object has two members of the same name")
      << "a name twice";
}

TEST(GenuineCollateralBundle, IsReadAsItIs) {
  for (const char* file : {"tdx/v4_b0c06f_uptodate.collateral.json", "tdx/sgx_v3_00a067.collateral.json"}) {
    const std::string text = testing::vector_text(file);
    const auto bundle = parse_tdx_bundle(text);
    ASSERT_TRUE(bundle) << bundle.error().message;
    const Json json = *codec::parse_json(text);
    EXPECT_EQ(bundle->tcb_info, json["tcb_info"].get<std::string>());
    EXPECT_EQ(to_hex(bundle->pck_crl), json["pck_crl"].get<std::string>());
    EXPECT_EQ(*parse_tdx_bundle(write_tdx_bundle(*bundle)), *bundle);
  }
}

}  // namespace
}  // namespace cloister::verify
