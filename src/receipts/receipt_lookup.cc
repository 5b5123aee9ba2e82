#include "receipts/receipt_lookup.h"

#include <memory>
#include <utility>

#include "api/error_response.h"
#include "base/log.h"

namespace cloister::receipts {
namespace {

constexpr std::size_t kLongestId = 256;

Result<store::ReceiptRecord> find(const ReceiptLookup& lookup, const api::Call& call, const char* not_found) {
  const Error unknown = fail(ErrorCode::kNotFound, not_found);
  const std::string& id = call.path_argument;
  if (lookup.journal == nullptr || id.empty() || id.size() > kLongestId) return unknown;
  Result<std::optional<store::ReceiptRecord>> found = lookup.journal->find(id, call.owner());
  if (!found) {
    // The store's message may name paths and hosts.
    log::error("a receipt cannot be looked up: " + found.error().message);
    Error error = fail(ErrorCode::kReceiptStore, "the store of receipts does not answer; try again later");
    error.retry_after_s = 5;
    return error;
  }
  if (!found->has_value()) return unknown;
  const Owner& owner = (*found)->owner;
  if (owner == Owner{} || call.caller == owner) return std::move(**found);
  if (!call.caller)
    return fail(ErrorCode::kUnauthorized, "this receipt belongs to a token: Authorization: Bearer <token>");
  return unknown;
}

}  // namespace

void answer_with_receipt(const ReceiptLookup& lookup, api::Call call, const char* not_found, ReceiptAnswer answer,
                         std::function<void(const api::Call&, http::Response)> reply) {
  auto shared = std::make_shared<api::Call>(std::move(call));
  const bool posted = lookup.workers.submit([lookup, shared, not_found, answer = std::move(answer), reply] {
    const Result<store::ReceiptRecord> record = find(lookup, *shared, not_found);
    Result<http::Response> response =
        record ? answer(*record, shared->exchange->request()) : Result<http::Response>(record.error());
    reply(*shared, response ? std::move(*response) : api::error_response(response.error()));
  });
  if (posted) return;
  reply(*shared, api::error_response(fail(ErrorCode::kBusy, "too many receipts are being looked up; try again")));
}

}  // namespace cloister::receipts
