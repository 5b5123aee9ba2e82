#include "codec/rim.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "base/encoding.h"

namespace cloister::codec {
namespace {

using crypto::XmlElement;

constexpr std::string_view kSwid = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
constexpr std::string_view kSha384 = "http://www.w3.org/2001/04/xmlenc#sha384";
constexpr std::string_view kOpaqueData = "https://docs.nvidia.com/attestation/specs/latest/opaque-data.html";
constexpr std::uint32_t kMostIndex = 254;  // its measurement has the index 255
constexpr std::uint32_t kFirstOpaqueIndex = 0x1000;
constexpr std::uint32_t kMostOpaqueIndex = kFirstOpaqueIndex + 0xffff;
constexpr std::size_t kMostNameBytes = 128;
constexpr std::uint32_t kMostSize = 1024;
constexpr std::uint32_t kMostAlternatives = 64;

Error malformed(const std::string& what) { return fail(ErrorCode::kBadRim, "reference manifest: " + what); }

bool is_swid(const XmlElement& element, std::string_view name) {
  return element.name == name && element.namespace_uri == kSwid;
}

Result<std::string> text_attribute(const XmlElement& element, std::string_view name) {
  const std::string* value = element.attribute(name);
  if (value != nullptr) return *value;
  return malformed(element.name + " has no " + std::string(name));
}

// Decimal digits with nothing around them.
Result<std::uint32_t> number_attribute(const XmlElement& element, std::string_view name, std::uint32_t least,
                                       std::uint32_t most) {
  TRY(text, text_attribute(element, name));
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return malformed("expected " + std::string(name) + " to be " + std::to_string(least) + " to " +
                     std::to_string(most) + ", got \"" + text.substr(0, 32) + "\"");
  }
  return value;
}

Result<bool> read_active(const XmlElement& resource) {
  const std::string* active = resource.attribute("active");
  if (active == nullptr || *active == "True") return true;
  if (*active == "False") return false;
  return malformed("expected active to be True or False, got \"" + active->substr(0, 32) + "\"");
}

bool is_hash(const crypto::XmlAttribute& attribute) {
  return attribute.namespace_uri == kSha384 || attribute.name.starts_with("Hash");
}

// A minimum must be one number and nothing else: nobody would compare a hash next to it.
Result<RimSvnFloor> read_floor(const XmlElement& resource, std::uint32_t index) {
  const std::string where = "index " + std::to_string(index) + ": ";
  RimSvnFloor out;
  out.field = static_cast<std::uint16_t>(index - kFirstOpaqueIndex);
  TRY(name, text_attribute(resource, "name"));
  const bool plain = std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
  if (name.empty() || name.size() > kMostNameBytes || !plain) return malformed(where + "expected a plain name");
  out.name = std::move(name);
  const std::string* least = resource.attribute("minSvn", kOpaqueData);
  if (least == nullptr) return malformed(where + "no minSvn");
  const auto [end, error] = std::from_chars(least->data(), least->data() + least->size(), out.least);
  if (error != std::errc() || end != least->data() + least->size()) return malformed(where + "minSvn is not a number");
  if (std::ranges::any_of(resource.attributes, is_hash)) return malformed(where + "a hash next to minSvn");
  return out;
}

Result<RimEntry> read_entry(const XmlElement& resource, std::uint32_t index) {
  RimEntry entry;
  entry.index = index;
  TRY(active, read_active(resource));
  entry.active = active;
  TRY(size, number_attribute(resource, "size", 1, kMostSize));
  entry.size = size;
  TRY(alternatives, number_attribute(resource, "alternatives", 1, kMostAlternatives));
  const std::string where = "index " + std::to_string(index) + ": ";
  for (std::uint32_t i = 0; i < alternatives; ++i) {
    const std::string name = "Hash" + std::to_string(i);
    const std::string* text = resource.attribute(name, kSha384);
    if (text == nullptr) return malformed(where + "no " + name);
    Result<Bytes> hash = from_hex(*text);
    if (!hash) return malformed(where + name + ": " + hash.error().message);
    if (hash->size() != size) {
      return malformed(where + name + " has " + std::to_string(hash->size()) + " bytes, its size is " +
                       std::to_string(size));
    }
    entry.hashes.push_back(*std::move(hash));
  }
  if (std::ranges::count_if(resource.attributes, is_hash) != static_cast<std::ptrdiff_t>(alternatives)) {
    return malformed(where + "expected exactly " + std::to_string(alternatives) + " hashes");
  }
  return entry;
}

Result<void> read_payload(const XmlElement& payload, Rim& rim) {
  std::set<std::uint32_t> seen;
  for (const XmlElement& resource : payload.children) {
    if (!is_swid(resource, "Resource")) return malformed("Payload holds something else than Resources");
    TRY(type, text_attribute(resource, "type"));
    if (type != "Measurement") return malformed("a Resource of another type than Measurement");
    TRY(index, number_attribute(resource, "index", 0, kMostOpaqueIndex));
    if (!seen.insert(index).second) return malformed("the index " + std::to_string(index) + " occurs twice");
    if (index >= kFirstOpaqueIndex) {
      TRY(floor, read_floor(resource, index));
      TRY(active, read_active(resource));
      const bool named_before =
          std::ranges::any_of(rim.svn_floors, [&](const RimSvnFloor& other) { return other.name == floor.name; });
      if (named_before) return malformed("two floors are named " + floor.name);
      if (active) rim.svn_floors.push_back(std::move(floor));
      continue;
    }
    if (index > kMostIndex) return malformed("expected index to be 0 to 254 or 4096 to 69631");
    TRY(entry, read_entry(resource, index));
    rim.entries.push_back(std::move(entry));
  }
  return {};
}

Result<void> read_meta(const XmlElement& meta, Rim& rim) {
  TRY(version, text_attribute(meta, "colloquialVersion"));
  rim.colloquial_version = std::move(version);
  TRY(product, text_attribute(meta, "product"));
  rim.product = std::move(product);
  TRY(edition, text_attribute(meta, "edition"));
  rim.edition = std::move(edition);
  return {};
}

Result<const XmlElement*> only_child(const XmlElement& root, std::string_view name) {
  const XmlElement* found = nullptr;
  for (const XmlElement& child : root.children) {
    if (!is_swid(child, name)) continue;
    if (found != nullptr) return malformed("more than one " + std::string(name));
    found = &child;
  }
  if (found == nullptr) return malformed("no " + std::string(name));
  return found;
}

}  // namespace

bool is_corim(std::string_view bytes) {
  // Major type 6 (a tag: 18 COSE_Sign1, 500 and 501 CoRIM), which no XML text starts with.
  return !bytes.empty() && (static_cast<std::uint8_t>(bytes.front()) & 0xe0) == 0xc0;
}

Result<Rim> read_rim(const XmlElement& root) {
  if (!is_swid(root, "SoftwareIdentity")) return malformed("expected SoftwareIdentity, got " + root.name.substr(0, 64));
  Rim rim;
  TRY(tag_id, text_attribute(root, "tagId"));
  rim.tag_id = std::move(tag_id);
  TRY(meta, only_child(root, "Meta"));
  TRY_VOID(read_meta(*meta, rim));
  TRY(payload, only_child(root, "Payload"));
  TRY_VOID(read_payload(*payload, rim));
  return rim;
}

}  // namespace cloister::codec
