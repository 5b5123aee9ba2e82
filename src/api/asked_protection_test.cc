#include "api/asked_protection.h"

#include <gtest/gtest.h>

#include "codec/json.h"

namespace cloister::api {
namespace {

std::optional<Refusal> of(const char* name, const char* value, bool receipts = true) {
  http::RequestHead head;
  head.headers.emplace_back("content-type", "application/json");
  head.headers.emplace_back(name, value);
  return refused_headers(head, receipts);
}

TEST(AskedProtection, HeadersOfEncryptionAreRefusedInTheWordsOfTheirProtocol) {
  struct Row {
    const char* name;
    int status;
    const char* type;
  };
  const Row table[] = {
      {"x-e2ee-version", 400, "e2ee_invalid_version"},
      {"x-e2ee-nonce", 400, "e2ee_invalid_version"},
      {"x-client-pub-key", 400, "e2ee_invalid_version"},
      {"x-model-pub-key", 400, "e2ee_invalid_version"},
      {"x-signing-algo", 400, "e2ee_invalid_version"},
      {"x-venice-tee-client-pub-key", 400, "e2ee_invalid_version"},
      {"x-encryption-version", 400, "bad_request"},
      {"x-encrypt-all-fields", 400, "bad_request"},
      {"ehbp-encapsulated-key", 422, "urn:ietf:params:ehbp:error:key-config"},
      {"x-tomorrow-encrypted", 400, "e2ee_invalid_version"},
      {"x-upstream-verification", 400, "invalid_request_error"},
      {"x_client_pub_key", 400, "e2ee_invalid_version"},
      {"x-client-pubkey", 400, "e2ee_invalid_version"},
      {"xe2eeversion", 400, "e2ee_invalid_version"},
      {"x_signing_algo", 400, "e2ee_invalid_version"},
      {"x-encryptionversion", 400, "bad_request"},
      {"x_upstream_verification", 400, "invalid_request_error"},
      {"ehbp_encapsulated_key", 422, "urn:ietf:params:ehbp:error:key-config"},
      {"x-client.pub.key", 400, "e2ee_invalid_version"},
      {"x'client'pub'key", 400, "e2ee_invalid_version"},
      {"x-cipher", 400, "e2ee_invalid_version"},
      {"x-enc", 400, "e2ee_invalid_version"},
      {"encapsulated-key", 400, "e2ee_invalid_version"},
      {"x-ephemeral-key", 400, "e2ee_invalid_version"},
      {"x-sealed", 400, "e2ee_invalid_version"},
  };
  for (const Row& row : table) {
    const auto refusal = of(row.name, "1");
    ASSERT_TRUE(refusal) << row.name;
    EXPECT_EQ(refusal->status, row.status) << row.name;
    EXPECT_EQ(refusal->type, row.type) << row.name;
    EXPECT_EQ(refusal->param, row.name);
    const http::Response response = to_response(*refusal, false);
    EXPECT_EQ(response.status, row.status);
    EXPECT_EQ(response.content_type, row.status == 422 ? "application/problem+json" : "application/json");
    EXPECT_NE(response.body.find(row.type), std::string::npos);
  }
}

TEST(AskedProtection, MembersAreMeantHoweverTheyAreSpelled) {
  const Json on = {{"aci_verified", true}, {"enable_e2ee", true}};
  for (const char* name : {"Provider", "provider ", "providers", "aci_verified", "Venice_Parameters",
                           "veniceParameters", "venice parameters", "Cache-Salt", "enable_e2ee", "encrypt", "encrypted",
                           "client_public_key", "aciSessionIds"}) {
    EXPECT_TRUE(asks_for_protection(name)) << name;
    const auto refusal = refused_members({{"model", "m"}, {name, on}}, true, true);
    ASSERT_TRUE(refusal) << name;
    EXPECT_EQ(refusal->status, 400) << name;
  }
  EXPECT_EQ(refused_members({{"venice_parameters", {{"enable_e2e", true}}}}, true, true)->status, 400);
  for (const char* name : {"model", "messages", "metadata", "prompt_cache_key", "safety_identifier", "service_tier",
                           "reasoning", "include", "user"}) {
    EXPECT_FALSE(asks_for_protection(name)) << name;
    EXPECT_FALSE(refused_members({{name, "x"}}, true, true)) << name;
  }
}

TEST(AskedProtection, AShortWordCountsWhereItBegins) {
  const auto member = [](const char* name) { return refused_members({{"model", "m"}, {name, 1}}, true, true); };
  for (const char* name : {"e2e", "E2E", "use_e2e", "use-E2E", "enableE2E", "my e2e key", "e2e_nonce", "e-2-e", "xe2e",
                           "X_E2E", "useE2ee", "usee2ee"}) {
    ASSERT_TRUE(member(name)) << name;
    EXPECT_EQ(member(name)->type, "e2ee_invalid_version") << name;
  }
  for (const char* name : {"ke2e", "KE2E", "the2exp", "size2each", "base2e1", "e2", "ee2", "e2x2e"}) {
    EXPECT_FALSE(member(name)) << name;
    EXPECT_FALSE(asks_for_protection(name)) << name;
  }
  EXPECT_FALSE(of("x-ke2e", "1"));
  EXPECT_TRUE(of("x-e2e", "1"));
}

// Spellings and protocols of other services, and fields after the body, when nothing can be done to the body any more.
TEST(AskedProtection, NoSpellingAndNoPlaceIsOverlooked) {
  for (const char* name :
       {"upstream-verification", "x-signing-algorithm", "x-ephemeral-pub", "venice-tee-client-key", "x-ohttp",
        "ohttp-key", "crypto-key", "x_cloister_policy_digest", "x-cloisterpolicydigest"}) {
    EXPECT_TRUE(of(name, "1")) << name;
  }
  EXPECT_FALSE(of("x-cloister-policy-digest", "sha256:07"));
  for (const char* names : {"X-E2EE-Version", "x-receipt-seen, X-Client-Pub-Key", " \tx-cloister-policy-digest "})
    EXPECT_TRUE(of("trailer", names)) << names;
  EXPECT_FALSE(of("trailer", "x-checksum, ,x-time"));
  const auto member = [](const char* name) { return refused_members({{"model", "m"}, {name, 1}}, true, false); };
  for (const char* name : {"signing_algo", "enc", "response_pk", "client_key"}) EXPECT_TRUE(member(name)) << name;
  EXPECT_FALSE(member("temperature"));
}

TEST(AskedProtection, OtherHeadersPass) {
  for (const char* name : {"authorization", "accept-encoding", "x-request-hash", "anthropic-version", "sec-fetch-mode",
                           "x-stainless-os"}) {
    EXPECT_FALSE(of(name, "1")) << name;
  }
  EXPECT_FALSE(of("x-receipt", "inline"));
  EXPECT_TRUE(of("x-receipt", "inline", false));
  EXPECT_TRUE(of("x-receipt", "trailer"));
}

TEST(AskedProtection, AllLinesOfAHeaderCount) {
  const auto coded = [](std::vector<const char*> values, const char* name = "content-encoding") {
    http::RequestHead head;
    for (const char* value : values) head.headers.emplace_back(name, value);
    return is_coded(head);
  };
  for (const auto& values : std::vector<std::vector<const char*>>{
           {}, {"identity"}, {"Identity"}, {""}, {"identity, identity"}, {"identity", " identity\t"}, {"identity,"}}) {
    EXPECT_FALSE(coded(values)) << (values.empty() ? "none" : values[0]);
  }
  for (const auto& values : std::vector<std::vector<const char*>>{
           {"gzip"}, {"identity, gzip"}, {"identity", "aes128gcm"}, {"aes128gcm", "identity"}, {"identity,,br"}}) {
    EXPECT_TRUE(coded(values)) << values.back();
  }
  EXPECT_TRUE(coded({"gzip"}, "content_encoding"));
  http::RequestHead head;
  for (const char* value : {"inline", "inline"}) head.headers.emplace_back("x-receipt", value);
  EXPECT_FALSE(refused_headers(head, true));
  head.headers.emplace_back("x-receipt", "encrypted");
  EXPECT_TRUE(refused_headers(head, true));
  EXPECT_TRUE(of("x_receipt", "inline"));
}

TEST(AskedProtection, Members) {
  struct Row {
    const char* body;
    bool direct;
    const char* code;
  };
  const Row table[] = {
      {R"({"provider":{"aci_verified":true}})", true, ""},
      {R"({"provider":{"aci_verified":true}})", false, "upstream_verification_failed"},
      {R"({"provider":{"aci_verified":false,"order":[]}})", false, ""},
      {R"({"provider":{"aci_verified":1}})", true, "request.invalid"},
      {R"({"provider":{"aci_session_ids":[]}})", true, "session_not_accepted"},
      {R"({"provider":{"aci_x":1}})", true, "request.invalid"},
      {R"({"provider":{"ACI-Verified":true}})", true, "request.invalid"},
      {R"({"provider":{"aciSessionIds":[]}})", true, "request.invalid"},
      {R"({"provider":"x"})", true, "request.invalid"},
      {R"({"provider":[{"aci_verified":true}]})", true, "request.invalid"},
      {R"({"provider":null})", true, ""},
      {R"({"venice_parameters":{"enable_e2ee":true}})", true, "e2ee_invalid_version"},
      {R"({"venice_parameters":{"enable_e2ee":false}})", true, ""},
      {R"({"venice_parameters":{"enable_e2ee":null,"include_venice_system_prompt":true}})", true, ""},
      {R"({"venice_parameters":{"enable_e2ee":"true"}})", true, "request.invalid"},
      {R"({"venice_parameters":{"enable_e2ee":1}})", true, "request.invalid"},
      {R"({"venice_parameters":{"enableE2EE":false}})", true, "request.invalid"},
      {R"({"venice_parameters":[{"enable_e2ee":true}]})", true, "request.invalid"},
      {R"({"venice_parameters":null})", true, ""},
      {R"({"cache_salt":"x"})", true, "request.invalid"},
      {R"({"cache_salt":null})", true, ""},
      {R"({})", false, ""},
  };
  for (const Row& row : table) {
    const auto refusal = refused_members(*codec::parse_json(row.body), row.direct, false);
    EXPECT_EQ(refusal ? refusal->code : "", row.code) << row.body;
  }
  EXPECT_FALSE(refused_members({{"cache_salt", "x"}}, true, true)) << "the engine judges it";
}

}  // namespace
}  // namespace cloister::api
