#include "evidence/gpu_evidence.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/cmw_evidence.h"

namespace cloister::evidence {
namespace {

constexpr std::size_t kMostDevices = 64;
constexpr std::size_t kMostChainBytes = 64 * 1024;
constexpr std::size_t kMostReportBytes = 64 * 1024;
constexpr std::size_t kMostTextBytes = 8u << 20;

Error malformed(const std::string& message) { return fail(ErrorCode::kBadGpuEvidence, "GPU evidence: " + message); }

Result<std::string> text_member(const Json& object, std::string_view name) {
  Result<std::string> text = codec::string_member(object, name);
  if (!text) return malformed(text.error().message);
  return text;
}

Result<Bytes> base64_member(const Json& object, std::string_view name, std::size_t limit) {
  TRY(text, text_member(object, name));
  Result<Bytes> bytes = from_base64(text);
  if (!bytes) return malformed("`" + std::string(name) + "`: " + bytes.error().message);
  if (bytes->empty() || bytes->size() > limit) {
    return malformed("expected `" + std::string(name) + "` to hold 1 to " + std::to_string(limit) + " bytes, got " +
                     std::to_string(bytes->size()));
  }
  return bytes;
}

// Returns 64 hex digits in lower case.
Result<std::string> nonce_member(const Json& object) {
  TRY(text, text_member(object, "nonce"));
  Result<ByteArray<32>> nonce = from_hex_exactly<32>(text);
  if (!nonce) return malformed("expected `nonce` to be 64 hex digits");
  return to_hex(*nonce);
}

Result<std::string> arch_member(const Json& object) {
  TRY(arch, text_member(object, "arch"));
  const bool plain =
      std::ranges::all_of(arch, [](char c) { return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; });
  if (arch.empty() || arch.size() > 32 || !plain) {
    return malformed("expected `arch` to be 1 to 32 of A-Z, 0-9 and _");
  }
  return arch;
}

// The hints of an entry must agree with those of the list; the first entry sets what the list leaves open, as in the
// bare array of NVIDIA's attestation-sdk.
Result<void> merge_hint(const Json& entry, const char* name, Result<std::string> (*read)(const Json&),
                        std::string& common) {
  if (!entry.contains(name)) return {};
  TRY(own, read(entry));
  if (common.empty()) common = own;
  if (own != common) return malformed(std::string("the entries and the list do not agree on `") + name + "`");
  return {};
}

// Older SDKs leave the hints out or write null.
Result<std::string> version_hint(const Json& entry, const char* name) {
  const auto found = entry.find(name);
  if (found == entry.end() || found->is_null()) return std::string();
  TRY(text, text_member(entry, name));
  if (text.size() > 64) return malformed(std::string("expected `") + name + "` to have at most 64 characters");
  return text;
}

Result<GpuEvidence> parse_entry(const Json& entry, NvidiaPayload& payload, bool bare) {
  if (!entry.is_object()) return malformed(std::string("expected an entry to be an object, got ") + entry.type_name());
  GpuEvidence out;
  TRY_VOID(merge_hint(entry, "nonce", nonce_member, payload.nonce_hex));
  std::string own_arch;
  TRY_VOID(merge_hint(entry, "arch", arch_member, bare ? own_arch : payload.arch));
  if (bare && own_arch.empty()) return malformed("no `arch` next to an entry");
  out.arch = bare ? own_arch : payload.arch;
  if (payload.arch.empty()) payload.arch = out.arch;
  TRY(driver_version, version_hint(entry, "driver_version"));
  out.driver_version = std::move(driver_version);
  TRY(vbios_version, version_hint(entry, "vbios_version"));
  out.vbios_version = std::move(vbios_version);
  TRY(report, base64_member(entry, "evidence", kMostReportBytes));
  out.report = std::move(report);
  TRY(chain, base64_member(entry, "certificate", kMostChainBytes));
  out.certificate_chain_pem = as_text(chain);
  return out;
}

Result<void> parse_list(const Json& list, NvidiaPayload& payload, bool bare) {
  if (list.size() > kMostDevices) {
    return malformed("expected at most " + std::to_string(kMostDevices) + " devices, got " +
                     std::to_string(list.size()));
  }
  for (const Json& entry : list) {
    TRY(evidence, parse_entry(entry, payload, bare));
    payload.evidence_list.push_back(std::move(evidence));
  }
  // A bare list may have no nonce at all, as Chutes and older versions of NVIDIA's SDK write it: then only the signed reports have it.
  if (payload.nonce_hex.empty() && !bare) return malformed("no `nonce`, neither in the list nor next to it");
  return {};
}

// Removes white space and 0x.
std::string compact(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') out.push_back(c);
  }
  if (out.starts_with("0x")) out.erase(0, 2);
  return out;
}

}  // namespace

