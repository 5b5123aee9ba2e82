// Verdict::add() with a check disabled or left out. It is linked in place of src/verify/verdict_add.cc into the
// programs of the mutation test, and into nothing else.
//
// CLOISTER_DISABLED_CHECK=ID  the check with this id of checks.def passes whatever it found
// CLOISTER_OMITTED_CHECK=ID   the check with this id never enters a verdict
// CLOISTER_CHECK_LOG=FILE     appends a line "ID TEST STATE" for each check that is added, with the name of the running test and
//                             the state as to_text() words it
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <map>
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

// Returns the id of checks.def, or an empty text. Finding it often costs more than the check itself.
const std::string& listed_id(const std::string& id) {
  thread_local std::map<std::string, std::string> known;
  const auto [found, is_new] = known.try_emplace(id);
  if (!is_new) return found->second;
  if (const CheckMeaning* meaning = find_meaning(id)) found->second = meaning->id;
  return found->second;
}

void log(const std::string& id, State state) {
  static const std::string path = environment("CLOISTER_CHECK_LOG");
  if (path.empty()) return;
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  if (test == nullptr) return;
  static std::ofstream file(path, std::ios::app);
  static std::set<std::string> told;
  const std::string line = id + " " + test->test_suite_name() + "." + test->name() + " " + std::string(to_text(state));
  if (told.insert(line).second) file << line << std::endl;
}

}  // namespace

void Verdict::add(Check check) {
  static const std::string disabled = environment("CLOISTER_DISABLED_CHECK"),
                           omitted = environment("CLOISTER_OMITTED_CHECK");
  if (const std::string& id = listed_id(check.id); !id.empty()) {
    log(id, check.state);
    if (id == omitted) return;
    if (id == disabled && (check.state == State::kFail || check.state == State::kSkipped)) check.state = State::kPass;
  }
  checks.push_back(std::move(check));
}

}  // namespace cloister::verify
