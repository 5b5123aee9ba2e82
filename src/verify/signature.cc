#include "verify/signature.h"

#include "base/encoding.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"
#include "verify/check.h"
#include "verify/file_words.h"
#include "verify/policy/rules.h"
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

// Compared as bytes, since the two texts may differ in case.
bool is_identity(SigningAlgo algo, const std::string& address, ByteView identity) {
  const Result<Bytes> bytes = parse_identity(algo, address);
  return bytes && equal(*bytes, identity);
}

Check check_signer(const SignatureEvidence& evidence, ByteView identity) {
  const std::string id = "signature.signer_attested";
  if (!evidence.attested_address && evidence.further_addresses.empty()) {
    return skipped(id, "no verified report says whose address this is");
  }
  std::vector<std::string> attested = evidence.further_addresses;
  if (evidence.attested_address) attested.insert(attested.begin(), *evidence.attested_address);
  for (const std::string& address : attested) {
    if (is_identity(evidence.signature.signing_algo, address, identity)) return passed(id, address);
  }
  const std::string others =
      attested.size() == 1 ? "" : " or one of " + std::to_string(attested.size() - 1) + " further addresses";
  return failed(id, "the TEE vouched for another identity", attested.front() + others,
                evidence.signature.signing_address);
}

// Which model answered is the signer's own word either way; this check finds a text that is about another model.
Check check_model(const std::string& signed_model, const std::optional<std::string>& asked) {
  const std::string id = "signature.model";
  if (signed_model.empty()) return not_applicable(id, "the signed text names no model");
  if (!asked) {
    return skipped(id, "the model that was asked for is not known here; the text names " + signed_model, false);
  }
  return compared(id, *asked, signed_model, "the signature is about another model");
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
    verdict.add(check_model(hashes->model, evidence.model));
    verdict.add(check_hash("signature.request_hash", evidence.request, hashes->request_sha256, "request"));
    verdict.add(check_hash("signature.response_hash", evidence.response, hashes->response_sha256, "reply"));
    if (!hashes->model.empty()) verdict.facts["signed_model"] = hashes->model;
  } else {
    verdict.add(failed("signature.text", hashes.error().message));
    skip_all(verdict, {"signature.model", "signature.request_hash", "signature.response_hash"},
             "the signed text could not be read");
  }

  const Result<Bytes> bytes = parse_signature(signature);
  const Result<Bytes> identity = parse_identity(signature.signing_algo, signature.signing_address);
  if (!bytes || !identity) {
    verdict.add(failed("signature.form",
                       bytes ? "signing_address: " + identity.error().message : "signature: " + bytes.error().message));
    skip_all(verdict, {"signature.valid", "signature.signer_attested"}, "the signature could not be read");
    return verdict;
  }
  verdict.add(passed("signature.form"));
  verdict.add(check_valid(signature, *bytes, *identity));
  verdict.add(check_signer(evidence, *identity));
  return verdict;
}

void check_unnamed_digests(const Policy& policy, Verdict& verdict) {
  constexpr const char* kWhy =
      "a signature does not say it, and its key outlives restarts; the receipt of the reply does";
  if (!policy.service.model_digests.empty() || policy.service.model_manifest) {
    verdict.add(skipped("signature.model_digest", std::string("which model answered: ") + kWhy));
  }
  const auto node = verdict.facts.find("node_policy");
  if (node != verdict.facts.end() && node->value("engine", Json()) == "upstream") {
    verdict.add(
        skipped("signature.served_model",
                "another server's reply is signed: which model that server says has answered, and whether it is the "
                "one that was asked for, the receipt of the reply says"));
  }
  if (!policy.service.policy_digests.empty()) {
    verdict.add(skipped("signature.policy_digest", std::string("under which configuration: ") + kWhy));
  } else if (const Check* document = verdict.find("policy.document");
             document != nullptr && document->state == State::kPass) {
    const Check* keys = verdict.find("policy.keys");
    if (keys != nullptr && keys->state == State::kPass) {
      verdict.add(passed("signature.policy_digest", keys->actual,
                         "the keys that the report shows belong to its configuration alone"));
      return;
    }
    // The node may have been restarted with another configuration, answered, and been restarted with the former one.
    verdict.add(skipped("signature.policy_digest",
                        std::string("under the configuration of the report, or another: ") + kWhy,
                        !policy.service.accept_unnamed_configuration));
  }
}

Verdict verify_bare_signature(const SignatureEvidence& evidence, const Policy& policy) {
  Verdict verdict = verify_signature(evidence);
  check_unnamed_digests(policy, verdict);
  require_rules(policy, verdict);
  return verdict;
}

Verdict verify_proof(const evidence::Proof& proof, const std::optional<evidence::Nonce>& nonce,
                     const Context& context) {
  Verdict verdict;
  verdict.subject = "proof";
  SignatureEvidence signature{proof.signature, proof.request, proof.response, std::nullopt};
  Expected expected;
  expected.nonce = nonce;
  expected.tls_spki_sha256 = proof.tls_spki_sha256;
  expected.no_connection = true;
  if (!proof.nonce_hex.empty()) {
    const Result<evidence::Nonce> own = from_hex_exactly<32>(proof.nonce_hex);
    if (!own) {
      verdict.add(failed("proof.form", "nonce: " + own.error().message));
      return verdict;
    }
    if (!nonce) expected.nonce = *own;
  }
  if (proof.report.empty()) {
    verdict.append(verify_signature(signature));
    check_unnamed_digests(context.policy, verdict);
    require_rules(context.policy, verdict);
  } else {
    Verdict report = verify_report(proof.report, expected, context);
    signature.attested_address = attested_address(report);
    signature.further_addresses = attested_addresses(report);
    if (signature.attested_address) signature.further_addresses.erase(signature.further_addresses.begin());
    verdict.append(std::move(report));
    verdict.append(verify_signature(signature));
    check_unnamed_digests(context.policy, verdict);
  }
  FileWords words;
  words.saved_at = proof.time;
  if (!nonce && expected.nonce) words.nonce = expected.nonce;
  words.tls_spki_sha256 = proof.tls_spki_sha256;
  discount_file_words(words, context.policy, verdict);
  return verdict;
}

}  // namespace cloister::verify
