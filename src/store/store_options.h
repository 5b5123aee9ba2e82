// Which store is opened, and how.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "store/ageing.h"
#include "store/receipt_store.h"
#include "store/store_keys.h"

namespace cloister::store {

// What a stored receipt survives.
enum class Durability {
  kProcess,  // the end of this process, at any moment
  kMachine,  // loss of power as well; a put then waits for the disk
};

enum class Access {
  kCreate,    // created when it does not exist
  kExisting,  // for reading: an error when it does not exist or has an older version; nothing is created or changed in it
};

struct StoreOptions {
  // Exactly one of these three is set.
  std::filesystem::path sqlite_file;
  std::filesystem::path postgres_file;  // file that holds libpq's connection string, which may contain a password
  bool memory = false;                  // for tests and nodes without a disk: lost with the process

  // The keys that encrypt it. A store in memory without keys gets keys of this process.
  std::shared_ptr<const StoreKeys> keys;

  StoreLimits limits;
  Durability durability = Durability::kProcess;
  Access access = Access::kCreate;
  // Both outlive the store.
  const Clock* clock = &system_clock();
  const Clock* steady = &steady_clock();  // never jumps; see store/ageing.h
};

}  // namespace cloister::store
