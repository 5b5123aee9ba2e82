#include "receipts/receipt_lookup.h"

#include <memory>
#include <utility>

#include "api/client_name.h"
#include "api/error_response.h"
#include "base/log.h"

namespace cloister::receipts {
namespace {

constexpr std::size_t kLongestId = 256;
// A proof of 260,000 events takes a thousand times as long as a plain lookup, one of a usual reply no longer.
constexpr double kCostOfEvents = 16;

struct Lookup {
  ReceiptJournal* journal;
  api::Call call;
  ReceiptAnswer answer;
  std::function<void(const api::Call&, http::Response)> reply;
};

Result<store::ReceiptRecord> find(const Lookup& lookup) {
  const std::string& id = lookup.call.path_argument;
  const Error unknown =
      lookup.call.caller
          ? fail(ErrorCode::kNotFound, lookup.answer.not_found)
          : fail(ErrorCode::kUnauthorized,
                 "receipts of requests with a token are given to that token: Authorization: Bearer <token>");
  if (lookup.journal == nullptr || id.empty() || id.size() > kLongestId) return unknown;
  Result<std::optional<store::ReceiptRecord>> found =
      lookup.journal->find(id, lookup.call.owner(), lookup.answer.of_events);
  if (!found) {
    // The store's message may name paths and hosts.
    log::error("a receipt cannot be looked up: " + found.error().message);
    Error error = fail(ErrorCode::kReceiptStore, "the store of receipts does not answer; try again later");
    error.retry_after_s = 5;
    return error;
  }
  if (!found->has_value()) return unknown;
  return std::move(**found);
}

void run(const Lookup& lookup) {
  const Result<store::ReceiptRecord> record = find(lookup);
  Result<http::Response> response =
      record ? lookup.answer.make(*record, lookup.call.exchange->request()) : Result<http::Response>(record.error());
  lookup.reply(lookup.call, response ? std::move(*response) : api::error_response(response.error()));
}

void give_up(const Lookup& lookup) {
  const char* const why = "too many receipts are being looked up, or this node is about to stop; try again";
  lookup.reply(lookup.call, api::error_response(fail(ErrorCode::kBusy, why)));
}

}  // namespace

void answer_with_receipt(const ReceiptLookup& lookup, api::Call call, ReceiptAnswer answer,
                         std::function<void(const api::Call&, http::Response)> reply) {
  FairPool& workers = lookup.workers;
  const std::shared_ptr<http::Exchange> exchange = call.exchange;
  const bool of_events = answer.of_events;
  // Callers behind a proxy on this machine count as one client, so the proofs of a client have turns of their own.
  const std::string client = api::client_name(call) + (of_events ? " proofs" : "");
  const auto shared =
      std::make_shared<const Lookup>(Lookup{lookup.journal, std::move(call), std::move(answer), std::move(reply)});
  const FairPool::Ticket ticket = workers.submit(
      client, {[shared] { run(*shared); }, [shared] { give_up(*shared); }, of_events, of_events ? kCostOfEvents : 1});
  exchange->on_abandoned([&workers, ticket] { workers.cancel(ticket); });
}

}  // namespace cloister::receipts
