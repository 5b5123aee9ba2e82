#include "codec/jwt.h"

#include <gtest/gtest.h>

#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "crypto/ecdsa.h"

namespace cloister::codec {
namespace {

using crypto::Curve;
using crypto::EcKey;

EcKey key() { return *EcKey::derive(Curve::kP384, Bytes(32, 3), "jwt"); }

std::string part(const Json& json) { return to_base64url(as_bytes(json.dump())); }

std::string token(const Json& header, const Json& claims) {
  const std::string text = part(header) + "." + part(claims);
  return text + "." + to_base64url(key().sign(as_bytes(text)));
}

const Json kHeader = {{"kid", "one"}, {"alg", "ES384"}};
const Json kClaims = {{"iss", "me"}};

Json jwk() {
  const Bytes point = key().public_point();
  return {{"kty", "EC"},
          {"use", "sig"},
          {"crv", "P-384"},
          {"kid", "one"},
          {"alg", "ES384"},
          {"x", to_base64url(ByteView(point).first(48))},
          {"y", to_base64url(ByteView(point).subspan(48))}};
}

JwtKeys keys() { return *parse_jwks(Json{{"keys", Json::array({jwk()})}}.dump()); }

void expect_refused(const std::string& text, std::string_view what) {
  const auto parsed = parse_jwt(text);
  ASSERT_FALSE(parsed) << what;
  EXPECT_NE(parsed.error().message.find(what), std::string::npos)
      << parsed.error().message << " (expected: " << what << ")";
}

TEST(Base64Url, Strict) {
  EXPECT_EQ(to_base64url(Bytes{0xfb, 0xff}), "-_8");
  EXPECT_EQ(*from_base64url("-_8"), (Bytes{0xfb, 0xff}));
  EXPECT_EQ(*from_base64url(""), Bytes());
  for (const char* text : {"+/8", "-_8=", "A", "-_9", "-_8 ", "\n"}) EXPECT_FALSE(from_base64url(text)) << text;
}

TEST(Jwt, SignedOnesVerify) {
  const auto jwt = parse_jwt(token(kHeader, kClaims));
  ASSERT_TRUE(jwt) << jwt.error().message;
  EXPECT_EQ(jwt->key_id, "one");
  EXPECT_EQ(jwt->claims, kClaims);
  EXPECT_TRUE(verify_jwt(*jwt, keys().at("one").point));
  EXPECT_TRUE(parse_jwt(token({{"kid", "one"}, {"alg", "ES384"}, {"typ", "JWT"}}, kClaims)));
}

TEST(Jwt, OnlyEs384) {
  for (const char* algorithm : {"none", "HS256", "HS384", "ES256", "RS256", "es384", "PS384", ""}) {
    expect_refused(token({{"kid", "one"}, {"alg", algorithm}}, kClaims), "ES384");
  }
  expect_refused(token({{"kid", "one"}}, kClaims), "alg");
  expect_refused(token({{"kid", "one"}, {"alg", 1}}, kClaims), "alg");
  expect_refused(token({{"alg", "ES384"}}, kClaims), "kid");
  expect_refused(token({{"kid", ""}, {"alg", "ES384"}}, kClaims), "key id");
  expect_refused(token({{"kid", "one"}, {"alg", "ES384"}, {"crit", Json::array({"b64"})}}, kClaims), "critical");
  expect_refused(token({{"kid", "one"}, {"alg", "ES384"}, {"typ", "JWE"}}, kClaims), "type JWT");
}

// A token that brings a key of its own gains nothing: it still names another one.
TEST(Jwt, KeysInTheHeaderAreNotUsed) {
  const auto jwt = parse_jwt(token({{"kid", "two"}, {"alg", "ES384"}, {"jwk", jwk()}, {"jku", "https://x"}}, kClaims));
  ASSERT_TRUE(jwt);
  EXPECT_EQ(jwt->key_id, "two");
  EXPECT_REFUSED(verify_jwt(*jwt, Bytes(96, 1)), "the public key is not a point on P-384");
}

TEST(Jwt, OtherFormsAreRefused) {
  const std::string good = token(kHeader, kClaims);
  expect_refused("", "three parts");
  expect_refused(good.substr(0, good.rfind('.')), "three parts");
  expect_refused(good + ".x", "three parts");
  expect_refused(good.substr(0, good.rfind('.') + 1), "96 bytes");
  expect_refused(good + "AAAA", "96 bytes");
  expect_refused("." + good.substr(good.find('.') + 1), "header");
  expect_refused(token(Json::array(), kClaims), "expected an object");
  expect_refused(token(kHeader, Json("x")), "expected an object");
  expect_refused(std::string(65537, 'x'), "at most 65536");
}

TEST(Jwt, EveryByteOfTheTokenCounts) {
  const std::string good = token(kHeader, kClaims);
  const Bytes point = keys().at("one").point;
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::string changed = good;
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    const auto jwt = parse_jwt(changed);
    EXPECT_FALSE(jwt && jwt->key_id == "one" && verify_jwt(*jwt, point)) << i;
  }
}

TEST(Jwks, OnlyKeysForEs384AreTaken) {
  for (const auto& [name, value] : std::map<std::string, Json>{
           {"kty", "RSA"}, {"crv", "P-256"}, {"alg", "ES256"}, {"use", "enc"}, {"kty", "oct"}}) {
    Json other = jwk();
    other[name] = value;
    const auto set = parse_jwks(Json{{"keys", Json::array({other})}}.dump());
    ASSERT_TRUE(set);
    EXPECT_TRUE(set->empty()) << name;
  }
  Json plain = jwk();
  plain.erase("alg");
  plain.erase("use");
  EXPECT_EQ(parse_jwks(Json{{"keys", Json::array({plain})}}.dump())->size(), 1u);
}

TEST(Jwks, OtherFormsAreRefused) {
  for (const char* text : {"", "[]", "{}", R"({"keys":{}})", R"({"keys":[1]})", R"({"keys":[{"kty":"EC"}]})"}) {
    EXPECT_FALSE(parse_jwks(text)) << text;
  }
  EXPECT_REFUSED(parse_jwks(Json{{"keys", Json::array({jwk(), jwk()})}}.dump()), "token: two keys of the same id");
  Json short_key = jwk();
  short_key["x"] = "AAAA";
  EXPECT_REFUSED(parse_jwks(Json{{"keys", Json::array({short_key})}}.dump()),
                 "token: expected `x` of a key to hold 48 bytes");
  // A point off the curve is noticed when it is used.
  Json off = jwk();
  off["x"] = to_base64url(Bytes(48, 1));
  const auto set = parse_jwks(Json{{"keys", Json::array({off})}}.dump());
  ASSERT_TRUE(set);
  EXPECT_REFUSED(verify_jwt(*parse_jwt(token(kHeader, kClaims)), set->at("one").point),
                 "the public key is not a point on P-384");
}

TEST(Jwks, CertificatesBesideAKey) {
  const auto with = [](const Json& list) {
    Json key = jwk();
    key["x5c"] = list;
    return parse_jwks(Json{{"keys", Json::array({key})}}.dump());
  };
  EXPECT_TRUE(keys().at("one").certificates.empty());
  const auto two = with(Json::array({"MAA=", "MAMCAQE="}));
  ASSERT_TRUE(two);
  EXPECT_EQ(two->at("one").certificates, (std::vector<Bytes>{{0x30, 0x00}, {0x30, 0x03, 0x02, 0x01, 0x01}}));
  EXPECT_REFUSED(with(Json::array({"MAA"})), "token: `x5c` of a key: base64 length is not a multiple of 4");
  EXPECT_REFUSED(with(Json::array({"MAA=", 1})), "token: `x5c` of a key: token: not a string");
  EXPECT_REFUSED(with(Json::array({"MA*="})), "token: `x5c` of a key: not a base64 digit at position 2");
  EXPECT_REFUSED(with("MAA="), "expected `x5c` to be an array, got string");
  EXPECT_REFUSED(with(Json::array({"MAA=", "MAA=", "MAA=", "MAA=", "MAA="})),
                 "token: more than 4 certificates next to a key");
}

TEST(Jwt, GenuineTokensParse) {
  for (const std::string& file :
       testing::those_there({"nvidia/nras/nras_v3_1gpu.json", "nvidia/nras/hopper_claims_v3_detached_eat.json",
                             "nvidia/nras/nras_h200_20260904.json", "nvidia/nras/nras_ppcie_8xh100_20260910.json"})) {
    const auto json = parse_json(testing::vector_text(file));
    ASSERT_TRUE(json);
    // NVIDIA's own client wraps the service's answer.
    const Json& answer = json->at(1).contains("REMOTE_GPU_CLAIMS") ? json->at(1)["REMOTE_GPU_CLAIMS"] : *json;
    const auto jwt = parse_jwt(answer.at(0).at(1).get<std::string>());
    ASSERT_TRUE(jwt) << jwt.error().message;
    EXPECT_TRUE(jwt->key_id.starts_with("nv-eat-kid-prod-"));
    EXPECT_REFUSED(verify_jwt(*jwt, keys().at("one").point),
                   "the ECDSA signature on P-384 does not verify");  // no key set from that time was recorded
  }
}

}  // namespace
}  // namespace cloister::codec
