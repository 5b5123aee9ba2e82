#include "db/postgres/values.h"

namespace cloister::db::postgres {
namespace {

// pg_type.dat of PostgreSQL; these numbers never change.
constexpr Oid kBytea = 17, kInt8 = 20, kByteaArray = 1001, kInt8Array = 1016;

void append_number(std::string& out, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
}

// array_send() of PostgreSQL: dimensions, whether there are NULLs, type; then length and first index of each dimension.
std::string array_head(std::size_t count, bool has_null, Oid type) {
  std::string out;
  append_number(out, count == 0 ? 0 : 1, 4);
  append_number(out, has_null ? 1 : 0, 4);
  append_number(out, type, 4);
  if (count == 0) return out;
  append_number(out, count, 4);
  append_number(out, 1, 4);
  return out;
}

}  // namespace

Params& Params::push(Oid type, std::string own) {
  types_.push_back(type);
  values_.push_back({std::move(own), {}});
  return *this;
}

Params& Params::add(std::int64_t value) {
  std::string out;
  append_number(out, static_cast<std::uint64_t>(value), 8);
  return push(kInt8, std::move(out));
}

Params& Params::add(std::string_view bytes) {
  types_.push_back(kBytea);
  // A null pointer would be NULL, not an empty value.
  values_.push_back({{}, bytes.data() == nullptr ? std::string_view("") : bytes});
  return *this;
}

Params& Params::add(const std::vector<std::int64_t>& values) {
  std::string out = array_head(values.size(), false, kInt8);
  for (const std::int64_t value : values) {
    append_number(out, 8, 4);
    append_number(out, static_cast<std::uint64_t>(value), 8);
  }
  return push(kInt8Array, std::move(out));
}

Params& Params::add(const std::vector<std::optional<std::string_view>>& values) {
  bool has_null = false;
  std::size_t size = 0;
  for (const auto& value : values) {
    has_null |= !value;
    size += 4 + (value ? value->size() : 0);
  }
  std::string out = array_head(values.size(), has_null, kBytea);
  out.reserve(out.size() + size);
  for (const auto& value : values) {
    append_number(out, value ? value->size() : 0xffffffff, 4);
    if (value) out += *value;
  }
  return push(kByteaArray, std::move(out));
}

std::vector<const char*> Params::values() const {
  std::vector<const char*> out;
  for (const Value& value : values_) out.push_back(value.bytes().data());
  return out;
}

std::vector<int> Params::lengths() const {
  std::vector<int> out;
  for (const Value& value : values_) out.push_back(static_cast<int>(value.bytes().size()));
  return out;
}

std::int64_t Rows::number(int row, int column) const {
  const std::string_view raw = bytes(row, column);
  if (raw.size() != 4 && raw.size() != 8) return 0;
  std::uint64_t value = 0;
  for (const char c : raw) value = value << 8 | static_cast<std::uint8_t>(c);
  return raw.size() == 4 ? static_cast<std::int32_t>(value) : static_cast<std::int64_t>(value);
}

std::string_view Rows::bytes(int row, int column) const {
  return {library_->getvalue(result_.get(), row, column),
          static_cast<std::size_t>(library_->getlength(result_.get(), row, column))};
}

}  // namespace cloister::db::postgres
