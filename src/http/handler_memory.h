// A place for one pending asio operation inside its owner, so that waiting and waking allocate nothing.
#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace cloister::http {

// Serves one allocation at a time; a second or larger one goes to the heap.
class HandlerMemory {
 public:
  HandlerMemory() = default;
  HandlerMemory(const HandlerMemory&) = delete;
  HandlerMemory& operator=(const HandlerMemory&) = delete;

  void* allocate(std::size_t size) {
    if (used_ || size > storage_.size()) return ::operator new(size);
    used_ = true;
    return storage_.data();
  }
  void deallocate(void* memory) {
    if (memory != storage_.data()) return ::operator delete(memory);
    used_ = false;
  }

 private:
  // A wait of asio 1.81 with a shared_ptr handler takes 120 bytes.
  alignas(std::max_align_t) std::array<std::byte, 144> storage_;
  bool used_ = false;
};

// The standard allocator over a HandlerMemory that asio takes with bind_allocator().
template <typename T>
class HandlerAllocator {
 public:
  using value_type = T;
  explicit HandlerAllocator(HandlerMemory& memory) : memory_(&memory) {}
  template <typename U>
  HandlerAllocator(const HandlerAllocator<U>& other) : memory_(other.memory_) {}  // NOLINT(google-explicit-constructor)

  T* allocate(std::size_t count) { return static_cast<T*>(memory_->allocate(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t) { memory_->deallocate(memory); }
  template <typename U>
  bool operator==(const HandlerAllocator<U>& other) const {
    return memory_ == other.memory_;
  }

 private:
  template <typename U>
  friend class HandlerAllocator;
  HandlerMemory* memory_;
};

}  // namespace cloister::http
