// For tests only: counts the allocations of each thread. It replaces the program's operators new and delete, so only a
// *_memory_test.cc includes it (cmake/modules.cmake).
#pragma once

#include <cstdlib>
#include <new>

namespace cloister::testing {

// The number of calls of operator new that this thread has made.
inline thread_local std::size_t allocations = 0;

}  // namespace cloister::testing

void* operator new(std::size_t size) {
  ++cloister::testing::allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
