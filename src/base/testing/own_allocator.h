// For tests only: defines CLOISTER_OWN_ALLOCATOR where a sanitizer brings operators new and delete of its own, which a
// test must not replace. GCC and clang tell it in different ways.
#pragma once

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CLOISTER_OWN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CLOISTER_OWN_ALLOCATOR 1
#endif
#endif
