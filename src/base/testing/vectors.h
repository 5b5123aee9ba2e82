// For tests only: recorded evidence, which is not part of the repository. It lies in the folder named by
// CLOISTER_VECTORS, else in ../shared/vectors beside the repository.
// Without it a test is skipped, except where CI=true says that nothing may be skipped.
// The test itself includes GoogleTest, before this: no module may (tools/check_layers).
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace cloister::testing {

inline std::filesystem::path vectors_folder() {
  if (const char* named = std::getenv("CLOISTER_VECTORS"); named != nullptr && *named != '\0') return named;
  // src/base/testing/vectors.h is three folders below the root of the repository.
  return std::filesystem::weakly_canonical(__FILE__).parent_path() / "../../../../shared/vectors";
}

inline bool vectors_present() { return std::filesystem::exists(vectors_folder() / "manifest.tsv"); }

inline bool vectors_required() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string_view(ci) == "true";
}

// The whole file; a missing one fails the test and reads as empty.
inline std::string vector_text(const std::string& name) {
  std::ifstream file(vectors_folder() / name, std::ios::binary);
  EXPECT_TRUE(file.good()) << "cannot read the vector " << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline Bytes vector_bytes(const std::string& name) { return to_bytes(as_bytes(vector_text(name))); }

}  // namespace cloister::testing

// First statement of a test that reads vectors.
#define CLOISTER_NEED_VECTORS()                                                                       \
  if (!::cloister::testing::vectors_present()) {                                                      \
    if (::cloister::testing::vectors_required()) {                                                    \
      FAIL() << "no vectors in " << ::cloister::testing::vectors_folder() << " (set CLOISTER_VECTORS)"; \
    }                                                                                                 \
    GTEST_SKIP() << "no vectors in " << ::cloister::testing::vectors_folder() << " (set CLOISTER_VECTORS)"; \
  }                                                                                                   \
  static_assert(true, "take a semicolon")