Result<GpuEvidence> parse_gpu_files(ByteView report_file, ByteView chain_file) {
  constexpr std::size_t kMostFileBytes = 4 * kMostReportBytes;
  if (report_file.size() > kMostFileBytes || chain_file.size() > kMostFileBytes)
    return malformed("a file is too large");
  GpuEvidence out;
  // An SPDM request starts with its version, a byte that occurs in no text.
  if (!report_file.empty() && report_file[0] == 0x11) {
    out.report = to_bytes(report_file);
  } else {
    Result<Bytes> report = from_hex(compact(as_text(report_file)));
    if (!report) return malformed("the report is neither raw nor hex: " + report.error().message);
    out.report = *std::move(report);
  }
  out.certificate_chain_pem = as_text(chain_file);
  if (!out.certificate_chain_pem.starts_with("-----BEGIN")) {
    const Result<Bytes> chain = from_base64(compact(as_text(chain_file)));
    if (!chain) return malformed("the chain is neither PEM nor base64: " + chain.error().message);
    out.certificate_chain_pem = as_text(*chain);
  }
  return out;
}

std::string write_nvidia_payload(const NvidiaPayload& payload) {
  const bool bare = payload.nonce_hex.empty() ||
                    std::ranges::any_of(payload.evidence_list,
                                        [&](const GpuEvidence& evidence) { return evidence.arch != payload.arch; });
  Json list = Json::array();
  for (const GpuEvidence& evidence : payload.evidence_list) {
    Json entry = {{"certificate", to_base64(as_bytes(evidence.certificate_chain_pem))},
                  {"evidence", to_base64(evidence.report)},
                  {"arch", evidence.arch}};
    if (bare && !payload.nonce_hex.empty()) entry["nonce"] = payload.nonce_hex;
    list.push_back(std::move(entry));
  }
  if (bare) return codec::write_json(list);
  return codec::write_json(
      Json{{"nonce", payload.nonce_hex}, {"evidence_list", std::move(list)}, {"arch", payload.arch}});
}

Result<NvidiaPayload> parse_nvidia_payload(std::string_view json_text) {
  Result<Json> json = codec::parse_json(json_text, {.max_bytes = kMostTextBytes, .max_depth = 8});
  if (!json) return malformed(json.error().message);
  NvidiaPayload payload;
  if (json->is_array()) {
    if (json->empty()) return malformed("the list is empty");
    TRY_VOID(parse_list(*json, payload, true));
    return payload;
  }
  if (is_cmw_collection(*json)) return parse_cmw_payload(*json);
  TRY(nonce, nonce_member(*json));
  payload.nonce_hex = std::move(nonce);
  TRY(arch, arch_member(*json));
  payload.arch = std::move(arch);
  Result<const Json*> list = codec::array_member(*json, "evidence_list");
  if (!list) return malformed(list.error().message);
  TRY_VOID(parse_list(**list, payload, false));
  return payload;
}

}  // namespace cloister::evidence
