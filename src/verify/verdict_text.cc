// The readable form of a verdict. Everything that comes from evidence is printed without control characters, so that a
// certificate name cannot move the cursor and paint a verdict of its own.
#include <algorithm>
#include <array>
#include <deque>
#include <iterator>
#include <string>
#include <vector>

#include "base/terminal_text.h"
#include "codec/json.h"
#include "verify/check_list.h"
#include "verify/verdict.h"

namespace cloister::verify {
namespace {

constexpr std::string_view kBold = "\x1b[1m";
constexpr std::string_view kRed = "\x1b[1;31m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kReset = "\x1b[0m";

// One level of the dotted ids; leaves carry a check.
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

// Words of the evidence: in one line, without runs of blanks that would push what follows to a terminal's next row.
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

  void tree(const Node& node, int depth) {
    for (const Node& next : node.children) {
      if (next.check != nullptr) {
        check(*next.check, next.name, depth);
      } else {
        line(depth, shown(next.name));
        tree(next, depth + 1);
      }
    }
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

  void check(const Check& check, const std::string& name, int depth) {
    std::string head = mark(check) + " " + shown(name);
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

void print_outcome(Printer& out, const Verdict& verdict) {
  const Outcome outcome = verdict.outcome();
  out.line(0, "verdict: " + out.paint(color_of(outcome), to_text(outcome)) + " (" + counts(verdict.checks) + ")");
  if (verdict.facts.value("tee_type", Json()) == "insecure_simulator") {
    out.line(0, out.paint(kBold,
                          "THE TEE IS SIMULATED (insecure_simulator): this says nothing about any real machine; "
                          "anyone can make such evidence."));
  }
  if (verdict.facts.value("connection", Json()) == "insecure_http") {
    out.line(0, out.paint(kBold,
                          "THE CONNECTION IS NOT ENCRYPTED (--insecure-http): everyone between this machine and the node "
                          "reads what is said, and can change it and this verdict's evidence."));
  }
}

// What keeps a verdict from being accepted.
bool stands_in_the_way(const Check& check) {
  return check.state == State::kFail || (check.state == State::kSkipped && check.required);
}

}  // namespace

std::string to_text(const Verdict& verdict, bool color) {
  Printer out(color);
  out.line(0, shown(verdict.subject));
  out.tree(grow_tree(verdict.checks), 1);
  print_facts(out, verdict.facts);
  print_outcome(out, verdict);
  return out.take();
}

std::string to_summary(const Verdict& verdict, bool color) {
  Printer out(color);
  out.line(0, shown(verdict.subject));
  std::vector<Check> in_the_way;
  std::ranges::copy_if(verdict.checks, std::back_inserter(in_the_way), stands_in_the_way);
  out.tree(grow_tree(in_the_way), 1);
  print_outcome(out, verdict);
  return out.take();
}

}  // namespace cloister::verify
