// Finds a receipt for a caller: off the event loop, and only for the credential that made the request (ACI section
// 7.6).
#pragma once

#include <functional>

#include "api/endpoint.h"
#include "base/result.h"
#include "base/worker_pool.h"
#include "http/message.h"
#include "receipts/receipt_journal.h"
#include "store/receipt_store.h"

namespace cloister::receipts {

// What a lookup needs. All of it outlives the lookup.
struct ReceiptLookup {
  ReceiptJournal* journal;  // null: there are no receipts
  WorkerPool& workers;
};

using ReceiptAnswer = std::function<Result<http::Response>(const store::ReceiptRecord&, const http::Request&)>;

// Looks `call.path_argument` up on a worker and hands what `answer` makes of the record to `reply`, or the error: kUnauthorized
// when the receipt belongs to a credential and the call has none, kNotFound with another credential, as if it did not exist. `reply`
// is called once, on a worker, or at once when too many lookups wait.
void answer_with_receipt(const ReceiptLookup& lookup, api::Call call, const char* not_found, ReceiptAnswer answer,
                         std::function<void(const api::Call&, http::Response)> reply);

}  // namespace cloister::receipts
