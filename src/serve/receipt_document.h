// The receipt of one reply, made and signed (docs/spec/receipt.md).
#pragma once

#include "base/clock.h"
#include "serve/keyring.h"
#include "serve/reply_facts.h"
#include "store/receipt_store.h"

namespace cloister::serve {

// Signs: about 75 us of processor time. A reply that is whole and no error gets a legacy signature as well. Errors are
// of the document's form only: a model's name that is no UTF-8.
Result<store::ReceiptRecord> make_receipt(const ReplyFacts& facts, const Keyring& keyring, UnixSeconds served_at);

}  // namespace cloister::serve
