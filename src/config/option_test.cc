#include "config/option.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "config/policy_document.h"
#include "store/open_store.h"

namespace cloister::config {
namespace {

const Option& row(std::string_view name) {
  const auto rows = serve_option_table();
  return *std::ranges::find(rows, name, &Option::name);
}

TEST(OptionTable, NamesEachOptionOnceAndExplainsIt) {
  std::set<std::string_view> names;
  for (const Option& option : serve_option_table()) {
    EXPECT_TRUE(names.insert(option.name).second) << option.name;
    EXPECT_EQ(option.name.find_first_not_of("abcdefghijklmnopqrstuvwxyz-"), std::string_view::npos) << option.name;
    EXPECT_GT(option.help.size(), 10u) << option.name;
  }
  for (const Option& option : serve_option_table()) {
    EXPECT_TRUE(option.needs.empty() || names.contains(option.needs)) << option.name;
  }
}

TEST(OptionTable, SaysOfEachOptionWhatThePolicyDocumentSays) {
  const auto paths = policy_member_paths();
  const auto is_member = [&](std::string_view path) {
    // The member "receipts" is written as a whole.
    return std::ranges::find(paths, path.starts_with("receipts.") ? "receipts" : path) != paths.end();
  };
  for (const Option& option : serve_option_table()) {
    EXPECT_FALSE(option.policy.text.empty()) << option.name;
    if (option.policy.kind == InPolicy::Kind::kUnstated) {
      EXPECT_GE(words_of(option.policy.text).size(), 4u) << option.name << ": this is no reason";
      continue;
    }
    for (const std::string_view path : words_of(option.policy.text)) EXPECT_TRUE(is_member(path)) << option.name;
    if (option.policy.kind == InPolicy::Kind::kValue) EXPECT_EQ(words_of(option.policy.text).size(), 1u) << option.name;
  }
}

TEST(OptionTable, AcceptsItsDefaults) {
  const ServeOptions defaults;
  for (const Option& option : serve_option_table()) {
    const auto within = [&](double value) {
      return (option.values.zero_too && value == 0) || (value >= option.values.low && value <= option.values.high);
    };
    if (const auto* whole = std::get_if<int ServeOptions::*>(&option.member)) {
      EXPECT_EQ(option.values.kind, Values::Kind::kWholeNumber) << option.name;
      EXPECT_TRUE(within(defaults.**whole)) << option.name;
    } else if (const auto* number = std::get_if<double ServeOptions::*>(&option.member)) {
      EXPECT_EQ(option.values.kind, Values::Kind::kNumber) << option.name;
      EXPECT_TRUE(within(defaults.**number)) << option.name;
    } else if (const auto* text = std::get_if<std::string ServeOptions::*>(&option.member)) {
      const std::string& value = defaults.**text;
      const auto words = words_of(option.values.words);
      if (option.values.kind == Values::Kind::kWord) {
        EXPECT_TRUE(value.empty() || std::ranges::find(words, value) != words.end()) << option.name;
      }
      if (option.values.kind == Values::Kind::kSize) {
        ASSERT_EQ(words.size(), 2u) << option.name;
        const auto low = store::parse_bytes(words[0]), high = store::parse_bytes(words[1]);
        const auto bytes = store::parse_bytes(value);
        ASSERT_TRUE(low && high && bytes) << option.name;
        EXPECT_TRUE(*bytes >= *low && *bytes <= *high) << option.name;
      }
    }
  }
}

TEST(OptionTable, CopiesOneValue) {
  ServeOptions from, to;
  from.log_level = "debug";
  from.log_format = "json";
  copy_value(row("log-level"), from, to);
  EXPECT_EQ(to.log_level, "debug");
  EXPECT_EQ(to.log_format, "text");
}

}  // namespace
}  // namespace cloister::config
