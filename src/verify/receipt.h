// Verifies the receipt of a reply (ACI `aci/1`) against the keyset that a TEE vouched for.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "verify/report.h"
#include "verify/verdict.h"

namespace cloister::verify {

// Views: what they name outlives the call. What is absent makes its check skipped.
struct ReceiptEvidence {
  std::string_view receipt;                  // JSON text as served
  std::optional<std::string_view> report;    // the ACI or native report whose keyset signed it, as served
  Expected expected;                         // what that report was asked with
  // A keyset that was verified before, JSON text. Beside a report it is compared with the report's (receipt.known_keyset).
  std::optional<std::string_view> keyset;
  // The exact bodies as on the wire; with field encryption, the request as the rules of that encryption restore it.
  std::optional<ByteView> request;
  std::optional<ByteView> response;
  // `response` is only the beginning of a stream; this shows that it is the true one (docs/spec/receipt.md). JSON text.
  std::optional<std::string_view> prefix_proof;
  // The session of the upstream that the receipt names, JSON text as the gateway served it: judged as session.*.
  std::optional<std::string_view> session;
  std::optional<std::string> id;             // of the reply, or of the receipt, as the service gave it beside the reply
  std::optional<std::string> model;          // that was asked for
};

// The checks of the report, then receipt.*, then session.* where one is given. What the service claims of others and of itself (`upstream.verified` and
// events of unknown types) is shown under the fact `claims` and never passes.
Verdict verify_receipt(const ReceiptEvidence& evidence, const Context& context);

}  // namespace cloister::verify
