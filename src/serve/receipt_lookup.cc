#include "serve/receipt_lookup.h"

#include <memory>
#include <utility>

#include "base/log.h"
#include "serve/openai/error_body.h"

namespace cloister::serve {
namespace {

using Answer = std::function<Result<http::Response>(const store::ReceiptRecord&, const http::Request&)>;

constexpr std::size_t kLongestId = 256;

Result<store::ReceiptRecord> find(NodeContext& context, const Call& call, const char* not_found) {
  const Error unknown = fail(ErrorCode::kNotFound, not_found);
  const std::string& id = call.path_argument;
  if (context.receipts == nullptr || id.empty() || id.size() > kLongestId) return unknown;
  const std::optional<Owner> asks = context.auth.authenticate(call.exchange->request().headers);
  Result<std::optional<store::ReceiptRecord>> found = context.receipts->find(id, asks.value_or(Owner{}));
  if (!found) {
    // The store's message may name paths and hosts.
    log::error("a receipt cannot be looked up: " + found.error().message);
    Error error = fail(ErrorCode::kReceiptStore, "the store of receipts does not answer; try again later");
    error.retry_after_s = 5;
    return error;
  }
  if (!found->has_value()) return unknown;
  const Owner& owner = (*found)->owner;
  if (owner == Owner{} || asks == owner) return std::move(**found);
  if (!asks) return fail(ErrorCode::kUnauthorized, "this receipt belongs to a token: Authorization: Bearer <token>");
  return unknown;
}

}  // namespace

void answer_with_receipt(NodeContext& context, Call call, std::string_view endpoint_name, const char* not_found,
                         Answer answer) {
  auto shared = std::make_shared<Call>(std::move(call));
  const bool posted = context.lookups.submit([&context, shared, endpoint_name, not_found, answer = std::move(answer)] {
    const Result<store::ReceiptRecord> record = find(context, *shared, not_found);
    Result<http::Response> response =
        record ? answer(*record, shared->exchange->request()) : Result<http::Response>(record.error());
    reply(context, *shared, endpoint_name, response ? std::move(*response) : error_response(response.error()));
  });
  if (posted) return;
  reply(context, *shared, endpoint_name,
        error_response(fail(ErrorCode::kBusy, "too many receipts are being looked up; try again")));
}

}  // namespace cloister::serve
