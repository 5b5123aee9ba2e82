// Verdict: every check that was made, could not be made or does not apply, as a tree. "Skipped" never counts as passed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace cloister::verify {

enum class State { kPass, kFail, kSkipped, kNotApplicable };
std::string_view to_text(State state);  // "pass", "fail", "skipped", "n/a"

struct Check {
  std::string id;  // stable, from verify/checks.def: "tdx.quote.signature"
  State state = State::kSkipped;
  bool required = true;
  std::string expected;
  std::string actual;
  std::string detail;  // why it failed or was skipped
};

// The values are the exit statuses of `cloister verify`.
enum class Outcome { kAccepted = 0, kRejected = 1, kUndetermined = 3 };
std::string_view to_text(Outcome outcome);

// The fact that the verdict is about less than a whole reply, or about an error, in words; the readable form ends with it.
inline constexpr const char* kPartialReply = "partial_reply";

struct Verdict {
  std::string subject;  // "report", "signature", "host http://..."
  std::vector<Check> checks;
  // tee_type, signing_address, measurements ...: what the evidence says. Only as true as the verdict is good.
  Json facts = Json::object();

  // The only way by which a check enters a verdict; in a file of its own, which the mutation test replaces (tests/mutation).
  void add(Check check);
  // Takes over the checks of `other`, and those of its facts that are not here yet.
  void append(Verdict other);
  // Takes over the checks of `other` with `prefix` and a dot before their ids. Returns its facts, which stay separate.
  Json append_under(std::string_view prefix, Verdict other);
  const Check* find(std::string_view id) const;
  // Rejected if any check failed; else undetermined if a required one was skipped or none passed; else accepted.
  Outcome outcome() const;
};

// {"verdict","subject","checks":[{"id","state","required","expected","actual","detail","meaning"}],"facts"}
Json to_json(const Verdict& verdict);
// A readable tree, grouped by the dots in the ids; it says plainly when the TEE is simulated. `color` adds ANSI
// colours. ASCII without control characters, whatever the evidence holds.
std::string to_text(const Verdict& verdict, bool color);
// The same tree with only those checks that keep the verdict from being accepted, and without facts.
std::string to_summary(const Verdict& verdict, bool color);

}  // namespace cloister::verify
