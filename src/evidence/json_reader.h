// Reads typed members of one JSON object of a served document. Every error names the member, with the path to it.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

// A view: `object` and `where` outlive it. Absent and null mean the same to the optional readers; "" is a value.
class JsonReader {
 public:
  // `where` precedes the names in messages: "attestation." or "".
  JsonReader(const Json& object, ErrorCode code, std::string where = {})
      : object_(object), code_(code), where_(std::move(where)) {}

  // Checks that the object has no members but these.
  Result<void> only(std::initializer_list<std::string_view> names) const;
  Result<void> is_object() const;

  Result<std::string> text(std::string_view name) const;
  Result<std::optional<std::string>> optional_text(std::string_view name) const;
  // A number without a fraction, 0 to 2^53.
  Result<std::int64_t> whole_number(std::string_view name) const;
  // Null when absent or null.
  Result<const Json*> optional_object(std::string_view name) const;
  Result<const Json*> object(std::string_view name) const;
  // At most `most` elements.
  Result<const Json*> array(std::string_view name, std::size_t most) const;
  // Text that holds JSON, or a value of this type, which is then written as text.
  Result<std::optional<std::string>> optional_json_text(std::string_view name, Json::value_t type) const;
  // Hex of either case.
  Result<Bytes> hex(std::string_view name) const;
  Result<ByteArray<32>> hex32(std::string_view name) const;
  // 128 lower-case hex digits.
  Result<ByteArray<64>> signature(std::string_view name) const;
  // Lower-case hex of 32 bytes, bare or after "sha256:".
  Result<ByteArray<32>> hash(std::string_view name) const;
  Result<ByteArray<32>> digest(std::string_view name) const;
  Result<std::optional<ByteArray<32>>> optional_digest(std::string_view name) const;

  // Null when absent or null.
  const Json* find(std::string_view name) const;
  Error bad(std::string_view name, const std::string& what) const;

 private:
  const Json& object_;
  ErrorCode code_;
  std::string where_;
};

// "sha256:" and 64 lower-case hex digits, and nothing else.
std::string digest_text(const ByteArray<32>& digest);
Result<ByteArray<32>> parse_digest(std::string_view text);

}  // namespace cloister::evidence
