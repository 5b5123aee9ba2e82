#include "codec/corim.h"

#include "base/encoding.h"

namespace cloister::codec {
namespace {

using Kind = CborValue::Kind;

// Tags and keys of the draft's CDDL.
constexpr std::uint64_t kCorimTag = 501, kComidTag = 506, kTimeTag = 1;
constexpr std::uint64_t kId = 0, kTags = 1, kDependentRims = 2, kProfile = 3, kValidity = 4;
constexpr std::uint64_t kComidIdentity = 1, kLinkedTags = 3, kTriples = 4;
constexpr std::uint64_t kReferenceTriples = 0, kDependencyTriples = 4;
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

// The same error as an error of the whole manifest.
Error of_manifest(const Error& error) { return fail(error.code, "CoRIM: " + error.message); }

Result<void> read_references(const CborValue& list, Corim& out) {
  for (const CborValue& item : list.items) {
    Result<ComidTriple> triple = read_comid_triple(item, ComidUse::kReference);
    if (!triple) return of_manifest(triple.error());
    out.references.push_back(*std::move(triple));
  }
  return {};
}

// [environment, [trustee, ...]], each an environment.
Result<void> read_dependencies(const CborValue& list, Corim& out) {
  for (const CborValue& item : list.items) {
    if (!item.is(Kind::kArray) || item.items.size() != 2 || !item.items[1].is(Kind::kArray) ||
        item.items[1].items.empty()) {
      return malformed("expected a dependency to be an environment and its trustees");
    }
    CorimDependency dependency{item.items[0], item.items[1].items};
    if (const auto form = check_comid_environment(dependency.environment); !form) return of_manifest(form.error());
    for (const CborValue& trustee : dependency.trustees) {
      if (const auto form = check_comid_environment(trustee); !form) return of_manifest(form.error());
    }
    out.dependencies.push_back(std::move(dependency));
  }
  return {};
}

Result<void> read_triples(const CborValue& triples, Corim& out) {
  if (!triples.is(Kind::kMap)) return malformed("expected the triples to be a map");
  for (std::size_t i = 0; i < triples.items.size(); i += 2) {
    const CborValue& key = triples.items[i];
    const CborValue& list = triples.items[i + 1];
    const bool known = key.is(Kind::kUnsigned) && (key.number == kReferenceTriples || key.number == kDependencyTriples);
    if (!known) return unsupported("triples of another kind than references and dependencies");
    if (!list.is(Kind::kArray) || list.items.empty()) return malformed("expected triples to be a list");
    TRY_VOID(key.number == kReferenceTriples ? read_references(list, out) : read_dependencies(list, out));
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
  if (map->member(kProfile) != nullptr) return unsupported("profiles");
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
