#include "store/sqlite/sqlite_store.h"

#include <condition_variable>
#include <mutex>
#include <vector>

#include "base/fair_mutex.h"
#include "db/sqlite/checkpointer.h"
#include "db/sqlite/file.h"
#include "store/record.h"
#include "store/sqlite/reader.h"
#include "store/sqlite/tables.h"
#include "store/sqlite/writer.h"

namespace cloister::store {
namespace {

constexpr std::size_t kMostReaders = 4;

// A connection that reads, and its prepared statements.
struct ReadingConnection {
  std::unique_ptr<db::sqlite::Connection> connection;
  std::unique_ptr<Reader> reader;
};

class SqliteStore : public ReceiptStore {
 public:
  static Result<std::unique_ptr<ReceiptStore>> open(const StoreOptions& options) {
    std::unique_ptr<SqliteStore> store(new SqliteStore(options));
    TRY(connection, options.memory ? open_memory(*options.keys) : open_writer(options));
    store->connection_ = std::move(connection);
    TRY(reader, Reader::make(*store->connection_, *options.keys));
    store->own_reader_ = std::move(reader);
    TRY(writer, Writer::make(*store->connection_, *store->own_reader_, *options.keys));
    store->writer_ = std::move(writer);
    if (options.memory) return std::unique_ptr<ReceiptStore>(std::move(store));
    TRY(checkpointer, db::sqlite::Checkpointer::start(*store->connection_));
    store->checkpointer_ = std::move(checkpointer);
    return std::unique_ptr<ReceiptStore>(std::move(store));
  }

  std::string_view type() const override { return options_.memory ? "memory" : "sqlite"; }

  Result<void> put(std::span<const ReceiptRecord> batch) override {
    if (batch.empty()) return {};
    for (const ReceiptRecord& record : batch) TRY_VOID(check_record(record));
    const std::lock_guard lock(write_mutex_);
    return writer_->put(batch);
  }

  Result<std::optional<ReceiptRecord>> find(std::string_view id, const Owner& owner,
                                            const FindOptions& options) override {
    return read([&](Reader& reader) { return reader.find(id, owner, horizon(), options); });
  }

  Result<std::vector<ReceiptRecord>> list(const Position& after, std::size_t limit) override {
    return read([&](Reader& reader) { return reader.list(after, limit, horizon()); });
  }

  Result<void> put_document(const Document& document) override {
    TRY_VOID(check_document(document));
    const std::lock_guard lock(write_mutex_);
    return writer_->put_document(document);
  }

  Result<std::optional<Document>> find_document(std::string_view kind, std::string_view key) override {
    if (kind.empty()) return std::optional<Document>();
    TRY(found, read([&](Reader& reader) { return reader.documents(kind, key); }));
    return found.empty() ? std::optional<Document>() : std::optional(std::move(found[0]));
  }

  Result<std::vector<Document>> find_documents(std::string_view key) override {
    return read([&](Reader& reader) { return reader.documents({}, key); });
  }

  Result<StoreState> state() override {
    return read([](Reader& reader) { return reader.state(); });
  }

  Result<std::uint64_t> prune() override {
    const std::lock_guard one_at_a_time(prune_mutex_);
    {
      const std::lock_guard lock(write_mutex_);
      TRY_VOID(writer_->index_all());
      TRY(wiped, wipe_plain_pages(*connection_));
      (void)wiped;
    }
    TRY(time, age());
    const StoreLimits& limits = options_.limits;
    TRY(hashes, repeat([&] { return writer_->drop_event_hashes_before(cut_off(time, limits.event_hash_age_s)); }));
    TRY(old, repeat([&] { return writer_->drop_receipts_before(cut_off(time, limits.receipt_age_s)); }));
    TRY(documents, repeat([&] {
          return writer_->drop_documents_before(cut_off(cut_off(time, limits.receipt_age_s), kDocumentsOutlive_s));
        }));
    TRY(more_hashes, repeat([&] { return writer_->drop_event_hashes_over(limits.bytes); }));
    TRY(first, repeat([&] { return writer_->drop_receipts_over(limits.bytes); }));
    (void)hashes, (void)documents, (void)more_hashes;
    TRY_VOID(shrink());
    return old + first;
  }

