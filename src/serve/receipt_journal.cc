#include "serve/receipt_journal.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>

#include "base/encoding.h"
#include "base/log.h"
#include "serve/openai/error_body.h"
#include "serve/receipt_document.h"
#include "store/receipt_id.h"

namespace cloister::serve {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kFirstRetry{20};
constexpr std::size_t kMostOwners = 4096;   // whose refusals are counted
constexpr std::int64_t kKeepAgain_s = 86'400;

bool is_refusal(const Error& error) {
  return error.code == ErrorCode::kStoreRefused || error.code == ErrorCode::kStoreConflict;
}

Error unavailable() {
  Error error = fail(ErrorCode::kReceiptStore, "this node cannot store receipts now, and answers nothing without one; try again later");
  error.retry_after_s = 5;
  return error;
}

}  // namespace

ReceiptJournal::ReceiptJournal(const Keyring& keyring, store::ReceiptStore& store, const Clock& clock, Metrics& metrics,
                               JournalOptions options)
    : keyring_(keyring),
      store_(store),
      clock_(clock),
      metrics_(metrics),
      options_(options),
      next_prune_(SteadyClock::now()),
      refusals_(options.refusals_per_minute, options.refusals_at_once, kMostOwners),
      thread_([this] { run(); }) {
  pthread_setname_np(thread_.native_handle(), "receipts");
}

ReceiptJournal::~ReceiptJournal() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void ReceiptJournal::submit(FinishedReply reply) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() < options_.most_waiting) {
      wake = queue_.empty();
      queue_.push_back(std::move(reply));
    } else {
      ++lost_;
    }
  }
  if (wake) return wake_.notify_one();
  // Either it is in the queue, or there was no room for it.
  if (reply.exchange != nullptr) withhold(reply);
}

std::optional<Error> ReceiptJournal::refusal() const {
  if (options_.on_failure == OnStoreFailure::kServe || !failing_.load(std::memory_order_relaxed)) return std::nullopt;
  return unavailable();
}

Result<std::optional<store::ReceiptRecord>> ReceiptJournal::find(std::string_view id, const Owner& owner) {
  {
    const std::lock_guard lock(mutex_);
    for (const store::ReceiptRecord& record : memory_) {
      if (record.receipt_id == id || std::ranges::count(record.reply_ids, id) > 0) return std::optional(record);
    }
  }
  return store_.find(id, owner);
}

JournalState ReceiptJournal::state() const {
  const std::lock_guard lock(mutex_);
  return {failing_.load(std::memory_order_relaxed), why_, queue_.size(), memory_.size(), stored_, lost_};
}

// True when there are requests to write, or nothing will come any more.
bool ReceiptJournal::wait_for_work(std::unique_lock<std::mutex>& lock) {
  const auto ready = [this] { return stopping_ || !queue_.empty(); };
  return failing_ || !memory_.empty() ? wake_.wait_for(lock, milliseconds(options_.retry_ms), ready)
                                       : wake_.wait_until(lock, next_prune_, ready);
}

void ReceiptJournal::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const bool work = wait_for_work(lock);
    if (work && queue_.empty()) break;   // stopping
    std::vector<FinishedReply> replies;
    while (!queue_.empty() && replies.size() < options_.batch) {
      replies.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    const bool behind = failing_ || !memory_.empty();
    lock.unlock();
    if (!replies.empty()) {
      write(std::move(replies));
    } else if (behind) {
      try_again();
    }
    if (!failing_ && SteadyClock::now() >= next_prune_) prune();
    lock.lock();
  }
  const bool behind = !memory_.empty();
  lock.unlock();
  if (!behind) return;
  try_again();
  lock.lock();
  if (!memory_.empty()) log::error("stopping: receipts of replies that went out were never stored: " + std::to_string(memory_.size()));
}

ReceiptJournal::Batch ReceiptJournal::make(std::vector<FinishedReply> replies) {
  Batch out;
  out.all.reserve(replies.size());
  out.records.reserve(replies.size());
  for (FinishedReply& reply : replies) {
    if (is_surplus(reply.facts)) {
      out.all.push_back({std::move(reply), std::nullopt, true});
      continue;
    }
    note_keyset(*reply.facts.epoch);
    Result<store::ReceiptRecord> record = make_receipt(reply.facts, keyring_, clock_.now());
    if (!record) log::error("no receipt could be made id=" + store::shown_id(reply.facts.receipt_id) + ": " + record.error().message);
    out.all.push_back({std::move(reply), record ? std::optional(out.records.size()) : std::nullopt, false});
    if (record) out.records.push_back(std::move(*record));
  }
  return out;
}

// Whether this is a refusal, and one more than are stored for its owner.
bool ReceiptJournal::is_surplus(const ReplyFacts& facts) {
  if (facts.error.empty() || facts.forwarded_sha256 || facts.outcome) return false;
  return refusals_.take(std::string(reinterpret_cast<const char*>(facts.owner.data()), facts.owner.size()), SteadyClock::now()) != 0;
}

void ReceiptJournal::write(std::vector<FinishedReply> replies) {
  Batch batch = make(std::move(replies));
  Result<void> done = batch.records.empty() ? Result<void>() : put(batch.records);
  if (!done && is_refusal(done.error())) {
    put_one_by_one(batch);
    done = {};
  }
  if (done) {
    const std::lock_guard lock(mutex_);
    stored_ += static_cast<std::uint64_t>(
        std::ranges::count_if(batch.all, [](const Batch::Made& made) { return made.record.has_value(); }));
  }
  const bool serve_on = !done && options_.on_failure == OnStoreFailure::kServe;
  if (serve_on) keep_in_memory(batch.records);
  for (Batch::Made& made : batch.all) {
    if (made.reply.exchange == nullptr) continue;
    if (made.record && (done || serve_on)) {
      let_go(made.reply, batch.records[*made.record], done.has_value());
    } else if (made.is_surplus && (done || serve_on)) {
      made.reply.exchange->release({{"x-receipt-stored", "false"}});
    } else {
      withhold(made.reply);
    }
  }
}

