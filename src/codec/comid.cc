#include "codec/comid.h"

#include <algorithm>
#include <array>
#include <utility>

namespace cloister::codec {
namespace {

using Kind = CborValue::Kind;

// Keys and tags of the draft's CDDL; 12 comes from the binding for SPDM, section 7.1.
constexpr std::uint64_t kMeasurementKey = 0, kMeasurementValues = 1;
constexpr std::uint64_t kVersion = 0, kSvn = 1, kDigests = 2, kFlags = 3, kRawValue = 4, kName = 11, kSpdmIndirect = 12,
                        kRange = 15;
constexpr std::uint64_t kSvnTag = 552, kMinSvnTag = 553, kMaskedTag = 563, kRangeTag = 564;
constexpr std::uint64_t kUuidTag = 37;
constexpr std::uint64_t kMostFlag = 9;
constexpr std::size_t kMostMeasurements = 256;

// IANA, Named Information Hash Algorithm Registry.
constexpr std::array<std::pair<std::uint64_t, std::string_view>, 3> kAlgorithms = {
    {{1, "sha-256"}, {7, "sha-384"}, {8, "sha-512"}}};
// RFC 9393, section 4.1: multipartnumeric, multipartnumeric+suffix, alphanumeric, decimal, semver.
constexpr std::array<std::uint64_t, 5> kVersionSchemes = {1, 2, 3, 4, 16384};

Error malformed(const std::string& what) { return fail(ErrorCode::kBadRim, what); }
Error unsupported(const std::string& what) { return fail(ErrorCode::kUnsupported, what + " are not supported"); }
Error malformed_value(std::uint64_t kind) {
  return malformed("a value of kind " + std::to_string(kind) + " is malformed");
}

// {0: text, ? 1: scheme}.
Result<void> read_version(const CborValue& value, ComidValues& out) {
  const CborValue* text = value.member(0);
  if (!value.is(Kind::kMap) || text == nullptr || !text->is(Kind::kText)) return malformed_value(kVersion);
  out.version = text->text;
  const CborValue* scheme = value.member(1);
  if (value.items.size() != (scheme == nullptr ? 2u : 4u)) return unsupported("other members of versions");
  if (scheme == nullptr) return {};
  if (!scheme->is(Kind::kUnsigned) || std::ranges::find(kVersionSchemes, scheme->number) == kVersionSchemes.end()) {
    return unsupported("versions of an unknown scheme");
  }
  out.version_scheme = scheme->number;
  return {};
}

Result<void> read_svn(const CborValue& value, ComidValues& out) {
  const CborValue* exact = value.tagged(kSvnTag);
  const CborValue* least = value.tagged(kMinSvnTag);
  const CborValue& number = exact != nullptr ? *exact : least != nullptr ? *least : value;
  if (!number.is(Kind::kUnsigned)) return malformed_value(kSvn);
  out.svn = ComidSvn{number.number, least != nullptr};
  return {};
}

std::string algorithm_name(const CborValue& value) {
  if (value.is(Kind::kText)) return value.text;
  const std::optional<std::int64_t> number = value.integer();
  if (!number) return {};
  const auto known = std::ranges::find_if(
      kAlgorithms, [&](const auto& entry) { return static_cast<std::int64_t>(entry.first) == *number; });
  return known == kAlgorithms.end() ? std::to_string(*number) : std::string(known->second);
}

Result<void> read_digests(const CborValue& value, ComidValues& out) {
  if (!value.is(Kind::kArray) || value.items.empty()) return malformed_value(kDigests);
  for (const CborValue& item : value.items) {
    if (!item.is(Kind::kArray) || item.items.size() != 2 || !item.items[1].is(Kind::kBytes) ||
        item.items[1].bytes.empty()) {
      return malformed_value(kDigests);
    }
    ComidDigest digest{algorithm_name(item.items[0]), item.items[1].bytes};
    // Digests of one thing are by different algorithms: with two digests by one algorithm, one would be wrong.
    const bool twice =
        std::ranges::any_of(out.digests, [&](const ComidDigest& other) { return other.algorithm == digest.algorithm; });
    if (digest.algorithm.empty() || twice) return malformed_value(kDigests);
    out.digests.push_back(std::move(digest));
  }
  return {};
}

Result<void> read_flags(const CborValue& value, ComidValues& out) {
  if (!value.is(Kind::kMap) || value.items.empty()) return malformed_value(kFlags);
  for (std::size_t i = 0; i < value.items.size(); i += 2) {
    if (!value.items[i + 1].is(Kind::kBool)) return malformed_value(kFlags);
    if (!value.items[i].is(Kind::kUnsigned) || value.items[i].number > kMostFlag) return unsupported("other flags");
    out.flags[value.items[i].number] = value.items[i + 1].number != 0;
  }
  return {};
}

Result<void> read_raw(const CborValue& value, ComidValues& out) {
  if (const CborValue* masked = value.tagged(kMaskedTag); masked != nullptr) {
    if (!masked->is(Kind::kArray) || masked->items.size() != 2 || !masked->items[0].is(Kind::kBytes) ||
        !masked->items[1].is(Kind::kBytes) || masked->items[0].bytes.size() != masked->items[1].bytes.size()) {
      return malformed_value(kRawValue);
    }
    const Bytes& mask = masked->items[1].bytes;
    // With such a mask no bit would be compared.
    if (std::ranges::all_of(mask, [](std::uint8_t byte) { return byte == 0; })) return malformed_value(kRawValue);
    out.raw = ComidRaw{masked->items[0].bytes, mask};
    return {};
  }
  const CborValue* bytes = value.tagged(kBytesTag);
  if (bytes == nullptr || !bytes->is(Kind::kBytes)) return malformed_value(kRawValue);
  out.raw = ComidRaw{bytes->bytes, {}};
  return {};
}

// A number, or tag 564 around [least, most], either of which may be null.
Result<void> read_range(const CborValue& value, ComidValues& out) {
  if (const std::optional<std::int64_t> number = value.integer(); number) {
    out.range = ComidRange{number, number};
    return {};
  }
  const CborValue* ends = value.tagged(kRangeTag);
  if (ends == nullptr || !ends->is(Kind::kArray) || ends->items.size() != 2) return malformed_value(kRange);
  ComidRange range{ends->items[0].integer(), ends->items[1].integer()};
  const bool form = (range.least || ends->items[0].is(Kind::kNull)) && (range.most || ends->items[1].is(Kind::kNull)) &&
                    (range.least || range.most) && (!range.least || !range.most || *range.least <= *range.most);
  if (!form) return malformed_value(kRange);
  out.range = range;
  return {};
}

// {0: [index, ...]}.
Result<void> read_spdm_blocks(const CborValue& value, ComidValues& out) {
  const CborValue* list = value.member(0);
  if (!value.is(Kind::kMap) || list == nullptr || !list->is(Kind::kArray) || list->items.empty()) {
    return malformed_value(kSpdmIndirect);
  }
  if (value.items.size() != 2) return unsupported("other members of references to SPDM measurements");
  for (const CborValue& item : list->items) {
    if (!item.is(Kind::kUnsigned) || item.number == 0 || item.number > 0xff) return malformed_value(kSpdmIndirect);
    const auto index = static_cast<std::uint8_t>(item.number);
    if (std::ranges::find(out.spdm_blocks, index) != out.spdm_blocks.end()) return malformed_value(kSpdmIndirect);
    out.spdm_blocks.push_back(index);
  }
  return {};
}

Result<ComidValues> read_values(const CborValue& values, ComidUse use) {
  if (!values.is(Kind::kMap) || values.items.empty()) return malformed("expected a measurement's values to be a map");
  ComidValues out;
  for (std::size_t i = 0; i < values.items.size(); i += 2) {
    const CborValue& key = values.items[i];
    const CborValue& value = values.items[i + 1];
    if (!key.is(Kind::kUnsigned)) return unsupported("extensions of measurements");
    switch (key.number) {
      case kVersion: TRY_VOID(read_version(value, out)); continue;
      case kSvn: TRY_VOID(read_svn(value, out)); continue;
      case kDigests: TRY_VOID(read_digests(value, out)); continue;
      case kFlags: TRY_VOID(read_flags(value, out)); continue;
      case kRawValue: TRY_VOID(read_raw(value, out)); continue;
      case kRange: TRY_VOID(read_range(value, out)); continue;
      case kName:
        if (!value.is(Kind::kText)) return malformed_value(kName);
        out.name = value.text;
        continue;
      case kSpdmIndirect:
        if (use == ComidUse::kEvidence) {
          TRY_VOID(read_spdm_blocks(value, out));
          continue;
        }
        [[fallthrough]];
      default: return unsupported("values of kind " + std::to_string(key.number));
    }
  }
  return out;
}

Result<ComidMeasurement> read_measurement(const CborValue& measurement, ComidUse use) {
  if (!measurement.is(Kind::kMap)) return malformed("expected a measurement to be a map");
  for (std::size_t i = 0; i < measurement.items.size(); i += 2) {
    const CborValue& key = measurement.items[i];
    if (!key.is(Kind::kUnsigned) || key.number > kMeasurementValues)
      return unsupported("other members of measurements");
  }
  ComidMeasurement out;
  if (const CborValue* key = measurement.member(kMeasurementKey); key != nullptr) {
    if (!key->is(Kind::kUnsigned) && !key->is(Kind::kText) && !key->is(Kind::kTag)) {
      return malformed("the key of a measurement is malformed");
    }
    out.key = *key;
  }
  const CborValue* values = measurement.member(kMeasurementValues);
  if (values == nullptr) return malformed("no values of a measurement");
  TRY(read, read_values(*values, use));
  out.values = std::move(read);
  return out;
}

bool is_class_id(const CborValue& value) {
  for (const std::uint64_t tag : {kOidTag, kUuidTag, kBytesTag}) {
    if (const CborValue* id = value.tagged(tag); id != nullptr) return id->is(Kind::kBytes) && !id->bytes.empty();
  }
  return false;
}

}  // namespace

Result<void> check_comid_environment(const CborValue& value) {
  if (!value.is(Kind::kMap) || value.items.empty()) return malformed("expected an environment to be a map");
  const CborValue* of_class = value.member(kEnvironmentClass);
  if (of_class == nullptr) return unsupported("environments without a class");
  if (!of_class->is(Kind::kMap) || of_class->items.empty()) return malformed("expected a class to be a map");
  for (std::size_t i = 0; i < value.items.size(); i += 2) {
    if (!value.items[i].is(Kind::kUnsigned) || value.items[i].number > 2) return unsupported("other environments");
    if (value.items[i].number != kEnvironmentClass && !value.items[i + 1].is(Kind::kTag)) {
      return malformed("an instance or a group of an environment is malformed");
    }
  }
  for (std::size_t i = 0; i < of_class->items.size(); i += 2) {
    const CborValue& key = of_class->items[i];
    const CborValue& member = of_class->items[i + 1];
    if (!key.is(Kind::kUnsigned) || key.number > kClassIndex) return unsupported("other members of classes");
    const bool form = key.number == kClassId                                    ? is_class_id(member)
                      : key.number == kClassVendor || key.number == kClassModel ? member.is(Kind::kText)
                                                                                : member.is(Kind::kUnsigned);
    if (!form) return malformed("member " + std::to_string(key.number) + " of a class is malformed");
  }
  return {};
}

Result<ComidTriple> read_comid_triple(const CborValue& value, ComidUse use) {
  if (!value.is(Kind::kArray) || value.items.size() != 2 || !value.items[1].is(Kind::kArray) ||
      value.items[1].items.empty() || value.items[1].items.size() > kMostMeasurements) {
    return malformed("expected an environment and 1 to 256 measurements of it");
  }
  TRY_VOID(check_comid_environment(value.items[0]));
  ComidTriple out{value.items[0], {}};
  for (const CborValue& item : value.items[1].items) {
    TRY(measurement, read_measurement(item, use));
    // It would be unclear which of two entries counts.
    const bool twice = std::ranges::any_of(out.measurements,
                                           [&](const ComidMeasurement& other) { return other.key == measurement.key; });
    if (twice) return malformed("two measurements of one key in one environment");
    out.measurements.push_back(std::move(measurement));
  }
  return out;
}

}  // namespace cloister::codec