 private:
  explicit SqliteStore(const StoreOptions& options) : options_(options), ages_(*options.clock, *options.steady) {}

  Horizon horizon() const {
    const UnixSeconds now = options_.clock->now();
    return {cut_off(now, options_.limits.receipt_age_s), cut_off(now, options_.limits.event_hash_age_s)};
  }

  // Calls `ask` with a reader that no other thread uses during the call.
  template <typename Ask>
  auto read(Ask ask) -> decltype(ask(std::declval<Reader&>())) {
    if (options_.memory) {
      const std::lock_guard lock(write_mutex_);
      return ask(*own_reader_);
    }
    TRY(lent, borrow());
    auto answer = ask(*lent.reader);
    give_back(std::move(lent));
    return answer;
  }

  Result<ReadingConnection> borrow() {
    {
      std::unique_lock lock(readers_mutex_);
      reader_free_.wait(lock, [&] { return !readers_.empty() || readers_made_ < kMostReaders; });
      if (!readers_.empty()) {
        ReadingConnection one = std::move(readers_.back());
        readers_.pop_back();
        return one;
      }
      ++readers_made_;
    }
    Result<ReadingConnection> made = make_reader();
    if (made) return made;
    {
      const std::lock_guard lock(readers_mutex_);
      --readers_made_;
    }
    reader_free_.notify_one();
    return made;
  }

  Result<ReadingConnection> make_reader() {
    ReadingConnection one;
    TRY(connection, db::sqlite::open_reader(*connection_));
    one.connection = std::move(connection);
    TRY(reader, Reader::make(*one.connection, *options_.keys));
    one.reader = std::move(reader);
    return one;
  }

  void give_back(ReadingConnection one) {
    {
      const std::lock_guard lock(readers_mutex_);
      readers_.push_back(std::move(one));
    }
    reader_free_.notify_one();
  }

  Result<UnixSeconds> age() {
    if (!ages_.begun()) {
      const std::lock_guard lock(write_mutex_);
      TRY(totals, writer_->totals());
      TRY(newest, writer_->newest_served());
      ages_.begin(totals.aged_to, newest);
    }
    const UnixSeconds time = ages_.advance();
    if (const auto moved = ages_.to_save()) {
      const std::lock_guard lock(write_mutex_);
      TRY_VOID(writer_->set_aged_to(*moved));
      ages_.was_saved();
    }
    return time;
  }

  // Repeats until nothing is left to drop; a waiting writer gets its turn between two steps.
  template <typename Step>
  Result<std::uint64_t> repeat(Step step) {
    std::uint64_t all = 0;
    while (true) {
      const std::lock_guard lock(write_mutex_);
      TRY(count, step());
      if (count <= 0) return all;
      all += static_cast<std::uint64_t>(count);
    }
  }

  Result<void> shrink() {
    for (bool more = !options_.memory; more;) {
      const std::lock_guard lock(write_mutex_);
      TRY(shrunk, writer_->shrink());
      more = shrunk;
    }
    return {};
  }

  const StoreOptions options_;

  FairMutex write_mutex_;  // guards the members of this block
  std::unique_ptr<db::sqlite::Connection> connection_;
  std::unique_ptr<Reader> own_reader_;
  std::unique_ptr<Writer> writer_;
  std::unique_ptr<db::sqlite::Checkpointer> checkpointer_;  // null in memory

  std::mutex readers_mutex_;  // guards the members of this block
  std::condition_variable reader_free_;
  std::vector<ReadingConnection> readers_;
  std::size_t readers_made_ = 0;

  std::mutex prune_mutex_;  // guards the members of this block; taken before write_mutex_
  AgeLine ages_;
};

}  // namespace

Result<std::unique_ptr<ReceiptStore>> open_sqlite_store(const StoreOptions& options) {
  return SqliteStore::open(options);
}

}  // namespace cloister::store
