#include "store/postgres/postgres_store.h"

#include <mutex>

#include "db/postgres/pool.h"
#include "store/postgres/pq_reader.h"
#include "store/postgres/pq_schema.h"
#include "store/postgres/pq_writer.h"
#include "store/record.h"

namespace cloister::store {
namespace {

// How long a call waits for a server that comes back. A person asks for a receipt; storing one holds a reply back.
constexpr std::int64_t kReadPatienceMs = 1000;
constexpr std::int64_t kWritePatienceMs = 3000;

class PostgresStore : public ReceiptStore {
 public:
  explicit PostgresStore(const StoreOptions& options)
      : options_(options), pool_(options.postgres_file, options.durability), ages_(*options.clock, *options.steady) {}

  Result<void> prepare() {
    return pool_.with(kReadPatienceMs, [&](db::postgres::Connection& connection) {
      return prepare_tables(connection, options_.access, *options_.keys);
    });
  }

  std::string_view type() const override { return "postgresql"; }

  Result<void> put(std::span<const ReceiptRecord> batch) override {
    if (batch.empty()) return {};
    for (const ReceiptRecord& record : batch) TRY_VOID(check_record(record));
    TRY(sorted, in_order(batch));
    return write([&](db::postgres::Connection& connection) { return pq_put(connection, sorted, *options_.keys); });
  }

  Result<std::optional<ReceiptRecord>> find(std::string_view id, const Owner& owner,
                                            const FindOptions& options) override {
    return read([&](db::postgres::Connection& connection) {
      return pq_find(connection, id, owner, horizon(), *options_.keys, options);
    });
  }

  Result<std::vector<ReceiptRecord>> list(const Position& after, std::size_t limit) override {
    return read([&](db::postgres::Connection& connection) {
      return pq_list(connection, after, limit, horizon(), *options_.keys);
    });
  }

  Result<void> put_document(const Document& document) override {
    TRY_VOID(check_document(document));
    return write([&](db::postgres::Connection& connection) { return pq_put_document(connection, document); });
  }

  Result<std::optional<Document>> find_document(std::string_view kind, std::string_view key) override {
    TRY(found, find_documents(key));
    for (Document& each : found) {
      if (each.kind == kind) return std::optional(std::move(each));
    }
    return std::optional<Document>();
  }

  Result<std::vector<Document>> find_documents(std::string_view key) override {
    return read([&](db::postgres::Connection& connection) { return pq_documents(connection, key); });
  }

  Result<StoreState> state() override { return read(pq_state); }

  Result<std::uint64_t> prune() override {
    const std::lock_guard one_at_a_time(prune_mutex_);
    TRY(time, age());
    const StoreLimits& limits = options_.limits;
    const UnixSeconds oldest = cut_off(time, limits.receipt_age_s);
    TRY(hashes, repeat([&](db::postgres::Connection& c) {
          return pq_drop_event_hashes_before(c, cut_off(time, limits.event_hash_age_s));
        }));
    TRY(old, repeat([&](db::postgres::Connection& c) { return pq_drop_receipts_before(c, oldest); }));
    TRY(documents, repeat([&](db::postgres::Connection& c) {
          return pq_drop_documents_before(c, cut_off(oldest, kDocumentsOutlive_s));
        }));
    TRY(more_hashes, repeat([&](db::postgres::Connection& c) { return pq_drop_event_hashes_over(c, limits.bytes); }));
    TRY(first, repeat([&](db::postgres::Connection& c) { return pq_drop_receipts_over(c, limits.bytes); }));
    (void)hashes, (void)documents, (void)more_hashes;
    return old + first;
  }

 private:
  template <typename Work>
  auto read(Work work) -> decltype(work(std::declval<db::postgres::Connection&>())) {
    return pool_.with(kReadPatienceMs, work);
  }
  template <typename Work>
  auto write(Work work) -> decltype(work(std::declval<db::postgres::Connection&>())) {
    return pool_.with(kWritePatienceMs, work);
  }

  Horizon horizon() const {
    const UnixSeconds now = options_.clock->now();
    return {cut_off(now, options_.limits.receipt_age_s), cut_off(now, options_.limits.event_hash_age_s)};
  }

  // Each replica follows its own clock, and begins at the time that was saved last by any of them.
  Result<UnixSeconds> age() {
    if (!ages_.begun()) {
      TRY(known, read(pq_known_times));
      ages_.begin(known.aged_to, known.newest);
    }
    const UnixSeconds time = ages_.advance();
    if (const auto moved = ages_.to_save()) {
      TRY_VOID(write([&](db::postgres::Connection& connection) { return pq_set_aged_to(connection, *moved); }));
      ages_.was_saved();
    }
    return time;
  }

  template <typename Step>
  Result<std::uint64_t> repeat(Step step) {
    std::uint64_t all = 0;
    while (true) {
      TRY(count, write(step));
      if (count <= 0) return all;
      all += static_cast<std::uint64_t>(count);
    }
  }

  const StoreOptions options_;
  db::postgres::Pool pool_;
  std::mutex prune_mutex_;  // guards the members of this block
  AgeLine ages_;
};

}  // namespace

Result<std::unique_ptr<ReceiptStore>> open_postgres_store(const StoreOptions& options) {
  auto store = std::make_unique<PostgresStore>(options);
  TRY_VOID(store->prepare());
  return std::unique_ptr<ReceiptStore>(std::move(store));
}

}  // namespace cloister::store
