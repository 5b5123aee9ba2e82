// Receipts as they are made: what they hold depending on how the request went, and that their signature verifies.
#include "receipts/receipt_document.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "crypto/secp256k1.h"
#include "evidence/aci/receipt.h"
#include "evidence/json_reader.h"
#include "receipts/testing/receipts_test_util.h"

namespace cloister::receipts {
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
    EXPECT_TRUE(
        crypto::verify_ed25519(keyring_.receipt_public_key(), as_bytes(parsed->signing_input), parsed->signature));
    return codec::parse_json(record->receipt).value();
  }
  static std::vector<std::string> types(const Json& receipt) {
    std::vector<std::string> out;
    for (const Json& event : receipt["event_log"]) out.push_back(event["type"]);
    return out;
  }
  FakeClock clock_{kNow};
  identity::Keyring keyring_ = identity::Keyring::make(nullptr, {}).value();
  identity::Identity identity_{keyring_, clock_};
  store::ReceiptRecord record_;
};

using Types = std::vector<std::string>;

// --- the whole text, compared with one that is put together member by member, by the names in docs/spec/receipt.md
// --------------

Json hashed(const char* type, const ByteArray<32>& body) {
  return {{"type", type}, {"body_hash", evidence::digest_text(body)}};
}

Json expected_events(const ReplyFacts& facts) {
  Json log = {hashed("request.received", facts.request_sha256)};
  if (facts.forwarded_sha256) {
    log.push_back(hashed("request.forwarded", *facts.forwarded_sha256));
    if (!facts.served_here) {
      log.push_back({{"type", "upstream.verified"},
                     {"result", "failed"},
                     {"required", false},
                     {"model_id", facts.model.value_or("")},
                     {"reason", "the engine is outside of this TEE and was not verified"}});
    }
    Json served = {{"type", "model.served"},
                   {"engine", facts.engine},
                   {"model_id", facts.served_model},
                   {"model_digest", nullptr}};
    if (facts.known_answers) served["known_answers"] = evidence::to_json(*facts.known_answers);
    if (facts.epoch->model_digest) served["model_digest"] = evidence::digest_text(*facts.epoch->model_digest);
    if (facts.outcome && facts.outcome->sampling.is_object()) {
      for (const auto& [name, value] : facts.outcome->sampling.items()) {
        if (!served.contains(name)) served[name] = value;
      }
    }
    log.push_back(served);
  }
  if (facts.outcome && facts.outcome->metered()) {
    log.push_back({{"type", "usage.metered"},
                   {"finish_reason", facts.outcome->finish_reason},
                   {"prompt_tokens", facts.outcome->usage.prompt_tokens},
                   {"cached_tokens", facts.outcome->usage.cached_tokens},
                   {"completion_tokens", facts.outcome->usage.completion_tokens}});
  }
  if (!facts.error.empty() && !facts.cut)
    log.push_back({{"type", "request.failed"}, {"code", facts.error}, {"status", facts.status}});
  log.push_back(hashed("response.returned", facts.response_sha256));
  if (facts.event_stream && !facts.too_many_events) {
    log.push_back({{"type", "response.events"},
                   {"count", facts.events.size()},
                   {"root", evidence::digest_text(
                                evidence::merkle_root(evidence::salted_leaves(facts.reply_secret, facts.events)))},
                   {"tree", "cloister.events.v2"}});
  }
  if (facts.cut) {
    log.push_back({{"type", "response.aborted"},
                   {"bytes", facts.response_bytes},
                   {"events", facts.events.size()},
                   {"reason", facts.error.empty() ? "connection_ended" : facts.error}});
  }
  return log;
}

Json expected_document(const ReplyFacts& facts, std::string_view signature) {
  Json out = {{"api_version", "aci/1"},
              {"receipt_id", facts.receipt_id},
              {"chat_id", nullptr},
              {"model", nullptr},
              {"workload_keyset_digest", facts.epoch->keyset_digest_text},
              {"endpoint", facts.endpoint},
              {"method", "POST"},
              {"served_at", kNow},
              {"event_log", expected_events(facts)},
              {"key_id", facts.epoch->receipt_key_id}};
  if (!facts.reply_id.empty()) out["chat_id"] = facts.reply_id;
  if (facts.model && facts.model->size() <= 1024) out["model"] = *facts.model;
  if (!signature.empty()) out["signature"] = signature;
  return out;
}

