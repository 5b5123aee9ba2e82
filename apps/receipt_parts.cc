#include "apps/receipt_parts.h"

#include <filesystem>

#include "base/clock.h"
#include "base/log.h"
#include "codec/jcs.h"
#include "evidence/json_reader.h"
#include "store/open_store.h"

namespace cloister::apps {
namespace {

constexpr const char* kFileName = "receipts.db";

Result<store::StoreOptions> store_options(const ServeOptions& options) {
  store::StoreOptions out;
  if (options.receipts == "memory") {
    out.memory = true;
  } else if (options.receipts == "postgres") {
    if (options.receipt_postgres_file.empty()) {
      return fail(ErrorCode::kUsage,
                  "--receipts postgres needs --receipt-postgres-file, which holds the connection string");
    }
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

void put(store::ReceiptStore& store, const store::Document& document) {
  if (const auto done = store.put_document(document); !done) {
    log::warn("the " + document.kind + " that receipts name cannot be kept: " + done.error().message);
  }
}

}  // namespace

Result<std::unique_ptr<store::ReceiptStore>> make_receipt_store(const ServeOptions& options,
                                                                const identity::Keyring& keyring) {
  if (options.signing != "on") return std::unique_ptr<store::ReceiptStore>();
  TRY(settings, store_options(options));
  settings.keys = keyring.store_keys();
  return store::open_store(settings);
}

Result<receipts::JournalOptions> journal_options(const ServeOptions& options) {
  receipts::JournalOptions out;
  out.on_failure =
      options.on_store_failure == "serve" ? receipts::OnStoreFailure::kServe : receipts::OnStoreFailure::kRefuse;
  return out;
}

Result<Json> receipt_policy(const ServeOptions& options) {
  if (options.signing != "on") return Json(nullptr);
  TRY(settings, store_options(options));
  return Json{{"store", options.receipts},
              {"survive", options.receipts_survive},
              {"on_store_failure", options.on_store_failure},
              {"age_s", settings.limits.receipt_age_s},
              {"bytes", settings.limits.bytes},
              {"event_hash_age_s", settings.limits.event_hash_age_s}};
}

void keep_report(store::ReceiptStore& store, const identity::Epoch& epoch, std::string_view kind,
                 std::string_view report) {
  const UnixSeconds now = system_clock().now();
  put(store, {std::string(kind), epoch.keyset_digest_text, std::string(report), now});
  if (!epoch.policy_digest) return;
  if (const auto text = codec::write_jcs(epoch.policy))
    put(store, {"policy", evidence::digest_text(*epoch.policy_digest), *text, now});
}

}  // namespace cloister::apps
