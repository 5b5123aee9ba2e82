#include "engine/dialect/string_pattern.h"

#include <gtest/gtest.h>

#include <regex>

namespace cloister::engine {
namespace {

TEST(StringPattern, IsWrittenAsClassesAndGroups) {
  const std::pair<const char*, const char*> cases[] = {
      {"^\\d{5}$", "^[0-9]{5}$"},
      {"^abc$", "^[a][b][c]$"},
      {"^(?:a|b)+$", "^([a]|[b])+$"},
      {"^a.c$", "^[a][\\x20\\x21\\x23-\\x5B\\x5D-\\x7E\\x80-\\u2027\\u202A-\\uD7FF\\uE000-\\U0010FFFF][c]$"},
      {"^\\w+$", "^[0-9A-Z\\x5Fa-z]+$"},
      {"^[^0-9]$", "^[\\x20\\x21\\x23-\\x2F\\x3A-\\x5B\\x5D-\\x7E\\x80-\\uD7FF\\uE000-\\U0010FFFF]$"},
      {"^a{2,}b{0,3}c?$", "^[a]{2,}[b]{0,3}[c]?$"},
      {"^\\x41\\u0042\\.\\-$", "^[A][B][\\x2E][\\x2D]$"},
      {"^a+?$", "^[a]+$"},
      {"^[\\d_-]$", "^[\\x2D0-9\\x5F]$"},
      {"^é$", "^[\\xE9]$"},
  };
  for (const auto& [pattern, expected] : cases) {
    const auto exact = exact_pattern(pattern);
    ASSERT_TRUE(exact.has_value()) << pattern << ": " << exact.error().message;
    EXPECT_EQ(exact->text, expected) << pattern;
  }
}

// The standard library's regular expressions, which have the same syntax, agree on what matches.
TEST(StringPattern, MatchesWhatItIsMeantTo) {
  const char* patterns[] = {"^\\d{5}$",          "^(?:ab|c)*d$",    "^[^a-c]x?$",
                            "^\\w+@\\w+\\.com$", "^(a|b(c|d)){2}$", "^[+-]?\\d+(?:\\.\\d+)?$"};
  const char* texts[] = {"12345",      "1234", "ababcd", "d",    "x",  "zx", "ax", "me@here.com",
                         "mehere.com", "abc",  "bcbd",   "-1.5", "+7", "1.", ""};
  for (const char* pattern : patterns) {
    const auto exact = exact_pattern(pattern);
    ASSERT_TRUE(exact.has_value()) << pattern << ": " << exact.error().message;
    // The bytes of the texts are ASCII, so larger escapes are not needed.
    std::string narrow = std::regex_replace(exact->text, std::regex(R"(\\x80-.*?\\U0010FFFF)"), "");
    for (const char* text : texts) {
      EXPECT_EQ(std::regex_match(text, std::regex(narrow)), std::regex_match(text, std::regex(pattern)))
          << pattern << " of " << text;
    }
  }
}

TEST(StringPattern, RefusesWhatTheGrammarWouldReadOtherwise) {
  for (const char* pattern : {"",
                              "a",
                              "^a",
                              "a$",
                              "^a|b$",
                              "^(?=a)a$",
                              "^(?!a)b$",
                              "^(?<n>a)$",
                              "^\\bword$",
                              "^(a)\\1$",
                              "^\\p{L}$",
                              "^a\\$",
                              "^a$b$",
                              "^^a$",
                              "^a\n$",
                              "^\"$",
                              "^\\\\$",
                              "^\\n$",
                              "^[]$",
                              "^[z-a]$",
                              "^[a-\\d]$",
                              "^[a$",
                              "^(a$",
                              "^a)$",
                              "^*$",
                              "^a**$",
                              "^a{5,2}$",
                              "^a{0}$",
                              "^a{2001}$",
                              "^a{1000}{1000}$",
                              "^(a{100}){100}$",
                              "^(a?)*$",
                              "^(a?b?){2}$",
                              "^(a|)$",
                              "^()$",
                              "^$",
                              "^a{$",
                              "^a{x}$",
                              "^a}$",
                              "^]$",
                              "^\\ud800$",
                              "^\\x4$",
                              "^\\cA$",
                              "^\\"}) {
    EXPECT_FALSE(exact_pattern(pattern).has_value()) << pattern;
  }
  EXPECT_FALSE(exact_pattern("^" + std::string(2000, 'a') + "$").has_value());
  EXPECT_FALSE(exact_pattern("^" + std::string(20, '(') + "a" + std::string(20, ')') + "$").has_value());
}

}  // namespace
}  // namespace cloister::engine
