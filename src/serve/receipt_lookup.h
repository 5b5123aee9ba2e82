// Finds a receipt for a caller: off the event loop, and only for the credential that made the request (ACI section
// 7.6).
#pragma once

#include <functional>

#include "serve/node.h"

namespace cloister::serve {

// Looks `call.path_argument` up on a worker and answers with what `answer` makes of the record, or with the error: kUnauthorized
// when the receipt belongs to a credential and the call has none, kNotFound with another credential, as if it did not exist.
void answer_with_receipt(
    NodeContext& context, Call call, std::string_view endpoint_name, const char* not_found,
    std::function<Result<http::Response>(const store::ReceiptRecord&, const http::Request&)> answer);

}  // namespace cloister::serve
