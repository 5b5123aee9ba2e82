#include "verify/nvidia/corim_evidence.h"

#include <algorithm>

#include "codec/coev.h"
#include "verify/nvidia/corim_match.h"
#include "verify/nvidia/tcb_info.h"

namespace cloister::verify {
namespace {

using codec::CborValue;
using codec::ComidTriple;
using codec::ComidValues;
using Kind = CborValue::Kind;

constexpr std::string_view kProfile = "tag:nvidia.com,2026:evidence/spdm/profiles/gpu/1.";
// DMTFSpecMeasurementValueType (DSP0274): lower values are digests, higher values are raw.
constexpr std::uint8_t kFirstRaw = 0x80, kVersionType = 0x86, kSvnType = 0x87;

Error malformed(const std::string& what) { return fail(ErrorCode::kBadGpuEvidence, "concise evidence: " + what); }

std::string at(std::uint8_t index) { return "measurement " + std::to_string(index); }

std::string digest_name(std::size_t size) {
  return size == 32 ? "sha-256" : size == 48 ? "sha-384" : size == 64 ? "sha-512" : "";
}

Result<std::uint64_t> little_endian(const Bytes& value, std::uint8_t index) {
  if (value.empty() || value.size() > 8) return malformed(at(index) + " is no security version number");
  std::uint64_t out = 0;
  for (auto byte = value.rbegin(); byte != value.rend(); ++byte) out = out << 8 | *byte;
  return out;
}

Result<void> put(const codec::SpdmMeasurement& block, ComidValues& out) {
  const Error twice = malformed(at(block.index) + " is a second value of one thing");
  if (block.value_type < kFirstRaw) {
    const std::string algorithm = digest_name(block.value.size());
    if (algorithm.empty()) return malformed(at(block.index) + " is a digest of an unknown size");
    for (const codec::ComidDigest& other : out.digests) {
      if (other.algorithm == algorithm) return twice;
    }
    out.digests.push_back({algorithm, block.value});
  } else if (block.value_type == kVersionType) {
    if (out.version) return twice;
    out.version = std::string(as_text(block.value));
  } else if (block.value_type == kSvnType) {
    if (out.svn) return twice;
    TRY(number, little_endian(block.value, block.index));
    out.svn = codec::ComidSvn{number, false};
  } else {
    if (out.raw) return twice;
    out.raw = codec::ComidRaw{block.value, {}};
  }
  return {};
}

// Binding for SPDM, section 7.1: values that are in other measurements.
Result<void> resolve(const codec::SpdmReport& report, ComidValues& values) {
  for (const std::uint8_t index : values.spdm_blocks) {
    const auto block = std::ranges::find(report.measurements, index, &codec::SpdmMeasurement::index);
    if (block == report.measurements.end()) return malformed("there is no " + at(index) + ", which it points at");
    TRY_VOID(put(*block, values));
  }
  values.spdm_blocks.clear();
  // A minimum or a mask is a reference's demand; a device has a single value.
  if ((values.svn && values.svn->at_least) || (values.raw && !values.raw->mask.empty())) {
    return malformed("a floor or a mask in the place of a value");
  }
  return {};
}

// "NV_GPU_DRIVER_GR100_620.54" of ".../rim/NV_GPU_DRIVER_GR100_620.54.corim".
std::string manifest_name(std::string_view uri) {
  std::string_view name = uri.substr(uri.rfind('/') + 1);
  if (name.ends_with(".corim")) name.remove_suffix(6);
  return std::string(name);
}

Result<void> read_measured(const codec::SpdmReport& report, DeviceClaims& out) {
  const auto manifest =
      std::ranges::find(report.measurements, codec::kSpdmManifestIndex, &codec::SpdmMeasurement::index);
  if (manifest == report.measurements.end()) {
    return fail(ErrorCode::kUnsupported, "the report does not say what its measurements are of (no measurement 253)");
  }
  if (manifest->value_type != codec::kSpdmManifestType) {
    return malformed("measurement 253 is of type " + std::to_string(manifest->value_type) +
                     ", expected a manifest (138)");
  }
  TRY(toc, codec::read_spdm_toc(manifest->value));
  if (!toc.profile.empty() && !toc.profile.starts_with(kProfile)) {
    return fail(ErrorCode::kUnsupported, "concise evidence of the profile " + toc.profile + " is not supported");
  }
  for (ComidTriple& triple : toc.triples) {
    for (codec::ComidMeasurement& measurement : triple.measurements) TRY_VOID(resolve(report, measurement.values));
    out.measured.push_back(std::move(triple));
  }
  for (const std::string& uri : toc.rim_locators) out.manifests.push_back(manifest_name(uri));
  return {};
}

CborValue number(std::uint64_t value) { return {Kind::kUnsigned, value, {}, {}, {}}; }
CborValue text(const std::string& value) { return {Kind::kText, 0, {}, value, {}}; }

void add_member(CborValue& map, std::uint64_t key, CborValue value) {
  map.items.push_back(number(key));
  map.items.push_back(std::move(value));
}

// The TcbInfo of a certificate as one measurement without a key.
ComidTriple triple_of(const TcbInfo& info) {
  CborValue of_class{Kind::kMap, 0, {}, {}, {}};
  if (info.type) {
    const CborValue bytes{Kind::kBytes, 0, *info.type, {}, {}};
    add_member(of_class, codec::kClassId, {Kind::kTag, codec::kBytesTag, {}, {}, {bytes}});
  }
  if (info.vendor) add_member(of_class, codec::kClassVendor, text(*info.vendor));
  if (info.model) add_member(of_class, codec::kClassModel, text(*info.model));
  if (info.layer) add_member(of_class, codec::kClassLayer, number(*info.layer));
  if (info.index) add_member(of_class, codec::kClassIndex, number(*info.index));
  ComidTriple out;
  out.environment = {Kind::kMap, 0, {}, {}, {number(codec::kEnvironmentClass), std::move(of_class)}};
  ComidValues values;
  values.version = info.version;
  if (info.svn) values.svn = codec::ComidSvn{*info.svn, false};
  values.flags = info.flags;
  if (info.vendor_info) values.raw = codec::ComidRaw{*info.vendor_info, {}};
  // The first digest is the firmware's; NVIDIA's certificates hold a second one of zeros.
  if (!info.fwids.empty() && equal(info.fwids.front().algorithm, kSha384Oid)) {
    values.digests.push_back({"sha-384", info.fwids.front().digest});
  }
  out.measurements.push_back({std::nullopt, std::move(values)});
  return out;
}

Result<void> refuse_twice(const DeviceClaims& claims) {
  std::vector<const CborValue*> seen;
  for (const auto* triples : {&claims.measured, &claims.certified}) {
    for (const ComidTriple& triple : *triples) {
      for (const CborValue* other : seen) {
        if (same_environment(*other, triple.environment)) {
          return malformed("it speaks twice of " + environment_text(triple.environment));
        }
      }
      seen.push_back(&triple.environment);
    }
  }
  return {};
}

}  // namespace

Result<DeviceClaims> device_claims(const codec::SpdmReport& report, const std::vector<crypto::Certificate>& chain) {
  DeviceClaims out;
  TRY_VOID(read_measured(report, out));
  for (const crypto::Certificate& certificate : chain) {
    TRY(info, read_tcb_info(certificate));
    if (info) out.certified.push_back(triple_of(*info));
  }
  TRY_VOID(refuse_twice(out));
  return out;
}

}  // namespace cloister::verify
