#include "store/exchange/named_document.h"

#include <utility>

#include "codec/json.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"

namespace cloister::store {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReceipt;

// Where a report has its keyset: in the node's own form, or in ACI's.
Json keyset_in(const Json& report) {
  if (!report.is_object()) return nullptr;
  const auto attestation = report.find("attestation");
  const bool is_aci =
      attestation != report.end() && attestation->is_object() && attestation->contains("workload_keyset");
  return is_aci ? attestation->at("workload_keyset") : report.value("keyset", Json());
}

}  // namespace

Result<std::optional<evidence::Keyset>> check_named(const Document& document) {
  const bool is_keyset = document.kind == kKeysetKind, is_policy = document.kind == kPolicyKind;
  if (!is_keyset && !is_policy && !document.kind.starts_with(kReportKinds)) return std::optional<evidence::Keyset>();
  const Result<Json> json = codec::parse_json(document.text);
  if (!json) return fail(kCode, "text: " + json.error().message, "text");
  if (is_policy) {
    const Result<ByteArray<32>> digest = evidence::document_digest(*json);
    if (!digest || evidence::digest_text(*digest) != document.key)
      return fail(kCode, "key: is not the digest of the policy", "key");
    return std::optional<evidence::Keyset>();
  }
  Result<evidence::Keyset> keyset = evidence::parse_keyset(is_keyset ? *json : keyset_in(*json));
  if (!keyset) return fail(kCode, (is_keyset ? "text: " : "text: holds no keyset: ") + keyset.error().message, "text");
  if (evidence::digest_text(keyset->digest) != document.key) {
    return fail(kCode,
                is_keyset ? "key: is not the digest of the keyset" : "key: is not the digest of the report's keyset",
                "key");
  }
  return std::optional(*std::move(keyset));
}

}  // namespace cloister::store
