#include <optional>
#include <string>

#include "base/encoding.h"
#include "crypto/document_signature.h"
#include "crypto/hash.h"
#include "crypto/x509.h"
#include "verify/check.h"
#include "verify/report/services.h"

namespace cloister::verify {
namespace {

using evidence::TinfoilDocument;

// Only the certificate's key counts: report data names the hash of that key, and no authority is asked.
std::optional<crypto::Certificate> check_certificate(const TinfoilDocument& document, Verdict& verdict) {
  const std::string id = "report.tls_certificate";
  if (document.certificate.empty()) {
    verdict.add(not_applicable(id, "the document shows no certificate"));
    return std::nullopt;
  }
  const auto chain = crypto::parse_pem_chain(as_bytes(document.certificate));
  if (!chain || chain->empty()) {
    verdict.add(failed(id, chain ? "no certificate" : chain.error().message));
    return std::nullopt;
  }
  const std::string key = to_hex(crypto::sha256(chain->front().subject_public_key_info()));
  verdict.add(
      compared(id, to_hex(document.tls_key_sha256), key, "the certificate has another key than the document names"));
  if (verdict.checks.back().state != State::kPass) return std::nullopt;
  return chain->front();
}

// Returns true when the key that report data binds signed the whole document.
bool check_signature(const TinfoilDocument& document, const std::optional<crypto::Certificate>& signer, bool bound,
                     Verdict& verdict) {
  const std::string id = "report.document_signature";
  if (document.signature.empty()) {
    verdict.add(skipped(id, "the document is not signed", false));
    return false;
  }
  if (!signer || !bound) {
    verdict.add(skipped(id, "the key that signed it is not known to be the TEE's"));
    return false;
  }
  const Result<void> good =
      crypto::verify_document_signature(*signer, as_bytes(document.signed_text), document.signature);
  verdict.add(good ? passed(id) : failed(id, good.error().message));
  return good.has_value();
}

std::string text_of(const std::optional<ByteArray<32>>& hash) { return hash ? to_hex(*hash) : "none"; }

std::optional<ByteArray<32>> hash_of(const std::optional<std::string>& text) {
  return text ? std::optional(crypto::sha256(as_bytes(*text))) : std::nullopt;
}

Check check_gpu_hash(const TinfoilDocument& document) {
  return compared("report.gpu_evidence_digest", text_of(document.gpu_evidence_hash),
                  text_of(hash_of(document.gpu_text)), "the GPU evidence is not the one that the quote names");
}

// Tinfoil's server hashes what its tool printed and then writes it anew, so the hash is not that of the served text.
// Then the signature of the TEE's own key over the document binds it.
Check check_switch_hash(const TinfoilDocument& document, bool signed_whole) {
  const std::string id = "report.switch_evidence_digest";
  if (!document.switch_text && !document.switch_evidence_hash)
    return not_applicable(id, "the document shows no switches");
  const auto actual = hash_of(document.switch_text);
  if (actual == document.switch_evidence_hash) return passed(id, text_of(actual));
  if (document.switch_text && signed_whole) {
    return passed(id, text_of(actual),
                  "bound by the signature of the TEE's key over the document, not by the hash in the quote");
  }
  if (!document.switch_evidence_hash)
    return skipped(id, "neither the quote nor a signature binds the evidence of the switches");
  return failed(id, "the evidence of the switches is not the one that the quote names",
                text_of(document.switch_evidence_hash), text_of(actual));
}

}  // namespace

void check_tinfoil_parts(const TinfoilDocument& document, bool bound, Verdict& verdict) {
  const auto signer = check_certificate(document, verdict);
  const bool signed_whole = check_signature(document, signer, bound, verdict);
  verdict.add(check_gpu_hash(document));
  verdict.add(check_switch_hash(document, signed_whole));
}

}  // namespace cloister::verify
