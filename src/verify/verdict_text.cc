// The readable form of a verdict: every check, the facts, the outcome, and at the end the few reasons for it. Everything that comes
// from evidence is printed without control characters, so that a certificate name cannot move the cursor and fake a verdict.
#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <string>
#include <vector>

#include "base/terminal_text.h"
#include "codec/json.h"
#include "verify/check_list.h"
#include "verify/simulator_check.h"
#include "verify/verdict.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kReset = "\x1b[0m";

// One level of the dotted ids; leaves hold a check.
struct Node {
  std::string name;
  const Check* check = nullptr;
  std::deque<Node> children;
};

Node& child(Node& parent, std::string_view name) {
  for (Node& node : parent.children) {
    if (node.name == name && node.check == nullptr) return node;
  }
  parent.children.push_back({std::string(name), nullptr, {}});
  return parent.children.back();
}

Node grow_tree(const std::vector<Check>& checks) {
  Node root;
  for (const Check& check : checks) {
    Node* node = &root;
    std::string_view rest = check.id;
    for (std::size_t dot; (dot = rest.find('.')) != std::string_view::npos; rest.remove_prefix(dot + 1)) {
      node = &child(*node, rest.substr(0, dot));
    }
    node->children.push_back({std::string(rest), &check, {}});
  }
  return root;
}

// Text from the evidence: in one line, without runs of blanks that would push what follows to a terminal's next row.
std::string shown(std::string_view words) { return fold_blanks(ascii_line(words)); }

class Printer {
 public:
  explicit Printer(bool color) : color_(color) {}

  void line(int depth, std::string_view text) {
    out_.append(static_cast<std::size_t>(2 * depth), ' ').append(text) += '\n';
  }
  std::string paint(std::string_view color, std::string_view text) const {
    if (!color_) return std::string(text);
    return std::string(color).append(text).append(kReset);
  }

  // Each line has its whole id, so that it can be searched for and pasted after --explain.
  void tree(const Node& node) {
    for (const Node& next : node.children) {
      if (next.check != nullptr) check(*next.check);
      tree(next);
    }
  }

  void reason(State state, std::string_view text) {
    line(1, paint(state == State::kFail ? kRed : kYellow, state == State::kFail ? "[FAIL] " : "[skip] ") + shown(text));
  }

  std::string take() { return std::move(out_); }

 private:
  std::string mark(const Check& check) const {
    switch (check.state) {
      case State::kPass: return paint(kGreen, "[pass]");
      case State::kFail: return paint(kRed, "[FAIL]");
      case State::kSkipped: return paint(kYellow, "[skip]");
      case State::kNotApplicable: return paint(kDim, "[n/a ]");
    }
    return "[skip]";
  }

  void check(const Check& check) {
    constexpr int depth = 1;
    std::string head = mark(check) + " " + shown(check.id);
    if (check.state == State::kSkipped) head += check.required ? " (required)" : " (not required)";
    if (!check.detail.empty()) head += ": " + shown(check.detail);
    line(depth, head);
    if (check.state != State::kFail) return;
    if (!check.expected.empty()) line(depth, "       expected " + shown(check.expected));
    if (!check.actual.empty()) line(depth, "       actual   " + shown(check.actual));
    if (const CheckMeaning* meaning = find_meaning(check.id)) {
      line(depth, "       unchecked, an attacker could " + std::string(meaning->without));
    }
  }

  bool color_;
  std::string out_;
};

std::string counts(const std::vector<Check>& checks) {
  std::array<int, 4> count{};
  for (const Check& check : checks) ++count[static_cast<std::size_t>(check.state)];
  return std::to_string(count[0]) + " passed, " + std::to_string(count[1]) + " failed, " + std::to_string(count[2]) +
         " skipped, " + std::to_string(count[3]) + " not applicable";
}

void print_facts(Printer& out, const Json& facts) {
  if (facts.empty()) return;
  out.line(0, "facts in the evidence");
  for (const auto& [name, value] : facts.items()) {
    const std::string text = value.is_string() ? value.get<std::string>() : codec::write_json(value);
    out.line(1, shown(name) + " = " + shown(text));
  }
}

std::string_view color_of(Outcome outcome) {
  if (outcome == Outcome::kAccepted) return kGreen;
  return outcome == Outcome::kRejected ? kRed : kYellow;
}

// What the verdict is about, where that is not everything.
std::string partial(const Verdict& verdict) {
  const auto fact = verdict.facts.find(kPartialReply);
  return fact != verdict.facts.end() && fact->is_string() ? ": " + ascii_line(fact->get<std::string>()) : "";
}

void print_outcome(Printer& out, const Verdict& verdict) {
  const Outcome outcome = verdict.outcome();
  out.line(0, "verdict: " + out.paint(color_of(outcome), to_text(outcome)) + " (" + counts(verdict.checks) + ")" +
                  partial(verdict));
  if (says_simulated(verdict.facts)) {
    out.line(0, out.paint(kBold, "THE TEE IS SIMULATED (insecure_simulator): this says nothing about any real machine; "
                                 "anyone can make such evidence."));
  }
  if (verdict.facts.value("connection", Json()) == "insecure_http") {
    out.line(0,
             out.paint(kBold,
                       "THE CONNECTION IS NOT ENCRYPTED (--insecure-http): everyone between this machine and the node "
                       "reads what is said, and can change it and this verdict's evidence."));
  }
}

