#include "evidence/services/tinfoil.h"

#include "base/encoding.h"
#include "codec/gzip.h"
#include "codec/json.h"
#include "codec/json_member.h"
#include "crypto/hash.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReport;
constexpr std::string_view kFamily = "https://tinfoil.sh/predicate/";
constexpr std::string_view kVersion3 = "https://tinfoil.sh/predicate/attestation/v3";
constexpr std::string_view kTdxVersion2 = "https://tinfoil.sh/predicate/tdx-guest/v2";
constexpr std::string_view kSnpVersion2 = "https://tinfoil.sh/predicate/sev-snp-guest/v2";
constexpr std::size_t kMostEvidence = 64 * 1024;
constexpr std::size_t kMostDevices = 64;

Result<Bytes> read_base64(const JsonReader& reader, std::string_view name) {
  TRY(text, reader.text(name));
  Result<Bytes> bytes = from_base64(text);
  if (!bytes) return reader.bad(name, bytes.error().message);
  return bytes;
}

Result<TinfoilDocument> parse_version2(const JsonReader& reader, bool snp) {
  TinfoilDocument out;
  out.version = 2;
  out.snp = snp;
  TRY(packed, read_base64(reader, "body"));
  Result<Bytes> evidence = codec::unpack_gzip(packed, kMostEvidence);
  if (!evidence) return reader.bad("body", evidence.error().message);
  out.evidence = *std::move(evidence);
  return out;
}

Result<std::optional<ByteArray<32>>> optional_hash(const JsonReader& reader, std::string_view name) {
  TRY(text, reader.optional_text(name));
  if (!text || text->empty()) return std::optional<ByteArray<32>>();
  TRY(hash, reader.hex32(name));
  return std::optional(hash);
}

Result<void> read_bound(const Json& object, TinfoilDocument& out) {
  const JsonReader reader(object, kCode, "report_data.");
  TRY_VOID(reader.only({"tls_key_fp", "hpke_key", "nonce", "gpu_evidence_hash", "nvswitch_evidence_hash"}));
  TRY(tls_key, reader.hex32("tls_key_fp"));
  TRY(hpke_key, reader.hex32("hpke_key"));
  TRY(nonce, reader.hex32("nonce"));
  TRY(gpu_hash, optional_hash(reader, "gpu_evidence_hash"));
  TRY(switch_hash, optional_hash(reader, "nvswitch_evidence_hash"));
  out.tls_key_sha256 = tls_key;
  out.hpke_key = hpke_key;
  out.nonce = nonce;
  out.gpu_evidence_hash = gpu_hash;
  out.switch_evidence_hash = switch_hash;
  return {};
}

Result<void> read_cpu(const Json& object, TinfoilDocument& out) {
  const JsonReader reader(object, kCode, "cpu.");
  TRY_VOID(reader.only({"platform", "report"}));
  TRY(platform, reader.text("platform"));
  if (platform != "tdx" && platform != "sev-snp") return reader.bad("platform", "expected tdx or sev-snp");
  out.snp = platform == "sev-snp";
  TRY(evidence, read_base64(reader, "report"));
  out.evidence = std::move(evidence);
  return {};
}

// Returns the member's text, and adds its list of devices to `devices`.
Result<std::optional<std::string>> read_devices(std::string_view text, const JsonReader& document,
                                                std::string_view name, Json& devices) {
  TRY(object, document.optional_object(name));
  if (object == nullptr) return std::optional<std::string>();
  const JsonReader reader(*object, kCode, std::string(name) + ".");
  TRY_VOID(reader.only({"evidences", "result_code", "result_message"}));
  TRY(list, reader.array("evidences", kMostDevices));
  for (const Json& device : *list) devices.push_back(device);
  const auto own = codec::find_member_text(text, name);
  if (!own) return document.bad(name, "its name is not spelled plainly");
  return std::optional(std::string(*own));
}

Result<void> read_signature(std::string_view text, const JsonReader& reader, TinfoilDocument& out) {
  TRY(certificate, reader.optional_text("certificate"));
  out.certificate = certificate.value_or("");
  TRY(signature, reader.optional_text("signature"));
  if (!signature || signature->empty()) return {};
  TRY(bytes, read_base64(reader, "signature"));
  out.signature = std::move(bytes);
  const auto span = codec::find_member_span(text, "signature");
  if (!span) return reader.bad("signature", "its name is not spelled plainly");
  // The signed text has "" in its place, without the line end that a server writes after it.
  const std::size_t begin = text.find('{'), end = text.rfind('}') + 1;
  out.signed_text = text.substr(begin, span->begin - begin);
  out.signed_text += "\"\"";
  out.signed_text += text.substr(span->begin + span->size, end - span->begin - span->size);
  return {};
}

Result<TinfoilDocument> parse_version3(std::string_view text, const JsonReader& reader) {
  TRY_VOID(reader.only({"format", "report_data", "cpu", "gpu", "nvswitch", "certificate", "signature"}));
  TinfoilDocument out;
  TRY(bound, reader.object("report_data"));
  TRY_VOID(read_bound(*bound, out));
  TRY(cpu, reader.object("cpu"));
  TRY_VOID(read_cpu(*cpu, out));
  Json devices = Json::array();
  TRY(gpu_text, read_devices(text, reader, "gpu", devices));
  out.gpu_text = std::move(gpu_text);
  TRY(switch_text, read_devices(text, reader, "nvswitch", devices));
  out.switch_text = std::move(switch_text);
  if (out.gpu_text || out.switch_text) out.devices = codec::write_json(devices);
  TRY_VOID(read_signature(text, reader, out));
  return out;
}

}  // namespace

bool is_tinfoil_format(std::string_view format) { return format.starts_with(kFamily); }

bool is_known_tinfoil_format(std::string_view format) {
  return format == kVersion3 || format == kTdxVersion2 || format == kSnpVersion2;
}

Result<TinfoilDocument> parse_tinfoil_document(std::string_view text, const Json& object) {
  const JsonReader reader(object, kCode);
  TRY_VOID(reader.is_object());
  TRY(format, reader.text("format"));
  if (format == kVersion3) return parse_version3(text, reader);
  if (format == kTdxVersion2 || format == kSnpVersion2) return parse_version2(reader, format == kSnpVersion2);
  return reader.bad("format", "a version that is not known here");
}

ByteArray<32> tinfoil_binding(const TinfoilDocument& document) {
  Bytes text = to_bytes(document.tls_key_sha256);
  append(text, document.hpke_key);
  append(text, document.nonce);
  for (const auto& hash : {document.gpu_evidence_hash, document.switch_evidence_hash}) {
    if (hash) append(text, *hash);
  }
  return crypto::sha256(text);
}

}  // namespace cloister::evidence
