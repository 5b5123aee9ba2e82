#include "load/signature_check.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/secp256k1.h"

namespace cloister::bench {
namespace {

constexpr std::string_view kRequest = R"({"model":"a b"})";
constexpr std::string_view kReply = R"({"id":"chatcmpl-1","model":"a b"})";

crypto::Secp256k1Key key() { return crypto::Secp256k1Key::from_secret(crypto::sha256(as_bytes("bench"))).value(); }

std::string signature_json(const std::string& text, const std::string& address) {
  Json out;
  out["text"] = text;
  out["signature"] = "0x" + to_hex(key().sign_text(text));
  out["signing_address"] = address;
  return out.dump();
}

std::string text_of(std::string_view request, std::string_view reply) {
  return to_hex(crypto::sha256(as_bytes(request))) + ":" + to_hex(crypto::sha256(as_bytes(reply)));
}

Result<void> judge(std::string_view signature) {
  SignatureCheck check;
  check.begin(kRequest);
  check.add_reply(kReply.substr(0, 5));
  check.add_reply(kReply.substr(5));
  check.add_signature(signature);
  return check.judge();
}

TEST(SignatureCheck, AcceptsTheSignatureOfTheseBytes) {
  const auto address = crypto::eth_address_text(key().address());
  const auto verdict = judge(signature_json(text_of(kRequest, kReply), address));
  EXPECT_TRUE(verdict.has_value()) << verdict.error().to_string();
}

TEST(SignatureCheck, AcceptsATextThatNamesTheModel) {
  const auto address = crypto::eth_address_text(key().address());
  EXPECT_TRUE(judge(signature_json("a b:" + text_of(kRequest, kReply), address)).has_value());
}

TEST(SignatureCheck, RejectsOtherBytes) {
  const auto address = crypto::eth_address_text(key().address());
  EXPECT_FALSE(judge(signature_json(text_of("other", kReply), address)).has_value());
  EXPECT_FALSE(judge(signature_json(text_of(kRequest, "other"), address)).has_value());
}

TEST(SignatureCheck, RejectsAnotherSigner) {
  const std::string address = "0x" + std::string(40, '1');
  EXPECT_FALSE(judge(signature_json(text_of(kRequest, kReply), address)).has_value());
}

TEST(SignatureCheck, RejectsWhatIsNoSignature) {
  for (const auto text : {"", "[]", "{}", R"({"text":1,"signature":"0x","signing_address":""})"}) {
    EXPECT_FALSE(judge(text).has_value()) << text;
  }
}

TEST(SignatureCheck, NamesThePathOfTheSignature) {
  SignatureCheck check;
  const auto path = check.signature_path(kReply);
  ASSERT_TRUE(path.has_value());
  EXPECT_EQ(*path, "/v1/signature/chatcmpl-1?model=a%20b&signing_algo=ecdsa");
  EXPECT_FALSE(check.signature_path(R"({"id":7})").has_value());
}

TEST(SampleTally, TakesAsManyAsWantedAndCountsTheGood) {
  SampleTally tally;
  tally.wanted = 2;
  EXPECT_TRUE(tally.take());
  EXPECT_TRUE(tally.take());
  EXPECT_FALSE(tally.take());
  tally.settle({});
  tally.settle(fail(ErrorCode::kBadSignature, "no"));
  EXPECT_EQ(tally.summary()["good"], 1);
  EXPECT_EQ(tally.summary()["complaints"].size(), 1u);
}

}  // namespace
}  // namespace cloister::bench
