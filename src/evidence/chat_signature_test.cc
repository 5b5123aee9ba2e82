#include "evidence/chat_signature.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "crypto/hash.h"

namespace cloister::evidence {
namespace {

const std::string kA(64, 'a');
const std::string kB(64, 'b');

TEST(SignedText, WritesLowerCaseHexAroundAColon) {
  const std::string text = signed_text(crypto::sha256(as_bytes("request")), crypto::sha256(as_bytes("response")));
  EXPECT_EQ(text.size(), 129u);
  const auto hashes = parse_signed_text(text);
  ASSERT_TRUE(hashes) << hashes.error().message;
  EXPECT_EQ(hashes->request_sha256, crypto::sha256(as_bytes("request")));
  EXPECT_EQ(hashes->response_sha256, crypto::sha256(as_bytes("response")));
  EXPECT_EQ(hashes->model, "");
}

TEST(SignedText, ModelIdsMayHoldColons) {
  const auto hashes = parse_signed_text("vendor/model:free:" + kA + ":" + kB);
  ASSERT_TRUE(hashes);
  EXPECT_EQ(hashes->model, "vendor/model:free");
  EXPECT_EQ(to_hex(hashes->request_sha256), kA);
  EXPECT_EQ(to_hex(hashes->response_sha256), kB);
  // The model id may even look like a hash.
  EXPECT_EQ(parse_signed_text(kB + ":" + kA + ":" + kB)->model, kB);
}

TEST(SignedText, OtherShapesAreRefused) {
  for (const std::string& text :
       {std::string(), std::string(":"), kA, kA + kB, kA + ":" + kB + ":", ":" + kA + ":" + kB, "x" + kA + ":" + kB,
        kA + ";" + kB, kA + ":" + kB.substr(1), kA.substr(1) + ":" + kB, kA + "::" + kB, kA + ":" + kB + " ",
        kA + ":" + std::string(64, 'g'), std::string(64, 'g') + ":" + kB}) {
    EXPECT_FALSE(parse_signed_text(text)) << text;
  }
}

TEST(SigningAlgoText, RoundTripAndRefusal) {
  for (const SigningAlgo algo : {SigningAlgo::kEcdsa, SigningAlgo::kEd25519}) {
    EXPECT_EQ(*parse_signing_algo(to_text(algo)), algo);
  }
  for (const char* text : {"", "ECDSA", "rsa", "ecdsa "}) {
    const auto result = parse_signing_algo(text);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().param, "signing_algo");
  }
}

TEST(ChatSignatureJson, RoundTripWithMembersOfPeers) {
  const ChatSignature signature = {kA + ":" + kB, "0x12", "0xABC", SigningAlgo::kEcdsa};
  Json json = to_json(signature);
  EXPECT_EQ(codec::write_json(json), "{\"text\":\"" + signature.text +
                                         "\",\"signature\":\"0x12\",\"signing_address\":\"0xABC\","
                                         "\"signing_algo\":\"ecdsa\"}");
  json["receipt"] = Json::object();
  const auto back = parse_chat_signature(json);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->text, signature.text);
  EXPECT_EQ(back->signature, "0x12");
  EXPECT_EQ(back->signing_address, "0xABC");
  EXPECT_EQ(back->signing_algo, SigningAlgo::kEcdsa);
}

TEST(ChatSignatureJson, MissingOrOddMembersAreNamed) {
  const Json good = to_json({"t", "s", "a", SigningAlgo::kEd25519});
  for (const char* name : {"text", "signature", "signing_address", "signing_algo"}) {
    Json json = good;
    json[name] = 5;
    EXPECT_NE(parse_chat_signature(json).error().message.find(name), std::string::npos);
    json.erase(name);
    EXPECT_NE(parse_chat_signature(json).error().message.find(name), std::string::npos);
  }
  EXPECT_REFUSED(parse_chat_signature(Json::array()), "expected an object with the member `text`, got array");
}

TEST(SignedText, SharedVectorsParse) {
  for (const Json& test : Json::parse(testing::vector_text("signatures/eip191_chat.json"))) {
    const std::string text = test.at("text");
    const auto hashes = parse_signed_text(text);
    // One of the vectors signs a text that ends with a blank: its shape is already wrong.
    EXPECT_EQ(hashes.has_value(), !text.ends_with(' ')) << text;
    if (hashes && text.starts_with("demo-model:")) {
      EXPECT_EQ(hashes->model, "demo-model");
    }
  }
}

}  // namespace
}  // namespace cloister::evidence
