// For tests only: looks for a mark in every block of memory that is given back, to find copies of a secret that nobody
// overwrote. Replaces the program's operators new and delete: include it in one file of a test program. Where a
// sanitizer has operators of its own there is nothing to look at: kBlocksAreLookedAt is false.
#pragma once

#include <malloc.h>
#include <string.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <new>
#include <string_view>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CLOISTER_OWN_ALLOCATOR 1
#endif

namespace cloister::testing {

#ifdef CLOISTER_OWN_ALLOCATOR
constexpr bool kBlocksAreLookedAt = false;
#else
constexpr bool kBlocksAreLookedAt = true;
#endif

// The allocator writes over the beginning of what it takes back, so a mark is best not at the beginning of anything.
struct MarkSearch {
  std::atomic<const char*> mark = nullptr;  // null: nobody looks
  std::atomic<std::size_t> size = 0;
  std::atomic<int> found = 0;
};
inline MarkSearch mark_search;

// How many blocks hold `mark` as they are given back while `work` runs, by whatever thread.
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

#ifndef CLOISTER_OWN_ALLOCATOR
// Not inlined: the compiler takes free() for the wrong end of a new-expression when it sees one of the two only.
[[gnu::noinline]] void* operator new(std::size_t size) {
  // Not what was there before.
  if (void* memory = std::calloc(size == 0 ? 1 : size, 1)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { cloister::testing::give_back(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { cloister::testing::give_back(memory); }
#endif
