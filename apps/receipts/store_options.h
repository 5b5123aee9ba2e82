// Which store a command works on, and how it ends early.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "store/open_store.h"

namespace cloister::apps {

struct StoreChoice {
  std::string file;            // of SQLite
  std::string postgres_file;   // holds libpq's connection string
};
void bind_store_options(CLI::App& command, StoreChoice& choice);

// Without limits of age: a command sees everything that is there, and deletes nothing.
Result<std::unique_ptr<store::ReceiptStore>> open_chosen(const StoreChoice& choice, store::Access access, const Clock& clock);

// Set by SIGINT and SIGTERM from the first call on; a second signal ends the process as usual. Reads and waits return early
// (EINTR).
const std::atomic<bool>& stop_on_signals();

}  // namespace cloister::apps
