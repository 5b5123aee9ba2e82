#include "evidence/cmw_evidence.h"

#include "base/encoding.h"
#include "codec/jwt.h"

namespace cloister::evidence {
namespace {

constexpr const char* kKind = "__cmwc_t";
constexpr std::string_view kCollection = "tag:nvidia.com,2026:verifier-input/profiles/base/pre-1.0.0";
constexpr std::string_view kItem = "tag:nvidia.com,2026:evidence-item/v1";
constexpr std::string_view kChainType = "application/vnd.nvidia.pem-cert-chain";
constexpr std::string_view kReportType = "application/vnd.nvidia.spdm-measurement-transcript";
constexpr std::string_view kNonceType = "application/octet-stream";
constexpr std::size_t kMostDevices = 64;
constexpr std::size_t kMostBytes = 64 * 1024;

Error malformed(const std::string& what) { return fail(ErrorCode::kBadGpuEvidence, "GPU evidence: " + what); }

// [media type, text]
Result<std::string> text_of(const Json& item, const char* name, std::string_view type) {
  const auto member = item.find(name);
  const bool pair = member != item.end() && member->is_array() && member->size() == 2 && (*member)[0].is_string() &&
                    (*member)[1].is_string();
  if (!pair) return malformed("expected `" + std::string(name) + "` to be a media type and a text");
  if ((*member)[0] != type) {
    return fail(ErrorCode::kUnsupported,
                "GPU evidence: `" + std::string(name) + "` is of another media type than " + std::string(type));
  }
  return (*member)[1].get<std::string>();
}

Result<void> read_nonce(const Json& item, std::string& common) {
  if (!item.contains("nonce")) return {};
  TRY(text, text_of(item, "nonce", kNonceType));
  const Result<Bytes> nonce = codec::from_base64url(text);
  if (!nonce || nonce->size() != 32) return malformed("expected `nonce` to hold 32 bytes");
  const std::string hex = to_hex(*nonce);
  if (!common.empty() && common != hex) return malformed("the devices and the collection do not agree on `nonce`");
  common = hex;
  return {};
}

Result<Bytes> bounded(Result<Bytes> bytes, const char* name) {
  if (!bytes) return malformed("`" + std::string(name) + "`: " + bytes.error().message);
  if (bytes->empty() || bytes->size() > kMostBytes) {
    return malformed("expected `" + std::string(name) + "` to hold 1 to 65536 bytes");
  }
  return bytes;
}

Result<void> expect_kind(const Json& object, std::string_view expected) {
  const auto kind = object.find(kKind);
  if (kind != object.end() && *kind == expected) return {};
  return fail(ErrorCode::kUnsupported, "GPU evidence: a collection of another kind than " + std::string(expected));
}

}  // namespace

bool is_cmw_collection(const Json& object) { return object.is_object() && object.contains(kKind); }

Result<NvidiaPayload> parse_cmw_payload(const Json& collection) {
  TRY_VOID(expect_kind(collection, kCollection));
  NvidiaPayload out;
  TRY_VOID(read_nonce(collection, out.nonce_hex));
  for (const auto& [name, item] : collection.items()) {
    if (name == kKind || name == "nonce") continue;
    if (!item.is_object()) return malformed("expected each device to be an object");
    if (out.evidence_list.size() == kMostDevices) return malformed("more than 64 devices");
    TRY_VOID(expect_kind(item, kItem));
    TRY_VOID(read_nonce(item, out.nonce_hex));
    GpuEvidence device;
    TRY(chain_text, text_of(item, "certificate", kChainType));
    TRY(chain, bounded(from_base64(chain_text), "certificate"));
    device.certificate_chain_pem = as_text(chain);
    TRY(report_text, text_of(item, "evidence", kReportType));
    TRY(report, bounded(codec::from_base64url(report_text), "evidence"));
    device.report = std::move(report);
    out.evidence_list.push_back(std::move(device));
  }
  if (out.evidence_list.empty()) return malformed("the collection holds no device");
  return out;
}

}  // namespace cloister::evidence
