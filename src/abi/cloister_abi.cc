// include/cloister/cloister.h on top of the verify module. No exception leaves it: an exception here can only mean that
// memory is out, and leads to NULL or CLOISTER_UNREADABLE.
#include <algorithm>
#include <memory>
#include <new>
#include <optional>
#include <string>

#include "base/bytes.h"
#include "cloister/cloister.h"
#include "codec/json.h"
#include "evidence/proof.h"
#include "verify/bundle.h"
#include "verify/gpu.h"
#include "verify/policy/policy_file.h"
#include "verify/quote.h"
#include "verify/receipt.h"
#include "verify/report.h"
#include "verify/session.h"

#include "verify/signature.h"
#include "verify/snp.h"
#include "verify/tdx/collateral_cache.h"

using namespace cloister;

struct cloister_verifier {
  verify::Policy policy;
  verify::Collateral collateral;
  UnixSeconds time = 0;
  std::string error;
  // Verification changes the cache, which any number of threads may use.
  mutable verify::TdxCollateralCache tdx_cache;

  verify::Context context() const { return {policy, collateral, time, &tdx_cache}; }
};

struct cloister_verdict {
  cloister_outcome outcome = CLOISTER_UNREADABLE;
  std::string json;
  std::string text;
};

namespace {

constexpr std::size_t kMostBytes = 64u << 20;

// A null pointer with a size, or a size beyond that of any evidence, is nothing to parse.
template <typename Char>
std::optional<std::string_view> view(const Char* data, size_t size) {
  if ((data == nullptr && size != 0) || size > kMostBytes) return std::nullopt;
  return std::string_view(reinterpret_cast<const char*>(data), size);
}

std::optional<ByteArray<32>> digest(const uint8_t* bytes) {
  if (bytes == nullptr) return std::nullopt;
  ByteArray<32> out;
  std::copy(bytes, bytes + out.size(), out.begin());
  return out;
}

cloister_verdict* unreadable(const std::string& message) {
  auto verdict = std::make_unique<cloister_verdict>();
  verdict->json = codec::write_json(Json{{"verdict", "unreadable"}, {"error", message}});
  verdict->text = "unreadable: " + message + "\n";
  return verdict.release();
}

cloister_verdict* judged(const Result<verify::Verdict>& result) {
  if (!result) return unreadable(result.error().message);
  auto verdict = std::make_unique<cloister_verdict>();
  switch (result->outcome()) {
    case verify::Outcome::kAccepted: verdict->outcome = CLOISTER_ACCEPTED; break;
    case verify::Outcome::kRejected: verdict->outcome = CLOISTER_REJECTED; break;
    case verify::Outcome::kUndetermined: verdict->outcome = CLOISTER_UNDETERMINED; break;
  }
  verdict->json = codec::write_json(verify::to_json(*result));
  verdict->text = verify::to_text(*result, false);
  return verdict.release();
}

// Runs `judge` on the input, if there is one to run it on.
template <typename Char, typename Judge>
cloister_verdict* judge_input(const cloister_verifier* verifier, const Char* data, size_t size, Judge judge) noexcept {
  if (verifier == nullptr) return nullptr;
  try {
    const auto input = view(data, size);
    return input ? judged(judge(*input)) : unreadable("no input, or more than 64 MiB of it");
  } catch (...) {
    return nullptr;
  }
}

// Runs `change` on the verifier; its Error becomes the verifier's.
template <typename Change>
cloister_outcome change_verifier(cloister_verifier* verifier, const char* data, size_t size, Change change) noexcept {
  if (verifier == nullptr) return CLOISTER_UNREADABLE;
  try {
    const auto input = view(data, size);
    const Result<void> done =
        input ? change(*input) : fail(ErrorCode::kTooLarge, "no input, or more than 64 MiB of it");
    verifier->error = done ? "" : done.error().message;
    return done ? CLOISTER_ACCEPTED : CLOISTER_UNREADABLE;
  } catch (...) {
    return CLOISTER_UNREADABLE;
  }
}

}  // namespace

