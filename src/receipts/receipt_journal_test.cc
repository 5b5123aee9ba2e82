// Nothing is sent before its receipt is stored; and what happens when a receipt cannot be stored.
#include "receipts/receipt_journal.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "codec/json.h"
#include "receipts/testing/receipts_test_util.h"

namespace cloister::receipts {
namespace {

using testing::facts_of_a_reply;
using testing::HeldExchange;
using testing::SwitchedStore;

class Journal : public ::testing::Test {
 protected:
  void start(JournalOptions options = {}) {
    if (options.patience_ms == JournalOptions().patience_ms) options.patience_ms = 50;
    options.retry_ms = 20;
    journal_.emplace(keyring_, store_, clock_, metrics_, options);
  }
  std::shared_ptr<HeldExchange> submit(bool in_band = false) {
    auto exchange = std::make_shared<HeldExchange>();
    FinishedReply reply;
    reply.facts = facts_of_a_reply(identity_);
    last_id_ = reply.facts.receipt_id;
    reply.exchange = exchange;
    reply.in_band = in_band;
    journal_->submit(std::move(reply));
    return exchange;
  }
  bool wait_until_it_works() {
    for (int i = 0; i < 1000 && journal_->state().failing; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return !journal_->state().failing;
  }

  FakeClock clock_{1780272000};
  identity::Keyring keyring_ = identity::Keyring::make(nullptr, {}).value();
  identity::Identity identity_{keyring_, clock_};
  metrics::Registry registry_;
  ReceiptMetrics metrics_{registry_};
  SwitchedStore store_;
  std::string last_id_;
  std::optional<ReceiptJournal> journal_;
};

TEST_F(Journal, LetsAReplyGoWhenItsReceiptIsStored) {
  start();
  const auto exchange = submit();
  ASSERT_TRUE(exchange->wait());
  EXPECT_TRUE(exchange->released());
  EXPECT_TRUE(exchange->further().empty());
  EXPECT_EQ(store_.size(), 1u);
  const auto found = journal_->find(last_id_, {}, true);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->receipt_id, last_id_);
}

// An export is verified with it. It is put again each day: stores forget documents by the time when they were put.
TEST_F(Journal, KeepsTheKeysetThatReceiptsName) {
  start();
  ASSERT_TRUE(submit()->wait());
  ASSERT_TRUE(submit()->wait());
  ASSERT_EQ(store_.keysets().size(), 1u);
  const store::Document kept = store_.keysets().front();
  EXPECT_EQ(kept.key, identity_.now()->keyset_digest_text);
  EXPECT_EQ(kept.text, identity_.now()->keyset);
  EXPECT_EQ(kept.made, clock_.now());
  clock_.advance(86'399);
  ASSERT_TRUE(submit()->wait());
  EXPECT_EQ(store_.keysets().size(), 1u);
  clock_.advance(1);
  ASSERT_TRUE(submit()->wait());
  ASSERT_EQ(store_.keysets().size(), 2u);
  EXPECT_EQ(store_.keysets().back().made, clock_.now());
}

TEST_F(Journal, KeepsTheKeysetOfReceiptsThatWaitedInMemory) {
  JournalOptions options;
  options.on_failure = OnStoreFailure::kServe;
  start(options);
  store_.set_fails(true);
  ASSERT_TRUE(submit()->wait());
  EXPECT_TRUE(store_.keysets().empty());
  store_.set_fails(false);
  ASSERT_TRUE(wait_until_it_works());
  EXPECT_EQ(store_.keysets().size(), 1u);
}

// A caller whose requests are all refused pays nothing for them, and must not fill the store with their receipts.
TEST_F(Journal, StoresTheReceiptsOfSoManyRefusalsOfOneOwner) {
  JournalOptions options;
  options.cheap_at_once = 3;
  options.cheap_per_minute = 0.01;
  start(options);
  const auto submit_refusal = [&](std::uint8_t owner) {
    auto exchange = std::make_shared<HeldExchange>();
    FinishedReply reply;
    reply.facts = facts_of_a_reply(identity_);
    reply.facts.owner.fill(owner);
    reply.facts.error = "request.invalid";
    reply.facts.status = 400;
    reply.facts.outcome.reset();
    reply.facts.forwarded_sha256.reset();
    reply.exchange = exchange;
    journal_->submit(std::move(reply));
    EXPECT_TRUE(exchange->wait());
    EXPECT_TRUE(exchange->released());
    return exchange->further();
  };
  const http::Headers not_stored = {{"x-receipt-stored", "false"}};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(submit_refusal(1).empty());
  EXPECT_EQ(submit_refusal(1), not_stored);
  EXPECT_EQ(submit_refusal(1), not_stored);
  EXPECT_EQ(store_.size(), 3u);
  EXPECT_TRUE(submit_refusal(2).empty()) << "another owner has a share of its own";
  ASSERT_TRUE(submit()->wait()) << "what was computed is stored in any case";
  EXPECT_EQ(store_.size(), 5u);
}

// Counting tokens costs its caller nothing, either.
TEST_F(Journal, StoresSoManyReceiptsOfWhatComputesNothing) {
  JournalOptions options;
  options.cheap_at_once = 3;
  options.cheap_per_minute = 0.01;
  options.cheap_endpoints = {"/v1/tokenize"};
  start(options);
  const auto submit_of = [&](const std::string& endpoint, std::uint8_t owner) {
    auto exchange = std::make_shared<HeldExchange>();
    FinishedReply reply;
    reply.facts = facts_of_a_reply(identity_);
    reply.facts.owner.fill(owner);
    reply.facts.endpoint = endpoint;
    reply.exchange = exchange;
    journal_->submit(std::move(reply));
    EXPECT_TRUE(exchange->wait());
    EXPECT_TRUE(exchange->released());
    return exchange->further();
  };
  const http::Headers not_stored = {{"x-receipt-stored", "false"}};
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(submit_of("/v1/tokenize", 1).empty());
  EXPECT_EQ(submit_of("/v1/tokenize", 1), not_stored);
  EXPECT_TRUE(submit_of("/v1/tokenize", 2).empty());
  EXPECT_TRUE(submit_of("/v1/chat/completions", 1).empty());
  EXPECT_EQ(store_.size(), 5u);
}

TEST_F(Journal, StoresManyAtOnce) {
  start();
  std::vector<std::shared_ptr<HeldExchange>> all;
  for (int i = 0; i < 500; ++i) all.push_back(submit());
  for (const auto& exchange : all) {
    ASSERT_TRUE(exchange->wait());
    EXPECT_TRUE(exchange->released());
  }
  EXPECT_EQ(store_.size(), 500u);
  EXPECT_LT(store_.puts(), 500u);
}

// Several threads make receipts at once, whichever of them stores; every reply gets its own, once.
TEST_F(Journal, ManyThreadsStoreEachReplyOnce) {
  start({.threads = 4, .batch = 16});
  std::mutex mutex;
  std::vector<std::pair<std::string, std::shared_ptr<HeldExchange>>> all;
  std::vector<std::thread> clients;
  for (int client = 0; client < 4; ++client) {
    clients.emplace_back([&] {
      for (int i = 0; i < 250; ++i) {
        auto exchange = std::make_shared<HeldExchange>();
        FinishedReply reply{facts_of_a_reply(identity_), exchange};
        const std::string id = reply.facts.receipt_id;
        journal_->submit(std::move(reply));
        const std::lock_guard lock(mutex);
        all.emplace_back(id, exchange);
        if (i % 50 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  for (std::thread& client : clients) client.join();
  for (const auto& [id, exchange] : all) {
    ASSERT_TRUE(exchange->wait());
    EXPECT_TRUE(exchange->released());
    const auto found = journal_->find(id, {}, true);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->receipt_id, id);
  }
  EXPECT_EQ(store_.size(), 1000u);
  EXPECT_EQ(journal_->state().stored, 1000u);
  EXPECT_EQ(journal_->state().waiting, 0u);
}

TEST_F(Journal, RepliesGoOnWhileOldReceiptsAreDeleted) {
  store_.set_holds_prune(true);
  start();
  ASSERT_TRUE(store_.wait_for_prune());
  for (int i = 0; i < 3; ++i) {
    const auto exchange = submit();
    ASSERT_TRUE(exchange->wait());
    EXPECT_TRUE(exchange->released());
  }
  store_.set_holds_prune(false);
}

TEST_F(Journal, SendsTheReceiptWithTheReply) {
  start();
  const auto exchange = submit(true);
  ASSERT_TRUE(exchange->wait());
  ASSERT_EQ(exchange->further().size(), 1u);
  EXPECT_EQ(exchange->further()[0].first, "x-receipt");
  const auto bytes = from_base64(exchange->further()[0].second);
  ASSERT_TRUE(bytes);
  EXPECT_EQ(as_text(*bytes), (*journal_->find(last_id_, {}, true))->receipt);
}

TEST_F(Journal, OutlastsAShortFailure) {
  start({.patience_ms = 5000});
  store_.set_fails(true);
  const auto exchange = submit();
  while (store_.puts() < 2) std::this_thread::yield();
  EXPECT_FALSE(exchange->released());
  EXPECT_FALSE(journal_->refusal());
  store_.set_fails(false);
  ASSERT_TRUE(exchange->wait());
  EXPECT_TRUE(exchange->released());
  EXPECT_FALSE(journal_->state().failing);
}

TEST_F(Journal, RefusesWhileNothingCanBeStored) {
  start();
  store_.set_fails(true);
  const auto exchange = submit();
  ASSERT_TRUE(exchange->wait());
  EXPECT_FALSE(exchange->released());
  ASSERT_TRUE(exchange->instead());
  EXPECT_EQ(exchange->instead()->status, 503);
  EXPECT_EQ(codec::parse_json(exchange->instead()->body).value()["error"]["code"], "receipts.unavailable");
  EXPECT_EQ(exchange->instead()->body.find("/var/secret"), std::string::npos);
  ASSERT_TRUE(journal_->refusal());
  EXPECT_EQ(journal_->refusal()->code, ErrorCode::kReceiptStore);
  EXPECT_EQ(journal_->state().in_memory, 0u);
  // The journal recovers by itself, without a request that tries.
  store_.set_fails(false);
  EXPECT_TRUE(wait_until_it_works());
  EXPECT_FALSE(journal_->refusal());
  const auto again = submit();
  ASSERT_TRUE(again->wait());
  EXPECT_TRUE(again->released());
  EXPECT_EQ(store_.size(), 1u);
}

TEST_F(Journal, ServesOnWhereItIsToldTo) {
  start({.on_failure = OnStoreFailure::kServe});
  store_.set_fails(true);
  const auto exchange = submit();
  const std::string id = last_id_;
  ASSERT_TRUE(exchange->wait());
  EXPECT_TRUE(exchange->released());
  EXPECT_EQ(exchange->further(), (http::Headers{{"x-receipt-stored", "false"}}));
  EXPECT_FALSE(journal_->refusal());
  EXPECT_EQ(journal_->state().in_memory, 1u);
  ASSERT_TRUE(*journal_->find(id, {}, true));
  store_.set_fails(false);
  EXPECT_TRUE(wait_until_it_works());
  EXPECT_EQ(journal_->state().in_memory, 0u);
  EXPECT_EQ(store_.size(), 1u);
}

TEST_F(Journal, MemoryIsBoundedAndWhatIsLostIsCounted) {
  start({.on_failure = OnStoreFailure::kServe, .most_in_memory = 3});
  store_.set_fails(true);
  std::string newest;
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(submit()->wait());
    newest = last_id_;
  }
  EXPECT_EQ(journal_->state().in_memory, 3u);
  EXPECT_EQ(journal_->state().lost, 2u);
  EXPECT_TRUE(*journal_->find(newest, {}, true));
}

TEST_F(Journal, StoresWhatWaitsWhenItEnds) {
  start({.on_failure = OnStoreFailure::kServe});
  store_.set_fails(true);
  ASSERT_TRUE(submit()->wait());
  store_.set_fails(false);
  const auto exchange = submit();
  journal_.reset();
  EXPECT_TRUE(exchange->released());
  EXPECT_EQ(store_.size(), 2u);
}

TEST_F(Journal, OfAClientThatIsGoneStoresTheReceiptAllTheSame) {
  start();
  FinishedReply reply;
  reply.facts = facts_of_a_reply(identity_);
  reply.facts.cut = true;
  journal_->submit(std::move(reply));
  journal_.reset();
  EXPECT_EQ(store_.size(), 1u);
}

TEST_F(Journal, WhatCannotBecomeAReceiptDoesNotGoOut) {
  start();
  auto exchange = std::make_shared<HeldExchange>();
  FinishedReply reply;
  reply.facts = facts_of_a_reply(identity_);
  reply.facts.model = "\xff not UTF-8";
  reply.exchange = exchange;
  journal_->submit(std::move(reply));
  const auto good = submit();
  ASSERT_TRUE(exchange->wait() && good->wait());
  EXPECT_FALSE(exchange->released());
  EXPECT_TRUE(good->released());
}

TEST_F(Journal, OneThatTheStoreRefusesDoesNotCostTheOthersTheirs) {
  start();
  auto refused = std::make_shared<HeldExchange>();
  FinishedReply reply;
  reply.facts = facts_of_a_reply(identity_);
  reply.facts.request_id = "refused";
  reply.exchange = refused;
  journal_->submit(std::move(reply));
  const auto good = submit();
  ASSERT_TRUE(refused->wait() && good->wait());
  EXPECT_FALSE(refused->released());
  EXPECT_TRUE(good->released());
  EXPECT_FALSE(journal_->state().failing);
}

TEST_F(Journal, AFullQueueTurnsRepliesAway) {
  start({.most_waiting = 0});
  const auto exchange = submit();
  EXPECT_FALSE(exchange->released());
  ASSERT_TRUE(exchange->instead());
  EXPECT_EQ(journal_->state().lost, 1u);
}

}  // namespace
}  // namespace cloister::receipts
