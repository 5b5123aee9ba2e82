// GET /v1/signature/{chat_id}: the signature of a finished reply (peers.md section 1.1).
#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/chat_signature.h"
#include "serve/endpoints/endpoints.h"
#include "serve/node.h"
#include "serve/openai/error_body.h"

namespace cloister::serve {
namespace {

constexpr std::string_view kName = "signature";

evidence::ChatSignature to_chat_signature(const NodeContext& context, const SignedReply& reply,
                                          evidence::SigningAlgo algo) {
  evidence::ChatSignature out;
  out.text = evidence::signed_text(reply.request_sha256, reply.response_sha256);
  out.signing_address = context.keyring.signing_address(algo);
  out.signing_algo = algo;
  out.signature = algo == evidence::SigningAlgo::kEcdsa ? "0x" + to_hex(reply.ecdsa)
                                                        : to_hex(context.keyring.sign_ed25519(out.text));
  return out;
}

Result<http::Response> answer(NodeContext& context, const Call& call) {
  const http::Request& request = call.exchange->request();
  TRY(algo, evidence::parse_signing_algo(http::query_value(request.query, "signing_algo").value_or("ecdsa")));
  std::optional<SignedReply> found = context.signatures.find(call.path_argument, call.owner);
  std::optional<std::string> model = http::query_value(request.query, "model");
  bool model_fits = !model || model->empty();
  for (const engine::ModelInfo& served : context.engine.models()) model_fits |= model == served.id;
  if (!found || !model_fits) return fail(ErrorCode::kNotFound, "Chat id not found or expired");
  http::Response response;
  response.body = codec::write_json(evidence::to_json(to_chat_signature(context, *found, algo)));
  response.headers.emplace_back("cache-control", "no-store");
  return response;
}

}  // namespace

void install_signature(EndpointRegistry& registry, NodeContext& context) {
  Endpoint endpoint;
  endpoint.method = "GET";
  endpoint.path = "/v1/signature/{id}";
  endpoint.name = kName;
  endpoint.handle = [&context](Call call) {
    Result<http::Response> response = answer(context, call);
    reply(context, call, kName, response ? std::move(*response) : error_response(response.error()));
  };
  registry.install(std::move(endpoint));
}

}  // namespace cloister::serve
