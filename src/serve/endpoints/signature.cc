// GET /v1/signature/{chat_id}: the signature of a finished reply, from the receipt store (docs/spec/legacy-proof.md).
#include "api/error_response.h"
#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/chat_signature.h"
#include "serve/endpoints/endpoints.h"

namespace cloister::serve {
namespace {

constexpr const char* kNotFound = "Chat id not found or expired";

// The store's data was outside the TEE. The ecdsa signature shows that these hashes are the node's own; only then does
// the node sign them again.
Result<evidence::ChatSignature> to_chat_signature(const NodeContext& context, const store::LegacySignature& stored,
                                                  evidence::SigningAlgo algo) {
  evidence::ChatSignature out;
  out.text = evidence::signed_text(stored.request_sha256, stored.response_sha256);
  out.signing_algo = algo;
  TRY(signer, crypto::recover_eip191(out.text, stored.ecdsa));
  const std::string address = crypto::eth_address_text(signer);
  if (algo == evidence::SigningAlgo::kEcdsa) {
    out.signing_address = address;
    out.signature = "0x" + to_hex(stored.ecdsa);
    return out;
  }
  if (address != context.keyring.signing_address(evidence::SigningAlgo::kEcdsa)) {
    return fail(ErrorCode::kNotFound, "the reply was signed by another key; it has an ecdsa signature only");
  }
  out.signing_address = context.keyring.signing_address(algo);
  out.signature = to_hex(context.keyring.sign_ed25519(out.text));
  return out;
}

Result<http::Response> answer(NodeContext& context, const store::ReceiptRecord& record, const http::Request& request,
                              evidence::SigningAlgo algo) {
  const std::optional<std::string> model = http::query_value(request.query, "model");
  bool model_fits = !model || model->empty();
  for (const engine::ModelInfo& served : context.engine.models()) model_fits |= model == served.id;
  if (!record.legacy || !model_fits) return fail(ErrorCode::kNotFound, kNotFound);
  TRY(signature, to_chat_signature(context, *record.legacy, algo));
  http::Response response;
  response.body = codec::write_json(evidence::to_json(signature));
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

}  // namespace

void install_signature(api::EndpointRegistry& registry, NodeContext& context) {
  api::Endpoint endpoint;
  endpoint.method = "GET";
  endpoint.path = "/v1/signature/{id}";
  endpoint.name = "signature";
  endpoint.handle = [&context](api::Call call) {
    const auto wanted = http::query_value(call.exchange->request().query, "signing_algo").value_or("ecdsa");
    const Result<evidence::SigningAlgo> algo = evidence::parse_signing_algo(wanted);
    if (!algo) return reply(context, call, api::error_response(algo.error()));
    const auto make = [&context, algo = *algo](const store::ReceiptRecord& record, const http::Request& request) {
      return answer(context, record, request, algo);
    };
    reply_with_receipt(context, std::move(call), {make, kNotFound});
  };
  registry.install(std::move(endpoint));
}

}  // namespace cloister::serve
