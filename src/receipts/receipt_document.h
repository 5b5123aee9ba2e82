// Makes and signs the receipt of one reply (docs/spec/receipt.md).
#pragma once

#include "base/clock.h"
#include "identity/keyring.h"
#include "receipts/reply_facts.h"
#include "store/receipt_store.h"

namespace cloister::receipts {

// Signing takes about 75 us of processor time. A complete reply without an error gets a legacy signature as well. The
// only errors concern the document's form: a model's name that is not UTF-8.
Result<store::ReceiptRecord> make_receipt(const ReplyFacts& facts, const identity::Keyring& keyring,
                                          UnixSeconds served_at);

}  // namespace cloister::receipts
