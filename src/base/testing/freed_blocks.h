// For tests only: looks for a mark in every block of memory that is freed, to find copies of a secret that nobody
// overwrote. It replaces the program's operators new and delete, so only a *_memory_test.cc includes it (cmake/modules.cmake).
#pragma once

#include <malloc.h>
#include <string.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <string_view>

namespace cloister::testing {

// The allocator overwrites the beginning of a freed block, so a mark should not stand at the beginning of anything.
struct MarkSearch {
  std::atomic<const char*> mark = nullptr;  // null: nobody is searching
  std::atomic<std::size_t> size = 0;
  std::atomic<int> found = 0;
};
inline MarkSearch mark_search;

// How many blocks hold `mark` when they are freed while `work` runs, on any thread.
inline int freed_blocks_with(std::string_view mark, const std::function<void()>& work) {
  mark_search.found = 0;
  mark_search.size = mark.size();
  mark_search.mark = mark.data();
  work();
  mark_search.mark = nullptr;
  return mark_search.found;
}

inline void give_back(void* memory) {
  const char* const mark = mark_search.mark;
  if (memory != nullptr && mark != nullptr &&
      ::memmem(memory, ::malloc_usable_size(memory), mark, mark_search.size) != nullptr) {
    ++mark_search.found;
  }
  std::free(memory);
}

}  // namespace cloister::testing

// Not inlined: the compiler takes free() for the wrong counterpart of a new-expression when it sees only one of the two.
[[gnu::noinline]] void* operator new(std::size_t size) {
  // calloc(), so that the block does not hold former bytes.
  if (void* memory = std::calloc(size == 0 ? 1 : size, 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { cloister::testing::give_back(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { cloister::testing::give_back(memory); }
