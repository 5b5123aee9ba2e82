#include "codec/signed_json.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "crypto/ecdsa.h"
#include "crypto/x509.h"

namespace cloister::codec {
namespace {

TEST(SignedJson, CutsTheValueOutAsItStands) {
  struct {
    const char* body;
    const char* text;
  } const cases[] = {
      {R"({"tcbInfo":{"a":1},"signature":"ab"})", R"({"a":1})"},
      {R"({"signature":"ab","tcbInfo":{"a":1}})", R"({"a":1})"},
      {"{ \"tcbInfo\" :\t{ \"b\" : [ 1 , {} ] , \"a\":2 }\n, \"signature\" : \"ab\" }\r\n",
       "{ \"b\" : [ 1 , {} ] , \"a\":2 }"},
      {R"({"tcbInfo":{"a":"}\"{\\"},"signature":"ab"})", R"({"a":"}\"{\\"})"},
      {R"({"tcbInfo":{"signature":"x","tcbInfo":{}},"signature":"ab"})", R"({"signature":"x","tcbInfo":{}})"},
  };
  for (const auto& c : cases) {
    const auto split = split_signed_json(c.body, "tcbInfo");
    ASSERT_TRUE(split) << c.body << split.error().message;
    EXPECT_EQ(split->text, c.text);
    EXPECT_EQ(split->signature_hex, "ab");
  }
}

TEST(SignedJson, RefusesEverythingElse) {
  for (const char* body : {
           "",
           "[]",
           "{}",
           "null",
           R"({"tcbInfo":{}})",
           R"({"signature":"ab"})",
           R"({"tcbInfo":{},"signature":1})",
           R"({"tcbInfo":[],"signature":"ab"})",
           R"({"tcbInfo":"{}","signature":"ab"})",
           R"({"tcbInfo":{},"signature":"ab","more":1})",
           R"({"tcbInfo":{},"tcbInfo":{},"signature":"ab"})",
           R"({"tcbInfo":{"a":1,"a":2},"signature":"ab"})",
           R"({"tcbInfo":{},"signature":"ab"} x)",
           R"({"\u0074cbInfo":{},"signature":"ab"})",
           R"({"enclaveIdentity":{},"signature":"ab"})",
       }) {
    EXPECT_FALSE(split_signed_json(body, "tcbInfo")) << body;
  }
  EXPECT_REFUSED(split_signed_json("{\"tcbInfo\":{},\"signature\":\"" + std::string(1u << 20, 'a') + "\"}", "tcbInfo"),
                 "expected at most 1048576 bytes of JSON, got 1048605");
}

// The bundles of 2025 have the same signing key as those of 2023 and 2026.
TEST(GenuineSignedJson, VerifiesOverTheBytesThatWereCutOut) {
  const auto bundle = parse_json(testing::vector_text("tdx/v4_b0c06f_uptodate.collateral.json"));
  ASSERT_TRUE(bundle);
  const auto chain = crypto::parse_pem_chain(as_bytes((*bundle)["tcb_info_issuer_chain"].get<std::string>()));
  ASSERT_TRUE(chain);
  struct Case {
    const char* file;
    const char* member;
  };
  const std::vector<Case> cases = {{"tdx/v4_50806f.tcbinfo.json", "tcbInfo"},
                                   {"tdx/v5_td15_90c06f.tcbinfo.json", "tcbInfo"},
                                   {"tdx/90c06f_20260912.tcbinfo.json", "tcbInfo"},
                                   {"tdx/90c06f_20260912.qeidentity.json", "enclaveIdentity"},
                                   {"tdx/v4_50806f.qeidentity.json", "enclaveIdentity"}};
  for (const Case& c : testing::those_there(cases, [](const Case& one) { return one.file; })) {
    const auto split = split_signed_json(testing::vector_text(c.file), c.member);
    ASSERT_TRUE(split) << c.file << split.error().message;
    EXPECT_TRUE(crypto::verify_ecdsa(crypto::Curve::kP256, *chain->front().ec_public_point(), as_bytes(split->text),
                                     *from_hex(split->signature_hex)))
        << c.file;
  }
}

}  // namespace
}  // namespace cloister::codec
