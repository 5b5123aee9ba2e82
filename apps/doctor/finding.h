// What `cloister doctor` finds, line by line.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cloister::apps {

enum class FindingState { kOk, kProblem, kUnknown };

struct Finding {
  std::string id;  // stable: "tee.interface"
  FindingState state = FindingState::kUnknown;
  std::string what;      // what was found
  std::string todo;      // what to do about it; "" when ok
  bool required = true;  // a node in a real TEE needs it; otherwise it is advice
};
using Findings = std::vector<Finding>;

inline Finding good(std::string id, std::string what) {
  return {std::move(id), FindingState::kOk, std::move(what), {}, true};
}
inline Finding problem(std::string id, std::string what, std::string todo) {
  return {std::move(id), FindingState::kProblem, std::move(what), std::move(todo), true};
}
inline Finding unknown(std::string id, std::string what, std::string todo) {
  return {std::move(id), FindingState::kUnknown, std::move(what), std::move(todo), true};
}
// The same finding as advice: it does not decide whether the machine is ready.
inline Finding advice(Finding finding) {
  finding.required = false;
  return finding;
}

}  // namespace cloister::apps
