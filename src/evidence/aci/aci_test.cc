// The documents of ACI as bytes: what the parsers read, and what they refuse.
#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/aci/keyset.h"
#include "evidence/aci/receipt.h"
#include "evidence/aci/report.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"

namespace cloister::evidence {
namespace {

const std::string kHash(64, 'a');

Json small_keyset() {
  return {{"subject", nullptr},
          {"not_after", 1800000000},
          {"receipt_signing_keys", Json::array({{{"key_id", "r"}, {"algo", "ed25519"}, {"public_key", kHash}}})},
          {"e2ee_public_keys", Json::array()},
          {"tls_public_keys", Json::array({{{"spki_sha256", kHash}}})}};
}

Json small_receipt() {
  return {{"api_version", "aci/1"},
          {"receipt_id", "x"},
          {"chat_id", nullptr},
          {"model", nullptr},
          {"workload_keyset_digest", "sha256:" + kHash},
          {"endpoint", "/v1/chat/completions"},
          {"method", "POST"},
          {"served_at", 1750000000},
          {"event_log", Json::array({{{"type", "request.received"}, {"body_hash", "sha256:" + kHash}},
                                     {{"type", "vendor.event"}, {"body_hash", 7}, {"deep", {{"er", true}}}}})},
          {"key_id", "r"},
          {"signature", std::string(128, 'b')}};
}

Json small_report() {
  return {{"api_version", "aci/1"},
          {"workload_keyset_digest", "sha256:" + kHash},
          {"attestation",
           {{"tee_type", "tdx"},
            {"workload_keyset", small_keyset()},
            {"report_data", kHash},
            {"source_provenance", {{"repo_url", nullptr}}},
            {"evidence", {{"quote", "0400"}}}}},
          {"service_capabilities", {{"serving", "direct"}, {"future", 1}}}};
}

Json small_native() {
  return {{"api_version", "cloister/1"},
          {"tee_type", "tdx"},
          {"quote", "0400"},
          {"keyset", small_keyset()},
          {"statement",
           {{"gpu_evidence_digest", nullptr},
            {"keyset_digest", "sha256:" + kHash},
            {"model_digest", "sha256:" + kHash},
            {"nonce", kHash},
            {"policy_digest", nullptr},
            {"purpose", "cloister.report_data.v1"}}},
          {"nvidia_payload", nullptr},
          {"future", 1}};
}

struct Refused {
  const char* names;  // what the message must name
  std::function<void(Json&)> change;
};

template <typename Parse>
void expect_refused(const Json& good, const std::vector<Refused>& table, Parse parse) {
  ASSERT_TRUE(parse(good)) << parse(good).error().message;
  for (const Refused& refused : table) {
    Json bad = good;
    refused.change(bad);
    const auto result = parse(bad);
    ASSERT_FALSE(result) << refused.names;
    EXPECT_NE(result.error().message.find(refused.names), std::string::npos) << result.error().message;
  }
}

TEST(Keyset, ShapeIsFixed) {
  const auto keyset = parse_keyset(small_keyset());
  ASSERT_TRUE(keyset) << keyset.error().message;
  EXPECT_EQ(keyset->subject, std::nullopt);
  EXPECT_EQ(keyset->receipt_signing_keys.at(0).key_id, "r");
  EXPECT_EQ(to_hex(keyset->tls_public_keys.at(0).spki_sha256), kHash);
  EXPECT_EQ(keyset->digest, *document_digest(small_keyset()));
  expect_refused(
      small_keyset(),
      {{"unknown name", [](Json& k) { k["admin_keys"] = Json::array(); }},
       {"unknown name", [](Json& k) { k["receipt_signing_keys"][0]["role"] = "admin"; }},
       {"not_after", [](Json& k) { k["not_after"] = "1800000000"; }},
       {"not_after", [](Json& k) { k["not_after"] = 1.5; }},
       {"not_after", [](Json& k) { k["not_after"] = -1; }},
       {"not_after", [](Json& k) { k["not_after"] = std::uint64_t{1} << 63; }},
       {"not_after", [](Json& k) { k.erase("not_after"); }},
       {"receipt_signing_keys", [](Json& k) { k.erase("receipt_signing_keys"); }},
       {"keyset.receipt_signing_keys[0].key_id", [](Json& k) { k["receipt_signing_keys"][0].erase("key_id"); }},
       {"tls_public_keys[0].spki_sha256",
        [](Json& k) { k["tls_public_keys"][0]["spki_sha256"] = std::string(64, 'A'); }},
       {"at most 64",
        [](Json& k) {
          for (int i = 0; i < 64; ++i) k["tls_public_keys"].push_back(k["tls_public_keys"][0]);
        }}},
      parse_keyset);
  EXPECT_REFUSED(parse_keyset(Json::array()), "keyset: expected an object, found array");
}

TEST(Keyset, LegacyAddressesComeFromCloistersOwnAlgorithms) {
  Json object = small_keyset();
  // The public key of the secret 1, whose address is well known.
  object["receipt_signing_keys"].push_back(
      {{"key_id", "l1"},
       {"algo", "cloister.legacy.ecdsa"},
       {"public_key", "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798"
                      "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8"}});
  for (const std::string& key : {kHash, std::string("00")}) {
    object["receipt_signing_keys"].push_back(
        {{"key_id", key}, {"algo", "cloister.legacy.ed25519"}, {"public_key", key}});
  }
  EXPECT_EQ(parse_keyset(object)->legacy_addresses(),
            (std::vector<std::string>{"0x7E5F4552091A69125d5DfCb7b8C2659029395Bdf", kHash}));
}

TEST(ReceiptDocument, IsReadAndItsSigningInputIsCanonical) {
  const auto receipt = parse_receipt(small_receipt().dump(2));
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_EQ(receipt->events.size(), 2u);
  EXPECT_EQ(receipt->events[1].body_hash, std::nullopt);
  EXPECT_EQ(receipt->events[1].fields["deep"]["er"], true);
  EXPECT_EQ(receipt->signing_input.find("signature"), std::string::npos);
  EXPECT_TRUE(receipt->signing_input.starts_with("{\"api_version\":\"aci/1\",\"chat_id\":null,"));
  EXPECT_EQ(parse_receipt(small_receipt().dump())->signing_input, receipt->signing_input);
}

TEST(ReceiptDocument, OtherShapesAreRefused) {
  const std::vector<Refused> table = {
      {"api_version", [](Json& r) { r["api_version"] = "aci/2"; }},
      {"unknown name", [](Json& r) { r["verified"] = true; }},
      {"receipt_id", [](Json& r) { r.erase("receipt_id"); }},
      {"chat_id", [](Json& r) { r["chat_id"] = 7; }},
      {"workload_keyset_digest", [](Json& r) { r["workload_keyset_digest"] = kHash; }},
      {"served_at", [](Json& r) { r["served_at"] = 1.0; }},
      {"signature", [](Json& r) { r["signature"] = std::string(128, 'B'); }},
      {"signature", [](Json& r) { r["signature"] = std::string(126, 'b'); }},
      {"signature", [](Json& r) { r["signature"] = "0x" + std::string(128, 'b'); }},
      {"event_log", [](Json& r) { r["event_log"] = "[]"; }},
      {"event_log[0].body_hash", [](Json& r) { r["event_log"][0].erase("body_hash"); }},
      {"event_log[1].type", [](Json& r) { r["event_log"][1].erase("type"); }},
      {"event_log[1]", [](Json& r) { r["event_log"][1] = "request.received"; }},
      {"at most 1024",
       [](Json& r) {
         for (int i = 0; i < 1024; ++i) r["event_log"].push_back(r["event_log"][1]);
       }},
      {"53 bits", [](Json& r) { r["event_log"][1]["count"] = 9007199254740993; }},
  };
  expect_refused(small_receipt(), table, [](const Json& json) { return parse_receipt(json.dump()); });
  for (const char* text : {"", "[]", "null", "{\"api_version\":\"aci/1\",\"api_version\":\"aci/1\"}"}) {
    const auto result = parse_receipt(text);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::kBadReceipt);
  }
  EXPECT_REFUSED(parse_receipt(std::string(2u << 20, ' ') + "{}"),
                 "expected at most 1048576 bytes of JSON, got 2097154");
}

TEST(ReceiptDocument, EveryTruncationIsRefused) {
  const std::string text = small_receipt().dump();
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_receipt(std::string_view(text).substr(0, size))) << size;
  }
}

