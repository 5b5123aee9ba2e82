// ReceiptJournal: turns finished requests into stored receipts, on threads of its own and many at once, and releases
// the end of each reply only when the reply's receipt is stored. So a client that has a whole reply finds its receipt,
// whatever happens to this process next.
//
// Each thread makes receipts, which is mostly signing. When no thread is storing, one stores all that have been made so
// far in one transaction, and continues until none is left; meanwhile the others make the next ones. A single reply is
// made and stored by one thread, without a second hand-over.
//
// When the store fails, the node either stops answering prompts until the store works again, or continues and keeps the
// newest receipts in memory; the operator chooses which, and /health shows it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/client_rates.h"
#include "base/clock.h"
#include "http/exchange.h"
#include "identity/keyring.h"
#include "receipts/receipt_metrics.h"
#include "receipts/reply_facts.h"
#include "store/receipt_store.h"

namespace cloister::receipts {

enum class OnStoreFailure {
  kRefuse,  // no reply without a stored receipt
  kServe,   // replies are sent, receipts wait in memory, bounded
};

struct JournalOptions {
  OnStoreFailure on_failure = OnStoreFailure::kRefuse;
  unsigned threads = 0;                 // threads that make receipts; 0: one for each two cores, 2 to 8
  std::size_t batch = 256;              // receipts in one transaction
  std::size_t most_waiting = 16'384;    // finished requests in the queue
  std::size_t most_in_memory = 10'000;  // with kServe: receipts that the store does not accept
  int patience_ms = 3000;               // how long replies are held while the store fails, before it counts as failed
  int retry_ms = 1000;                  // how often a failed store is tried again
  int prune_s = 5;
  // How many receipts of refusals are stored for one owner: this many a minute, after this many at once; and as many of
  // replies that took no computation. Both cost their caller nothing, and without a limit their receipts would push the
  // others out of the store.
  double cheap_per_minute = 60, cheap_at_once = 1000;
  std::set<std::string> cheap_endpoints;  // paths of requests whose replies take no computation
};

struct FinishedReply {
  ReplyFacts facts;
  std::shared_ptr<http::Exchange> exchange;  // holds the end of the reply; null when the client is gone
  bool in_band = false;                      // the receipt goes with the reply
  bool anthropic_dialect = false;            // form of an error that replaces the reply
};

struct JournalState {
  bool failing = false;
  std::string why;  // the reason of the store's last failure; for logs and operators
  std::size_t waiting = 0;
  std::size_t in_memory = 0;
  std::uint64_t stored = 0;  // since the start
  std::uint64_t lost = 0;    // with kServe: receipts that no store accepted and memory had no room for
};

class ReceiptJournal {
 public:
  // All arguments outlive it.
  ReceiptJournal(const identity::Keyring& keyring, store::ReceiptStore& store, const Clock& clock,
                 ReceiptMetrics& metrics, JournalOptions options = {});
  // Stores what is waiting, within the patience.
  ~ReceiptJournal();
  ReceiptJournal(const ReceiptJournal&) = delete;
  ReceiptJournal& operator=(const ReceiptJournal&) = delete;

  // Any thread; never waits for the store.
  void submit(FinishedReply reply);
  // Why no prompt is accepted now; absent when prompts are accepted.
  std::optional<Error> refusal() const;
  // Finds a receipt of this owner, or one of callers without a token, by the receipt's id or the reply's; waits for the
  // store. `event_hashes`: store::FindOptions.
  Result<std::optional<store::ReceiptRecord>> find(std::string_view id, const Owner& owner, bool event_hashes);
  JournalState state() const;
  OnStoreFailure on_failure() const { return options_.on_failure; }
  std::string_view store_type() const { return store_.type(); }

 private:
  // A reply and its receipt.
  struct Made {
    FinishedReply reply;
    // Absent when it could not be made, when the store refuses it, or when it is a cheap one too many.
    std::optional<store::ReceiptRecord> record;
    bool is_surplus = false;  // a cheap one too many: the reply is sent without a stored receipt
  };
  using Lock = std::unique_lock<std::mutex>;

  void run();
  void wait_for_work(Lock& lock);
  void make_some(Lock& lock);
  void store_all(Lock& lock);
  void prune_when_due(Lock& lock);
  Made make(FinishedReply reply);
  bool is_surplus(const ReplyFacts& facts);
  void write(std::vector<Made> batch);
  Result<void> put(const std::vector<store::ReceiptRecord>& records);
  // The keysets that receipts name, so that an export holds what they are verified with.
  void note_keyset(const identity::Epoch& epoch);
  Result<void> put_keysets();
  void put_one_by_one(std::vector<Made>& batch, std::vector<store::ReceiptRecord>& records);
  void store_failed(const Error& error);
  void store_works();
  void let_go(const FinishedReply& reply, const store::ReceiptRecord& record, bool stored);
  void withhold(FinishedReply& reply);
  void keep_in_memory(const std::vector<store::ReceiptRecord>& records);
  void try_again();
  void prune();

  const identity::Keyring& keyring_;
  store::ReceiptStore& store_;
  const Clock& clock_;
  ReceiptMetrics& metrics_;
  const JournalOptions options_;

  mutable std::mutex mutex_;  // guards the members of this block
  std::condition_variable wake_;
  std::deque<FinishedReply> queue_;
  std::deque<Made> made_;
  bool storing_ = false;    // some thread is storing what was made
  bool pruning_ = false;    // some thread is deleting old receipts
  std::size_t idle_ = 0;    // threads that wait for work
  std::size_t called_ = 0;  // how many of those were woken
  std::deque<store::ReceiptRecord> memory_;
  std::string why_;
  std::uint64_t stored_ = 0;
  std::uint64_t lost_ = 0;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point next_prune_;

  std::atomic<bool> failing_{false};
  std::mutex cheap_mutex_;  // guards the next member
  ClientRates cheap_;
  // These two belong to the thread that stores (storing_).
  std::map<std::string, UnixSeconds> kept_keysets_;  // by digest, when they were stored
  std::map<std::string, std::string> keysets_;       // to be stored: digest and document
  std::vector<std::thread> threads_;
};

}  // namespace cloister::receipts
