// For tests only: finds recorded evidence. A file is looked for in three folders, in this order:
//   the folder that CLOISTER_VECTORS names, else ../shared/vectors next to the repository: evidence that is not public;
//   vectors/ of the cache (CLOISTER_CACHE, else .cache): what tools/fetch takes out of registry packages (tests/vectors/packages.json);
//   tests/vectors: evidence that was made here.
// A test that asks for a file which is in none of them ends there as skipped. With CI=true it fails, since then nothing may be skipped.
// The test itself includes GoogleTest, before this header, because no module may include it (tools/check_layers).
#pragma once

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace cloister::testing {

// The root of the repository: test programs are built in a folder inside it.
inline std::filesystem::path repository() {
  std::error_code code;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", code);
  for (auto folder = program.parent_path(); folder != folder.root_path(); folder = folder.parent_path()) {
    if (std::filesystem::exists(folder / "tests/vectors/packages.json", code)) return folder;
  }
  return ".";
}

inline std::filesystem::path folder_in(const char* variable, const char* otherwise) {
  if (const char* named = std::getenv(variable); named != nullptr && *named != '\0') return named;
  return repository() / otherwise;
}

inline std::array<std::filesystem::path, 3> vector_folders() {
  return {folder_in("CLOISTER_VECTORS", "../shared/vectors"), folder_in("CLOISTER_CACHE", ".cache") / "vectors",
          folder_in("", "tests/vectors")};
}

inline bool vectors_required() {
  const char* ci = std::getenv("CI");
  return ci != nullptr && std::string_view(ci) == "true";
}

// Says where a missing vector would come from.
inline std::string vector_origin(const std::string& name) {
  std::ifstream list(folder_in("", "tests/vectors") / "packages.json");
  const std::string text{std::istreambuf_iterator<char>(list), {}};
  const std::size_t entry = text.find('"' + name + "\": {");
  if (entry == std::string::npos) return "set CLOISTER_VECTORS; no registry package has it";
  const std::size_t package = text.find("\"package\": \"", entry);
  const bool is_go = package != std::string::npos && text.compare(package + 12, 11, "github.com/") == 0;
  return is_go ? "tools/fetch go-vectors brings it" : "tools/fetch vectors brings it";
}

// Ends the running test. This is the library's only way to end a test from a function that returns a value.
[[noreturn]] inline void end_without_vector(const std::string& name) {
  using ::testing::TestPartResult;
  const auto type = vectors_required() ? TestPartResult::kFatalFailure : TestPartResult::kSkip;
  const std::string why = "no vector " + name + " (" + vector_origin(name) + ")";
  ::testing::internal::AssertHelper(type, __FILE__, __LINE__, why.c_str()) = ::testing::Message();
  throw ::testing::AssertionException(TestPartResult(type, __FILE__, __LINE__, why.c_str()));
}

// The path of a file or folder of this name.
inline std::filesystem::path vector_path(const std::string& name) {
  for (const std::filesystem::path& folder : vector_folders()) {
    if (std::filesystem::exists(folder / name)) return folder / name;
  }
  end_without_vector(name);
}

inline bool is_vector(const std::string& name) {
  for (const std::filesystem::path& folder : vector_folders()) {
    if (std::filesystem::exists(folder / name)) return true;
  }
  return false;
}

// For a test that goes through a list of vectors: returns the cases whose vector (`name_of` one) exists. Ends the test
// when no vector exists, and where nothing may be skipped when one is missing.
template <class Case, class NameOf>
std::vector<Case> those_there(std::vector<Case> cases, NameOf name_of) {
  const std::string first = name_of(cases.front());
  std::erase_if(cases, [&](const Case& one) {
    const bool there = is_vector(name_of(one));
    if (!there && vectors_required()) end_without_vector(name_of(one));
    return !there;
  });
  if (cases.empty()) end_without_vector(first);
  return cases;
}
inline std::vector<std::string> those_there(std::vector<std::string> names) {
  return those_there(std::move(names), [](const std::string& name) { return name; });
}

// The whole file.
inline std::string vector_text(const std::string& name) {
  std::ifstream file(vector_path(name), std::ios::binary);
  EXPECT_TRUE(file.good()) << "cannot read the vector " << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

inline Bytes vector_bytes(const std::string& name) { return to_bytes(as_bytes(vector_text(name))); }

}  // namespace cloister::testing
