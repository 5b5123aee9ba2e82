// Helpers for tests of receipts: a store that fails on demand, an exchange that remembers its outcome, facts of a reply.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>

#include "crypto/hash.h"
#include "receipts/receipt_document.h"
#include "receipts/receipt_journal.h"
#include "store/receipt_id.h"

namespace cloister::receipts::testing {

class SwitchedStore final : public store::ReceiptStore {
 public:
  std::string_view type() const override { return "switched"; }
  Result<void> put(std::span<const store::ReceiptRecord> batch) override {
    std::unique_lock lock(mutex_);
    ++puts_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !holds_put_; });
    if (fails_) return fail(ErrorCode::kStoreFailed, "the disk /var/secret is full");
    for (const store::ReceiptRecord& record : batch) {
      if (record.reply_ids.front() == "refused") return fail(ErrorCode::kStoreRefused, "not to its form");
    }
    for (const store::ReceiptRecord& record : batch) records_[record.receipt_id] = record;
    changed_.notify_all();
    return {};
  }
  Result<std::optional<store::ReceiptRecord>> find(std::string_view id, const Owner& owner,
                                                   const store::FindOptions& options) override {
    const std::lock_guard lock(mutex_);
    ++finds_;
    if (find_fails_) return fail(ErrorCode::kStoreFailed, "the disk /var/secret cannot be read");
    for (const auto& [receipt_id, record] : records_) {
      if (!options.others && record.owner != owner && record.owner != Owner{}) continue;
      if (receipt_id == id || std::ranges::count(record.reply_ids, id) > 0) return std::optional(record);
    }
    return std::optional<store::ReceiptRecord>();
  }
  Result<std::vector<store::ReceiptRecord>> list(const Position&, std::size_t) override {
    return std::vector<store::ReceiptRecord>();
  }
  Result<void> put_document(const store::Document& document) override {
    const std::lock_guard lock(mutex_);
    const bool is_keyset = document.kind == store::kKeysetKind;
    if (fails_ && is_keyset) ++puts_;  // the receipts would have come next
    if (fails_) return fail(ErrorCode::kIo, "full");
    if (is_keyset) keysets_.push_back(document);
    return {};
  }
  Result<std::optional<store::Document>> find_document(std::string_view, std::string_view) override {
    return std::optional<store::Document>();
  }
  Result<std::vector<store::Document>> find_documents(std::string_view) override {
    return std::vector<store::Document>();
  }
  Result<std::uint64_t> prune() override {
    std::unique_lock lock(mutex_);
    pruned_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !holds_prune_; });
    return std::uint64_t{0};
  }
  Result<store::StoreState> state() override { return store::StoreState{}; }

  void set_fails(bool fails) {
    const std::lock_guard lock(mutex_);
    fails_ = fails;
  }
  void set_find_fails(bool fails) {
    const std::lock_guard lock(mutex_);
    find_fails_ = fails;
  }
  // As long as this holds, put() does not return.
  void set_holds_put(bool holds) {
    const std::lock_guard lock(mutex_);
    holds_put_ = holds;
    changed_.notify_all();
  }
  // Waits for this many calls of put(); false when they do not come within 10 s.
  bool wait_for_puts(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return puts_ >= count; });
  }
  // The same for records that are stored.
  bool wait_for_records(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return records_.size() >= count; });
  }
  // The only record; the test fails where there is not one.
  store::ReceiptRecord record() {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(records_.size(), 1u);
    return records_.empty() ? store::ReceiptRecord{} : records_.begin()->second;
  }
  // As long as this holds, prune() does not return.
  void set_holds_prune(bool holds) {
    const std::lock_guard lock(mutex_);
    holds_prune_ = holds;
    changed_.notify_all();
  }
  // Waits for a first prune(); false when none came within 10 s.
  bool wait_for_prune() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return pruned_; });
  }
  std::size_t size() {
    const std::lock_guard lock(mutex_);
    return records_.size();
  }
  std::vector<store::Document> keysets() {
    const std::lock_guard lock(mutex_);
    return keysets_;
  }
  std::size_t puts() {
    const std::lock_guard lock(mutex_);
    return puts_;
  }
  std::size_t finds() {
    const std::lock_guard lock(mutex_);
    return finds_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, store::ReceiptRecord> records_;
  std::vector<store::Document> keysets_;
  bool fails_ = false;
  bool find_fails_ = false;
  bool holds_put_ = false;
  bool holds_prune_ = false;
  bool pruned_ = false;
  std::size_t puts_ = 0, finds_ = 0;
};

// A reply that waits for its receipt.
class HeldExchange final : public http::Exchange {
 public:
  const http::Request& request() const override { return request_; }
  http::Admitted* admitted() override { return nullptr; }
  std::string take_body() override { return std::move(request_.body); }
  std::shared_ptr<const std::string> share_body() override { return std::make_shared<const std::string>(take_body()); }
  void set_observer(std::shared_ptr<http::ReplyObserver>) override {}
  void on_abandoned(std::function<void()>) override {}
  void respond(http::Response) override {}
  void start(http::Response) override {}
  void write(std::string_view) override {}
  void finish(std::string_view) override {}
  void abort() override {}
  void release(http::Headers further) override {
    const std::lock_guard lock(mutex_);
    released_ = true;
    further_ = std::move(further);
    changed_.notify_all();
  }
  void withhold(http::Response instead) override {
    const std::lock_guard lock(mutex_);
    instead_ = std::move(instead);
    changed_.notify_all();
  }
  net::Loop* loop() override { return nullptr; }
  std::size_t behind_bytes() override { return 0; }
  void on_caught_up(std::function<void()>) override {}
  void post(std::function<void()> job) override { job(); }

  // False when the reply has not ended within 10 s.
  bool wait() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [this] { return released_ || instead_; });
  }
  bool released() {
    const std::lock_guard lock(mutex_);
    return released_;
  }
  http::Headers further() {
    const std::lock_guard lock(mutex_);
    return further_;
  }
  std::optional<http::Response> instead() {
    const std::lock_guard lock(mutex_);
    return instead_;
  }

 private:
  http::Request request_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
  http::Headers further_;
  std::optional<http::Response> instead_;
};

inline ReplyFacts facts_of_a_reply(const identity::Identity& identity) {
  ReplyFacts facts;
  facts.receipt_id = store::new_receipt_id();
  facts.request_id = facts.reply_id = "chatcmpl-" + facts.receipt_id;
  facts.epoch = identity.now();
  facts.endpoint = "/v1/chat/completions";
  facts.model = "demo";
  facts.request_sha256 = crypto::sha256(as_bytes("request"));
  facts.forwarded_sha256 = facts.request_sha256;
  facts.response_sha256 = crypto::sha256(as_bytes("response"));
  facts.response_bytes = 8;
  facts.engine = "llama.cpp";
  facts.served_model = "demo";
  facts.outcome = evidence::ReplyOutcome{"stop", {5, 0, 7}, {{"temperature", "0.7"}, {"seed", 42}}};
  return facts;
}

}  // namespace cloister::receipts::testing