// True for a check that keeps a verdict from being accepted.
bool stands_in_the_way(const Check& check) {
  return check.state == State::kFail || (check.state == State::kSkipped && check.required);
}

constexpr std::size_t kMostReasons = 8;
constexpr std::size_t kMostDetail = 200;
constexpr std::size_t kMostValue = 64;

// Turns "nvidia.gpu.3.nonce" into "nvidia.gpu.*.nonce".
std::string starred(std::string_view id) {
  std::string out = check_pattern(id);
  for (std::size_t at = 0; (at = out.find(".N", at)) != std::string::npos; at += 2) {
    if (at + 2 == out.size() || out[at + 2] == '.') out[at + 1] = '*';
  }
  return out;
}

std::string_view first_part(std::string_view id) { return id.substr(0, id.find('.')); }

// The common beginning of two ids, whole parts only; they share at least the first part.
std::string common_parts(std::string_view a, std::string_view b) {
  const auto [in_a, in_b] = std::ranges::mismatch(a, b);
  std::size_t end = static_cast<std::size_t>(in_a - a.begin());
  if (in_a != a.end() || (in_b != b.end() && *in_b != '.')) end = std::min(a.rfind('.', end), end);
  return std::string(a.substr(0, end));
}

// One or more checks that keep a verdict from being accepted for the same reason: the same check of several devices, or
// checks of one group with the same detail.
struct Reason {
  const Check* first;
  std::string pattern;  // the common part of their ids
  std::size_t checks = 1;
  bool one_pattern = true, one_detail = true;

  bool takes(const Check& check, const std::string& its_pattern) const {
    if (check.state != first->state || first_part(check.id) != first_part(first->id)) return false;
    const bool same_check = one_pattern && its_pattern == pattern && pattern.find('*') != std::string::npos;
    return same_check || (one_detail && !check.detail.empty() && check.detail == first->detail);
  }
  void take(const Check& check, const std::string& its_pattern) {
    ++checks;
    one_detail &= check.detail == first->detail;
    if (its_pattern == pattern && one_pattern) return;
    one_pattern = false;
    pattern = common_parts(pattern, its_pattern);
  }
};

std::vector<Reason> reasons_of(const std::vector<Check>& checks) {
  std::vector<Reason> out;
  for (const State state : {State::kFail, State::kSkipped}) {
    for (const Check& check : checks) {
      if (check.state != state || !stands_in_the_way(check)) continue;
      const std::string pattern = starred(check.id);
      const auto same = std::ranges::find_if(out, [&](const Reason& reason) { return reason.takes(check, pattern); });
      if (same != out.end()) {
        same->take(check, pattern);
      } else {
        out.push_back({&check, pattern});
      }
    }
  }
  return out;
}

std::string shortened(const std::string& text, std::size_t most) {
  return text.size() <= most ? text : text.substr(0, most) + "...";
}

std::string words_of(const Reason& reason) {
  const Check& check = *reason.first;
  const bool one = reason.checks == 1;
  std::string out =
      one ? check.id
          : reason.pattern + (reason.one_pattern ? "" : ".*") + " (" + std::to_string(reason.checks) + " checks)";
  if (!check.detail.empty())
    out += ": " + shortened(check.detail, kMostDetail) + (reason.one_detail ? "" : ", and other details");
  if (one && !check.expected.empty()) out += "; expected " + shortened(check.expected, kMostValue);
  if (one && !check.expected.empty() && !check.actual.empty()) out += ", found " + shortened(check.actual, kMostValue);
  return out;
}

// Prints nothing for an accepted verdict.
void print_reasons(Printer& out, const Verdict& verdict) {
  const std::vector<Reason> reasons = reasons_of(verdict.checks);
  if (verdict.outcome() == Outcome::kAccepted) return;
  if (reasons.empty()) return out.line(1, "no required check passed");
  std::size_t left_out = 0;
  for (std::size_t i = 0; i < reasons.size(); ++i) {
    if (i < kMostReasons) {
      out.reason(reasons[i].first->state, words_of(reasons[i]));
    } else {
      left_out += reasons[i].checks;
    }
  }
  if (left_out > 0) out.line(1, "and " + std::to_string(left_out) + (left_out == 1 ? " more check" : " more checks"));
}

}  // namespace

std::string to_text(const Verdict& verdict, bool color) {
  Printer out(color);
  out.line(0, shown(verdict.subject));
  out.tree(grow_tree(verdict.checks));
  print_facts(out, verdict.facts);
  print_outcome(out, verdict);
  print_reasons(out, verdict);
  return out.take();
}

std::string to_summary(const Verdict& verdict, bool color) {
  Printer out(color);
  out.line(0, shown(verdict.subject));
  print_outcome(out, verdict);
  print_reasons(out, verdict);
  return out.take();
}

}  // namespace cloister::verify
