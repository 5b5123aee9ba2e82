// The receipt store of a node, made from its options.
#pragma once

#include <memory>

#include "config/serve_options.h"
#include "identity/identity.h"
#include "identity/keyring.h"
#include "receipts/receipt_journal.h"
#include "store/receipt_store.h"

namespace cloister::apps {

// Null with --signing off, when there are no receipts. Encrypted with the keyring's keys.
Result<std::unique_ptr<store::ReceiptStore>> make_receipt_store(const config::ServeOptions& options,
                                                                const identity::Keyring& keyring);

Result<receipts::JournalOptions> journal_options(const config::ServeOptions& options);

// Keeps the report of an epoch, and the policy that it names, for later verification of the epoch's receipts. A failure is logged.
void keep_report(store::ReceiptStore& store, const identity::Epoch& epoch, std::string_view kind,
                 std::string_view report);

}  // namespace cloister::apps
