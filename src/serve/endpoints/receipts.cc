// GET /v1/aci/receipts/{id}: the signed receipt of a request (ACI section 7), and GET /v1/cloister/prefix/{id}?events=K: the
// proof that the first K events of its reply are what the receipt commits to (docs/spec/receipt.md).
#include <charconv>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/prefix_proof.h"
#include "serve/endpoints/endpoints.h"
#include "serve/receipt_lookup.h"

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

Result<http::Response> prefix(const store::ReceiptRecord& record, const http::Request& request) {
  TRY(count, read_count(request));
  if (record.event_hashes.empty()) {
    return fail(ErrorCode::kNotFound, "the reply was no stream, or its events are not kept any more");
  }
  std::vector<evidence::MerkleHash> leaves(record.event_hashes.size() / kHashSize);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    const ByteView bytes = as_bytes(record.event_hashes).subspan(i * kHashSize, kHashSize);
    std::copy(bytes.begin(), bytes.end(), leaves[i].begin());
  }
  if (count > leaves.size()) {
    return fail(ErrorCode::kInvalidRequest, "the reply had " + std::to_string(leaves.size()) + " events", "events");
  }
  http::Response response;
  response.body = codec::write_json(evidence::to_json(evidence::prove_prefix(record.receipt_id, leaves, count)));
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

}  // namespace

void install_receipts(EndpointRegistry& registry, NodeContext& context) {
  Endpoint endpoint;
  endpoint.method = "GET";
  endpoint.path = "/v1/aci/receipts/{id}";
  endpoint.name = "receipt";
  // Who may have which is decided by the receipt: one of a request without a token is anybody's.
  endpoint.access = Access::kPublic;
  endpoint.handle = [&context](Call call) { answer_with_receipt(context, std::move(call), "receipt", kNotFound, receipt); };
  registry.install(endpoint);
  endpoint.path = "/v1/cloister/prefix/{id}";
  endpoint.name = "prefix";
  endpoint.handle = [&context](Call call) { answer_with_receipt(context, std::move(call), "prefix", kNotFound, prefix); };
  registry.install(std::move(endpoint));
}

}  // namespace cloister::serve
