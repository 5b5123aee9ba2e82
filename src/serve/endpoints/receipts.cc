// GET /v1/aci/receipts/{id}: the signed receipt of a request (ACI section 7), and GET /v1/cloister/prefix/{id}?events=K: the
// proof that the receipt commits to the first K events of its reply, for the reply's client alone (docs/spec/receipt.md).
#include <charconv>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/aci/receipt.h"
#include "evidence/prefix_proof.h"
#include "serve/endpoints/endpoints.h"

namespace cloister::serve {
namespace {

constexpr const char* kNotFound = "there is no receipt of this id, or it has expired";
constexpr std::size_t kHashSize = 32;

Result<http::Response> receipt(const store::ReceiptRecord& record, const http::Request&) {
  http::Response response;
  response.body = record.receipt;
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

Result<std::size_t> read_count(const http::Request& request) {
  const std::string text = http::query_value(request.query, "events").value_or("");
  std::size_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || count == 0) {
    return fail(ErrorCode::kInvalidRequest, "'events' must be how many events are to be proven, from 1 on", "events");
  }
  return count;
}

std::vector<evidence::MerkleHash> leaves_of(const store::ReceiptRecord& record) {
  std::vector<evidence::MerkleHash> leaves(record.event_hashes.size() / kHashSize);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const ByteView bytes = as_bytes(record.event_hashes).subspan(i * kHashSize, kHashSize);
    std::copy(bytes.begin(), bytes.end(), leaves[i].begin());
  }
  return leaves;
}

// Older receipts have events without salts.
Result<bool> has_salts(const store::ReceiptRecord& record) {
  TRY(receipt, evidence::parse_receipt(record.receipt));
  for (const evidence::ReceiptEvent& event : receipt.events) {
    if (event.type == evidence::kEventsReturned) return event.fields.contains("tree");
  }
  return fail(ErrorCode::kNotFound, "the receipt does not name the events of its reply");
}

// Only the client of the reply gets leaves. A client with a credential has shown it; any other shows the secret of the reply.
Result<void> check_is_client(const store::ReceiptRecord& record, const evidence::SaltSeed& secret,
                             const http::Request& request) {
  if (record.owner != Owner{}) return {};
  const Result<evidence::SaltSeed> shown = from_hex_exactly<32>(request.header("x-receipt-secret").value_or(""));
  if (shown && equal_constant_time(*shown, secret)) return {};
  return fail(
      ErrorCode::kForbidden,
      "the events of this reply are proven to its client alone: X-Receipt-Secret: <as in the head of the reply>");
}

Result<http::Response> prefix(const NodeContext& context, const store::ReceiptRecord& record,
                              const http::Request& request) {
  const evidence::SaltSeed secret = context.keyring.store_keys()->reply_secret(record.receipt_id);
  TRY_VOID(check_is_client(record, secret, request));
  TRY(count, read_count(request));
  if (record.event_hashes.empty()) {
    return fail(ErrorCode::kNotFound, "the reply was no stream, or its events are not kept any more");
  }
  const std::vector<evidence::MerkleHash> leaves = leaves_of(record);
  if (count > leaves.size()) {
    return fail(ErrorCode::kInvalidRequest, "the reply had " + std::to_string(leaves.size()) + " events", "events");
  }
  TRY(salted, has_salts(record));
  const std::optional<evidence::SaltSeed> salts = salted ? std::optional(secret) : std::nullopt;
  http::Response response;
  response.body = codec::write_json(evidence::to_json(evidence::prove_prefix(record.receipt_id, leaves, count, salts)));
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

}  // namespace

void reply_with_receipt(NodeContext& context, api::Call call, receipts::ReceiptAnswer answer) {
  receipts::answer_with_receipt({context.receipts, context.lookups}, std::move(call), std::move(answer),
                                [&context](const api::Call& answered, http::Response response) {
                                  reply(context, answered, std::move(response));
                                });
}

void install_receipts(api::EndpointRegistry& registry, NodeContext& context) {
  api::Endpoint endpoint;
  endpoint.method = "GET";
  endpoint.path = "/v1/aci/receipts/{id}";
  endpoint.name = "receipt";
  // The receipt decides who may have it: the receipt of a request without a token is anybody's.
  endpoint.access = api::Access::kPublic;
  endpoint.handle = [&context](api::Call call) { reply_with_receipt(context, std::move(call), {receipt, kNotFound}); };
  registry.install(endpoint);
  endpoint.path = "/v1/cloister/prefix/{id}";
  endpoint.name = "prefix";
  endpoint.handle = [&context](api::Call call) {
    const auto make = [&context](const store::ReceiptRecord& record, const http::Request& request) {
      return prefix(context, record, request);
    };
    reply_with_receipt(context, std::move(call), {make, kNotFound, true});
  };
  registry.install(std::move(endpoint));
}

}  // namespace cloister::serve
