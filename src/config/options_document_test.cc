// The part of docs/guide/options.md about `cloister serve` is made from serve_options.def: this test fails when they differ, and writes the
// part anew when CLOISTER_UPDATE_DOCS is set.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/file.h"
#include "config/option.h"

namespace cloister::config {
namespace {

constexpr const char* kPath = CLOISTER_SOURCE_DIR "/docs/guide/options.md";
constexpr std::string_view kBegin =
    "<!-- Made from src/config/serve_options.def, up to the end mark: CLOISTER_UPDATE_DOCS=1 build/release/cloister_config_test\n"
    "--gtest_filter='OptionsDocument.*' writes it. -->\n";
constexpr std::string_view kEnd = "<!-- The end of what is made from src/config/serve_options.def. -->\n";

struct Section {
  Group group;
  const char* title;
};
constexpr Section kSections[] = {
    {Group::kCallers,
     "**Who may call, and where** ([operations.md](operations.md#who-may-call), [identity.md](identity.md#the-tls-key-born-in-the-tee-or-given)):"},
    {Group::kEngine, "**What computes** ([engines.md](engines.md)):"},
    {Group::kProof, "**What is proven** ([tee.md](tee.md), [gpu.md](gpu.md), [identity.md](identity.md)):"},
    {Group::kStorage, "**What is kept, and logged** ([operations.md](operations.md#receipts)):"},
};

std::string code(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string option_name(std::string_view name) { return code("--" + std::string(name)); }

// Words of code in a help text: options, paths, addresses and placeholders.
bool is_code(std::string_view word) {
  return word.starts_with("--") || word.find('/') != std::string_view::npos || word.find('<') != std::string_view::npos;
}

// The help text as Markdown.
std::string prose(std::string_view help) {
  std::string out;
  for (std::string_view word : words_of(help)) {
    if (!out.empty()) out += ' ';
    const std::size_t first = std::min(word.find_first_not_of('('), word.size());
    const std::size_t last = word.find_last_not_of(",;:.)") + 1;
    const std::string_view inner = first < last ? word.substr(first, last - first) : std::string_view();
    out += is_code(inner) ? std::string(word.substr(0, first)) + code(inner) + std::string(word.substr(last))
                          : std::string(word);
  }
  if (!out.empty() && out.front() >= 'a' && out.front() <= 'z' && !out.starts_with("http")) out.front() -= 'a' - 'A';
  return out;
}

std::string number_text(double value) {
  if (value == std::floor(value)) return std::to_string(static_cast<std::int64_t>(value));
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

std::string list_of(std::string_view words, const std::string& between, const std::string& before_last) {
  const auto all = words_of(words);
  std::string out;
  for (std::size_t i = 0; i < all.size(); ++i) {
    out += (i == 0 ? "" : i + 1 == all.size() ? before_last : between) + code(all[i]);
  }
  return out;
}

std::string values_text(const Values& values) {
  switch (values.kind) {
    case Values::Kind::kAny: return "";
    case Values::Kind::kWord: return list_of(values.words, ", ", ", ");
    case Values::Kind::kSize: return list_of(values.words, " to ", " to ");
    case Values::Kind::kWholeNumber:
    case Values::Kind::kNumber: break;
  }
  return (values.zero_too ? "0, or " : "") + number_text(values.low) + " to " + number_text(values.high);
}

std::string default_text(const Option& option) {
  if (!option.default_in_words.empty()) return std::string(option.default_in_words);
  const ServeOptions defaults;
  return std::visit(
      [&](auto member) -> std::string {
        const auto& value = defaults.*member;
        using Value = std::remove_cvref_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::string>)
          return value.empty() ? "" : code(value);
        else if constexpr (std::is_same_v<Value, double>)
          return code(number_text(value));
        else if constexpr (std::is_same_v<Value, int> || std::is_same_v<Value, std::uint64_t>)
          return code(std::to_string(value));
        else
          return "";
      },
      option.member);
}

std::string policy_text(const InPolicy& policy) {
  const std::string members = list_of(policy.text, ", ", " and ");
  const bool several = words_of(policy.text).size() > 1;
  switch (policy.kind) {
    case InPolicy::Kind::kValue: return members + " is the value";
    case InPolicy::Kind::kEffect: return members + (several ? " follow" : " follows") + " from it";
    case InPolicy::Kind::kFound: return members + (several ? " say" : " says") + " what the node found";
    case InPolicy::Kind::kUnstated: break;
  }
  return "nothing: " + std::string(policy.text);
}

std::string names_of(OnSighup what) {
  std::string out;
  for (const Option& option : serve_option_table()) {
    if (option.on_sighup == what) out += (out.empty() ? "" : ", ") + option_name(option.name);
  }
  return out;
}

std::string document() {
  std::string out;
  for (const Section& section : kSections) {
    out += std::string(section.title) + "\n\n| option | values | default | |\n| --- | --- | --- | --- |\n";
    for (const Option& option : serve_option_table()) {
      if (option.group != section.group) continue;
      out += "| " + option_name(option.name) + " | " + values_text(option.values) + " | " + default_text(option) +
             " | " + prose(option.help) + " |\n";
    }
    out += "\n";
  }
  out += "**What SIGHUP changes.** A running node reads the files of " + names_of(OnSighup::kContent) +
         " again, and takes a new value\nof " + names_of(OnSighup::kValue) +
         " from its configuration file. Every other option needs a restart.\n\n"
         "**What verifiers read.** The [policy document](../spec/policy.md) of a node is made from these options:\n\n"
         "| option | the policy document says |\n| --- | --- |\n";
  for (const Option& option : serve_option_table()) {
    out += "| " + option_name(option.name) + " | " + policy_text(option.policy) + " |\n";
  }
  return out;
}

// The line of `wanted` that `written` does not have in the same place.
std::string first_difference(std::string_view written, std::string_view wanted) {
  const auto at = std::ranges::mismatch(wanted, written).in1 - wanted.begin();
  const std::size_t line = wanted.substr(0, static_cast<std::size_t>(at)).rfind('\n') + 1;
  return std::string(wanted.substr(line, wanted.find('\n', line) - line));
}

TEST(OptionsDocument, IsWhatTheTableSays) {
  Result<std::string> page = read_file(kPath, 4 << 20);
  ASSERT_TRUE(page.has_value()) << page.error().message;
  const std::size_t begin = page->find(kBegin), end = page->find(kEnd);
  ASSERT_NE(begin, std::string::npos) << kPath << " has no begin mark";
  ASSERT_TRUE(end != std::string::npos && begin < end) << kPath << " has no end mark";
  const std::string wanted = std::string(kBegin) + "\n" + document() + "\n";
  if (std::getenv("CLOISTER_UPDATE_DOCS") != nullptr) {
    page->replace(begin, end - begin, wanted);
    ASSERT_TRUE(write_file_atomically(kPath, *page, 0644).has_value());
    return;
  }
  const std::string written = page->substr(begin, end - begin);
  EXPECT_TRUE(written == wanted) << "run it with CLOISTER_UPDATE_DOCS=1; the first line that differs: "
                                 << first_difference(written, wanted);
}

}  // namespace
}  // namespace cloister::config
