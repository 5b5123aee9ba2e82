#include "verify/nvidia/corim_match.h"

#include <algorithm>
#include <cstddef>

#include "base/encoding.h"
#include "verify/der.h"

namespace cloister::verify {
namespace {

using codec::CborValue;
using codec::ComidValues;
using Kind = CborValue::Kind;

bool contains_members(const CborValue& pattern, const CborValue& actual) {
  for (std::size_t i = 0; i < pattern.items.size(); i += 2) {
    const CborValue* found = actual.member(pattern.items[i].number);
    if (found == nullptr || !(*found == pattern.items[i + 1])) return false;
  }
  return true;
}

bool has_range(const codec::ComidRange& reference, const std::optional<codec::ComidRange>& actual) {
  // A device has a single number.
  if (!actual || !actual->least || actual->least != actual->most) return false;
  return (!reference.least || *actual->least >= *reference.least) &&
         (!reference.most || *actual->least <= *reference.most);
}

bool has_raw(const codec::ComidRaw& reference, const std::optional<codec::ComidRaw>& actual) {
  if (!actual || actual->value.size() != reference.value.size()) return false;
  if (reference.mask.empty()) return actual->value == reference.value;
  for (std::size_t i = 0; i < reference.value.size(); ++i) {
    if (((actual->value[i] ^ reference.value[i]) & reference.mask[i]) != 0) return false;
  }
  return true;
}

bool has_digests(const std::vector<codec::ComidDigest>& reference, const std::vector<codec::ComidDigest>& actual) {
  bool compared = false;
  for (const codec::ComidDigest& wanted : reference) {
    for (const codec::ComidDigest& found : actual) {
      if (found.algorithm != wanted.algorithm) continue;
      if (found.value != wanted.value) return false;
      compared = true;
    }
  }
  return compared;
}

bool has_version(const ComidValues& reference, const ComidValues& actual) {
  if (actual.version != reference.version) return false;
  return !reference.version_scheme || !actual.version_scheme || reference.version_scheme == actual.version_scheme;
}

bool has_flags(const ComidValues& reference, const ComidValues& actual) {
  return std::ranges::all_of(reference.flags, [&](const auto& flag) {
    const auto found = actual.flags.find(flag.first);
    return found != actual.flags.end() && found->second == flag.second;
  });
}

bool has_svn(const codec::ComidSvn& reference, const std::optional<codec::ComidSvn>& actual) {
  if (!actual || actual->at_least) return false;
  return reference.at_least ? actual->number >= reference.number : actual->number == reference.number;
}

}  // namespace

bool matches_environment(const CborValue& pattern, const CborValue& actual) {
  for (std::size_t i = 0; i < pattern.items.size(); i += 2) {
    const CborValue* found = actual.member(pattern.items[i].number);
    const bool of_class = pattern.items[i].number == codec::kEnvironmentClass;
    if (found == nullptr) return false;
    if (of_class ? !contains_members(pattern.items[i + 1], *found) : !(*found == pattern.items[i + 1])) return false;
  }
  return true;
}

bool same_environment(const CborValue& a, const CborValue& b) {
  return matches_environment(a, b) && matches_environment(b, a);
}

std::string environment_text(const CborValue& environment) {
  const CborValue* of_class = environment.member(codec::kEnvironmentClass);
  if (of_class == nullptr) return "an environment";
  std::string out;
  const auto add = [&](const std::string& part, const char* before) { out += (out.empty() ? "" : before) + part; };
  const CborValue* id = of_class->member(codec::kClassId);
  const CborValue* oid = id == nullptr ? nullptr : id->tagged(codec::kOidTag);
  if (oid != nullptr) add("OID " + dotted_oid(oid_arcs(oid->bytes)), "");
  if (const CborValue* vendor = of_class->member(codec::kClassVendor); vendor != nullptr) add(vendor->text, " ");
  if (const CborValue* model = of_class->member(codec::kClassModel); model != nullptr) add(model->text, " ");
  if (const CborValue* layer = of_class->member(codec::kClassLayer); layer != nullptr) {
    add("layer " + std::to_string(layer->number), ", ");
  }
  return out.empty() ? "an environment" : out;
}

std::string key_text(const codec::ComidMeasurement& measurement) {
  if (!measurement.key) return "the measurement";
  const CborValue& key = *measurement.key;
  if (key.is(Kind::kText)) return "measurement " + key.text;
  if (key.is(Kind::kUnsigned)) return "measurement " + std::to_string(key.number);
  return "measurement " + to_hex(codec::write_cbor(key));
}

std::string difference(const ComidValues& reference, const ComidValues& actual) {
  if (reference.version && !has_version(reference, actual)) return "version";
  if (reference.svn && !has_svn(*reference.svn, actual.svn)) return "security version number";
  if (!reference.digests.empty() && !has_digests(reference.digests, actual.digests)) return "digest";
  if (!has_flags(reference, actual)) return "flags";
  if (reference.raw && !has_raw(*reference.raw, actual.raw)) return "raw value";
  if (reference.name && reference.name != actual.name) return "name";
  if (reference.range && !has_range(*reference.range, actual.range)) return "number";
  // Only evidence may point at SPDM measurements; the parser refuses such references in a manifest.
  return reference.spdm_blocks.empty() ? "" : "value";
}

std::string difference(const codec::ComidTriple& reference, const codec::ComidTriple& actual) {
  for (const codec::ComidMeasurement& wanted : reference.measurements) {
    const auto found = std::ranges::find(actual.measurements, wanted.key, &codec::ComidMeasurement::key);
    if (found == actual.measurements.end()) return key_text(wanted) + " is not there";
    const std::string part = difference(wanted.values, found->values);
    if (!part.empty()) return "the " + part + " of " + key_text(wanted) + " differs";
  }
  return {};
}

}  // namespace cloister::verify
