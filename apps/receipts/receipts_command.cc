// cloister receipts: looks into a store of receipts, exports and imports them; also while a node has the store open.
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "apps/commands.h"
#include "apps/numbers.h"
#include "apps/output.h"
#include "apps/receipts/output_file.h"
#include "apps/receipts/store_options.h"
#include "base/encoding.h"
#include "base/file.h"
#include "base/file_descriptor.h"
#include "evidence/aci/receipt.h"
#include "store/exchange/exchange.h"
#include "store/exchange/export_line.h"
#include "store/exchange/sealed_line.h"

namespace cloister::apps {
namespace {

struct ReceiptsOptions {
  StoreChoice store;
  std::string since, until;
  std::string out;   // export
  std::string file;  // import
  std::vector<std::string> keysets;
  std::string id, owner;  // show
  std::uint64_t limit = 0;
  bool json = false;
  bool plain = false;  // export
};

// By a clock that stands still at 1970 every receipt is new.
const Clock& no_time() {
  static const FakeClock clock(0);
  return clock;
}

Result<store::ExportRange> range_of(const ReceiptsOptions& options) {
  store::ExportRange range;
  const auto time = [](const char* name, const std::string& text) {
    Result<UnixSeconds> parsed = from_rfc3339(text);
    return parsed ? parsed
                  : Result<UnixSeconds>(fail(ErrorCode::kUsage, std::string(name) + ": " + parsed.error().message));
  };
  if (!options.since.empty()) {
    TRY(since, time("--since", options.since));
    range.since = since;
  }
  if (!options.until.empty()) {
    TRY(until, time("--until", options.until));
    range.until = until;
  }
  return range;
}

// Prints a line on the terminal for about every thousandth receipt, and always for what is left out.
store::ExchangeWatch watch_for(const char* verb) {
  store::ExchangeWatch watch;
  watch.stop = &stop_on_signals();
  watch.left_out = watch.kept = [](const std::string& complaint) { complain("receipts", complaint); };
  if (is_terminal(stderr)) {
    watch.progress = [verb, last = std::uint64_t{0}](const store::ExchangeCount& count) mutable {
      if (count.receipts < last + 1000) return;
      last = count.receipts;
      print_bytes(stderr, "\r" + std::string(verb) + " " + std::to_string(count.receipts) + " receipts ...");
    };
  }
  return watch;
}

void print_count(const char* verb, const store::ExchangeCount& count) {
  if (is_terminal(stderr)) print_bytes(stderr, "\r");
  const auto amounts = [](std::uint64_t receipts, std::uint64_t documents) {
    return std::to_string(receipts) + " receipts and " + std::to_string(documents) + " documents";
  };
  const bool known = count.known + count.known_documents != 0;
  print_line(stderr, std::string(verb) + " " + amounts(count.receipts, count.documents) +
                         (known ? "; " + amounts(count.known, count.known_documents) + " were there already" : ""));
}

Result<int> run_export(const ReceiptsOptions& options) {
  TRY(range, range_of(options));
  TRY(keys, chosen_keys(options.store, store::Access::kExisting));
  TRY(store, open_chosen(options.store, keys, store::Access::kExisting, no_time()));
  TRY(out, OutputFile::open(options.out));
  TRY(count, store::export_receipts(*store, range, watch_for("exported"), [&](std::string_view line) {
        return out->write_line(options.plain ? std::string(line) : store::seal_export_line(line, *keys));
      }));
  TRY_VOID(out->finish());
  print_count("exported", count);
  return count.left_out == 0 ? kExitOk : kExitFailed;
}

// They are stored as well: an export of the store then has them.
Result<void> add_keysets(const std::vector<std::string>& files, store::SignedReceipts& signed_receipts,
                         store::ReceiptStore& store) {
  constexpr std::size_t kMostBytes = 1u << 20;
  for (const std::string& file : files) {
    TRY(text, read_file(file, kMostBytes));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    const Result<store::Document> keyset = signed_receipts.add_keyset(text, system_clock().now());
    if (!keyset) return fail(ErrorCode::kUsage, "--keyset " + file + ": " + keyset.error().message);
    TRY_VOID(store::import_document(store, *keyset));
  }
  return {};
}

Result<int> run_import(const ReceiptsOptions& options) {
  const bool standard = options.file == "-";
  const FileDescriptor file(standard ? ::dup(STDIN_FILENO) : ::open(options.file.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(ErrorCode::kUsage, "cannot open " + options.file + ": " + strerror(errno));
  TRY(keys, chosen_keys(options.store, store::Access::kCreate));
  TRY(store, open_chosen(options.store, keys, store::Access::kCreate, no_time()));
  store::SignedReceipts signed_receipts(*store);
  TRY_VOID(add_keysets(options.keysets, signed_receipts, *store));
  store::LineReader lines(file.get(), store::kMostSealedLineBytes);
  Result<store::ExchangeCount> count =
      store::import_receipts(lines, *store, *keys, signed_receipts, watch_for("imported"));
  if (!count)
    return fail(count.error().code, (standard ? "standard input" : options.file) + ", " + count.error().message);
  print_count("imported", *count);
  return kExitOk;
}

// What a stored text says about itself; nothing in it is verified here.
void print_row(const store::ReceiptRecord& record, bool json) {
  const Result<evidence::Receipt> receipt = evidence::parse_receipt(record.receipt);
  const std::string endpoint = receipt ? receipt->endpoint : "", model = receipt ? receipt->model.value_or("") : "";
  if (!json) {
    // Quoted as JSON text: no byte of it can move the cursor.
    const auto quoted = [](const std::string& text) {
      return Json(text).dump(-1, ' ', true, Json::error_handler_t::replace);
    };
    say(to_rfc3339(record.served_at) + "  " + quoted(record.receipt_id) + "  " + quoted(endpoint) + "  " +
        quoted(model));
    return;
  }
  const Json row = {{"receipt_id", record.receipt_id}, {"served_at", record.served_at}, {"reply_ids", record.reply_ids},
                    {"owner", to_hex(record.owner)},   {"endpoint", endpoint},          {"model", model},
                    {"bytes", record.receipt.size()}};
  print_json(row);
}

Result<int> run_list(const ReceiptsOptions& options) {
  TRY(range, range_of(options));
  TRY(keys, chosen_keys(options.store, store::Access::kExisting));
  TRY(store, open_chosen(options.store, keys, store::Access::kExisting, no_time()));
  const std::atomic<bool>& stop = stop_on_signals();
  store::ReceiptStore::Position after{range.since, ""};
  for (std::uint64_t left = options.limit == 0 ? UINT64_MAX : options.limit; left > 0;) {
    TRY(page, store->list(after, static_cast<std::size_t>(std::min<std::uint64_t>(left, 256))));
    if (page.empty()) break;
    for (const store::ReceiptRecord& record : page) {
      if (range.until && record.served_at > *range.until) return kExitOk;
      print_row(record, options.json);
      --left;
    }
    after = {page.back().served_at, page.back().receipt_id};
    if (!flush_output()) return kExitFailed;
    if (stop) return kExitInterrupted;
  }
  return kExitOk;
}

Result<int> run_show(const ReceiptsOptions& options) {
  Owner owner{};
  if (!options.owner.empty()) {
    const Result<ByteArray<16>> bytes = from_hex_exactly<16>(options.owner);
    if (!bytes) return fail(ErrorCode::kUsage, "--owner: " + bytes.error().message);
    owner = *bytes;
  }
  TRY(keys, chosen_keys(options.store, store::Access::kExisting));
  TRY(store, open_chosen(options.store, keys, store::Access::kExisting, no_time()));
  TRY(record, store->find(options.id, owner));
  if (!record || (!options.owner.empty() && record->owner != owner))
    return fail(ErrorCode::kNotFound, "no receipt of this id is stored");
  TRY(out, OutputFile::open("-"));
  if (options.json) {
    TRY(line, store::write_export_line(*std::move(record)));
    TRY_VOID(out->write_line(line));
  } else {
    TRY_VOID(out->write_line(record->receipt));
  }
  TRY_VOID(out->finish());
  return kExitOk;
}

int status_of(const Error& error) {
  switch (error.code) {
    case ErrorCode::kUsage: return kExitUsage;
    case ErrorCode::kCancelled: return kExitInterrupted;
    default: return kExitFailed;
  }
}

void add_range(CLI::App& command, ReceiptsOptions& options) {
  command.add_option("--since", options.since, "served at this time or later, RFC 3339 in UTC");
  command.add_option("--until", options.until, "served at this time or earlier");
}

}  // namespace

void add_receipts_command(CLI::App& app, int& exit_status) {
  CLI::App* command = app.add_subcommand(
      "receipts",
      "list, show, export and import the receipts of a store; an import takes only signed receipts and verifies nothing else");
  command->require_subcommand(1);
  auto options = std::make_shared<ReceiptsOptions>();
  const auto add = [&](const char* name, const char* text, Result<int> (*run)(const ReceiptsOptions&)) {
    CLI::App* sub = command->add_subcommand(name, text);
    sub->callback([options, run, name, &exit_status] {
      const Result<int> status = run(*options);
      exit_status = status ? *status : status_of(status.error());
      if (!status) complain("receipts " + std::string(name), status.error().message);
    });
    return sub;
  };

  CLI::App* list = add("list", "one line each, in the order of time", run_list);
  add_range(*list, *options);
  list->add_option("--limit", options->limit, "at most this many; default: all")
      ->check(whole_number_in(1, 1'000'000'000));
  list->add_flag("--json", options->json, "one JSON object a line");

  CLI::App* show = add("show", "the text of one receipt, as it was served", run_show);
  show->add_option("ID", options->id, "id of the receipt or of the reply")->required();
  show->add_option("--owner", options->owner, "only a receipt of this owner, 32 hex digits (see list --json)");
  show->add_flag("--json", options->json, "with everything that is stored with it, in the form of an export");

  CLI::App* exporting =
      add("export", "lines of JSON with the documents that receipts name (docs/spec/receipt-export.md)", run_export);
  add_range(*exporting, *options);
  exporting->add_option("--out", options->out,
                        "a file with mode 0600 that appears when it is complete; default: standard output");

  exporting->add_flag("--plain", options->plain,
                      "do not encrypt: anybody who reads the export can test guesses of the bodies against its hashes");

  CLI::App* importing =
      add("import", "store the lines of an export; lines that are stored already change nothing", run_import);
  importing->add_option("FILE", options->file, "- is standard input")->required();
  importing->add_option(
      "--keyset", options->keysets,
      "a keyset that neither the export nor the store has, as GET /v1/cloister/keyset gives it; repeatable");

  for (CLI::App* sub : {list, show, exporting, importing}) bind_store_options(*sub, options->store);
}

}  // namespace cloister::apps
