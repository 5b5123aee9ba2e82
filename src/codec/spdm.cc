#include "codec/spdm.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "codec/byte_reader.h"

namespace cloister::codec {
namespace {

constexpr std::size_t kMostReportBytes = 64 * 1024;
constexpr std::uint8_t kSpdm11 = 0x11;
constexpr std::uint8_t kGetMeasurements = 0xE0;
constexpr std::uint8_t kMeasurements = 0x60;
constexpr std::uint8_t kWithSignature = 0x01;
constexpr std::uint8_t kAllMeasurements = 0xFF;
constexpr std::uint8_t kSlot = 0;
constexpr std::uint8_t kDmtfSpecification = 1;
constexpr std::size_t kMeasurementHeader = 3;  // value type and value size
// The magic with which the versioned form of the opaque data begins (NVIDIA attestation-sdk, opaque data format).
constexpr ByteArray<6> kOpaqueMagic = {'N', 'V', 'D', 'A', 'O', 'D'};
constexpr std::uint16_t kOpaqueProfile = 0;

Result<void> expect_byte(ByteReader& in, std::uint8_t expected, std::string_view field) {
  TRY(actual, in.integer<std::uint8_t>(field));
  if (actual == expected) return {};
  return in.error(std::string(field) + " at offset " + std::to_string(in.offset() - 1) + ": expected " +
                  std::to_string(expected) + ", got " + std::to_string(actual));
}

Result<void> parse_request(ByteReader& in, SpdmReport& report) {
  TRY_VOID(expect_byte(in, kSpdm11, "request version"));
  TRY_VOID(expect_byte(in, kGetMeasurements, "request code"));
  TRY_VOID(expect_byte(in, kWithSignature, "request param1"));
  TRY_VOID(expect_byte(in, kAllMeasurements, "request param2"));
  TRY(nonce, in.array<32>("request nonce"));
  report.request_nonce = nonce;
  return expect_byte(in, kSlot, "request slot");
}

Result<SpdmMeasurement> parse_block(ByteReader& in) {
  SpdmMeasurement block;
  TRY(index, in.integer<std::uint8_t>("measurement index"));
  if (index == 0) return in.error("measurement index 0, expected 1 to 255");
  block.index = index;
  TRY_VOID(expect_byte(in, kDmtfSpecification, "measurement specification"));
  TRY(size, in.integer<std::uint16_t>("measurement size"));
  TRY(value_type, in.integer<std::uint8_t>("measurement value type"));
  block.value_type = value_type;
  TRY(value_size, in.integer<std::uint16_t>("measurement value size"));
  if (size != value_size + kMeasurementHeader) {
    return in.error("measurement " + std::to_string(index) + ": its size " + std::to_string(size) +
                    " does not agree with its value's " + std::to_string(value_size));
  }
  TRY(value, in.take(value_size, "measurement value"));
  block.value = to_bytes(value);
  return block;
}

Result<void> parse_record(ByteView bytes, std::uint8_t count, SpdmReport& report) {
  ByteReader in(bytes, ErrorCode::kBadGpuEvidence, "GPU report measurement record");
  std::set<std::uint8_t> seen;
  while (in.left() > 0) {
    TRY(block, parse_block(in));
    if (!seen.insert(block.index).second) {
      return in.error("measurement index " + std::to_string(block.index) + " occurs twice");
    }
    report.measurements.push_back(std::move(block));
  }
  if (report.measurements.size() != count) {
    return in.error("expected " + std::to_string(count) + " measurements, got " +
                    std::to_string(report.measurements.size()));
  }
  return {};
}

Error unsupported(const std::string& what) {
  return fail(ErrorCode::kUnsupported, "GPU report opaque data: " + what + " is not supported");
}

// Reads profile and version after the magic.
Result<void> parse_opaque_header(ByteReader& in, SpdmReport& report) {
  TRY_VOID(in.take(kOpaqueMagic.size(), "magic"));
  TRY(profile, in.integer<std::uint16_t>("profile"));
  OpaqueVersion version;
  TRY(major, in.integer<std::uint8_t>("major version"));
  TRY(minor, in.integer<std::uint8_t>("minor version"));
  TRY(patch, in.integer<std::uint8_t>("patch version"));
  version = {major, minor, patch};
  if (profile != kOpaqueProfile) return unsupported("profile " + std::to_string(profile));
  if (major > kMostOpaqueMajor) return unsupported("version " + std::to_string(major) + "." + std::to_string(minor));
  TRY_VOID(expect_byte(in, 0, "padding of the version"));
  report.opaque_version = version;
  return {};
}

// Reports in the legacy form may state a version in a field (type 34) as well.
Result<void> check_legacy_version(const SpdmReport& report) {
  const auto found = report.opaque.find(static_cast<std::uint16_t>(OpaqueField::kOpaqueDataVersion));
  if (found == report.opaque.end()) return {};
  const Bytes& version = found->second;  // little-endian
  const bool larger = std::any_of(version.begin(), version.end(), [&](const std::uint8_t& byte) {
    return &byte == version.data() ? byte > kMostOpaqueMajor : byte != 0;
  });
  return larger ? unsupported("version " + to_hex(version) + " (little-endian)") : Result<void>();
}

Result<void> parse_opaque(ByteView bytes, SpdmReport& report) {
  ByteReader in(bytes, ErrorCode::kBadGpuEvidence, "GPU report opaque data");
  const bool versioned = bytes.size() >= kOpaqueMagic.size() && equal(bytes.first(kOpaqueMagic.size()), kOpaqueMagic);
  if (versioned) TRY_VOID(parse_opaque_header(in, report));
  while (in.left() > 0) {
    TRY(type, in.integer<std::uint16_t>("field type"));
    if (versioned) {
      TRY(value_type, in.integer<std::uint16_t>("field value type"));
      report.opaque_value_types[type] = value_type;
    }
    TRY(size, in.integer<std::uint16_t>("field size"));
    TRY(value, in.take(size, "field value"));
    if (!report.opaque.emplace(type, to_bytes(value)).second) {
      return in.error("field type " + std::to_string(type) + " occurs twice");
    }
  }
  return versioned ? Result<void>() : check_legacy_version(report);
}

Result<void> parse_response(ByteReader& in, SpdmReport& report) {
  TRY_VOID(expect_byte(in, kSpdm11, "response version"));
  TRY_VOID(expect_byte(in, kMeasurements, "response code"));
  TRY_VOID(in.take(2, "response params"));
  TRY(count, in.integer<std::uint8_t>("number of measurements"));
  TRY(record_size, (in.integer<std::uint32_t, 3>("measurement record size")));
  TRY(record, in.take(record_size, "measurement record"));
  TRY_VOID(parse_record(record, count, report));
  TRY(nonce, in.array<32>("responder nonce"));
  report.responder_nonce = nonce;
  TRY(opaque_size, in.integer<std::uint16_t>("opaque data size"));
  TRY(opaque, in.take(opaque_size, "opaque data"));
  return parse_opaque(opaque, report);
}

}  // namespace

std::string SpdmReport::opaque_text(OpaqueField field) const {
  const auto found = opaque.find(static_cast<std::uint16_t>(field));
  if (found == opaque.end()) return {};
  std::string_view text = as_text(found->second);
  if (text.ends_with('\0')) text.remove_suffix(1);
  return std::string(text);
}

const Bytes* SpdmReport::typed_field(std::uint16_t field, OpaqueValueType type) const {
  const auto found = opaque.find(field);
  const auto typed = opaque_value_types.find(field);
  const bool fits =
      found != opaque.end() && typed != opaque_value_types.end() && typed->second == static_cast<std::uint16_t>(type);
  return fits ? &found->second : nullptr;
}

Result<SpdmReport> parse_spdm_report(ByteView bytes) {
  ByteReader in(bytes, ErrorCode::kBadGpuEvidence, "GPU report");
  if (bytes.size() > kMostReportBytes) {
    return in.error("expected at most " + std::to_string(kMostReportBytes) + " bytes, got " +
                    std::to_string(bytes.size()));
  }
  SpdmReport report;
  TRY_VOID(parse_request(in, report));
  TRY_VOID(parse_response(in, report));
  report.signed_region = to_bytes(bytes.first(in.offset()));
  TRY(signature, in.array<96>("signature"));
  report.signature = signature;
  TRY_VOID(in.expect_zero_padding());
  return report;
}

Bytes write_spdm_signed_region(const SpdmReport& report) {
  Bytes record;
  for (const SpdmMeasurement& measurement : report.measurements) {
    record.push_back(measurement.index);
    record.push_back(kDmtfSpecification);
    append_integer(record, measurement.value.size() + kMeasurementHeader, 2);
    record.push_back(measurement.value_type);
    append_integer(record, measurement.value.size(), 2);
    append(record, measurement.value);
  }
  Bytes opaque;
  if (report.opaque_version) {
    append(opaque, kOpaqueMagic);
    append_integer(opaque, kOpaqueProfile, 2);
    append(opaque, Bytes{report.opaque_version->major, report.opaque_version->minor, report.opaque_version->patch, 0});
  }
  for (const auto& [type, value] : report.opaque) {
    append_integer(opaque, type, 2);
    if (report.opaque_version) {
      const auto value_type = report.opaque_value_types.find(type);
      append_integer(opaque, value_type == report.opaque_value_types.end() ? 0u : value_type->second, 2);
    }
    append_integer(opaque, value.size(), 2);
    append(opaque, value);
  }
  Bytes out = {kSpdm11, kGetMeasurements, kWithSignature, kAllMeasurements};
  append(out, report.request_nonce);
  out.push_back(kSlot);
  append(out, Bytes{kSpdm11, kMeasurements, 0, 0});
  out.push_back(static_cast<std::uint8_t>(report.measurements.size()));
  append_integer(out, record.size(), 3);
  append(out, record);
  append(out, report.responder_nonce);
  append_integer(out, opaque.size(), 2);
  append(out, opaque);
  return out;
}

}  // namespace cloister::codec
