#include "load/signature_check.h"

#include "base/encoding.h"
#include "crypto/secp256k1.h"

namespace cloister::bench {
namespace {

constexpr std::size_t kComplaintLimit = 5;

Result<std::string> text_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_string()) {
    return fail(ErrorCode::kBadJson, std::string("expected a text member ") + name);
  }
  return found->get<std::string>();
}

Result<Json> parse_object(std::string_view text, const char* what) {
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_object()) return fail(ErrorCode::kBadJson, std::string(what) + " is not a JSON object");
  return value;
}

// RFC 3986, section 2.1, defines this encoding.
std::string percent_encode(std::string_view text) {
  constexpr std::string_view kPlain = "-._~";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                       kPlain.find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += to_hex(as_bytes(std::string_view(&c, 1)));
    }
  }
  return out;
}

}  // namespace

void SignatureCheck::begin(std::string_view request_body) {
  request_ = crypto::Sha256();
  reply_ = crypto::Sha256();
  signature_.clear();
  request_.update(as_bytes(request_body));
}

void SignatureCheck::add_reply(std::string_view bytes) { reply_.update(as_bytes(bytes)); }

Result<std::string> SignatureCheck::signature_path(std::string_view first_json) {
  TRY(object, parse_object(first_json, "the reply"));
  TRY(id, text_member(object, "id"));
  TRY(model, text_member(object, "model"));
  return "/v1/signature/" + percent_encode(id) + "?model=" + percent_encode(model) + "&signing_algo=ecdsa";
}

Result<void> SignatureCheck::judge() {
  TRY(object, parse_object(signature_, "the signature"));
  TRY(text, text_member(object, "text"));
  TRY(signature_hex, text_member(object, "signature"));
  TRY(address_text, text_member(object, "signing_address"));
  const auto request_hash = request_.finish();
  const auto reply_hash = reply_.finish();
  if (!text.ends_with(to_hex(request_hash) + ":" + to_hex(reply_hash))) {
    return fail(ErrorCode::kBadSignature, "the signed hashes are not those of the bytes on the wire");
  }
  if (!signature_hex.starts_with("0x"))
    return fail(ErrorCode::kBadSignature, "expected a signature that starts with 0x");
  TRY(signature, from_hex(std::string_view(signature_hex).substr(2)));
  TRY(expected, crypto::parse_eth_address(address_text));
  TRY(actual, crypto::recover_eip191(text, signature));
  if (actual != expected) {
    return fail(ErrorCode::kBadSignature,
                "expected signer " + address_text + ", got " + crypto::eth_address_text(actual));
  }
  return {};
}

void SampleTally::settle(const Result<void>& verdict) {
  if (verdict) {
    ++good;
  } else if (complaints.size() < kComplaintLimit) {
    complaints.push_back(verdict.error().to_string());
  }
}

Json SampleTally::summary() const {
  Json out;
  out["asked"] = wanted;
  out["good"] = good;
  out["complaints"] = complaints;
  return out;
}

}  // namespace cloister::bench
