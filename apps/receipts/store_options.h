// Which store a command works on, and how the command ends early.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "store/open_store.h"

namespace cloister::apps {

struct StoreChoice {
  std::string file;           // file of SQLite
  std::string postgres_file;  // file that holds libpq's connection string
  // What the store is encrypted with: the keys of a TEE, or those of a file for a store of one's own.
  std::string tee, tee_socket, state_folder;
  std::string key_file;
  int key_epoch = 1;
};
void bind_store_options(CLI::App& command, StoreChoice& choice);

// kUsage when neither a TEE nor a file is named, and when it does not exist. Only kCreate may make the seed of a simulated TEE.
Result<std::shared_ptr<const store::StoreKeys>> chosen_keys(const StoreChoice& choice, store::Access access);
// Opens it without limits of age: a command sees everything in the store, and deletes nothing.
Result<std::unique_ptr<store::ReceiptStore>> open_chosen(const StoreChoice& choice,
                                                         std::shared_ptr<const store::StoreKeys> keys,
                                                         store::Access access, const Clock& clock);

// SIGINT and SIGTERM set it from the first call on; a second signal ends the process as usual. Reads and waits return
// early (EINTR).
const std::atomic<bool>& stop_on_signals();

}  // namespace cloister::apps
