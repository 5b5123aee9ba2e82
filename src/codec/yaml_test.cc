#include "codec/yaml.h"

#include <gtest/gtest.h>

namespace cloister::codec {
namespace {

std::string error_of(std::string_view text, const YamlLimits& limits = {}) {
  const auto read = parse_yaml(text, limits);
  return read ? "none" : read.error().message;
}

TEST(Yaml, ReadsBlocksFlowsAndQuotes) {
  const auto root = parse_yaml(
      "services:\n  a: {image: \"x\\x41\", tty: true}\n  'b':\n    - one\n    - >\n      two\n      three\n  c: ~\n");
  ASSERT_TRUE(root) << root.error().message;
  const YamlNode* services = root->find("services");
  ASSERT_NE(services, nullptr);
  EXPECT_EQ(services->find("a")->find("image")->text, "xA");
  EXPECT_TRUE(services->find("a")->find("image")->quoted);
  EXPECT_EQ(services->find("a")->find("image")->line, 2u);
  EXPECT_EQ(services->find("b")->items.at(1).text, "two three\n");
  EXPECT_TRUE(services->find("c")->is_null());
  EXPECT_EQ(root->find("nothing"), nullptr);
}

// A scalar in quotes may span lines, and a comment sign in it then begins no comment.
TEST(Yaml, AQuotedTextSpansLines) {
  const auto root = parse_yaml("evil: {\"command\": \"x\n    # \", \"image\": \"evil:latest\"}\n");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(root->find("evil")->find("image")->text, "evil:latest");
}

TEST(Yaml, AliasesStandForCopies) {
  const auto root = parse_yaml("a: &x {k: [1, 2]}\nb: *x\nc:\n  <<: *x\n");
  ASSERT_TRUE(root) << root.error().message;
  EXPECT_EQ(root->find("b")->find("k")->items.size(), 2u);
  EXPECT_EQ(root->find("c")->find("<<")->find("k")->items.at(1).text, "2");
}

TEST(Yaml, WhatIsNotReadIsAnError) {
  for (const char* text : {"",
                           "# only a comment\n",
                           "---\na: 1\n---\nb: 1\n",
                           "%YAML 1.1\n---\na: 1\n",
                           "%TAG ! !x\n---\na: 1\n",
                           "a: !!str 1\n",
                           "a: !x [1]\n",
                           "!!map {a: 1}\n",
                           "? [a]\n: 1\n",
                           "a: 1\na: 2\n",
                           "a: 1\n\"\\x61\": 2\n",
                           "a: *nothing\n",
                           "a: &x [*x]\n",
                           "a: \"x\n",
                           "a: [1\n",
                           "\t- a\n",
                           "a: b: c\n",
                           "# a\xC2\x85image: x\n",
                           "a: \xE2\x80\xA8 1\n",
                           "a: \xff\n"}) {
    EXPECT_NE(error_of(text), "none") << text;
  }
  EXPECT_NE(error_of("a: 1\nb: 2\na: 3\n").find("line 3"), std::string::npos) << error_of("a: 1\nb: 2\na: 3\n");
}

TEST(Yaml, IsBounded) {
  EXPECT_NE(error_of(std::string(2u << 20, ' ')), "none");
  EXPECT_NE(error_of(std::string(200, '[') + std::string(200, ']')), "none");
  EXPECT_NE(error_of(std::string(20000, '[')), "none");
  std::string many = "[";
  for (int i = 0; i < 70000; ++i) many += "1,";
  EXPECT_NE(error_of(many + "1]"), "none");
  // The aliases of a "billion laughs".
  std::string laughs = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int j = 0; j < 8; ++j) laughs += "," + last;
    laughs += "]\n";
  }
  EXPECT_NE(error_of(laughs), "none");
  // Depth counts through aliases too.
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i)
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  EXPECT_NE(error_of(deep), "none");
  EXPECT_EQ(error_of("[[[[1]]]]"), "none");
}

}  // namespace
}  // namespace cloister::codec
