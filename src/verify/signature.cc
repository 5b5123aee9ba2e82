#include "verify/signature.h"

#include "base/encoding.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"
#include "verify/check.h"
#include "verify/report/identity.h"

namespace cloister::verify {
namespace {

using evidence::ChatSignature;
using evidence::SigningAlgo;

// ecdsa: 0x and 65 bytes; ed25519: 64 bytes.
Result<Bytes> parse_signature(const ChatSignature& signature) {
  if (signature.signing_algo == SigningAlgo::kEd25519) {
    TRY(bytes, from_hex_exactly<64>(signature.signature));
    return Bytes(bytes.begin(), bytes.end());
  }
  if (!signature.signature.starts_with("0x")) {
    return fail(ErrorCode::kBadSignature, "expected 0x and 130 hex digits");
  }
  TRY(bytes, from_hex_exactly<65>(std::string_view(signature.signature).substr(2)));
  return Bytes(bytes.begin(), bytes.end());
}

Check check_hash(std::string id, const std::optional<ByteView>& body, const ByteArray<32>& signed_hash,
                 const char* what) {
  if (!body) return skipped(std::move(id), std::string("the ") + what + "'s bytes are not known here");
  return compared(std::move(id), to_hex(signed_hash), to_hex(crypto::sha256(*body)),
                  std::string("the signature is about another ") + what);
}

Check check_valid(const ChatSignature& signature, ByteView bytes, ByteView identity) {
  const std::string id = "signature.valid";
  if (signature.signing_algo == SigningAlgo::kEd25519) {
    auto valid = crypto::verify_ed25519(identity, as_bytes(signature.text), bytes);
    return valid ? passed(id) : failed(id, valid.error().message);
  }
  const Result<crypto::EthAddress> signer = crypto::recover_eip191(signature.text, bytes);
  if (!signer) return failed(id, signer.error().message);
  if (equal(*signer, identity)) return passed(id);
  return failed(id, "another key made this signature", signature.signing_address, crypto::eth_address_text(*signer));
}

// Compared as bytes: the two may differ in the case of their letters.
Check check_signer(const SignatureEvidence& evidence, ByteView identity) {
  const std::string id = "signature.signer_attested";
  if (!evidence.attested_address) {
    return skipped(id, "no verified report says whose address this is");
  }
  const Result<Bytes> attested = parse_identity(evidence.signature.signing_algo, *evidence.attested_address);
  if (attested && equal(*attested, identity)) return passed(id, *evidence.attested_address);
  return failed(id, "the TEE vouched for another identity", *evidence.attested_address,
                evidence.signature.signing_address);
}

}  // namespace

Verdict verify_signature(const SignatureEvidence& evidence) {
  const ChatSignature& signature = evidence.signature;
  Verdict verdict;
  verdict.subject = "signature";
  verdict.facts["signing_address"] = signature.signing_address;
  verdict.facts["signing_algo"] = evidence::to_text(signature.signing_algo);

  if (const auto hashes = evidence::parse_signed_text(signature.text); hashes) {
    verdict.add(passed("signature.text"));
    verdict.add(check_hash("signature.request_hash", evidence.request, hashes->request_sha256, "request"));
    verdict.add(check_hash("signature.response_hash", evidence.response, hashes->response_sha256, "reply"));
    if (!hashes->model.empty()) verdict.facts["signed_model"] = hashes->model;
  } else {
    verdict.add(failed("signature.text", hashes.error().message));
    skip_all(verdict, {"signature.request_hash", "signature.response_hash"}, "the signed text could not be read");
  }

  const Result<Bytes> bytes = parse_signature(signature);
  const Result<Bytes> identity = parse_identity(signature.signing_algo, signature.signing_address);
  if (!bytes || !identity) {
    verdict.add(failed("signature.form", bytes ? "signing_address: " + identity.error().message
                                               : "signature: " + bytes.error().message));
    skip_all(verdict, {"signature.valid", "signature.signer_attested"}, "the signature could not be read");
    return verdict;
  }
  verdict.add(passed("signature.form"));
  verdict.add(check_valid(signature, *bytes, *identity));
  verdict.add(check_signer(evidence, *identity));
  return verdict;
}

Verdict verify_proof(const evidence::Proof& proof, const Context& context) {
  Verdict verdict;
  verdict.subject = "proof";
  SignatureEvidence signature{proof.signature, proof.request, proof.response, std::nullopt};
  Expected expected;
  if (!proof.nonce_hex.empty()) {
    const Result<evidence::Nonce> nonce = from_hex_exactly<32>(proof.nonce_hex);
    if (!nonce) {
      verdict.add(failed("proof.form", "nonce: " + nonce.error().message));
      return verdict;
    }
    expected.nonce = *nonce;
  }
  if (!proof.report.empty()) {
    Verdict report = verify_report(proof.report, expected, context);
    signature.attested_address = attested_address(report);
    verdict.append(std::move(report));
  }
  verdict.append(verify_signature(signature));
  return verdict;
}

}  // namespace cloister::verify
