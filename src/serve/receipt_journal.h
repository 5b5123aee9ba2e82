// ReceiptJournal: turns finished requests into stored receipts, on one thread of its own and many at once, and lets the
// end of each reply go only when its receipt is stored. So a client that has a whole reply finds its receipt, whatever
// happens to this process next.
//
// When the store fails, the node either stops answering prompts until it works again, or goes on and keeps the newest
// receipts in memory; which of the two is the operator's choice, and /health says it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "http/server.h"
#include "serve/client_rates.h"
#include "serve/keyring.h"
#include "serve/metrics.h"
#include "serve/reply_facts.h"
#include "store/receipt_store.h"

namespace cloister::serve {

enum class OnStoreFailure {
  kRefuse,   // no reply without a stored receipt
  kServe,    // replies go out, receipts wait in memory, bounded
};

struct JournalOptions {
  OnStoreFailure on_failure = OnStoreFailure::kRefuse;
  std::size_t batch = 256;               // receipts of one transaction
  std::size_t most_waiting = 16'384;     // finished requests in the queue
  std::size_t most_in_memory = 10'000;   // with kServe: receipts that the store does not take
  int patience_ms = 3000;                // how long replies are held while the store fails, before it counts as failed
  int retry_ms = 1000;                   // how often a failed store is tried again
  int prune_s = 5;
  // Receipts of refusals of one owner that are stored: so many a minute, after so many at once. A refusal costs its caller nothing, and
  // without a limit the receipts of refusals would push the others out of the store.
  double refusals_per_minute = 60, refusals_at_once = 1000;
};

struct FinishedReply {
  ReplyFacts facts;
  std::shared_ptr<http::Exchange> exchange;   // holds the end of the reply; null when the client is gone
  bool in_band = false;                       // the receipt goes with the reply
  bool anthropic_dialect = false;             // form of an error in its place
};

struct JournalState {
  bool failing = false;
  std::string why;                  // of the store's last failure; for logs and operators
  std::size_t waiting = 0;
  std::size_t in_memory = 0;
  std::uint64_t stored = 0;         // since the start
  std::uint64_t lost = 0;           // with kServe: that no store took and memory had no room for
};

class ReceiptJournal {
 public:
  // All outlive it.
  ReceiptJournal(const Keyring& keyring, store::ReceiptStore& store, const Clock& clock, Metrics& metrics,
                 JournalOptions options = {});
  // Stores what waits, within the patience.
  ~ReceiptJournal();
  ReceiptJournal(const ReceiptJournal&) = delete;
  ReceiptJournal& operator=(const ReceiptJournal&) = delete;

  // Any thread; never waits for the store.
  void submit(FinishedReply reply);
  // Why no prompt is taken now.
  std::optional<Error> refusal() const;
  // By receipt id or the reply's; waits for the store.
  Result<std::optional<store::ReceiptRecord>> find(std::string_view id, const Owner& owner);
  JournalState state() const;
  OnStoreFailure on_failure() const { return options_.on_failure; }
  std::string_view store_type() const { return store_.type(); }

 private:
  // Replies and their receipts, which lie together as the store takes them.
  struct Batch {
    struct Made {
      FinishedReply reply;
      // Its place in `records`; absent: it could not be made, or the store refuses it, or it is a refusal too many.
      std::optional<std::size_t> record;
      bool is_surplus = false;   // a refusal too many: the reply goes out without a stored receipt
    };
    std::vector<Made> all;
    std::vector<store::ReceiptRecord> records;
  };
  void run();
  bool wait_for_work(std::unique_lock<std::mutex>& lock);
  void write(std::vector<FinishedReply> replies);
  Batch make(std::vector<FinishedReply> replies);
  bool is_surplus(const ReplyFacts& facts);
  Result<void> put(const std::vector<store::ReceiptRecord>& records);
  // The keysets that receipts name, so that an export holds what they are verified with.
  void note_keyset(const Epoch& epoch);
  Result<void> put_keysets();
  void put_one_by_one(Batch& batch);
  void store_failed(const Error& error);
  void store_works();
  void let_go(const FinishedReply& reply, const store::ReceiptRecord& record, bool stored);
  void withhold(FinishedReply& reply);
  void keep_in_memory(const std::vector<store::ReceiptRecord>& records);
  void try_again();
  void prune();

  const Keyring& keyring_;
  store::ReceiptStore& store_;
  const Clock& clock_;
  Metrics& metrics_;
  const JournalOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<FinishedReply> queue_;
  std::deque<store::ReceiptRecord> memory_;
  std::string why_;
  std::uint64_t stored_ = 0;
  std::uint64_t lost_ = 0;
  bool stopping_ = false;
  std::atomic<bool> failing_{false};
  std::chrono::steady_clock::time_point next_prune_;
  // Of the journal's thread alone.
  ClientRates refusals_;
  std::map<std::string, UnixSeconds> kept_keysets_;          // by digest, when they were stored
  std::map<std::string, std::string> keysets_;               // to be stored: digest and document
  std::thread thread_;
};

}  // namespace cloister::serve
