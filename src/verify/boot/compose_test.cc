#include "verify/boot/compose.h"

#include <gtest/gtest.h>

#include "base/testing/vectors.h"
#include "codec/json.h"

namespace cloister::verify {
namespace {

const std::string kPinned = "vendor/app@sha256:" + std::string(64, 'a');

TEST(ComposeImages, PinnedInEveryUsualSpelling) {
  for (const std::string& line :
       {"    image: " + kPinned, "image: \"" + kPinned + "\"", "- image: '" + kPinned + "'  # why",
        "image:   " + kPinned + " # why", "{\"image\": \"" + kPinned + "\"}", "a: {image: " + kPinned + ", tty: true}",
        "image: registry.example:5000/vendor/app:1.2@sha256:" + std::string(64, '0'), "\"image\" : " + kPinned}) {
    const ComposeImages images = scan_compose_images(line);
    EXPECT_EQ(images.pinned, 1u) << line;
    EXPECT_TRUE(images.loose.empty()) << line;
  }
}

TEST(ComposeImages, EverythingElseIsLoose) {
  for (const std::string& line :
       {std::string("image: ubuntu"), std::string("image: ubuntu:22.04"), std::string("image:"),
        std::string("image: ${IMAGE}"), "image: ${IMAGE:-" + kPinned + "}", std::string("image: *anchor"),
        "image: &anchor " + kPinned, std::string("image: >-"), "image: vendor/app@sha256:" + std::string(63, 'a'),
        "image: vendor/app@sha256:" + std::string(64, 'A'), "image: " + kPinned + "0", "image: @sha256:" + kPinned,
        std::string("image: \"ubuntu"), std::string("image : ubuntu"), std::string("{image: a, image: b}"),
        std::string("build: ."), std::string("include: other.yml"), std::string("extends: {file: other.yml}"),
        std::string("- type: image"), std::string("{type: 'image', source: ubuntu}"), std::string("? image"),
        std::string(R"("\x69mage": ubuntu)"), std::string(R"("im\)"), std::string("*key : ubuntu"),
        std::string("# a\xC2\x85image: ubuntu")}) {
    const ComposeImages images = scan_compose_images(line);
    EXPECT_EQ(images.pinned, 0u) << line;
    EXPECT_FALSE(images.loose.empty()) << line;
  }
}

TEST(ComposeImages, WhatOnlyLooksAlike) {
  for (const char* text : {"", "# image: ubuntu", "base-image: ubuntu", "images: 3", "my.image: x", "imagename: x",
                           "command: echo image", "rebuild: x",
                           "- type: volume", "- models:/models"}) {
    const ComposeImages images = scan_compose_images(text);
    EXPECT_EQ(images.pinned, 0u) << text;
    EXPECT_TRUE(images.loose.empty()) << text;
  }
}

TEST(ComposeImages, LinesAreNamedAndTheListIsBounded) {
  std::string file = "services:\n";
  for (int i = 0; i < 100; ++i) file += "  image: ubuntu\n";
  const ComposeImages images = scan_compose_images(file);
  EXPECT_EQ(images.loose.size(), 32u);
  EXPECT_EQ(images.loose[0], "line 2: image: ubuntu");
  EXPECT_EQ(scan_compose_images("image: " + std::string(10000, 'x')).loose[0].size(), 8u + 120u);
}

TEST(AppCompose, MembersThatDecideWhatRuns) {
  const auto compose = parse_app_compose(
      R"({"name":"n","runner":"docker-compose","docker_compose_file":"f","allowed_envs":["A","B"],)"
      R"("pre_launch_script":"x","init_script":[],"bash_script":""})");
  ASSERT_TRUE(compose);
  EXPECT_EQ(compose->name, "n");
  EXPECT_EQ(compose->docker_compose_file, "f");
  EXPECT_EQ(compose->allowed_envs.size(), 2u);
  EXPECT_TRUE(compose->pre_launch_script);
  EXPECT_FALSE(compose->init_script);
  EXPECT_FALSE(compose->bash_script);
  for (const char* text : {"", "[]", "1", "{\"name\":1", "{\"name\":\"a\",\"name\":\"b\"}"}) {
    EXPECT_FALSE(parse_app_compose(text)) << text;
  }
}

TEST(ComposeImages, GenuineComposeTextsUseTags) {
  for (const char* file : {"dstack/rtmr3_example.app-compose.json", "dstack/simulator.app-compose.json"}) {
    const auto compose = parse_app_compose(testing::vector_text(file));
    ASSERT_TRUE(compose) << file << compose.error().message;
    const ComposeImages images = scan_compose_images(compose->docker_compose_file);
    EXPECT_EQ(images.pinned, 0u) << file;
    EXPECT_FALSE(images.loose.empty()) << file;
  }
}

}  // namespace
}  // namespace cloister::verify
