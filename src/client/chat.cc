#include "client/chat.h"

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/sse.h"
#include "crypto/hash.h"
#include "verify/signature.h"

namespace cloister::client {
namespace {

// A larger reply is refused before all of it has arrived, and is not parsed.
constexpr std::uint64_t kMostReplyBytes = codec::JsonLimits{}.max_bytes, kMostSignatureBytes = 1u << 20,
                        kMostListBytes = 4u << 20;

// The text of one chunk or of a whole completion; "" when it has none.
std::string text_of(const Json& object, const char* holder) {
  if (!object.is_object() || !object.contains("choices") || !object["choices"].is_array()) return {};
  if (object["choices"].empty()) return {};
  const Json& choice = object["choices"][0];
  if (!choice.is_object() || !choice.contains(holder) || !choice[holder].is_object()) return {};
  return codec::string_member(choice[holder], "content").value_or("");
}

std::string id_of(const Json& object) {
  return object.is_object() ? codec::string_member(object, "id").value_or("") : "";
}

// Reads the text of a streamed body, event by event.
struct StreamReader {
  std::string text;
  std::string id;
  std::string error;
  bool ended = false;  // set by the event that ends a stream
  const std::function<void(std::string_view)>& on_text;

  void event(std::string_view data) {
    if (ended) {
      error = "something follows the event that ends it";
      return;
    }
    ended = data == "[DONE]";
    if (ended) return;
    Result<Json> chunk = codec::parse_json(data);
    if (!chunk) return;  // the hash decides about the bytes; this code only shows them
    if (id.empty()) id = id_of(*chunk);
    if (chunk->is_object() && chunk->contains("error")) error = (*chunk)["error"].dump().substr(0, 500);
    std::string more = text_of(*chunk, "delta");
    text += more;
    if (!more.empty()) on_text(more);
  }
};

Result<http::ClientResponse> send(const VerifiedConnection& node, const ChatTurn& turn, const std::string& body,
                                  StreamReader& reader) {
  constexpr std::string_view kPath = "/v1/chat/completions";
  if (!turn.stream) return node.post_json(kPath, body, kMostReplyBytes);
  codec::SseParser parser([&](std::string_view data) { reader.event(data); });
  return node.post_json_streaming(kPath, body, [&](std::string_view piece) { return parser.feed(piece).has_value(); });
}

Result<evidence::ChatSignature> fetch_signature(const VerifiedConnection& node, const ChatTurn& turn,
                                                const std::string& id) {
  TRY(response, node.get("/v1/signature/" + id + "?signing_algo=" + std::string(evidence::to_text(turn.algo)),
                         kMostSignatureBytes));
  if (response.status != 200) return http_failure("no signature", response);
  TRY(body, codec::parse_json(response.body));
  return evidence::parse_chat_signature(body);
}

bool is_plain_id(std::string_view id) {
  return !id.empty() && id.size() <= 128 &&
         id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
             std::string_view::npos;
}

}  // namespace

Result<std::string> first_model(const VerifiedConnection& node) {
  TRY(response, node.get("/v1/models", kMostListBytes));
  if (response.status != 200) return http_failure("no list of models", response);
  TRY(models, parse_model_list(response.body));
  if (models.empty()) return fail(ErrorCode::kModelNotFound, "the node lists no model");
  return models.front();
}

Result<ChatReply> ask(const VerifiedConnection& node, const HostCheck& host, const ChatTurn& turn, const Clock& clock,
                      const std::function<void(std::string_view)>& on_text) {
  // No two requests have the same bytes, so what was answered to a former one does not fit.
  ByteArray<16> unique;
  crypto::fill_random(unique);
  Json request = {
      {"model", turn.model}, {"messages", turn.messages}, {"stream", turn.stream}, {"user", to_hex(unique)}};
  if (turn.temperature) request["temperature"] = *turn.temperature;
  std::string body = codec::write_json(request);
  StreamReader reader{{}, {}, {}, false, on_text};
  TRY(response, send(node, turn, body, reader));
  if (response.status != 200) return http_failure("no reply", response);
  if (!reader.error.empty())
    return fail(ErrorCode::kNetwork, "the node ended the reply with an error\n" + reader.error);
  if (!turn.stream) {
    TRY(whole, codec::parse_json(response.body));
    reader.id = id_of(whole);
    reader.text = text_of(whole, "message");
    on_text(reader.text);
  }
  if (!is_plain_id(reader.id)) return fail(ErrorCode::kNetwork, "the reply has no usable id");
  TRY(signature, fetch_signature(node, turn, reader.id));

  ChatReply reply;
  reply.text = std::move(reader.text);
  reply.receipt_id = http::find_header(response.headers, "x-receipt-id").value_or("");
  if (!reply.receipt_id.empty() && !is_plain_id(reply.receipt_id)) {
    return fail(ErrorCode::kNetwork, "the reply's receipt has no usable id");
  }
  reply.proof.time = clock.now();
  reply.proof.nonce_hex = to_hex(host.report.nonce);
  reply.proof.request = to_bytes(as_bytes(body));
  reply.proof.response = to_bytes(as_bytes(response.body));
  reply.proof.signature = signature;
  reply.proof.report = host.report.text;
  reply.proof.tls_spki_sha256 = host.report.tls_spki_sha256;  // VerifiedConnection compares the same key for the reply
  verify::SignatureEvidence judged;
  judged.signature = std::move(signature);
  judged.request = reply.proof.request;
  judged.response = reply.proof.response;
  judged.further_addresses = host.attested_addresses;
  reply.verdict = verify::verify_signature(judged);
  if (turn.stream && !reader.ended)
    reply.verdict.facts[verify::kPartialReply] = "the stream ended without the event that ends one";
  return reply;
}

}  // namespace cloister::client
