#include "identity/compose_image.h"

#include <gtest/gtest.h>

namespace cloister::identity {
namespace {

const std::string kDigest = "sha256:" + std::string(64, 'a');

TEST(ComposeImage, IsThatOfTheService) {
  const std::string text = "# x\nservices:\n  other:\n    image: other@sha256:" + std::string(64, 'b') +
                           "\n\n  vllm:\n    ports:\n      - \"8000:8000\"\n    image: \"vllm/vllm-openai:v0.11@" +
                           kDigest + "\"\n    command: --model x\nvolumes:\n  vllm:\n    image: no\n";
  const auto found = pinned_image(text, "vllm");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->digest, kDigest);
  EXPECT_EQ(found->reference, "vllm/vllm-openai:v0.11@" + kDigest);
  EXPECT_EQ(pinned_image(text, "other")->digest, "sha256:" + std::string(64, 'b'));
}

TEST(ComposeImage, WhateverIsUnclearIsNoAnswer) {
  const std::string image = "    image: x@" + kDigest + "\n";
  EXPECT_FALSE(pinned_image("", "vllm"));
  EXPECT_FALSE(pinned_image("services:\n  vllm:\n    build: .\n", "vllm"));
  EXPECT_FALSE(pinned_image("services:\n  vllm:\n    image: vllm/vllm-openai:latest\n", "vllm")) << "a tag can move";
  EXPECT_FALSE(pinned_image("services:\n  vllm:\n    image: x@sha256:abc\n", "vllm"));
  EXPECT_FALSE(pinned_image("services:\n  vllm:\n" + image + image, "vllm")) << "two images";
  EXPECT_FALSE(pinned_image("services:\n  vllm:\n" + image + "  vllm:\n" + image, "vllm"))
      << "two services of one name";
  EXPECT_FALSE(pinned_image("volumes:\n  vllm:\n" + image, "vllm")) << "no service";
  EXPECT_FALSE(pinned_image("services:\n  other:\n" + image, "vllm"));
  EXPECT_FALSE(pinned_image("services:\n  vllm:\n    <<: {image: y}\n" + image, "vllm")) << "merged";
  EXPECT_FALSE(pinned_image("services:\n  vllm:\n    build: .\n" + image, "vllm")) << "built";
  EXPECT_FALSE(pinned_image("include: [x.yml]\nservices:\n  vllm:\n" + image, "vllm")) << "another file";
  EXPECT_TRUE(pinned_image("services: {vllm: {image: x@" + kDigest + "}}\n", "vllm")) << "flow style";
}

}  // namespace
}  // namespace cloister::identity
