// LockedPages: memory for secrets. It consists of whole pages that hold nothing else, are kept out of swap and core
// files where the system allows it, and are wiped before they are freed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace cloister {

class LockedPages {
 public:
  LockedPages() = default;
  // Allocates `size` zero bytes. Throws std::bad_alloc when the system has no page left.
  explicit LockedPages(std::size_t size);
  LockedPages(const LockedPages&) = delete;
  LockedPages& operator=(const LockedPages&) = delete;
  LockedPages(LockedPages&& other) noexcept;
  LockedPages& operator=(LockedPages&& other) noexcept;
  ~LockedPages() { release(); }

  std::span<std::uint8_t> bytes() { return {data_, size_}; }
  std::span<const std::uint8_t> bytes() const { return {data_, size_}; }
  // False where the limit of locked memory (RLIMIT_MEMLOCK) was reached: the pages may then be swapped.
  bool locked() const { return locked_; }

 private:
  void release();
  std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
  bool locked_ = false;
};

}  // namespace cloister
