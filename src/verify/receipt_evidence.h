// What a receipt is verified with.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "verify/expected.h"

namespace cloister::verify {

// All members are views of data that outlives the call. A check whose data is absent is skipped.
struct ReceiptEvidence {
  std::string_view receipt;                // JSON text as served
  std::optional<std::string_view> report;  // the ACI or native report whose keyset signed it, as served
  Expected expected;                       // what that report was asked for with
  // A keyset that was verified before, JSON text. Next to a report it is compared with the report's (receipt.known_keyset).
  std::optional<std::string_view> keyset;
  // The exact bodies as on the wire; with field encryption, the request as the rules of that encryption restore it.
  std::optional<ByteView> request;
  std::optional<ByteView> response;
  // `response` is only the beginning of a stream; this proves that it is the true beginning (docs/spec/receipt.md). JSON text.
  std::optional<std::string_view> prefix_proof;
  // The session of the upstream that the receipt names, JSON text as the gateway served it; verified as session.*.
  std::optional<std::string_view> session;
  std::optional<std::string> id;     // id of the reply, or of the receipt, as the service gave it with the reply
  std::optional<std::string> model;  // the model that was asked for
};

}  // namespace cloister::verify
