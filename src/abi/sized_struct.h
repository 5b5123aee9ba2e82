// Structures of the interface that begin with their own size, so that later versions can add members at the end.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace cloister::abi {

// The sizes that a structure has had in published versions, ascending; the last is the one that this library knows. A version that adds
// members adds its size here, and keeps the former ones.
template <typename Struct>
inline constexpr std::array<std::uint32_t, 1> kPublishedSizes = {sizeof(Struct)};

// No structure is larger. A larger number is no size: nothing may be read that far behind a pointer.
inline constexpr std::uint32_t kMostStructBytes = 4096;

// True when this is a published size, or a larger one of a structure whose bytes beyond the known ones are all zero: a caller who was
// compiled for a later version and uses none of what it added.
template <typename Struct>
bool is_known_size(const void* from, std::uint32_t size) {
  constexpr auto& published = kPublishedSizes<Struct>;
  static_assert(published.back() == sizeof(Struct));
  if (size <= sizeof(Struct)) return std::find(published.begin(), published.end(), size) != published.end();
  if (size > kMostStructBytes) return false;
  const auto* bytes = static_cast<const unsigned char*>(from);
  return std::all_of(bytes + sizeof(Struct), bytes + size, [](unsigned char byte) { return byte == 0; });
}

// Copies a caller's structure, which may lie at any address. Members that a former version does not have become zero. False for a size that
// is not known; `out` is then zero.
template <typename Struct>
bool read_sized(const void* from, Struct& out) {
  static_assert(std::is_trivially_copyable_v<Struct> && offsetof(Struct, struct_size) == 0);
  out = Struct{};
  std::uint32_t size = 0;
  std::memcpy(&size, from, sizeof size);
  if (!is_known_size<Struct>(from, size)) return false;
  std::memcpy(&out, from, std::min<std::size_t>(size, sizeof(Struct)));
  return true;
}

// Copies `value` into a caller's structure, as far as its size goes. False, and nothing is written, for a size that is not known.
template <typename Struct>
bool write_sized(void* to, Struct value) {
  static_assert(std::is_trivially_copyable_v<Struct> && offsetof(Struct, struct_size) == 0);
  std::uint32_t size = 0;
  std::memcpy(&size, to, sizeof size);
  if (!is_known_size<Struct>(to, size)) return false;
  value.struct_size = size;
  std::memcpy(to, &value, std::min<std::size_t>(size, sizeof(Struct)));
  return true;
}

}  // namespace cloister::abi
