// Which store is opened, and how.
#pragma once

#include <filesystem>
#include <memory>

#include "base/clock.h"
#include "db/options.h"
#include "store/ageing.h"
#include "store/receipt_store.h"
#include "store/store_keys.h"

namespace cloister::store {

using db::Access;
using db::Durability;

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
