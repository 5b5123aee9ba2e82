// Tests RFC 8785's own examples, and what the scheme cannot express.
#include "codec/jcs.h"

#include <gtest/gtest.h>

#include <bit>
#include <cstdint>
#include <limits>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "crypto/hash.h"

namespace cloister::codec {
namespace {

std::string canonical(std::string_view text) {
  const auto json = parse_json(text);
  EXPECT_TRUE(json) << text;
  if (!json) return "(no JSON)";
  const auto out = write_jcs(*json);
  EXPECT_TRUE(out) << text << ": " << (out ? "" : out.error().message);
  return out ? *out : "(refused)";
}

struct NumberCase {
  std::uint64_t bits;
  const char* text;
};

// RFC 8785, Appendix B.
constexpr NumberCase kNumbers[] = {
    {0x0000000000000000, "0"},
    {0x8000000000000000, "0"},
    {0x0000000000000001, "5e-324"},
    {0x8000000000000001, "-5e-324"},
    {0x7fefffffffffffff, "1.7976931348623157e+308"},
    {0xffefffffffffffff, "-1.7976931348623157e+308"},
    {0x4340000000000000, "9007199254740992"},
    {0xc340000000000000, "-9007199254740992"},
    {0x4430000000000000, "295147905179352830000"},
    {0x44b52d02c7e14af5, "9.999999999999997e+22"},
    {0x44b52d02c7e14af6, "1e+23"},
    {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
    {0x444b1ae4d6e2ef4e, "999999999999999700000"},
    {0x444b1ae4d6e2ef4f, "999999999999999900000"},
    {0x444b1ae4d6e2ef50, "1e+21"},
    {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
    {0x3eb0c6f7a0b5ed8d, "0.000001"},
    {0x41b3de4355555553, "333333333.3333332"},
    {0x41b3de4355555554, "333333333.33333325"},
    {0x41b3de4355555555, "333333333.3333333"},
    {0x41b3de4355555556, "333333333.3333334"},
    {0x41b3de4355555557, "333333333.33333343"},
    {0xbecbf647612f3696, "-0.0000033333333333333333"},
    {0x43143ff3c1cb0959, "1424953923781206.2"},
};

TEST(Jcs, NumbersOfAppendixB) {
  for (const NumberCase& number : kNumbers) {
    const auto out = write_jcs(Json(std::bit_cast<double>(number.bits)));
    ASSERT_TRUE(out) << number.text;
    EXPECT_EQ(*out, number.text);
  }
}

TEST(Jcs, NumbersThatAreNotFiniteAreRefused) {
  for (const std::uint64_t bits : {0x7fffffffffffffffu, 0x7ff0000000000000u, 0xfff0000000000000u}) {
    EXPECT_REFUSED(write_jcs(Json(std::bit_cast<double>(bits))),
                   "no canonical form (RFC 8785): a number that is not finite");
  }
}

TEST(Jcs, ExampleOfSection322) {
  EXPECT_EQ(canonical(R"({
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  })"),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

// U+1F600 is above U+FB33, but its first code unit is below.
TEST(Jcs, ExampleOfSection323SortsByUtf16) {
  EXPECT_EQ(canonical(R"({
    "\u20ac": "Euro Sign",
    "\r": "Carriage Return",
    "\ufb33": "Hebrew Letter Dalet With Dagesh",
    "1": "One",
    "\ud83d\ude00": "Emoji: Grinning Face",
    "\u0080": "Control",
    "\u00f6": "Latin Small Letter O With Diaeresis"
  })"),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
            "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
            "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\",\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

TEST(Jcs, ExampleOfAppendixesWithNestedMembers) {
  EXPECT_EQ(canonical(R"({"1": {"f": {"f": "hi","F": 5} ,"\n": 56.0}, "10": { }, "": "empty", "a": { }, "111": [ {"e":
      "yes","E": "no" } ], "A": { } })"),
            R"({"":"empty","1":{"\n":56,"f":{"F":5,"f":"hi"}},"10":{},"111":[{"E":"no","e":"yes"}],"A":{},"a":{}})");
  EXPECT_EQ(canonical("[]"), "[]");
  EXPECT_EQ(canonical("{}"), "{}");
  EXPECT_EQ(canonical(R"([{},{},[],"{","["])"), R"([{},{},[],"{","["])");
}

TEST(Jcs, EveryControlCharacter) {
  std::string all;
  for (char c = 0; c < 0x20; ++c) all.push_back(c);
  EXPECT_EQ(*write_jcs(Json(all + "\x7f")),
            "\"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f"
            "\\u0010\\u0011\\u0012\\u0013\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d"
            "\\u001e\\u001f\x7f\"");
}

TEST(Jcs, IntegersAreWrittenAsTheDoublesThatTheyAre) {
  EXPECT_EQ(canonical("[0,-0,1,-1,1790000000]"), "[0,0,1,-1,1790000000]");
  EXPECT_EQ(canonical("9007199254740991"), "9007199254740991");
  EXPECT_EQ(canonical("9007199254740994"), "9007199254740994");
  EXPECT_EQ(canonical("1152921504606846976"), "1152921504606847000");  // 2^60
  EXPECT_EQ(canonical("1152921504606847000"), "1152921504606847000");  // the same number, as the scheme writes it
  EXPECT_EQ(canonical("-9223372036854775808"), "-9223372036854776000");
  EXPECT_EQ(canonical("1.0"), "1");
}

TEST(Jcs, IntegersThatNoDoubleHoldsAreRefused) {
  for (const char* text : {"9007199254740993", "-9007199254740993", "18446744073709551615", "9223372036854775807",
                           "1152921504606847001"}) {
    EXPECT_REFUSED(write_jcs(*parse_json(text)), "no canonical form (RFC 8785): an integer of more than 53 bits")
        << text;
  }
}

TEST(Jcs, TextThatIsNotUtf8IsRefused) {
  for (const char* text :
       {"\x80", "\xc3", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xf0\x9f\x98"}) {
    EXPECT_REFUSED(write_jcs(Json(text)), "no canonical form (RFC 8785): text that is not UTF-8");
    EXPECT_REFUSED(write_jcs(Json{{text, 1}}), "no canonical form (RFC 8785): text that is not UTF-8");
  }
}

TEST(Jcs, DeepNestingIsRefusedAndNotFollowed) {
  Json deep = Json::array();
  for (int i = 1; i < 64; ++i) deep = Json::array({std::move(deep)});
  EXPECT_TRUE(write_jcs(deep));
  EXPECT_REFUSED(write_jcs(Json::array({std::move(deep)})),
                 "no canonical form (RFC 8785): nesting deeper than 64 levels");
}

// The keyset and the receipt that the protocol's own vectors give in canonical form.
TEST(Jcs, RecordedDocuments) {
  const auto keyset = parse_json(testing::vector_text("e2ee/aci_keyset_and_report_data.json"));
  ASSERT_TRUE(keyset);
  const std::string keyset_jcs = keyset->at("keyset_jcs");
  EXPECT_EQ(canonical(keyset_jcs), keyset_jcs);
  EXPECT_EQ("sha256:" + to_hex(crypto::sha256(as_bytes(keyset_jcs))), keyset->at("workload_keyset_digest"));

  auto receipt = parse_json(testing::vector_text("signatures/aci_receipt_ed25519.json"));
  ASSERT_TRUE(receipt);
  Json document = receipt->at("document");
  document.erase("signature");
  EXPECT_EQ(*write_jcs(document), receipt->at("signing_input_jcs"));

  // Associated data of field encryption.
  const auto e2ee = parse_json(testing::vector_text("e2ee/aci_e2ee_v2_aad.json"));
  ASSERT_TRUE(e2ee);
  for (const char* direction : {"request", "response"}) {
    Json aad = {{"purpose", std::string("aci.e2ee.") + direction + ".v2"},
                {"ts", e2ee->at("timestamp")},
                {"nonce", e2ee->at("nonce")},
                {"model", e2ee->at("model")},
                {"field", e2ee->at(std::string(direction) + "_field")},
                {"algo", e2ee->at("suite")}};
    if (std::string_view(direction) == "response") aad["id"] = e2ee->at("response_id");
    EXPECT_EQ(*write_jcs(aad), e2ee->at(std::string(direction) + "_aad_jcs"));
  }
}

}  // namespace
}  // namespace cloister::codec
