#include "receipts/receipt_journal.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <iterator>

#include "api/error_response.h"
#include "base/encoding.h"
#include "base/log.h"
#include "receipts/receipt_document.h"
#include "store/receipt_id.h"

namespace cloister::receipts {
namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

constexpr milliseconds kFirstRetry{20};
constexpr std::int64_t kKeepAgain_s = 86'400;
constexpr std::size_t kMostOwners = 4096;  // owners whose cheap receipts are counted
// How many receipts a thread makes before it checks whether they can be stored, and how many must wait before another thread is woken.
constexpr std::size_t kMadeAtOnce = 8;

unsigned thread_count(const JournalOptions& options) {
  return options.threads != 0 ? options.threads : std::clamp(std::thread::hardware_concurrency() / 2, 2u, 8u);
}

bool is_refusal(const Error& error) {
  return error.code == ErrorCode::kStoreRefused || error.code == ErrorCode::kStoreConflict;
}

Error unavailable() {
  Error error = fail(ErrorCode::kReceiptStore,
                     "this node cannot store receipts now, and answers nothing without one; try again later");
  error.retry_after_s = 5;
  return error;
}

}  // namespace

ReceiptJournal::ReceiptJournal(const identity::Keyring& keyring, store::ReceiptStore& store, const Clock& clock,
                               ReceiptMetrics& metrics, JournalOptions options)
    : keyring_(keyring),
      store_(store),
      clock_(clock),
      metrics_(metrics),
      options_(std::move(options)),
      next_prune_(SteadyClock::now()),
      cheap_(options_.cheap_per_minute, options_.cheap_at_once, 2 * kMostOwners) {
  for (unsigned i = 0; i < thread_count(options_); ++i) {
    threads_.emplace_back([this] { run(); });
    pthread_setname_np(threads_.back().native_handle(), "receipts");
  }
}

ReceiptJournal::~ReceiptJournal() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  if (memory_.empty()) return;
  try_again();
  if (!memory_.empty())
    log::error("stopping: receipts of replies that went out were never stored: " + std::to_string(memory_.size()));
}

void ReceiptJournal::submit(FinishedReply reply) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (queue_.size() + made_.size() < options_.most_waiting) {
      queue_.push_back(std::move(reply));
      const std::size_t at_work = threads_.size() - idle_ + called_ - (pruning_ ? 1 : 0);
      wake = called_ < idle_ && queue_.size() > at_work * kMadeAtOnce;
      if (wake) ++called_;
    } else {
      ++lost_;
    }
  }
  if (wake) return wake_.notify_one();
  // Either the reply is in the queue, or there was no room for it.
  if (reply.exchange != nullptr) withhold(reply);
}

std::optional<Error> ReceiptJournal::refusal() const {
  if (options_.on_failure == OnStoreFailure::kServe || !failing_.load(std::memory_order_relaxed)) return std::nullopt;
  return unavailable();
}

Result<std::optional<store::ReceiptRecord>> ReceiptJournal::find(std::string_view id, const Owner& owner,
                                                                 bool event_hashes) {
  {
    const std::lock_guard lock(mutex_);
    for (const store::ReceiptRecord& record : memory_) {
      if (record.owner != owner && record.owner != Owner{}) continue;
      if (record.receipt_id == id || std::ranges::count(record.reply_ids, id) > 0) return std::optional(record);
    }
  }
  return store_.find(id, owner, {.others = false, .event_hashes = event_hashes});
}

JournalState ReceiptJournal::state() const {
  const std::lock_guard lock(mutex_);
  return {failing_.load(std::memory_order_relaxed), why_, queue_.size() + made_.size(), memory_.size(), stored_, lost_};
}

// Waits until there are requests, no more will come, or it is time to check the store.
void ReceiptJournal::wait_for_work(Lock& lock) {
  const auto ready = [this] { return stopping_ || !queue_.empty(); };
  if (ready()) return;
  ++idle_;
  if (failing_ || !memory_.empty()) {
    wake_.wait_for(lock, milliseconds(options_.retry_ms), ready);
  } else {
    wake_.wait_until(lock, next_prune_, ready);
  }
  --idle_;
  if (called_ > 0) --called_;
}

void ReceiptJournal::run() {
  Lock lock(mutex_);
  for (;;) {
    wait_for_work(lock);
    make_some(lock);
    if (!storing_) store_all(lock);
    prune_when_due(lock);
    if (stopping_ && queue_.empty()) return;  // the thread that stores now also stores what has been made
  }
}

