// Signature objects and the texts that they sign.
#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/chat_signature.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  std::string text(as_text(input));
  if (const auto json = codec::parse_json(text)) {
    const auto signature = evidence::parse_chat_signature(*json);
    if (!signature) return;
    const auto again = evidence::parse_chat_signature(evidence::to_json(*signature));
    FUZZ_CHECK(again && again->text == signature->text && again->signature == signature->signature);
    FUZZ_CHECK(again->signing_address == signature->signing_address && again->signing_algo == signature->signing_algo);
    text = signature->text;
  }
  const auto hashes = evidence::parse_signed_text(text);
  if (!hashes) return;
  const std::string both = evidence::signed_text(hashes->request_sha256, hashes->response_sha256);
  const std::string whole = hashes->model.empty() ? both : hashes->model + ":" + both;
  FUZZ_CHECK(whole.size() == text.size());
  const auto same_letter = [](char a, char b) { return std::tolower(a) == std::tolower(b); };
  FUZZ_CHECK(std::equal(whole.begin(), whole.end(), text.begin(), same_letter));
}
