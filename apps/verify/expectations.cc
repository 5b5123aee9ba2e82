#include "apps/verify/expectations.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "base/encoding.h"
#include "verify/subject/input_forms.h"

namespace cloister::apps {
namespace {

constexpr std::pair<const char*, std::string VerifyOptions::*> kNamed[] = {
    {"nonce", &VerifyOptions::nonce},
    {"id", &VerifyOptions::id},
    {"model", &VerifyOptions::model},
    {"request", &VerifyOptions::request_file},
    {"response", &VerifyOptions::response_file},
    {"address", &VerifyOptions::address},
    {"report-data", &VerifyOptions::report_data},
    {"model-manifest", &VerifyOptions::model_manifest_file},
};

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
  const auto data = from_hex(options.report_data);
  if (!data) return malformed("--report-data", data.error());
  if (!options.report_data.empty() && options.report_data.size() != 128) {
    return fail(ErrorCode::kUsage,
                "--report-data: expected 64 bytes, got " + std::to_string(options.report_data.size() / 2));
  }
  if (const auto filled = verify::check_filled(*data); !data->empty() && !filled)
    return malformed("--report-data", filled.error());
  if (kind == "session" && !options.id.empty()) {
    const auto id = from_hex_exactly<32>(options.id);
    if (!id) return malformed("--id", id.error());
    if (const auto filled = verify::check_filled(*id); !filled) return malformed("--id", filled.error());
  }
  return check_address(options.address);
}

}  // namespace

Result<void> check_expectations(const Subject& subject, const VerifyOptions& options) {
  TRY_VOID(check_values(subject.saved.kind, options));
  std::set<std::string> given;
  for (const auto& [name, value] : kNamed) {
    if (!(options.*value).empty()) given.insert(name);
  }
  return verify::check_comparable(subject, given, "--");
}

}  // namespace cloister::apps