// Releases the lock while it computes.
void ReceiptJournal::make_some(Lock& lock) {
  std::vector<FinishedReply> replies;
  while (!queue_.empty() && replies.size() < kMadeAtOnce) {
    replies.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  if (replies.empty()) return;
  lock.unlock();
  std::vector<Made> made;
  made.reserve(replies.size());
  for (FinishedReply& reply : replies) made.push_back(make(std::move(reply)));
  lock.lock();
  std::ranges::move(made, std::back_inserter(made_));
}

// Releases the lock while the store works.
void ReceiptJournal::store_all(Lock& lock) {
  storing_ = true;
  do {
    const bool any = !made_.empty();
    while (!made_.empty()) {
      std::vector<Made> batch;
      while (!made_.empty() && batch.size() < options_.batch) {
        batch.push_back(std::move(made_.front()));
        made_.pop_front();
      }
      lock.unlock();
      write(std::move(batch));
      lock.lock();
    }
    if (failing_ ? any : memory_.empty()) break;
    lock.unlock();
    try_again();
    lock.lock();
  } while (!made_.empty());
  storing_ = false;
}

// Releases the lock in the meantime, so that others can store.
void ReceiptJournal::prune_when_due(Lock& lock) {
  if (failing_ || pruning_ || SteadyClock::now() < next_prune_) return;
  next_prune_ = SteadyClock::now() + std::chrono::seconds(options_.prune_s);
  pruning_ = true;
  lock.unlock();
  prune();
  lock.lock();
  pruning_ = false;
}

ReceiptJournal::Made ReceiptJournal::make(FinishedReply reply) {
  if (is_surplus(reply.facts)) return {std::move(reply), std::nullopt, true};
  Result<store::ReceiptRecord> record = make_receipt(reply.facts, keyring_, clock_.now());
  if (!record)
    log::error("no receipt could be made id=" + store::shown_id(reply.facts.receipt_id) + ": " +
               record.error().message);
  return {std::move(reply), record ? std::optional(std::move(*record)) : std::nullopt, false};
}

// True when this is a refusal, or took no computation, and is one more than are stored for its owner.
bool ReceiptJournal::is_surplus(const ReplyFacts& facts) {
  const bool is_refusal = !facts.error.empty() && !facts.forwarded_sha256 && !facts.outcome;
  if (!is_refusal && !options_.cheap_endpoints.contains(facts.endpoint)) return false;
  std::string client(reinterpret_cast<const char*>(facts.owner.data()), facts.owner.size());
  client += is_refusal ? 'r' : 'c';
  const std::lock_guard lock(cheap_mutex_);
  return cheap_.take(client, SteadyClock::now()) != 0;
}

void ReceiptJournal::write(std::vector<Made> batch) {
  std::vector<store::ReceiptRecord> records;
  records.reserve(batch.size());
  for (Made& made : batch) {
    if (!made.record) continue;
    note_keyset(*made.reply.facts.epoch);
    records.push_back(std::move(*made.record));
  }
  Result<void> done = records.empty() ? Result<void>() : put(records);
  if (!done && is_refusal(done.error())) {
    put_one_by_one(batch, records);
    done = {};
  }
  if (done) {
    const std::lock_guard lock(mutex_);
    stored_ += records.size();
  }
  const bool serve_on = !done && options_.on_failure == OnStoreFailure::kServe;
  if (serve_on) keep_in_memory(records);
  auto record = records.begin();
  for (Made& made : batch) {
    const store::ReceiptRecord* const own = made.record ? &*record++ : nullptr;
    if (made.reply.exchange == nullptr) continue;
    if (own != nullptr && (done || serve_on)) {
      let_go(made.reply, *own, done.has_value());
    } else if (made.is_surplus && (done || serve_on)) {
      made.reply.exchange->release({{"x-receipt-stored", "false"}});
    } else {
      withhold(made.reply);
    }
  }
}

// The store works but does not accept a batch: one of its receipts does not have the required form, and that must not
// cost the others theirs. A receipt that the store refuses alone is removed from `batch` and `records`.
void ReceiptJournal::put_one_by_one(std::vector<Made>& batch, std::vector<store::ReceiptRecord>& records) {
  std::vector<store::ReceiptRecord> taken;
  auto record = records.begin();
  for (Made& made : batch) {
    if (!made.record) continue;
    store::ReceiptRecord& own = *record++;
    const Result<void> done = store_.put(std::span(&own, 1));
    if (done) {
      taken.push_back(std::move(own));
      continue;
    }
    log::error("a receipt was refused by the store id=" + store::shown_id(own.receipt_id) + ": " +
               done.error().message);
    made.record.reset();
  }
  records = std::move(taken);
}

// Tries until the patience is over; a store that has failed before gets one try.
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

// A keyset is stored again once a day: a store deletes documents by the time when they were put there, and receipts of this keyset still come.
void ReceiptJournal::note_keyset(const identity::Epoch& epoch) {
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
  http::Response instead = api::error_response(unavailable(), reply.anthropic_dialect);
  instead.headers.emplace_back("x-request-id", reply.facts.request_id);
  reply.exchange->withhold(std::move(instead));
}

void ReceiptJournal::keep_in_memory(const std::vector<store::ReceiptRecord>& records) {
  const std::lock_guard lock(mutex_);
  memory_.insert(memory_.end(), records.begin(), records.end());
  for (; memory_.size() > options_.most_in_memory; ++lost_) memory_.pop_front();
}

// What waits in memory is written first; otherwise a write that changes nothing shows whether the store works.
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
  const Result<std::uint64_t> gone = store_.prune();
  if (!gone) return log::warn("old receipts cannot be deleted: " + gone.error().message);
  if (*gone > 0) log::info("receipts past their age or room deleted: " + std::to_string(*gone));
  if (const auto state = store_.state()) metrics_.set_stored(state->receipts);
}

}  // namespace cloister::receipts
