#include "store/exchange/exchange.h"

#include <algorithm>
#include <set>

#include "store/exchange/export_line.h"
#include "store/exchange/named_document.h"
#include "store/exchange/sealed_line.h"

namespace cloister::store {
namespace {

constexpr std::size_t kPage = 256;
constexpr std::size_t kBatch = 256;
constexpr std::size_t kBatchBytes = 16u << 20;

bool stopped(const ExchangeWatch& watch) { return watch.stop != nullptr && watch.stop->load(); }
Error cancelled() { return fail(ErrorCode::kCancelled, "interrupted"); }

// Every "sha256:<64 hex>" that is a whole string in the text.
std::set<std::string> digests_in(std::string_view text) {
  constexpr std::string_view kBegin = "\"sha256:";
  constexpr std::size_t kSize = 7 + 64;
  std::set<std::string> out;
  for (std::size_t at = text.find(kBegin); at != std::string_view::npos; at = text.find(kBegin, at + 1)) {
    const std::string_view key = text.substr(at + 1, kSize);
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    if (key.size() == kSize && text.substr(at + 1 + kSize, 1) == "\"" &&
        std::all_of(key.begin() + 7, key.end(), is_hex))
      out.emplace(key);
  }
  return out;
}

class Exporter {
 public:
  Exporter(ReceiptStore& store, const ExchangeWatch& watch, const std::function<Result<void>(std::string_view)>& write)
      : store_(store), watch_(watch), write_(write) {}

  Result<void> add(ReceiptRecord record) {
    const std::set<std::string> named = digests_in(record.receipt);
    const std::string id = record.receipt_id;
    const Result<std::string> line = write_export_line(std::move(record));
    if (!line) return leave_out("the receipt stored as " + printable(id), line.error());
    for (const std::string& key : named) TRY_VOID(add_documents(key));
    TRY_VOID(write_(*line));
    ++count_.receipts;
    return {};
  }
  const ExchangeCount& count() const { return count_; }

 private:
  Result<void> add_documents(const std::string& key) {
    if (written_.contains(key)) return {};
    TRY(documents, store_.find_documents(key));
    for (const Document& each : documents) {
      Result<std::string> line = write_export_line(each);
      // An import would stop at it.
      if (const auto named = check_named(each); line && !named) line = named.error();
      if (!line) {
        TRY_VOID(leave_out("a document of " + key, line.error()));
        continue;
      }
      TRY_VOID(write_(*line));
      ++count_.documents;
    }
    // Most digests in a receipt are those of bodies: they are asked for once, and not remembered.
    if (!documents.empty()) written_.insert(key);
    return {};
  }

  Result<void> leave_out(const std::string& what, const Error& why) {
    ++count_.left_out;
    watch_.left_out(what + " is left out: " + why.message);
    return {};
  }

  // Stored text may hold anything, and this goes to a terminal.
  static std::string printable(std::string text) {
    for (char& c : text) {
      if (c < ' ' || c > '~') c = '?';
    }
    return text;
  }

  ReceiptStore& store_;
  const ExchangeWatch& watch_;
  const std::function<Result<void>(std::string_view)>& write_;
  std::set<std::string> written_;
  ExchangeCount count_;
};

class Importer {
 public:
  Importer(ReceiptStore& store, SignedReceipts& signed_receipts, const ExchangeWatch& watch)
      : store_(store), signed_receipts_(signed_receipts), watch_(watch) {}

  Result<void> add(ExportItem item, std::uint64_t line) {
    if (const auto* document = std::get_if<Document>(&item)) {
      if (Result<void> added = signed_receipts_.add(*document); !added) return at(line, added.error());
      const Result<Imported> imported = import_document(store_, *document);
      if (!imported) return at(line, imported.error());
      ++(*imported == Imported::kAdded ? count_.documents : count_.known_documents);
      if (*imported == Imported::kOtherStays) {
        watch_.kept("line " + std::to_string(line) + ": another " + document->kind + " of " + document->key +
                    " is stored, and stays");
      }
      return {};
    }
    auto& record = std::get<ReceiptRecord>(item);
    if (Result<void> checked = signed_receipts_.check(record); !checked) return at(line, checked.error());
    bytes_ += record.receipt.size() + record.event_hashes.size();
    batch_.push_back(std::move(record));
    numbers_.push_back(line);
    return batch_.size() >= kBatch || bytes_ >= kBatchBytes ? flush() : Result<void>();
  }

  Result<void> flush() {
    TRY(known, count_known());
    Result<void> put = store_.put(batch_);
    if (!put && put.error().code == ErrorCode::kStoreConflict) put = one_by_one();
    if (put) count_.receipts += batch_.size() - known;
    if (put) count_.known += known;
    batch_.clear();
    numbers_.clear();
    bytes_ = 0;
    return put;
  }
  static Error at(std::uint64_t line, const Error& error) {
    return fail(error.code, "line " + std::to_string(line) + ": " + error.message, error.param);
  }
  const ExchangeCount& count() const { return count_; }

