#include "apps/receipt_parts.h"

#include "base/clock.h"
#include "base/log.h"
#include "codec/jcs.h"
#include "config/receipt_settings.h"
#include "evidence/json_reader.h"
#include "store/open_store.h"

namespace cloister::apps {
namespace {

void put(store::ReceiptStore& store, const store::Document& document) {
  if (const auto done = store.put_document(document); !done) {
    log::warn("the " + document.kind + " that receipts name cannot be kept: " + done.error().message);
  }
}

}  // namespace

Result<std::unique_ptr<store::ReceiptStore>> make_receipt_store(const config::ServeOptions& options,
                                                                const identity::Keyring& keyring) {
  if (options.signing != "on") return std::unique_ptr<store::ReceiptStore>();
  TRY(settings, config::receipt_store_options(options));
  settings.keys = keyring.store_keys();
  return store::open_store(settings);
}

Result<receipts::JournalOptions> journal_options(const config::ServeOptions& options) {
  receipts::JournalOptions out;
  out.on_failure =
      options.on_store_failure == "serve" ? receipts::OnStoreFailure::kServe : receipts::OnStoreFailure::kRefuse;
  return out;
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
