// The legacy signature of a reply: text = hex(SHA-256(request)) ":" hex(SHA-256(response)) (docs/spec/legacy-proof.md).
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

enum class SigningAlgo { kEcdsa, kEd25519 };
std::string_view to_text(SigningAlgo algo);  // "ecdsa", "ed25519"
Result<SigningAlgo> parse_signing_algo(std::string_view text);

std::string signed_text(const ByteArray<32>& request_sha256, const ByteArray<32>& response_sha256);

struct ChatSignature {
  std::string text;
  std::string signature;        // ecdsa: 0x + 130 hex; ed25519: 128 hex
  std::string signing_address;  // ecdsa: EIP-55 address; ed25519: 64 hex
  SigningAlgo signing_algo = SigningAlgo::kEcdsa;
};

Json to_json(const ChatSignature& signature);
// Additional members are tolerated, since some services add some. The texts are taken unchanged: the verifier checks
// whether they are hex, and correct, so that a damaged signature is a failed check and not an unreadable file.
Result<ChatSignature> parse_chat_signature(const Json& object);

// The two hashes at the end of the text, split from the right because model ids may hold ':'.
struct SignedHashes {
  ByteArray<32> request_sha256{};
  ByteArray<32> response_sha256{};
  std::string model;  // present in three-part texts only
};
Result<SignedHashes> parse_signed_text(std::string_view text);

}  // namespace cloister::evidence
