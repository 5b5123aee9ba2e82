// Receipts as they are made: what stands in them by how the request went, and that their signature holds.
#include "serve/receipt_document.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "crypto/secp256k1.h"
#include "evidence/aci/receipt.h"
#include "evidence/json_reader.h"
#include "serve/testing/receipts_test_util.h"

namespace cloister::serve {
namespace {

using testing::facts_of_a_reply;

constexpr UnixSeconds kNow = 1780272000;

class ReceiptDocument : public ::testing::Test {
 protected:
  Json make(const ReplyFacts& facts) {
    Result<store::ReceiptRecord> record = make_receipt(facts, keyring_, kNow);
    EXPECT_TRUE(record);
    record_ = *record;
    const Result<evidence::Receipt> parsed = evidence::parse_receipt(record->receipt);
    EXPECT_TRUE(parsed) << parsed.error().message;
    EXPECT_TRUE(crypto::verify_ed25519(keyring_.receipt_public_key(), as_bytes(parsed->signing_input), parsed->signature));
    return codec::parse_json(record->receipt).value();
  }
  static std::vector<std::string> types(const Json& receipt) {
    std::vector<std::string> out;
    for (const Json& event : receipt["event_log"]) out.push_back(event["type"]);
    return out;
  }
  FakeClock clock_{kNow};
  Keyring keyring_ = Keyring::make(nullptr).value();
  Identity identity_{keyring_, clock_};
  store::ReceiptRecord record_;
};

using Types = std::vector<std::string>;

TEST_F(ReceiptDocument, OfAReply) {
  const ReplyFacts facts = facts_of_a_reply(identity_);
  const Json receipt = make(facts);
  EXPECT_EQ(types(receipt), (Types{"request.received", "request.forwarded", "model.served", "usage.metered", "response.returned"}));
  EXPECT_EQ(receipt["receipt_id"], facts.receipt_id);
  EXPECT_EQ(receipt["chat_id"], facts.reply_id);
  EXPECT_EQ(receipt["model"], "demo");
  EXPECT_EQ(receipt["served_at"], kNow);
  EXPECT_EQ(receipt["workload_keyset_digest"], identity_.now()->keyset_digest_text);
  EXPECT_EQ(receipt["event_log"][0]["body_hash"], evidence::digest_text(facts.request_sha256));
  EXPECT_EQ(receipt["event_log"][2],
            (Json{{"engine", "llama.cpp"}, {"model_digest", nullptr}, {"model_id", "demo"}, {"seed", 42},
                  {"temperature", "0.7"}, {"type", "model.served"}}));
  EXPECT_EQ(receipt["event_log"][3]["completion_tokens"], 7);
  EXPECT_EQ(receipt["event_log"][4]["body_hash"], evidence::digest_text(facts.response_sha256));

  ASSERT_TRUE(record_.legacy);
  const std::string text = evidence::signed_text(facts.request_sha256, facts.response_sha256);
  EXPECT_EQ(crypto::eth_address_text(crypto::recover_eip191(text, record_.legacy->ecdsa).value()),
            keyring_.signing_address(evidence::SigningAlgo::kEcdsa));
  EXPECT_EQ(record_.reply_ids, std::vector<std::string>{facts.request_id});
}

TEST_F(ReceiptDocument, SaysThatNobodyVerifiedWhoAnsweredElsewhere) {
  ReplyFacts facts = facts_of_a_reply(identity_);
  facts.served_here = false;
  const Json receipt = make(facts);
  EXPECT_EQ(types(receipt)[2], "upstream.verified");
  EXPECT_EQ(receipt["event_log"][2]["result"], "failed");
  EXPECT_EQ(receipt["event_log"][2]["required"], false);
}

// What is served is the canonical form, signature and all, whatever the client has called its model.
TEST_F(ReceiptDocument, IsItsOwnCanonicalForm) {
  ReplyFacts facts = facts_of_a_reply(identity_);
  for (const char* model : {"demo", ",\"workload_keyset_digest\":\"sha256:", "Gr\xc3\xbc\xc3\x9f" "e \\ \" \n"}) {
    facts.model = model;
    const Json receipt = make(facts);
    EXPECT_EQ(receipt["model"], model);
    EXPECT_EQ(record_.receipt, codec::write_jcs(receipt).value());
  }
}

TEST_F(ReceiptDocument, OfAStreamNamesItsEvents) {
  ReplyFacts facts = facts_of_a_reply(identity_);
  facts.event_stream = true;
  facts.events = {evidence::merkle_leaf(as_bytes("a")), evidence::merkle_leaf(as_bytes("b"))};
  const Json receipt = make(facts);
  EXPECT_EQ(types(receipt).back(), "response.events");
  EXPECT_EQ(receipt["event_log"].back()["count"], 2);
  EXPECT_EQ(receipt["event_log"].back()["root"], evidence::digest_text(evidence::merkle_root(facts.events)));
  EXPECT_EQ(record_.event_hashes.size(), 64u);
}

TEST_F(ReceiptDocument, OfWhatWasCutHasNoLegacySignature) {
  ReplyFacts facts = facts_of_a_reply(identity_);
  facts.cut = true;
  facts.outcome.reset();
  const Json receipt = make(facts);
  EXPECT_EQ(types(receipt), (Types{"request.received", "request.forwarded", "model.served", "response.returned", "response.aborted"}));
  EXPECT_EQ(receipt["event_log"].back(),
            (Json{{"bytes", 8}, {"events", 0}, {"reason", "connection_ended"}, {"type", "response.aborted"}}));
  EXPECT_FALSE(record_.legacy);
  facts.error = "upstream.broken_reply";
  EXPECT_EQ(make(facts)["event_log"].back()["reason"], "upstream.broken_reply");
}

TEST_F(ReceiptDocument, OfARefusalSaysWhy) {
  ReplyFacts facts = facts_of_a_reply(identity_);
  facts.forwarded_sha256.reset();
  facts.outcome.reset();
  facts.reply_id.clear();
  facts.model.reset();
  facts.error = "model_not_found";
  facts.status = 404;
  const Json receipt = make(facts);
  EXPECT_EQ(types(receipt), (Types{"request.received", "request.failed", "response.returned"}));
  EXPECT_EQ(receipt["event_log"][1]["code"], "model_not_found");
  EXPECT_EQ(receipt["event_log"][1]["status"], 404);
  EXPECT_EQ(receipt["chat_id"], nullptr);
  EXPECT_EQ(receipt["model"], nullptr);
  EXPECT_FALSE(record_.legacy);
}

TEST_F(ReceiptDocument, OfAPassedOnErrorHasNoLegacySignature) {
  ReplyFacts facts = facts_of_a_reply(identity_);
  facts.status = 500;
  make(facts);
  EXPECT_FALSE(record_.legacy);
}

TEST_F(ReceiptDocument, NoSettingOfAnEngineReplacesAField) {
  ReplyFacts facts = facts_of_a_reply(identity_);
  facts.outcome->sampling = {{"model_id", "other"}, {"type", "response.returned"}, {"seed", 1}};
  const Json receipt = make(facts);
  EXPECT_EQ(receipt["event_log"][2]["model_id"], "demo");
  EXPECT_EQ(receipt["event_log"][2]["type"], "model.served");
}

TEST_F(ReceiptDocument, AnUpstreamsIdIsFoundBesideOurs) {
  ReplyFacts facts = facts_of_a_reply(identity_);
  facts.reply_id = "chatcmpl-of-another";
  make(facts);
  EXPECT_EQ(record_.reply_ids, (std::vector<std::string>{facts.request_id, "chatcmpl-of-another"}));
}

}  // namespace
}  // namespace cloister::serve