 private:
  // How many of the batch are already stored, or occur twice in it.
  Result<std::uint64_t> count_known() {
    std::uint64_t known = 0;
    std::set<std::string_view> seen;
    for (const ReceiptRecord& record : batch_) {
      const bool again = !seen.insert(record.receipt_id).second;
      TRY(stored, store_.find(record.receipt_id, record.owner));
      if (again || (stored && stored->receipt_id == record.receipt_id)) ++known;
    }
    return known;
  }

  // Stores one by one, in order to say which line failed and keep those before it.
  Result<void> one_by_one() {
    for (std::size_t i = 0; i < batch_.size(); ++i) {
      const Result<void> put = store_.put(std::span(batch_).subspan(i, 1));
      if (!put) return at(numbers_[i], put.error());
    }
    return {};
  }

  ReceiptStore& store_;
  SignedReceipts& signed_receipts_;
  const ExchangeWatch& watch_;
  std::vector<ReceiptRecord> batch_;
  std::vector<std::uint64_t> numbers_;
  std::size_t bytes_ = 0;
  ExchangeCount count_;
};

}  // namespace

Result<ExchangeCount> export_receipts(ReceiptStore& store, const ExportRange& range, const ExchangeWatch& watch,
                                      const std::function<Result<void>(std::string_view line)>& write) {
  Exporter exporter(store, watch, write);
  ReceiptStore::Position after{range.since, ""};
  while (true) {
    if (stopped(watch)) return cancelled();
    TRY(page, store.list(after, kPage));
    for (ReceiptRecord& record : page) {
      if (range.until && record.served_at > *range.until) return exporter.count();
      after = {record.served_at, record.receipt_id};
      TRY_VOID(exporter.add(std::move(record)));
    }
    watch.progress(exporter.count());
    if (page.empty()) return exporter.count();
  }
}

Result<Imported> import_document(ReceiptStore& store, const Document& document) {
  TRY(stored, store.find_document(document.kind, document.key));
  // What is stored and is not what its key says proves nothing, and must not keep the genuine one out.
  if (!stored || (stored->text != document.text && !check_named(*stored))) {
    TRY_VOID(store.put_document(document));
    return Imported::kAdded;
  }
  const bool is_report = document.kind.starts_with(kReportKinds);
  // The digest of another spelling is the same.
  const bool has_digest = document.kind == kKeysetKind || document.kind == kPolicyKind;
  const bool is_same = stored->text == document.text || has_digest;
  if (!is_same && !is_report) {
    return fail(ErrorCode::kStoreConflict, "a document of the kind " + Json(document.kind).dump() + " and the key " +
                                               document.key + " is stored with another content");
  }
  // It lasts as long as the receipts that come with this one.
  if (document.made > stored->made) {
    stored->made = document.made;
    TRY_VOID(store.put_document(*stored));
  }
  return is_same ? Imported::kKnown : Imported::kOtherStays;
}

namespace {

Result<ExportItem> read_line(std::string_view line, const StoreKeys& keys) {
  if (!is_sealed_export_line(line)) return parse_export_line(line, keys);
  TRY(plain, open_export_line(line, keys));
  return parse_export_line(plain, keys);
}

}  // namespace

Result<ExchangeCount> import_receipts(LineReader& lines, ReceiptStore& store, const StoreKeys& keys,
                                      SignedReceipts& signed_receipts, const ExchangeWatch& watch) {
  Importer importer(store, signed_receipts, watch);
  std::optional<Error> error;
  while (!error) {
    if (stopped(watch)) {
      error = cancelled();
      break;
    }
    const Result<std::optional<std::string_view>> line = lines.next();
    if (!line) {
      if (line.error().code == ErrorCode::kCancelled && !stopped(watch)) continue;  // a signal that has no meaning here
      error = line.error().code == ErrorCode::kTooLarge ? Importer::at(lines.number(), line.error()) : line.error();
      break;
    }
    if (!*line) {
      // The signal that ends this process often ends the writing process, too: then this is not the end of its data.
      if (stopped(watch)) error = cancelled();
      break;
    }
    Result<ExportItem> item = read_line(**line, keys);
    if (!item) {
      error = Importer::at(lines.number(), item.error());
      break;
    }
    if (Result<void> added = importer.add(*std::move(item), lines.number()); !added) {
      error = added.error();
      break;
    }
    watch.progress(importer.count());
  }
  TRY_VOID(importer.flush());
  if (error) return *std::move(error);
  return importer.count();
}

}  // namespace cloister::store
