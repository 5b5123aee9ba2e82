#include "apps/verify/expectations.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "evidence/proof.h"
#include "verify/signature.h"

namespace cloister::apps {
namespace {

struct Expectation {
  const char* option;  // followed by the word for what is missing
  const char* what;
  std::string VerifyOptions::*value;
  std::vector<std::string_view> kinds;  // kinds that it can be compared with
};

const std::vector<Expectation>& expectations() {
  static const std::vector<Expectation> kAll = {
      {"--nonce", "nonce", &VerifyOptions::nonce, {"report", "gpu", "receipt", "proof"}},
      {"--id", "id", &VerifyOptions::id, {"receipt", "session"}},
      {"--model", "model's name", &VerifyOptions::model, {"receipt"}},
      {"--request", "request of yours", &VerifyOptions::request_file, {"receipt", "signature"}},
      {"--response", "response of yours", &VerifyOptions::response_file, {"receipt", "signature"}},
      {"--address", "signing address", &VerifyOptions::address, {"signature"}},
      {"--report-data", "report data", &VerifyOptions::report_data, {"quote", "snp"}},
      {"--model-manifest", "model", &VerifyOptions::model_manifest_file, {"report", "receipt", "session", "proof"}},
  };
  return kAll;
}

Error nothing_to_compare(const std::string& whose, const Expectation& expectation) {
  return fail(ErrorCode::kUsage, whose + " has no " + expectation.what + " to compare with " + expectation.option);
}

Error malformed(const char* option, const Error& error) {
  return fail(ErrorCode::kUsage, std::string(option) + ": " + error.message);
}

// An address is 0x and 40 hex digits (ECDSA), or 64 hex digits (Ed25519).
Result<void> check_address(const std::string& address) {
  if (address.empty()) return {};
  const Result<Bytes> bytes = from_hex(address.starts_with("0x") ? std::string_view(address).substr(2) : address);
  if (!bytes) return malformed("--address", bytes.error());
  if (bytes->size() == (address.starts_with("0x") ? 20u : 32u)) return {};
  return fail(ErrorCode::kUsage, "--address: expected 0x and 40 hex digits, or 64 hex digits");
}

Result<void> check_values(const std::string& kind, const VerifyOptions& options) {
  if (const auto nonce = read_nonce(options.nonce); !nonce) return nonce.error();
  if (const auto data = from_hex(options.report_data); !data) return malformed("--report-data", data.error());
  if (!options.report_data.empty() && options.report_data.size() != 128) {
    return fail(ErrorCode::kUsage,
                "--report-data: expected 64 bytes, got " + std::to_string(options.report_data.size() / 2));
  }
  if (kind == "session" && !options.id.empty()) {
    if (const auto id = from_hex_exactly<32>(options.id); !id) return malformed("--id", id.error());
  }
  return check_address(options.address);
}

// A nonce is compared with the one that a report answers.
bool holds_report(const Subject& subject, const VerifyOptions& options) {
  if (subject.saved.kind == "receipt") return subject.beside("report") || !options.report_file.empty();
  if (subject.saved.kind != "proof") return true;
  const auto proof = evidence::parse_proof(subject.saved.evidence);
  return !proof || !proof->report.empty();
}

}  // namespace

Result<void> check_expectations(const Subject& subject, const VerifyOptions& options) {
  const std::string& kind = subject.saved.kind;
  TRY_VOID(check_values(kind, options));
  for (const Expectation& expectation : expectations()) {
    if ((options.*expectation.value).empty()) continue;
    if (std::ranges::find(expectation.kinds, kind) == expectation.kinds.end()) {
      return nothing_to_compare(subject.words ? "a bundle of kind " + kind : "evidence of kind " + kind, expectation);
    }
    if (expectation.value == &VerifyOptions::nonce && !holds_report(subject, options)) {
      return nothing_to_compare("a " + kind + " without a report", expectation);
    }
  }
  return {};
}

}  // namespace cloister::apps
