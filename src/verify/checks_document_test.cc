// docs/checks.md is made from checks.def and samples.def: this test fails when they differ, and writes the file anew
// when CLOISTER_UPDATE_DOCS is set.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "base/file.h"
#include "verify/check_list.h"
#include "verify/samples.h"

namespace cloister::verify {
namespace {

constexpr const char* kPath = CLOISTER_SOURCE_DIR "/docs/checks.md";

std::string group_of(std::string_view id) { return std::string(id.substr(0, id.find('.'))); }

std::string document() {
  std::string out =
      "# Every check of a verdict\n\n"
      "Made from `src/verify/checks/*.def`; `CLOISTER_UPDATE_DOCS=1 build/release/cloister_verify_test "
      "--gtest_filter='ChecksDocument.*'`\nwrites it. `N` stands for a number, from 0. A check passes, fails, is skipped "
      "(it could not be made: never a yes), or does not\napply. `cloister verify --explain ID` prints one of these.\n";
  std::string group;
  for (const CheckMeaning& check : check_list()) {
    if (group_of(check.id) != group) {
      group = group_of(check.id);
      out += "\n## " + group + "\n\n| check | a pass says that | without it one could |\n| --- | --- | --- |\n";
    }
    out += "| `" + std::string(check.id) + "` | " + std::string(check.meaning) + " | " + std::string(check.without) +
           " |\n";
  }
  out +=
      "\n## Without a genuine sample\n\n"
      "A reader of evidence that was tried only with material made by those who wrote it may be wrong about what its maker really "
      "writes. Of these\nforms and parts no genuine whole sample is among the vectors that the tests judge (`src/verify/samples.def` "
      "lists the others too). A check that is\nabout one of them passes on what the specification, or its maker's source, says. "
      "`cloister verify --explain ID` says it of a single check.\n\n"
      "| form or part | checks | tested with |\n| --- | --- | --- |\n";
  for (const Sample& sample : samples()) {
    if (!sample.vector.empty()) continue;
    std::string checks(sample.checks);
    for (std::size_t at = checks.find(' '); at != std::string::npos; at = checks.find(' ', at + 4))
      checks.replace(at, 1, "`, `");
    out += "| " + std::string(sample.what) + " | `" + checks + "` | " + std::string(sample.note) + " |\n";
  }
  return out;
}

TEST(ChecksDocument, IsWhatTheCodeSays) {
  if (std::getenv("CLOISTER_UPDATE_DOCS") != nullptr) {
    ASSERT_TRUE(write_file_atomically(kPath, document(), 0644).has_value());
  }
  const Result<std::string> written = read_file(kPath, 4 << 20);
  ASSERT_TRUE(written.has_value()) << written.error().message;
  EXPECT_EQ(*written, document()) << "run it with CLOISTER_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace cloister::verify
