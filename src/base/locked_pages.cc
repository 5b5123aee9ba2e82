#include "base/locked_pages.h"

#include <string.h>
#include <sys/mman.h>

#include <new>
#include <utility>

namespace cloister {

LockedPages::LockedPages(std::size_t size) : size_(size) {
  if (size == 0) return;
  void* pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (pages == MAP_FAILED) throw std::bad_alloc();
  data_ = static_cast<std::uint8_t*>(pages);
  locked_ = ::mlock(pages, size) == 0;
  // No current kernel refuses it for such pages; core files are forbidden as well.
  ::madvise(pages, size, MADV_DONTDUMP);
}

LockedPages::LockedPages(LockedPages&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      locked_(std::exchange(other.locked_, false)) {}

LockedPages& LockedPages::operator=(LockedPages&& other) noexcept {
  if (this == &other) return *this;
  release();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  locked_ = std::exchange(other.locked_, false);
  return *this;
}

void LockedPages::release() {
  if (data_ == nullptr) return;
  explicit_bzero(data_, size_);
  ::munmap(data_, size_);
  data_ = nullptr;
  size_ = 0;
}

}  // namespace cloister
