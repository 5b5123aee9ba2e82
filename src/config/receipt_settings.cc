#include "config/receipt_settings.h"

#include <filesystem>

#include "store/open_store.h"

namespace cloister::config {
namespace {

constexpr const char* kFileName = "receipts.db";

}  // namespace

Result<store::StoreOptions> receipt_store_options(const ServeOptions& options) {
  store::StoreOptions out;
  if (options.receipts == "memory") {
    out.memory = true;
  } else if (options.receipts == "postgres") {
    out.postgres_file = options.receipt_postgres_file;
  } else {
    out.sqlite_file = options.receipt_file.empty() ? std::filesystem::path(options.state_folder) / kFileName
                                                   : std::filesystem::path(options.receipt_file);
  }
  TRY(durability, store::parse_durability(options.receipts_survive));
  out.durability = durability;
  TRY(bytes, store::parse_bytes(options.receipt_bytes));
  out.limits.bytes = bytes;
  out.limits.receipt_age_s = std::int64_t{86400} * options.receipt_days;
  out.limits.event_hash_age_s = std::int64_t{3600} * options.prefix_proof_hours;
  return out;
}

}  // namespace cloister::config