// A store that works and does not take a batch: one of its receipts is not to its form, which must not cost the others
// theirs.
void ReceiptJournal::put_one_by_one(Batch& batch) {
  for (Batch::Made& made : batch.all) {
    if (!made.record) continue;
    const store::ReceiptRecord& record = batch.records[*made.record];
    const Result<void> done = store_.put(std::span(&record, 1));
    if (done) continue;
    log::error("a receipt was refused by the store id=" + store::shown_id(record.receipt_id) + ": " + done.error().message);
    made.record.reset();
  }
}

// Tries as long as there is patience; a store that has failed before gets one try.
Result<void> ReceiptJournal::put(const std::vector<store::ReceiptRecord>& records) {
  const auto give_up = SteadyClock::now() + milliseconds(failing_ ? 0 : options_.patience_ms);
  for (milliseconds wait = kFirstRetry;; wait *= 2) {
    Result<void> done = put_keysets();
    if (done) done = store_.put(records);
    if (done || is_refusal(done.error())) {
      store_works();
      return done;
    }
    if (SteadyClock::now() + wait > give_up) {
      store_failed(done.error());
      return done;
    }
    std::this_thread::sleep_for(wait);
  }
}

// Once a day again: a store deletes documents by the time when they were put there, and receipts of this keyset still come.
void ReceiptJournal::note_keyset(const Epoch& epoch) {
  if (epoch.keyset.empty()) return;
  const auto kept = kept_keysets_.find(epoch.keyset_digest_text);
  if (kept != kept_keysets_.end() && clock_.now() < kept->second + kKeepAgain_s && clock_.now() >= kept->second) return;
  keysets_.try_emplace(epoch.keyset_digest_text, epoch.keyset);
}

Result<void> ReceiptJournal::put_keysets() {
  while (!keysets_.empty()) {
    const auto& [digest, text] = *keysets_.begin();
    const UnixSeconds now = clock_.now();
    TRY_VOID(store_.put_document({std::string(store::kKeysetKind), digest, text, now}));
    kept_keysets_.insert_or_assign(digest, now);
    keysets_.erase(keysets_.begin());
  }
  return {};
}

void ReceiptJournal::store_failed(const Error& error) {
  const bool news = !failing_.exchange(true);
  {
    const std::lock_guard lock(mutex_);
    why_ = error.message;
  }
  metrics_.count_store_failure();
  if (!news) return;
  log::error(std::string("receipts cannot be stored (") + std::string(store_.type()) + "): " + error.message +
             (options_.on_failure == OnStoreFailure::kRefuse ? "; no prompts are answered until they can"
                                                             : "; they wait in memory"));
}

void ReceiptJournal::store_works() {
  if (!failing_.exchange(false)) return;
  {
    const std::lock_guard lock(mutex_);
    why_.clear();
  }
  log::info("receipts can be stored again");
}

void ReceiptJournal::let_go(const FinishedReply& reply, const store::ReceiptRecord& record, bool stored) {
  http::Headers further;
  if (reply.in_band) further.emplace_back("x-receipt", to_base64(as_bytes(record.receipt)));
  if (!stored) further.emplace_back("x-receipt-stored", "false");
  reply.exchange->release(std::move(further));
  metrics_.count_receipt();
  if (record.legacy) metrics_.count_signature();
}

void ReceiptJournal::withhold(FinishedReply& reply) {
  http::Response instead = error_response(unavailable(), reply.anthropic_dialect);
  instead.headers.emplace_back("x-request-id", reply.facts.request_id);
  reply.exchange->withhold(std::move(instead));
}

void ReceiptJournal::keep_in_memory(const std::vector<store::ReceiptRecord>& records) {
  const std::lock_guard lock(mutex_);
  memory_.insert(memory_.end(), records.begin(), records.end());
  for (; memory_.size() > options_.most_in_memory; ++lost_) memory_.pop_front();
}

// What waits in memory goes first; else a write that changes nothing tells whether the store works.
void ReceiptJournal::try_again() {
  for (;;) {
    std::vector<store::ReceiptRecord> records;
    {
      const std::lock_guard lock(mutex_);
      const std::size_t count = std::min(memory_.size(), options_.batch);
      records.assign(memory_.begin(), memory_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    Result<void> done = put_keysets();
    if (done) done = records.empty() ? store_.put_document({"probe", "probe", "", clock_.now()}) : store_.put(records);
    if (!done) return store_failed(done.error());
    if (records.empty()) return store_works();
    const std::lock_guard lock(mutex_);
    memory_.erase(memory_.begin(), memory_.begin() + static_cast<std::ptrdiff_t>(records.size()));
    stored_ += records.size();
  }
}

void ReceiptJournal::prune() {
  next_prune_ = SteadyClock::now() + std::chrono::seconds(options_.prune_s);
  const Result<std::uint64_t> gone = store_.prune();
  if (!gone) return log::warn("old receipts cannot be deleted: " + gone.error().message);
  if (*gone > 0) log::info("receipts past their age or room deleted: " + std::to_string(*gone));
  if (const auto state = store_.state()) metrics_.set_stored_receipts(state->receipts);
}

}  // namespace cloister::serve
