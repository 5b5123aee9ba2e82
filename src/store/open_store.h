// Opens the store that the options name.
#pragma once

#include <filesystem>
#include <memory>
#include <string_view>

#include "store/ageing.h"
#include "store/receipt_store.h"
#include "store/store_keys.h"

namespace cloister::store {

// What a stored receipt survives.
enum class Durability {
  kProcess,   // the end of this process, at any moment
  kMachine,   // loss of power as well; a put then waits for the disk
};

enum class Access {
  kCreate,    // made when it is not there
  kExisting,  // to read: an error when it is not there or of an older version; nothing is made or changed in it
};

struct StoreOptions {
  // Exactly one of these three.
  std::filesystem::path sqlite_file;
  std::filesystem::path postgres_file;   // holds libpq's connection string, which may have a password in it
  bool memory = false;                   // for tests and nodes without a disk: gone with the process

  // What it is encrypted with. Those of this process are made for a store in memory that is given none.
  std::shared_ptr<const StoreKeys> keys;

  StoreLimits limits;
  Durability durability = Durability::kProcess;
  Access access = Access::kCreate;
  // Outlive the store.
  const Clock* clock = &system_clock();
  const Clock* steady = &steady_clock();   // never jumps; see store/ageing.h
};

// May take seconds: a file left by a crash is recovered, a server waited for; a store of a version before 3 is encrypted, which
// takes minutes for gigabytes. Errors: kUsage for options that do not fit together, kStoreDamaged for a file that is no
// receipt store or a broken one (it is left as it is), kStoreFailed for everything that may be better later, a store whose
// key is not among `keys` included: it is left as it is, too. Messages name the file, never what is in a connection string.
Result<std::unique_ptr<ReceiptStore>> open_store(const StoreOptions& options);

// "kill" or "power": what receipts survive, as options say it.
Result<Durability> parse_durability(std::string_view text);
// A number and K, M, G or T (powers of 1024, "iB" may follow): "4G", "512MiB", "1048576".
Result<std::uint64_t> parse_bytes(std::string_view text);
// A number and s, m, h or d: "30d", "36h".
Result<std::int64_t> parse_age(std::string_view text);

}  // namespace cloister::store
