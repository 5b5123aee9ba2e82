#include "evidence/proof.h"

#include <gtest/gtest.h>

#include "base/result_testing.h"
#include "codec/json.h"

namespace cloister::evidence {
namespace {

Proof small_proof() {
  Proof proof;
  proof.url = "http://127.0.0.1:8080";
  proof.time = 1795383060;  // 2026-11-22T21:31:00Z
  proof.nonce_hex = std::string(64, 'a');
  proof.request = to_bytes(as_bytes("{\"model\":\"m\"}"));
  proof.response = {0, 255, 10, 13};
  proof.signature = {"text", "0x12", "0xABC", SigningAlgo::kEcdsa};
  proof.report = "{ \"intel_quote\" : \"00\" }\n";
  return proof;
}

Json small_json() { return Json::parse(write_proof(small_proof())); }

void expect_complaint(const Json& json, std::string_view part) {
  const auto proof = parse_proof(json.dump());
  ASSERT_FALSE(proof);
  EXPECT_EQ(proof.error().code, ErrorCode::kBadProof);
  EXPECT_NE(proof.error().message.find(part), std::string::npos) << proof.error().message;
}

TEST(ProofFile, RoundTripKeepsEveryByte) {
  const Proof proof = small_proof();
  const auto back = parse_proof(write_proof(proof));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->url, proof.url);
  EXPECT_EQ(back->time, proof.time);
  EXPECT_EQ(back->nonce_hex, proof.nonce_hex);
  EXPECT_EQ(back->request, proof.request);
  EXPECT_EQ(back->response, proof.response);
  EXPECT_EQ(back->signature.text, "text");
  EXPECT_EQ(back->signature.signature, "0x12");
  EXPECT_EQ(back->signature.signing_address, "0xABC");
  EXPECT_EQ(back->signature.signing_algo, SigningAlgo::kEcdsa);
  EXPECT_EQ(back->report, proof.report);
}

TEST(ProofFile, WrittenFormIsTheDocumentedOne) {
  const Json json = small_json();
  std::string names;
  for (const auto& [name, value] : json.items()) names += name + " ";
  EXPECT_EQ(names, "proof url time nonce request response signature report ");
  EXPECT_EQ(json["proof"], "cloister.proof.v1");
  EXPECT_EQ(json["time"], "2026-11-22T21:31:00Z");
  EXPECT_EQ(json["response"], "AP8KDQ==");
}

TEST(ProofFile, NonceAndReportMayBeEmpty) {
  Proof proof = small_proof();
  proof.nonce_hex.clear();
  proof.report.clear();
  proof.request.clear();
  EXPECT_TRUE(parse_proof(write_proof(proof)));
}

TEST(ProofFile, EveryMemberIsNeededAndTyped) {
  for (const char* name : {"proof", "url", "time", "nonce", "request", "response", "signature", "report"}) {
    Json json = small_json();
    json[name] = 7;
    expect_complaint(json, name);
    json.erase(name);
    expect_complaint(json, name);
  }
}

TEST(ProofFile, OddValuesAreRefused) {
  const auto with = [](const char* name, Json value) {
    Json json = small_json();
    json[name] = std::move(value);
    return json;
  };
  expect_complaint(with("proof", "cloister.proof.v2"), "cloister.proof.v1");
  for (const char* time : {"", "yesterday", "2026-02-31T00:00:00Z", "2026-11-22T21:31:60Z", "2026-1-2T00:00:00Z",
                           " 2026-11-22T21:31:00Z", "2026-11-22T21:31:00", "2026-11-22T21:31:00Z "}) {
    expect_complaint(with("time", time), "`time`");
  }
  expect_complaint(with("time", std::string("2026-11-22T21:31:00Z\0x", 22)), "`time`");
  expect_complaint(with("nonce", "00"), "64 hex digits");
  expect_complaint(with("request", "*"), "`request`");
  expect_complaint(with("response", "AAA"), "`response`");
  expect_complaint(with("verified", true), "unknown name");
  expect_complaint(with("signature", Json::object()), "text");
  EXPECT_REFUSED(parse_proof(""), "proof file: not valid JSON at byte 1");
  EXPECT_REFUSED(parse_proof("[]"), "proof file: expected an object with the member `proof`, got array");
  EXPECT_REFUSED(parse_proof(write_proof(small_proof()) + "{}"), "proof file: not valid JSON at byte 358");
}

TEST(ProofFile, TheTlsKeyIsThereOnlyWhereThereWasOne) {
  Proof proof = small_proof();
  EXPECT_EQ(write_proof(proof).find("tls_spki_sha256"), std::string::npos);
  EXPECT_EQ(parse_proof(write_proof(proof))->tls_spki_sha256, std::nullopt);
  proof.tls_spki_sha256.emplace().fill(0xab);
  const auto again = parse_proof(write_proof(proof));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->tls_spki_sha256, proof.tls_spki_sha256);
  Json json = Json::parse(write_proof(proof));
  for (const Json& bad : {Json(""), Json("ab"), Json(nullptr), Json(7)}) {
    json["tls_spki_sha256"] = bad;
    EXPECT_FALSE(parse_proof(json.dump())) << bad;
  }
}

TEST(ProofFile, EveryTruncationIsRefused) {
  const std::string text = write_proof(small_proof());
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_proof(std::string_view(text).substr(0, size))) << size;
  }
}

}  // namespace
}  // namespace cloister::evidence
