// GPU evidence lists. An accepted list is written in its one form and accepted again with the same content.
#include "evidence/gpu_evidence.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const auto payload = evidence::parse_nvidia_payload(as_text(input));
  if (!payload) return;
  // A bare list may name no nonce.
  FUZZ_CHECK(payload->nonce_hex.size() == 64 || payload->nonce_hex.empty());
  FUZZ_CHECK(payload->evidence_list.size() <= 64);
  const std::string written = evidence::write_nvidia_payload(*payload);
  const auto again = evidence::parse_nvidia_payload(written);
  // A chain that is not UTF-8 is base64 on the wire, so no byte is lost.
  FUZZ_CHECK(again.has_value());
  FUZZ_CHECK(evidence::write_nvidia_payload(*again) == written);
  FUZZ_CHECK(again->nonce_hex == payload->nonce_hex && again->arch == payload->arch);
}
