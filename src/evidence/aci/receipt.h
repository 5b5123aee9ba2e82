// The receipt of one request (ACI `aci/1`, docs/spec/receipt.md): what the TEE received, what it did and what it
// returned, signed with a key of its keyset.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

inline constexpr std::string_view kAciVersion = "aci/1";
// The events that the protocol defines. Services may add others; these are signed with the rest and kept unchanged.
inline constexpr std::string_view kRequestReceived = "request.received";
inline constexpr std::string_view kRequestForwarded = "request.forwarded";
inline constexpr std::string_view kUpstreamVerified = "upstream.verified";
inline constexpr std::string_view kResponseReturned = "response.returned";
// Cloister's own events (docs/spec/receipt.md).
// kModelServed has this `model_id_source` where the name of the model is what another server's reply says.
inline constexpr std::string_view kToldByReply = "upstream_reply";
inline constexpr std::string_view kModelServed = "model.served";
// The configuration in force: `policy_digest`, of the policy document (docs/spec/policy.md).
inline constexpr std::string_view kPolicyInForce = "policy.in_force";
inline constexpr std::string_view kUsageMetered = "usage.metered";
inline constexpr std::string_view kRequestFailed = "request.failed";
inline constexpr std::string_view kEventsReturned = "response.events";
inline constexpr std::string_view kResponseAborted = "response.aborted";

struct ReceiptEvent {
  std::string type;
  std::optional<ByteArray<32>> body_hash;  // of the three event types that have one; SHA-256
  Json fields;                             // the whole event, including `type`
};

struct Receipt {
  std::string receipt_id;
  std::optional<std::string> chat_id;
  std::optional<std::string> model;  // as the client asked for it
  ByteArray<32> keyset_digest{};
  std::string endpoint;
  std::string method;
  UnixSeconds served_at = 0;         // the service's own statement
  std::vector<ReceiptEvent> events;  // in order
  std::string key_id;
  ByteArray<64> signature{};
  std::string signing_input;  // canonical form of the document without its signature, which is what is signed
};

// Accepts at most 1 MiB and 1024 events. The members at the top are fixed: an additional or missing one is an error
// (kBadReceipt); digests and the signature are lower-case hex. The verifier checks whether the events are in order.
Result<Receipt> parse_receipt(std::string_view json_text);

}  // namespace cloister::evidence