extern "C" {

uint32_t cloister_abi_version(void) { return CLOISTER_ABI_VERSION; }

cloister_verifier* cloister_verifier_new(void) { return new (std::nothrow) cloister_verifier; }

void cloister_verifier_free(cloister_verifier* verifier) { delete verifier; }

cloister_outcome cloister_verifier_set_policy(cloister_verifier* verifier, const char* toml, size_t size) {
  return change_verifier(verifier, toml, size, [verifier](std::string_view text) -> Result<void> {
    TRY(policy, verify::parse_policy(text));
    verifier->policy = std::move(policy);
    return {};
  });
}

cloister_outcome cloister_verifier_add_collateral(cloister_verifier* verifier, const char* json, size_t size) {
  return change_verifier(verifier, json, size, [verifier](std::string_view text) -> Result<void> {
    TRY(collateral, verify::parse_bundle(text));
    verify::add_collateral(verifier->collateral, std::move(collateral));
    return {};
  });
}

cloister_outcome cloister_verifier_add_rim(cloister_verifier* verifier, const char* id, const char* xml, size_t size) {
  return change_verifier(verifier, xml, size, [verifier, id](std::string_view text) -> Result<void> {
    if (id == nullptr || !verify::is_rim_id(id)) return fail(ErrorCode::kUsage, "that is no id of a manifest");
    verifier->collateral.rims.insert_or_assign(id, std::string(text));
    return {};
  });
}

const char* cloister_verifier_error(const cloister_verifier* verifier) {
  return verifier == nullptr ? "no verifier" : verifier->error.c_str();
}

void cloister_verifier_set_time(cloister_verifier* verifier, int64_t unix_seconds) {
  if (verifier != nullptr) verifier->time = unix_seconds;
}

const char* cloister_default_policy(void) { return verify::kDefaultPolicyText.data(); }

cloister_verdict* cloister_verify_report(const cloister_verifier* verifier, const char* json, size_t size,
                                         const uint8_t* nonce32, const uint8_t* tls_spki_sha256) {
  return judge_input(verifier, json, size, [&](std::string_view text) -> Result<verify::Verdict> {
    return verify::verify_report(text, {digest(nonce32), digest(tls_spki_sha256)}, verifier->context());
  });
}

cloister_verdict* cloister_verify_quote(const cloister_verifier* verifier, const uint8_t* quote, size_t size) {
  return judge_input(verifier, quote, size, [&](std::string_view text) -> Result<verify::Verdict> {
    TRY(bytes, verify::read_quote_text(text));
    return verify::verify_quote(bytes, verifier->context());
  });
}

cloister_verdict* cloister_verify_gpu(const cloister_verifier* verifier, const char* json, size_t size,
                                      const uint8_t* nonce32) {
  return judge_input(verifier, json, size, [&](std::string_view text) -> Result<verify::Verdict> {
    return verify::verify_gpu(text, digest(nonce32), verifier->context());
  });
}

cloister_verdict* cloister_verify_proof(const cloister_verifier* verifier, const char* json, size_t size) {
  return cloister_verify_proof_with_nonce(verifier, json, size, nullptr);
}

cloister_verdict* cloister_verify_proof_with_nonce(const cloister_verifier* verifier, const char* json, size_t size,
                                                   const uint8_t* nonce32) {
  return judge_input(verifier, json, size, [&](std::string_view text) -> Result<verify::Verdict> {
    TRY(proof, evidence::parse_proof(text));
    return verify::verify_proof(proof, digest(nonce32), verifier->context());
  });
}

cloister_verdict* cloister_verify_snp(const cloister_verifier* verifier, const uint8_t* report, size_t size,
                                      const uint8_t* report_data64) {
  return judge_input(verifier, report, size, [&](std::string_view bytes) -> Result<verify::Verdict> {
    std::optional<Bytes> expected;
    if (report_data64 != nullptr) expected.emplace(report_data64, report_data64 + 64);
    return verify::verify_snp(as_bytes(bytes), expected, verifier->context());
  });
}

cloister_verdict* cloister_verify_receipt(const cloister_verifier* verifier, const char* json, size_t size,
                                          const char* report, size_t report_size, const uint8_t* nonce32,
                                          const uint8_t* request, size_t request_size, const uint8_t* response,
                                          size_t response_size) {
  return judge_input(verifier, json, size, [&](std::string_view text) -> Result<verify::Verdict> {
    const auto report_text = view(report, report_size);
    const auto request_body = view(request, request_size), response_body = view(response, response_size);
    if (!report_text || !request_body || !response_body) {
      return fail(ErrorCode::kTooLarge, "a part has a size and no bytes, or more than 64 MiB");
    }
    verify::ReceiptEvidence receipt;
    receipt.receipt = text;
    if (report != nullptr) receipt.report = *report_text;
    receipt.expected.nonce = digest(nonce32);
    if (request != nullptr) receipt.request = as_bytes(*request_body);
    if (response != nullptr) receipt.response = as_bytes(*response_body);
    return verify::verify_receipt(receipt, verifier->context());
  });
}

cloister_verdict* cloister_verify_session(const cloister_verifier* verifier, const char* json, size_t size,
                                          const uint8_t* id32) {
  return judge_input(verifier, json, size, [&](std::string_view text) -> Result<verify::Verdict> {
    verify::SessionEvidence session;
    session.session = text;
    session.id = digest(id32);
    return verify::verify_session(session, verifier->context());
  });
}

cloister_outcome cloister_verdict_outcome(const cloister_verdict* verdict) {
  return verdict == nullptr ? CLOISTER_UNREADABLE : verdict->outcome;
}

const char* cloister_verdict_json(const cloister_verdict* verdict) {
  return verdict == nullptr ? "" : verdict->json.c_str();
}

const char* cloister_verdict_text(const cloister_verdict* verdict) {
  return verdict == nullptr ? "" : verdict->text.c_str();
}

void cloister_verdict_free(cloister_verdict* verdict) { delete verdict; }

}  // extern "C"
