#include "evidence/chat_signature.h"

#include "base/encoding.h"
#include "codec/json.h"

namespace cloister::evidence {
namespace {

constexpr std::size_t kHashDigits = 64;

// Takes the last 64 characters of `text`, which must be hex digits.
Result<ByteArray<32>> take_hash(std::string_view& text, const char* which) {
  if (text.size() < kHashDigits) {
    return fail(ErrorCode::kBadSignature, std::string("the signed text is too short to hold the ") + which + " hash");
  }
  Result<ByteArray<32>> hash = from_hex_exactly<32>(text.substr(text.size() - kHashDigits));
  if (!hash) {
    return fail(ErrorCode::kBadSignature,
                std::string("the ") + which + " hash in the signed text is not 64 hex digits");
  }
  text.remove_suffix(kHashDigits);
  return hash;
}

}  // namespace

std::string_view to_text(SigningAlgo algo) { return algo == SigningAlgo::kEcdsa ? "ecdsa" : "ed25519"; }

Result<SigningAlgo> parse_signing_algo(std::string_view text) {
  if (text == "ecdsa") return SigningAlgo::kEcdsa;
  if (text == "ed25519") return SigningAlgo::kEd25519;
  return fail(ErrorCode::kUnsupported, "signing_algo must be ecdsa or ed25519", "signing_algo");
}

std::string signed_text(const ByteArray<32>& request_sha256, const ByteArray<32>& response_sha256) {
  return to_hex(request_sha256) + ":" + to_hex(response_sha256);
}

Json to_json(const ChatSignature& signature) {
  return Json{{"text", signature.text},
              {"signature", signature.signature},
              {"signing_address", signature.signing_address},
              {"signing_algo", to_text(signature.signing_algo)}};
}

Result<ChatSignature> parse_chat_signature(const Json& object) {
  ChatSignature out;
  TRY(text, codec::string_member(object, "text"));
  TRY(signature, codec::string_member(object, "signature"));
  TRY(address, codec::string_member(object, "signing_address"));
  TRY(algo_text, codec::string_member(object, "signing_algo"));
  TRY(algo, parse_signing_algo(algo_text));
  out.text = std::move(text);
  out.signature = std::move(signature);
  out.signing_address = std::move(address);
  out.signing_algo = algo;
  return out;
}

Result<SignedHashes> parse_signed_text(std::string_view text) {
  SignedHashes out;
  TRY(response, take_hash(text, "response"));
  out.response_sha256 = response;
  if (!text.ends_with(':')) return fail(ErrorCode::kBadSignature, "expected ':' between the hashes of the signed text");
  text.remove_suffix(1);
  TRY(request, take_hash(text, "request"));
  out.request_sha256 = request;
  if (text.empty()) return out;
  if (text.size() < 2 || !text.ends_with(':')) {
    return fail(ErrorCode::kBadSignature, "expected a model id and ':' before the hashes of the signed text");
  }
  text.remove_suffix(1);
  out.model = text;
  return out;
}

}  // namespace cloister::evidence
