#include "verify/policy/toml_nesting.h"

#include <gtest/gtest.h>

#include <string>

#include "verify/policy/policy_file.h"

namespace cloister::verify {
namespace {

std::string repeated(const std::string& text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(TomlNesting, CountsPartsAndBrackets) {
  EXPECT_FALSE(find_deep_line(""));
  EXPECT_FALSE(find_deep_line(kDefaultPolicyText));
  for (const std::string& deep :
       {repeated("a.", 16) + "a = 1", "[" + repeated("a.", 16) + "a]", "[[" + repeated("a.", 16) + "a]]",
        "a = " + repeated("[", 16), "a = " + repeated("{a = ", 16) + "1", repeated("a . ", 16) + "a = 1",
        "'x'" + repeated(".\"y\"", 16) + " = 1", "[" + repeated("a.", 9) + "a]\n" + repeated("a.", 9) + "a = 1",
        repeated("a.", 9) + "a = {" + repeated("b.", 9) + "b = 1}", "a = [\n" + repeated("[\n", 16),
        "a = [1, " + repeated("{b.c = ", 9) + "1", "a = \"\"\"\"\"\" \n" + repeated("a.", 17)}) {
    EXPECT_TRUE(find_deep_line(deep)) << deep;
    EXPECT_TRUE(find_deep_line("b = 1\n# x\n" + deep)) << deep;
  }
  for (const std::string& flat :
       {repeated("a.", 14) + "a = 1", "[" + repeated("a.", 14) + "a]\nb = 1", repeated("a = 1.5\n", 100),
        "a = [" + repeated("1.5, ", 100) + "]", "a = '" + repeated("a.[{", 100) + "'", "# " + repeated("[a.", 100),
        "a = \"\\\"" + repeated("[a.", 100) + "\"", "a = \"\"\"\n" + repeated("[a.\"\n", 100) + "\"\"\"",
        "a = '''\n" + repeated("[a.'\n", 100) + "''''", repeated("[a.b.c]\nd = {e = [1]}\n", 100),
        "a = [" + repeated("{b.c = [1.5]},\n", 100) + "]"}) {
    EXPECT_FALSE(find_deep_line(flat)) << flat;
  }
  EXPECT_EQ(find_deep_line("a = 1\n\nb = '''\n'''\n" + repeated("a.", 20)), 5u);
}

// Anything else would end the program on the stack of a small thread, or of a large one.
TEST(TomlNesting, DeepPoliciesAreRefused) {
  for (const std::string& deep : {repeated("a.", 40000) + "a = 1", "[" + repeated("a.", 500000) + "a]",
                                  "a = " + repeated("[", 100000), "a = " + repeated("{a = ", 100000)}) {
    const auto policy = parse_policy(deep);
    ASSERT_FALSE(policy);
    EXPECT_NE(policy.error().message.find("16 levels"), std::string::npos) << policy.error().message;
  }
}

}  // namespace
}  // namespace cloister::verify
