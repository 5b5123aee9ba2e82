#include "codec/corim.h"

#include <algorithm>
#include <array>

#include "base/encoding.h"

namespace cloister::codec {
namespace {

using Kind = CborValue::Kind;

// Tags and keys of the draft's CDDL.
constexpr std::uint64_t kCorimTag = 501, kComidTag = 506, kTimeTag = 1;
constexpr std::uint64_t kId = 0, kTags = 1, kDependentRims = 2, kValidity = 4;
constexpr std::uint64_t kComidIdentity = 1, kLinkedTags = 3, kTriples = 4;
constexpr std::uint64_t kReferenceTriples = 0, kDependencyTriples = 4;
constexpr std::uint64_t kMeasurementKey = 0, kMeasurementValues = 1;
constexpr std::uint64_t kVersion = 0, kSvn = 1, kDigests = 2, kFlags = 3, kRawValue = 4, kName = 11;
constexpr std::uint64_t kSvnTag = 552, kMinSvnTag = 553, kBytesTag = 560, kMaskedTag = 563;
constexpr std::size_t kMostTags = 64;

Error malformed(const std::string& what) { return fail(ErrorCode::kBadRim, "CoRIM: " + what); }
Error unsupported(const std::string& what) {
  return fail(ErrorCode::kUnsupported, "CoRIM: " + what + " are not supported");
}

Result<const CborValue*> required(const CborValue& map, std::uint64_t key, const char* name) {
  const CborValue* found = map.member(key);
  if (found == nullptr) return malformed(std::string("no ") + name);
  return found;
}

// Text, or the bytes of a UUID.
Result<std::string> read_id(const CborValue& value) {
  if (value.is(Kind::kText) && !value.text.empty()) return value.text;
  const CborValue* uuid = value.tagged(37);
  const CborValue& bytes = uuid != nullptr ? *uuid : value;
  if (bytes.is(Kind::kBytes) && bytes.bytes.size() == 16) return to_hex(bytes.bytes);
  return malformed("expected an id to be a text or a UUID");
}

Result<std::optional<UnixSeconds>> read_time(const CborValue& map, std::uint64_t key) {
  const CborValue* value = map.member(key);
  if (value == nullptr) return std::optional<UnixSeconds>();
  const CborValue* seconds = value->tagged(kTimeTag);
  const std::optional<std::int64_t> number = seconds != nullptr ? seconds->integer() : std::nullopt;
  if (!number) return malformed("expected a time to be whole seconds");
  return std::optional<UnixSeconds>(*number);
}

bool is_digest_list(const CborValue& value) {
  return value.is(Kind::kArray) && !value.items.empty() && std::ranges::all_of(value.items, [](const CborValue& one) {
    return one.is(Kind::kArray) && one.items.size() == 2 && (one.items[0].integer() || one.items[0].is(Kind::kText)) &&
           one.items[1].is(Kind::kBytes) && !one.items[1].bytes.empty();
  });
}

bool is_svn(const CborValue& value) {
  for (const std::uint64_t tag : {kSvnTag, kMinSvnTag}) {
    if (const CborValue* inside = value.tagged(tag); inside != nullptr) return inside->is(Kind::kUnsigned);
  }
  return value.is(Kind::kUnsigned);
}

bool is_raw_value(const CborValue& value) {
  if (const CborValue* masked = value.tagged(kMaskedTag); masked != nullptr) {
    return masked->is(Kind::kArray) && masked->items.size() == 2 && masked->items[0].is(Kind::kBytes) &&
           masked->items[1].is(Kind::kBytes) && masked->items[0].bytes.size() == masked->items[1].bytes.size();
  }
  const CborValue* bytes = value.tagged(kBytesTag);
  return bytes != nullptr && bytes->is(Kind::kBytes);
}

bool is_flags(const CborValue& value) {
  if (!value.is(Kind::kMap)) return false;
  for (std::size_t i = 0; i < value.items.size(); i += 2) {
    if (!value.items[i].integer() || !value.items[i + 1].is(Kind::kBool)) return false;
  }
  return true;
}

bool is_version(const CborValue& value) {
  const CborValue* text = value.member(0);
  return text != nullptr && text->is(Kind::kText);
}

Result<void> check_values(const CborValue& values) {
  if (!values.is(Kind::kMap) || values.items.empty()) return malformed("expected a measurement's values to be a map");
  for (std::size_t i = 0; i < values.items.size(); i += 2) {
    const CborValue& key = values.items[i];
    const CborValue& value = values.items[i + 1];
    if (!key.is(Kind::kUnsigned)) return unsupported("extensions of measurements");
    bool form = false;
    switch (key.number) {
      case kVersion: form = is_version(value); break;
      case kSvn: form = is_svn(value); break;
      case kDigests: form = is_digest_list(value); break;
      case kFlags: form = is_flags(value); break;
      case kRawValue: form = is_raw_value(value); break;
      case kName: form = value.is(Kind::kText); break;
      default: return unsupported("values of kind " + std::to_string(key.number));
    }
    if (!form) return malformed("a value of kind " + std::to_string(key.number) + " is malformed");
  }
  return {};
}

Result<void> check_measurement(const CborValue& measurement) {
  if (!measurement.is(Kind::kMap)) return malformed("expected a measurement to be a map");
  for (std::size_t i = 0; i < measurement.items.size(); i += 2) {
    const CborValue& key = measurement.items[i];
    const bool known = key.is(Kind::kUnsigned) && key.number <= kMeasurementValues;
    if (!known) return unsupported("other members of measurements");
  }
  if (const CborValue* key = measurement.member(kMeasurementKey); key != nullptr) {
    const bool plain = key->is(Kind::kUnsigned) || key->is(Kind::kText) || key->is(Kind::kTag);
    if (!plain) return malformed("the key of a measurement is malformed");
  }
  TRY(values, required(measurement, kMeasurementValues, "values of a measurement"));
  return check_values(*values);
}

// [environment, [measurement, ...]]
Result<CorimReference> read_reference(const CborValue& triple) {
  if (!triple.is(Kind::kArray) || triple.items.size() != 2 || !triple.items[0].is(Kind::kMap) ||
      triple.items[0].items.empty() || !triple.items[1].is(Kind::kArray) || triple.items[1].items.empty()) {
    return malformed("expected a reference to be an environment and its measurements");
  }
  CorimReference out{triple.items[0], {}};
  for (const CborValue& measurement : triple.items[1].items) {
    TRY_VOID(check_measurement(measurement));
    // Which of two would count is anyone's guess.
    const CborValue* key = measurement.member(kMeasurementKey);
    const bool twice = std::ranges::any_of(out.measurements, [&](const CborValue& other) {
      const CborValue* own = other.member(kMeasurementKey);
      return (key == nullptr) == (own == nullptr) && (key == nullptr || *key == *own);
    });
    if (twice) return malformed("two measurements of one key in one environment");
    out.measurements.push_back(measurement);
  }
  return out;
}

Result<void> read_triples(const CborValue& triples, Corim& out) {
  if (!triples.is(Kind::kMap)) return malformed("expected the triples to be a map");
  for (std::size_t i = 0; i < triples.items.size(); i += 2) {
    const CborValue& key = triples.items[i];
    const CborValue& list = triples.items[i + 1];
    const bool known = key.is(Kind::kUnsigned) && (key.number == kReferenceTriples || key.number == kDependencyTriples);
    if (!known) return unsupported("triples of another kind than references and dependencies");
    if (!list.is(Kind::kArray) || list.items.empty()) return malformed("expected triples to be a list");
    if (key.number == kDependencyTriples) {
      out.dependencies += list.items.size();
      continue;
    }
    for (const CborValue& triple : list.items) {
      TRY(reference, read_reference(triple));
      out.references.push_back(std::move(reference));
    }
  }
  return {};
}

Result<void> read_comid(ByteView bytes, Corim& out) {
  TRY(comid, parse_cbor(bytes));
  if (!comid.is(Kind::kMap)) return malformed("expected a CoMID to be a map");
  if (comid.member(kLinkedTags) != nullptr) return unsupported("linked tags");
  TRY(identity, required(comid, kComidIdentity, "identity of a CoMID"));
  TRY(tag_id, required(*identity, 0, "id of a CoMID"));
  TRY(id, read_id(*tag_id));
  out.tag_ids.push_back(std::move(id));
  TRY(triples, required(comid, kTriples, "triples"));
  return read_triples(*triples, out);
}

}  // namespace

Result<Corim> read_corim(ByteView payload) {
  TRY(item, parse_cbor(payload));
  const CborValue* map = item.tagged(kCorimTag);
  if (map == nullptr || !map->is(Kind::kMap)) return malformed("expected a map, tagged 501");
  if (map->member(kDependentRims) != nullptr) return unsupported("dependent manifests");
  Corim out;
  TRY(id_value, required(*map, kId, "id"));
  TRY(id, read_id(*id_value));
  out.id = std::move(id);
  if (const CborValue* validity = map->member(kValidity); validity != nullptr) {
    if (!validity->is(Kind::kMap)) return malformed("expected the validity to be a map");
    TRY(not_before, read_time(*validity, 0));
    TRY(not_after, read_time(*validity, 1));
    out.not_before = not_before;
    out.not_after = not_after;
  }
  TRY(tags, required(*map, kTags, "tags"));
  if (!tags->is(Kind::kArray) || tags->items.empty() || tags->items.size() > kMostTags) {
    return malformed("expected 1 to 64 tags");
  }
  for (const CborValue& tag : tags->items) {
    const CborValue* comid = tag.tagged(kComidTag);
    if (comid == nullptr) return unsupported("tags of another kind than CoMID");
    if (!comid->is(Kind::kBytes)) return malformed("expected a CoMID to be bytes");
    TRY_VOID(read_comid(comid->bytes, out));
  }
  return out;
}

}  // namespace cloister::codec
