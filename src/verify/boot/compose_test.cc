#include "verify/boot/compose.h"

#include <gtest/gtest.h>

#include "base/testing/vectors.h"
#include "codec/json.h"

namespace cloister::verify {
namespace {

const std::string kPinned = "vendor/app@sha256:" + std::string(64, 'a');

// Parses the members as the only service of a file.
ComposeImages of_service(const std::string& members) {
  return read_compose_images("services:\n  a:\n" + members + "\n");
}

TEST(ComposeImages, PinnedInEveryUsualSpelling) {
  for (const std::string& line :
       {"    image: " + kPinned, "    image: \"" + kPinned + "\"", "    image: '" + kPinned + "'  # why",
        "    image:   " + kPinned + " # why", "    {\"image\": \"" + kPinned + "\"}",
        "    {image: " + kPinned + ", tty: true}", "    image: &anchor " + kPinned,
        "    image: registry.example:5000/vendor/app:1.2@sha256:" + std::string(64, '0'), "    \"image\" : " + kPinned,
        "    image: >-\n      " + kPinned, "    \"\\x69mage\": " + kPinned, "    ? image\n    : " + kPinned}) {
    const ComposeImages images = of_service(line);
    EXPECT_EQ(images.pinned, 1u) << line;
    EXPECT_TRUE(images.loose.empty()) << line << images.loose.at(0);
  }
}

TEST(ComposeImages, EverythingElseIsLoose) {
  const std::string good = "    image: " + kPinned + "\n";
  for (const std::string& line :
       {std::string("    image: ubuntu"),
        std::string("    image: ubuntu:22.04"),
        std::string("    image:"),
        std::string("    image: ${IMAGE}"),
        "    image: ${IMAGE:-" + kPinned + "}",
        std::string("    image: *anchor"),
        "    image: vendor/app@sha256:" + std::string(63, 'a'),
        "    image: vendor/app@sha256:" + std::string(64, 'A'),
        "    image: " + kPinned + "0",
        "    image: @sha256:" + kPinned,
        "    image: [" + kPinned + "]",
        std::string("    image: \"ubuntu"),
        std::string("    {image: a, image: b}"),
        std::string("    tty: true"),
        std::string("    ~"),
        good + "    build: .",
        good + "    extends: {file: other.yml}",
        good + "    models: [m]",
        good + "    provider: {type: x}",
        good + "    develop: {}",
        good + "    new_member: 1",
        good + "    image: " + kPinned,
        good + "    volumes: [{type: image, source: ubuntu, target: /x}]",
        good + "    volumes: [{type: '${T}', source: ubuntu}]",
        good + "    volumes: [{source: ubuntu}]",
        good + "    volumes: {type: volume}",
        good + "    volumes: [{<<: {type: image}, type: volume}]",
        good + "    <<: {build: .}",
        good + "    <<: [{image: ubuntu}]",
        good + "    <<: text",
        good + "    command: !!str x",
        good + "    volumes_from: [\"container:evil\"]",
        good + "    volumes_from: a",
        good + "volumes: {a: {driver_opts: {type: nfs, o: addr=203.0.113.5, device: \":/x\"}}}",
        good + "volumes: {a: {driver: \"vieux/sshfs:latest\"}}",
        good + "volumes: {a: {external: true}}",
        good + "volumes: {a: {<<: {driver: x}}}",
        good + "volumes: [a]",
        good + "volumes: {a: text}"}) {
    EXPECT_FALSE(of_service(line).loose.empty()) << line;
  }
  const std::string service = "services:\n  a:\n" + good;
  for (const std::string& text :
       {"include: [other.yml]\n" + service, "models: {m: {model: x}}\n" + service, "new: 1\n" + service,
        "<<: {include: x}\n" + service, service + "  <<: {b: {image: ubuntu}}\n", std::string("name: x"),
        std::string("services: [a]"), std::string("[services]"), std::string("services: ~"),
        service + "---\n" + service, "%YAML 1.1\n---\n" + service, "# a\xC2\x85include: x\n" + service}) {
    EXPECT_FALSE(read_compose_images(text).loose.empty()) << text;
  }
}

// A line-by-line parser took the second line for a comment.
TEST(ComposeImages, AQuotedTextThatSpansLinesHidesNothing) {
  for (const char* quote : {"\"", "'"}) {
    const std::string q = quote;
    const ComposeImages images =
        read_compose_images("services:\n  a:\n    image: " + kPinned + "\n  evil: {" + q + "command" + q + ": " + q +
                            "x\n    # " + q + ", " + q + "image" + q + ": " + q + "evil:latest" + q + "}\n");
    EXPECT_EQ(images.pinned, 1u);
    ASSERT_EQ(images.loose.size(), 1u);
    EXPECT_NE(images.loose[0].find("evil:latest"), std::string::npos);
  }
}

TEST(ComposeImages, WhatIsMergedIsLookedAt) {
  const std::string common =
      "x-common: &common\n  image: " + kPinned + "\n  restart: always\nservices:\n  a:\n    <<: *common\n";
  EXPECT_EQ(read_compose_images(common).pinned, 1u);
  EXPECT_TRUE(read_compose_images(common).loose.empty());
  EXPECT_FALSE(
      read_compose_images("x-common: &common {image: ubuntu}\nservices:\n  a: {<<: *common, image: " + kPinned + "}\n")
          .loose.empty());
}

TEST(ComposeImages, WhatOnlyLooksAlike) {
  EXPECT_EQ(read_compose_images("").pinned, 0u);
  EXPECT_TRUE(read_compose_images(" \n").loose.empty() || read_compose_images(" \n").pinned == 0);
  for (const char* more :
       {"    # image: ubuntu", "    labels: {image: ubuntu, build: x}", "    command: \"image: ubuntu\"",
        "    x-image: ubuntu", "    environment:\n      - image=ubuntu",
        "    volumes: [{type: volume, source: a}, a:b]", "    volumes:", "    volumes_from: [b]",
        "volumes: {a: , b: {name: c, labels: {x: y}}, c: {driver: local}}", "volumes:"}) {
    const ComposeImages images = of_service("    image: " + kPinned + "\n" + more);
    EXPECT_EQ(images.pinned, 1u) << more;
    EXPECT_TRUE(images.loose.empty()) << more << images.loose.at(0);
  }
}

TEST(ComposeImages, LinesAreNamedAndTheListIsBounded) {
  std::string file = "services:\n";
  for (int i = 0; i < 100; ++i) file += "  s" + std::to_string(i) + ": {image: ubuntu}\n";
  const ComposeImages images = read_compose_images(file);
  EXPECT_EQ(images.loose.size(), 32u);
  EXPECT_EQ(images.loose[0], "line 2: s0: {image: ubuntu}");
  EXPECT_EQ(of_service("    image: " + std::string(10000, 'x')).loose[0].size(), 8u + 120u);
  EXPECT_EQ(of_service("    build: .").loose[0], "line 3: services.a.build may start code that no image fixes");
}

TEST(AppCompose, MembersThatDecideWhatRuns) {
  const auto compose =
      parse_app_compose(R"({"name":"n","runner":"docker-compose","docker_compose_file":"f","allowed_envs":["A","B"],)"
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
    const ComposeImages images = read_compose_images(compose->docker_compose_file);
    EXPECT_EQ(images.pinned, 0u) << file;
    EXPECT_FALSE(images.loose.empty()) << file;
  }
}

}  // namespace
}  // namespace cloister::verify
