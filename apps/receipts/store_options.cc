#include "apps/receipts/store_options.h"

#include <signal.h>

#include <limits>

namespace cloister::apps {
namespace {

std::atomic<bool> g_stop = false;
static_assert(std::atomic<bool>::is_always_lock_free, "it is set by a signal handler");

}  // namespace

void bind_store_options(CLI::App& command, StoreChoice& choice) {
  CLI::Option_group* group = command.add_option_group("store");
  group->add_option("--store", choice.file, "file of the receipts (SQLite): STATE/receipts.db of cloister serve");
  group->add_option("--postgres-file", choice.postgres_file, "file with the connection string of a PostgreSQL database");
  group->require_option(1);
}

Result<std::unique_ptr<store::ReceiptStore>> open_chosen(const StoreChoice& choice, store::Access access, const Clock& clock) {
  store::StoreOptions options;
  options.sqlite_file = choice.file;
  options.postgres_file = choice.postgres_file;
  options.access = access;
  options.durability = store::Durability::kMachine;
  options.limits.receipt_age_s = options.limits.event_hash_age_s = std::numeric_limits<std::int64_t>::max();
  options.clock = &clock;
  return store::open_store(options);
}

const std::atomic<bool>& stop_on_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) { g_stop = true; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);   // and no SA_RESTART
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  return g_stop;
}

}  // namespace cloister::apps
