// Finds a receipt for a caller: off the event loop, and only for the credential that made the request (ACI section
// 7.6).
#pragma once

#include <functional>

#include "api/endpoint.h"
#include "base/fair_pool.h"
#include "base/result.h"
#include "http/message.h"
#include "receipts/receipt_journal.h"
#include "store/receipt_store.h"

namespace cloister::receipts {

// What a lookup needs. All of it outlives the lookup.
struct ReceiptLookup {
  ReceiptJournal* journal;  // null: there are no receipts
  FairPool& workers;
};

// What is made of a receipt that was found.
struct ReceiptAnswer {
  std::function<Result<http::Response>(const store::ReceiptRecord&, const http::Request&)> make;
  const char* not_found;  // says that there is no such receipt, in the words of the route
  // True: `make` needs the hashes of the reply's events, and takes time in proportion to them. Such lookups are long
  // work of FairPool.
  bool of_events = false;
};

// Looks `call.path_argument` up on a worker and hands what `answer` makes of the record to `reply`, or the error:
// kNotFound when there is none, or it belongs to another credential; kUnauthorized for a caller who is not known,
// whether there is one or not. Clients take turns. `reply` is called once, on a worker, or on some thread with kBusy when too
// many lookups wait; never when the client has left before its turn. Called on the exchange's event loop.
void answer_with_receipt(const ReceiptLookup& lookup, api::Call call, ReceiptAnswer answer,
                         std::function<void(const api::Call&, http::Response)> reply);

}  // namespace cloister::receipts
