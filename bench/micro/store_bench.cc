// Measures what storing and finding receipts costs and prints one JSON object: store_bench put|fill|find (--help).
// bench/store runs it.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/file_descriptor.h"
#include "base/json.h"
#include "crypto/hash.h"
#include "store/open_store.h"
#include "store/receipt_id.h"

namespace {

using namespace cloister;  // NOLINT(google-build-using-namespace)
using Steady = std::chrono::steady_clock;

struct Options {
  store::StoreOptions store;
  std::string file, postgres_file, durability = "kill";
  std::size_t batch = 64, receipt_bytes = 1500, hashes = 0;
  std::uint64_t count = 1'000'000;
  double seconds = 3;
};

double seconds_since(Steady::time_point begun) { return std::chrono::duration<double>(Steady::now() - begun).count(); }

// The same number gives the same reply id, so that a filled store can be queried without a list of ids.
std::string reply_id(std::uint64_t number) {
  char text[48];
  std::snprintf(text, sizeof text, "chatcmpl-%016llx%08llx",
                static_cast<unsigned long long>(number * 0x9e3779b97f4a7c15ull),
                static_cast<unsigned long long>(number));
  return text;
}

Owner owner_of(std::uint64_t number) { return {static_cast<std::uint8_t>(number % 50)}; }

store::ReceiptRecord make(std::uint64_t number, const Options& options) {
  store::ReceiptRecord record;
  record.receipt_id = store::new_receipt_id();
  record.reply_ids = {reply_id(number)};
  record.owner = owner_of(number);
  record.served_at = system_clock().now();
  record.receipt = std::string(options.receipt_bytes, 'r');
  std::snprintf(record.receipt.data(), 24, "%llu", static_cast<unsigned long long>(number));
  record.legacy.emplace();
  // Every third record is a stream with its events.
  if (options.hashes > 0 && number % 3 == 0) record.event_hashes = std::string(32 * options.hashes, 'h');
  return record;
}

// The keys are the same in each process, because one process fills a store and the next one reads it.
std::shared_ptr<const store::StoreKeys> keys() {
  const auto derive = [](std::string_view label) -> Result<SecretBytes> {
    return crypto::hkdf_sha256(as_bytes("store_bench"), {}, label, 32);
  };
  return store::StoreKeys::make(derive, 1, true).value();
}

std::unique_ptr<store::ReceiptStore> open(Options options) {
  options.store.keys = keys();
  auto opened = store::open_store(options.store);
  if (!opened) {
    std::fprintf(stderr, "store_bench: %s\n", opened.error().to_string().c_str());
    std::exit(2);
  }
  return *std::move(opened);
}

void require(const Result<void>& done) {
  if (done) return;
  std::fprintf(stderr, "store_bench: %s\n", done.error().to_string().c_str());
  std::exit(2);
}

Json percentiles(std::vector<double> us) {
  std::sort(us.begin(), us.end());
  const auto at = [&](double part) {
    return us.empty() ? 0
                      : us[std::min(us.size() - 1, static_cast<std::size_t>(part * static_cast<double>(us.size())))];
  };
  return {{"p50_us", at(0.5)}, {"p99_us", at(0.99)}, {"most_us", us.empty() ? 0 : us.back()}};
}

// Stores batches for some seconds, one after the other. The time for making the records is not counted.
Json run_put(const Options& options) {
  const auto store = open(options);
  std::vector<double> us;
  double busy = 0;
  std::uint64_t number = static_cast<std::uint64_t>(Steady::now().time_since_epoch().count());
  while (busy < options.seconds) {
    std::vector<store::ReceiptRecord> batch;
    for (std::size_t i = 0; i < options.batch; ++i) batch.push_back(make(number++, options));
    const auto begun = Steady::now();
    require(store->put(batch));
    us.push_back(seconds_since(begun) * 1e6);
    busy += us.back() / 1e6;
  }
  Json out = percentiles(us);
  out["receipts_per_s"] = static_cast<double>(us.size() * options.batch) / busy;
  out["batches"] = us.size();
  return out;
}

// Stores `count` receipts in large batches. The time of the last tenth shows what the size of the store costs.
Json run_fill(const Options& options) {
  const auto store = open(options);
  const auto begun = Steady::now();
  auto last_tenth = begun;
  for (std::uint64_t number = 0; number < options.count;) {
    if (number >= options.count / 10 * 9 && last_tenth == begun) last_tenth = Steady::now();
    std::vector<store::ReceiptRecord> batch;
    for (std::size_t i = 0; i < options.batch && number < options.count; ++i) batch.push_back(make(number++, options));
    require(store->put(batch));
  }
  return {{"receipts", options.count},
          {"receipts_per_s", static_cast<double>(options.count) / seconds_since(begun)},
          {"last_tenth_receipts_per_s", static_cast<double>(options.count) / 10 / seconds_since(last_tenth)}};
}

// Asks the kernel to drop the cached pages of the file, as far as they are on disk.
void forget(const std::string& file) {
  const FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() >= 0) ::fdatasync(fd.get()), ::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
}

// Looks up random reply ids among `count`. "cold" means that the kernel dropped the file from its cache before.
Json run_find(const Options& options) {
  std::mt19937_64 random(7);
  const auto ask = [&](store::ReceiptStore& store, bool there) {
    std::vector<double> us;
    const auto begun = Steady::now();
    while (seconds_since(begun) < options.seconds) {
      const std::uint64_t number = random() % options.count + (there ? 0 : options.count);
      const auto asked = Steady::now();
      const auto found = store.find(reply_id(number), owner_of(number));
      us.push_back(seconds_since(asked) * 1e6);
      if (!found || found->has_value() != there) {
        std::fprintf(stderr, "store_bench: reply %llu: %s\n", static_cast<unsigned long long>(number),
                     found ? "expected the other answer" : found.error().to_string().c_str());
        std::exit(2);
      }
    }
    Json out = percentiles(us);
    out["lookups"] = us.size();
    return out;
  };
  Json out;
  if (!options.file.empty()) {
    forget(options.file);
    out["cold"] = ask(*open(options), true);
  }
  const auto store = open(options);
  out["warm"] = ask(*store, true);
  out["absent"] = ask(*store, false);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("what storing and finding receipts costs");
  app.require_subcommand(1);
  Options options;
  Json (*run)(const Options&) = nullptr;
  const auto add = [&](const char* name, Json (*what)(const Options&)) {
    CLI::App* command = app.add_subcommand(name)->callback([&run, what] { run = what; });
    command->add_option("--store", options.file);
    command->add_option("--postgres-file", options.postgres_file);
    command->add_option("--durability", options.durability);
    command->add_option("--batch", options.batch);
    command->add_option("--receipt-bytes", options.receipt_bytes)->check(CLI::Range(32, 1 << 20));
    command->add_option("--event-hashes", options.hashes, "leaf hashes of every third receipt");
    command->add_option("--count", options.count);
    command->add_option("--seconds", options.seconds);
  };
  add("put", run_put);
  add("fill", run_fill);
  add("find", run_find);
  CLI11_PARSE(app, argc, argv);
  options.store.sqlite_file = options.file;
  options.store.postgres_file = options.postgres_file;
  const auto durability = store::parse_durability(options.durability);
  if (!durability) return std::fprintf(stderr, "store_bench: --durability: kill or power\n"), 2;
  options.store.durability = *durability;
  std::printf("%s\n", run(options).dump().c_str());
  return 0;
}