TEST_F(ReceiptDocument, IsTheCanonicalFormByteByByte) {
  const std::string hostile[] = {"demo",
                                 "",
                                 ",\"workload_keyset_digest\":\"sha256:",
                                 "Gr\xc3\xbc\xc3\x9f"
                                 "e \\ \" \n\t\x01\x7f",
                                 "\xf0\x9f\x98\x80\xee\x80\x80",
                                 std::string("a\0b", 3),
                                 "</script>",
                                 std::string(1024, '"'),
                                 std::string(1025, 'm')};
  const auto epoch = std::make_shared<identity::Epoch>(*identity_.now());
  epoch->model_digest = crypto::sha256(as_bytes("model"));
  int checked = 0;
  const auto check = [&](const ReplyFacts& facts) {
    const Json receipt = make(facts);
    const std::string signature = receipt.at("signature");
    EXPECT_EQ(record_.receipt, codec::write_jcs(expected_document(facts, signature)).value());
    const std::string unsigned_text = codec::write_jcs(expected_document(facts, "")).value();
    EXPECT_EQ(to_hex(keyring_.sign_receipt(unsigned_text)), signature) << unsigned_text;
    ++checked;
  };
  for (unsigned kind = 0; kind < 256; ++kind) {
    const auto chosen = [&](unsigned bit) { return (kind >> bit & 1) != 0; };
    ReplyFacts facts = facts_of_a_reply(identity_);
    facts.model = facts.served_model = hostile[kind % std::size(hostile)];
    if (chosen(0)) facts.epoch = epoch;
    if (chosen(1)) facts.served_here = false;
    if (chosen(2)) facts.forwarded_sha256.reset();
    if (chosen(3)) facts.cut = true, facts.response_bytes = std::uint64_t{1} << 53;
    if (chosen(4)) facts.error = "upstream.broken_reply", facts.status = 502;
    if (chosen(5)) facts.event_stream = true, facts.events.assign(kind % 5, crypto::sha256(as_bytes("e")));
    if (chosen(6)) facts.reply_id = chosen(5) ? "" : hostile[(kind + 1) % std::size(hostile)];
    if (chosen(7))
      facts.outcome->sampling = nullptr, facts.outcome->finish_reason = hostile[(kind + 2) % std::size(hostile)];
    if (kind % 3 == 0) {
      facts.known_answers = std::make_shared<const evidence::KnownAnswersResult>(
          evidence::KnownAnswersResult{{1}, ByteArray<32>{2}, kNow - 5, 4, 32, "0.001234", "0.050000"});
    }
    if (kind % 7 == 0) facts.outcome.reset();
    if (kind % 11 == 0) facts.model.reset();
    if (kind % 13 == 0) facts.too_many_events = true;
    check(facts);
    if (facts.outcome) {
      facts.outcome->usage = {(std::uint64_t{1} << 53) + 2, 0, kind};  // a double, and exact
      check(facts);
    }
  }
  EXPECT_GT(checked, 400);
}

TEST_F(ReceiptDocument, WhatCanonicalJsonCannotCarryIsAnError) {
  const auto refused = [&](auto change) {
    ReplyFacts facts = facts_of_a_reply(identity_);
    change(facts);
    const auto made = make_receipt(facts, keyring_, kNow);
    return !made && made.error().code == ErrorCode::kBadJson;
  };
  EXPECT_TRUE(refused([](ReplyFacts& facts) { facts.model = "\xff"; }));
  EXPECT_TRUE(refused([](ReplyFacts& facts) { facts.served_model = "half of one: \xc3"; }));
  EXPECT_TRUE(refused([](ReplyFacts& facts) { facts.reply_id = "\xed\xa0\x80"; }));
  EXPECT_TRUE(refused([](ReplyFacts& facts) { facts.outcome->finish_reason = "\xc0\xaf"; }));
  EXPECT_TRUE(refused([](ReplyFacts& facts) { facts.outcome->usage.prompt_tokens = (std::uint64_t{1} << 53) + 1; }));
  EXPECT_TRUE(refused([](ReplyFacts& facts) { facts.outcome->usage.prompt_tokens = UINT64_MAX - 1; }));
}

TEST_F(ReceiptDocument, OfAReply) {
  const ReplyFacts facts = facts_of_a_reply(identity_);
  const Json receipt = make(facts);
  EXPECT_EQ(types(receipt),
            (Types{"request.received", "request.forwarded", "model.served", "usage.metered", "response.returned"}));
  EXPECT_EQ(receipt["receipt_id"], facts.receipt_id);
  EXPECT_EQ(receipt["chat_id"], facts.reply_id);
  EXPECT_EQ(receipt["model"], "demo");
  EXPECT_EQ(receipt["served_at"], kNow);
  EXPECT_EQ(receipt["workload_keyset_digest"], identity_.now()->keyset_digest_text);
  EXPECT_EQ(receipt["event_log"][0]["body_hash"], evidence::digest_text(facts.request_sha256));
  EXPECT_EQ(receipt["event_log"][2], (Json{{"engine", "llama.cpp"},
                                           {"model_digest", nullptr},
                                           {"model_id", "demo"},
                                           {"seed", 42},
                                           {"temperature", "0.7"},
                                           {"type", "model.served"}}));
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

// The canonical form, including the signature, is what is served, whatever name the client has used for its model.
TEST_F(ReceiptDocument, IsItsOwnCanonicalForm) {
  ReplyFacts facts = facts_of_a_reply(identity_);
  for (const char* model : {"demo", ",\"workload_keyset_digest\":\"sha256:",
                            "Gr\xc3\xbc\xc3\x9f"
                            "e \\ \" \n"}) {
    facts.model = model;
    const Json receipt = make(facts);
    EXPECT_EQ(receipt["model"], model);
    EXPECT_EQ(record_.receipt, codec::write_jcs(receipt).value());
  }
}

TEST_F(ReceiptDocument, OfAStreamNamesItsEvents) {
  ReplyFacts facts = facts_of_a_reply(identity_);
  facts.event_stream = true;
  facts.events = {crypto::sha256(as_bytes("a")), crypto::sha256(as_bytes("b"))};
  const Json receipt = make(facts);
  EXPECT_EQ(types(receipt).back(), "response.events");
  EXPECT_EQ(receipt["event_log"].back()["count"], 2);
  EXPECT_EQ(receipt["event_log"].back()["root"],
            evidence::digest_text(evidence::merkle_root(evidence::salted_leaves(facts.reply_secret, facts.events))));
  EXPECT_EQ(record_.event_hashes.size(), 64u);
}

TEST_F(ReceiptDocument, OfWhatWasCutHasNoLegacySignature) {
  ReplyFacts facts = facts_of_a_reply(identity_);
  facts.cut = true;
  facts.outcome.reset();
  const Json receipt = make(facts);
  EXPECT_EQ(types(receipt),
            (Types{"request.received", "request.forwarded", "model.served", "response.returned", "response.aborted"}));
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
}  // namespace cloister::receipts
