// Verdict::add() with a check disabled: linked in place of src/verify/verdict_add.cc into the programs of the mutation test, and into nothing else.
//
// CLOISTER_MUTATED_CHECK=ID   the check with this id of checks.def passes whatever it found
// CLOISTER_CHECK_LOG=FILE     appends a line "ID TEST" for each check that did not pass, with the name of the running test
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <string>
#include <utility>

#include "verify/check_list.h"
#include "verify/verdict.h"

namespace cloister::verify {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

void log(std::string_view id) {
  static const std::string path = environment("CLOISTER_CHECK_LOG");
  if (path.empty()) return;
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return;
  static std::ofstream file(path, std::ios::app);
  static std::set<std::string> told;
  const std::string line = std::string(id) + " " + test->test_suite_name() + "." + test->name();
  if (told.insert(line).second) file << line << std::endl;
}

}  // namespace

void Verdict::add(Check check) {
  static const std::string mutated = environment("CLOISTER_MUTATED_CHECK");
  const CheckMeaning* meaning = find_meaning(check.id);
  if (meaning != nullptr && (check.state == State::kFail || check.state == State::kSkipped)) {
    log(meaning->id);
    if (meaning->id == mutated) check.state = State::kPass;
  }
  checks.push_back(std::move(check));
}

}  // namespace cloister::verify
