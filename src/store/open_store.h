// Opens the store that the options name.
#pragma once

#include <memory>
#include <string_view>

#include "store/receipt_store.h"
#include "store/store_options.h"

namespace cloister::store {

// May take seconds: a file left by a crash is recovered, a server is waited for; a store of a version before 3 is encrypted,
// which takes minutes for gigabytes. Errors: kUsage for options that do not fit together; kStoreDamaged for a file that is no
// receipt store or a broken one, which stays unchanged; kStoreFailed for everything that may be better later, including a store
// whose key is not among `keys`, which stays unchanged, too. Messages name the file, never the content of a connection string.
Result<std::unique_ptr<ReceiptStore>> open_store(const StoreOptions& options);

// "kill" or "power": what receipts survive, in the words of the options.
Result<Durability> parse_durability(std::string_view text);
// Accepts a number and K, M, G or T (powers of 1024, "iB" may follow): "4G", "512MiB", "1048576".
Result<std::uint64_t> parse_bytes(std::string_view text);
// Accepts a number and s, m, h or d: "30d", "36h".
Result<std::int64_t> parse_age(std::string_view text);

}  // namespace cloister::store
