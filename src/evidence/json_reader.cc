#include "evidence/json_reader.h"

#include <algorithm>

#include "base/encoding.h"
#include "codec/json.h"

namespace cloister::evidence {
namespace {

constexpr std::string_view kDigestPrefix = "sha256:";
constexpr std::int64_t kMostWhole = std::int64_t{1} << 53;

std::string wrong_type(const char* expected, const Json& actual) {
  return std::string("expected ") + expected + ", found " + actual.type_name();
}

// Each value has one text: documents are compared by their hashes, so a second spelling would be another document.
template <std::size_t N>
Result<ByteArray<N>> lower_case_hex(std::string_view text) {
  const auto upper = [](char c) { return c >= 'A' && c <= 'F'; };
  if (std::any_of(text.begin(), text.end(), upper)) {
    return fail(ErrorCode::kBadHex, "expected " + std::to_string(2 * N) + " hex characters in lower case");
  }
  return from_hex_exactly<N>(text);
}

}  // namespace

Error JsonReader::bad(std::string_view name, const std::string& what) const {
  std::string path = where_ + std::string(name);
  return fail(code_, path + ": " + what, path);
}

const Json* JsonReader::find(std::string_view name) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

Result<void> JsonReader::is_object() const {
  if (object_.is_object()) return {};
  std::string path = where_.empty() ? "document" : where_.substr(0, where_.size() - 1);
  return fail(code_, path + ": " + wrong_type("an object", object_), path);
}

Result<void> JsonReader::only(std::initializer_list<std::string_view> names) const {
  TRY_VOID(is_object());
  for (const auto& [name, value] : object_.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return fail(code_, where_ + "a member of an unknown name, which this form does not have", where_);
    }
  }
  return {};
}

Result<std::optional<std::string>> JsonReader::optional_text(std::string_view name) const {
  const Json* member = find(name);
  if (member == nullptr) return std::optional<std::string>();
  if (!member->is_string()) return bad(name, wrong_type("a string", *member));
  return std::optional(member->get<std::string>());
}

Result<std::optional<std::string>> JsonReader::optional_json_text(std::string_view name, Json::value_t type) const {
  const Json* member = find(name);
  if (member == nullptr) return std::optional<std::string>();
  if (member->is_string()) return std::optional(member->get<std::string>());
  if (member->type() == type) return std::optional(codec::write_json(*member));
  return bad(name, std::string("expected a string or ") + Json(type).type_name() + ", found " + member->type_name());
}

Result<std::string> JsonReader::text(std::string_view name) const {
  TRY(value, optional_text(name));
  if (!value) return bad(name, "missing");
  return *std::move(value);
}

Result<std::int64_t> JsonReader::whole_number(std::string_view name) const {
  const Json* member = find(name);
  if (member == nullptr) return bad(name, "missing");
  if (!member->is_number_integer()) return bad(name, wrong_type("a whole number", *member));
  const bool fits = member->is_number_unsigned() ? member->get<std::uint64_t>() <= std::uint64_t{kMostWhole}
                                                 : member->get<std::int64_t>() >= 0;
  if (!fits) return bad(name, "expected a number from 0 to 2^53");
  return member->get<std::int64_t>();
}

Result<const Json*> JsonReader::optional_object(std::string_view name) const {
  const Json* member = find(name);
  if (member != nullptr && !member->is_object()) return bad(name, wrong_type("an object", *member));
  return member;
}

Result<const Json*> JsonReader::object(std::string_view name) const {
  TRY(member, optional_object(name));
  if (member == nullptr) return bad(name, "missing");
  return member;
}

Result<const Json*> JsonReader::array(std::string_view name, std::size_t most) const {
  const Json* member = find(name);
  if (member == nullptr) return bad(name, "missing");
  if (!member->is_array()) return bad(name, wrong_type("an array", *member));
  if (member->size() > most) {
    return bad(name, "expected at most " + std::to_string(most) + " elements, found " + std::to_string(member->size()));
  }
  return member;
}

Result<Bytes> JsonReader::hex(std::string_view name) const {
  TRY(value, text(name));
  Result<Bytes> bytes = from_hex(value);
  if (!bytes) return bad(name, bytes.error().message);
  return bytes;
}

Result<ByteArray<32>> JsonReader::hex32(std::string_view name) const {
  TRY(value, text(name));
  Result<ByteArray<32>> bytes = from_hex_exactly<32>(value);
  if (!bytes) return bad(name, bytes.error().message);
  return bytes;
}

Result<ByteArray<64>> JsonReader::signature(std::string_view name) const {
  TRY(value, text(name));
  Result<ByteArray<64>> bytes = lower_case_hex<64>(value);
  if (!bytes) return bad(name, bytes.error().message);
  return bytes;
}

Result<ByteArray<32>> JsonReader::hash(std::string_view name) const {
  TRY(value, text(name));
  Result<ByteArray<32>> bytes = lower_case_hex<32>(value);
  if (!bytes) return bad(name, bytes.error().message);
  return bytes;
}

Result<ByteArray<32>> JsonReader::digest(std::string_view name) const {
  TRY(value, text(name));
  Result<ByteArray<32>> bytes = parse_digest(value);
  if (!bytes) return bad(name, bytes.error().message);
  return bytes;
}

Result<std::optional<ByteArray<32>>> JsonReader::optional_digest(std::string_view name) const {
  if (find(name) == nullptr) return std::optional<ByteArray<32>>();
  TRY(value, digest(name));
  return std::optional(value);
}

std::string digest_text(const ByteArray<32>& digest) { return std::string(kDigestPrefix) + to_hex(digest); }

Result<ByteArray<32>> parse_digest(std::string_view text) {
  if (!text.starts_with(kDigestPrefix)) return fail(ErrorCode::kBadHex, "expected sha256: and 64 hex characters");
  return lower_case_hex<32>(text.substr(kDigestPrefix.size()));
}

}  // namespace cloister::evidence