TEST(ReceiptDocument, RecordedOneGivesTheRecordedInput) {
  const auto recorded = codec::parse_json(testing::vector_text("signatures/aci_receipt_ed25519.json"));
  ASSERT_TRUE(recorded);
  const auto receipt = parse_receipt(recorded->at("document").dump());
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_EQ(receipt->signing_input, recorded->at("signing_input_jcs"));
  EXPECT_EQ(to_hex(crypto::sha256(as_bytes(receipt->signing_input))), recorded->at("sha256_signing_input"));
}

TEST(AciReportDocument, OtherShapesAreRefused) {
  expect_refused(small_report(),
                 {{"api_version", [](Json& r) { r["api_version"] = "aci/2"; }},
                  {"unknown name", [](Json& r) { r["note"] = 1; }},
                  {"attestation.a member", [](Json& r) { r["attestation"]["note"] = 1; }},
                  {"attestation", [](Json& r) { r["attestation"] = "x"; }},
                  {"attestation.tee_type", [](Json& r) { r["attestation"].erase("tee_type"); }},
                  {"attestation.evidence.quote", [](Json& r) { r["attestation"]["evidence"]["quote"] = "0x04"; }},
                  {"attestation.evidence.quote_report_data",
                   [](Json& r) { r["attestation"]["evidence"]["quote_report_data"] = 1; }},
                  {"downstream_tls_binding.spki_sha256",
                   [](Json& r) { r["attestation"]["evidence"]["downstream_tls_binding"] = Json::object(); }},
                  {"serving", [](Json& r) { r["service_capabilities"].erase("serving"); }}},
                 parse_aci_report);
}

TEST(NativeReportDocument, OtherShapesAreRefused) {
  expect_refused(small_native(),
                 {{"api_version", [](Json& r) { r["api_version"] = "aci/1"; }},
                  {"statement.purpose", [](Json& r) { r["statement"]["purpose"] = "aci.report_data.v1"; }},
                  {"unknown name", [](Json& r) { r["statement"]["note"] = 1; }},
                  {"statement.nonce", [](Json& r) { r["statement"]["nonce"] = nullptr; }},
                  {"statement.model_digest", [](Json& r) { r["statement"]["model_digest"] = kHash; }},
                  {"nvidia_payload", [](Json& r) { r["nvidia_payload"] = Json::object(); }},
                  {"model", [](Json& r) { r["model"] = "x"; }},
                  {"quote", [](Json& r) { r.erase("quote"); }}},
                 parse_native_report);
}

}  // namespace
}  // namespace cloister::evidence
