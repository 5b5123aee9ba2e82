#include "verify/verdict.h"

#include <algorithm>
#include <utility>

#include "verify/check_list.h"

namespace cloister::verify {

std::string_view to_text(State state) {
  switch (state) {
    case State::kPass: return "pass";
    case State::kFail: return "fail";
    case State::kSkipped: return "skipped";
    case State::kNotApplicable: return "n/a";
  }
  return "skipped";
}

std::string_view to_text(Outcome outcome) {
  switch (outcome) {
    case Outcome::kAccepted: return "accepted";
    case Outcome::kRejected: return "rejected";
    case Outcome::kUndetermined: return "undetermined";
  }
  return "undetermined";
}

void Verdict::append(Verdict other) {
  checks.reserve(checks.size() + other.checks.size());
  for (Check& check : other.checks) checks.push_back(std::move(check));
  for (auto& [name, value] : other.facts.items()) {
    if (!facts.contains(name)) facts[name] = std::move(value);
  }
}

Json Verdict::append_under(std::string_view prefix, Verdict other) {
  for (Check& check : other.checks) {
    check.id = std::string(prefix) + "." + check.id;
    checks.push_back(std::move(check));
  }
  return std::move(other.facts);
}

const Check* Verdict::find(std::string_view id) const {
  auto found = std::find_if(checks.begin(), checks.end(), [&](const Check& check) { return check.id == id; });
  return found == checks.end() ? nullptr : &*found;
}

Outcome Verdict::outcome() const {
  bool any_required_pass = false;
  bool any_required_skip = false;
  for (const Check& check : checks) {
    if (check.state == State::kFail) return Outcome::kRejected;
    if (!check.required) continue;
    any_required_pass |= check.state == State::kPass;
    any_required_skip |= check.state == State::kSkipped;
  }
  // A verdict without a single required pass has found out nothing, so it is no "yes".
  return any_required_skip || !any_required_pass ? Outcome::kUndetermined : Outcome::kAccepted;
}

Json to_json(const Verdict& verdict) {
  Json checks = Json::array();
  for (const Check& check : verdict.checks) {
    const CheckMeaning* meaning = find_meaning(check.id);
    checks.push_back({{"id", check.id},
                      {"state", to_text(check.state)},
                      {"required", check.required},
                      {"expected", check.expected},
                      {"actual", check.actual},
                      {"detail", check.detail},
                      {"meaning", meaning ? meaning->meaning : std::string_view()}});
  }
  return {{"verdict", to_text(verdict.outcome())},
          {"subject", verdict.subject},
          {"checks", std::move(checks)},
          {"facts", verdict.facts}};
}

}  // namespace cloister::verify
