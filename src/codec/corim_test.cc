#include "codec/corim.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "codec/testing/cbor_values.h"

namespace cloister::codec {
namespace {

using namespace testing;

CborValue digest() { return map({number(2), list({list({number(7), bytes(Bytes(48, 0xd1))})})}); }
CborValue environment() { return map({number(0), map({number(1), text("NVIDIA"), number(2), text("GR100")})}); }
CborValue reference(CborValue values) {
  return list({environment(), list({map({number(0), number(3), number(1), std::move(values)})})});
}

// A manifest that holds these triples.
CborValue around(CborValue triples, std::vector<CborValue> more = {}) {
  const CborValue comid = map({number(1), map({number(0), text("tag-1")}), number(4), std::move(triples)});
  std::vector<CborValue> members = {number(0), text("manifest-1"), number(1),
                                    list({tag(506, bytes(write_cbor(comid)))})};
  for (CborValue& member : more) members.push_back(std::move(member));
  return tag(501, map(std::move(members)));
}

CborValue small(std::vector<CborValue> more = {}) {
  return around(map({number(0), list({reference(digest())})}), std::move(more));
}

Result<Corim> read(const CborValue& value) { return read_corim(write_cbor(value)); }

void expect_refused(const CborValue& value, ErrorCode code, std::string_view part) {
  const auto corim = read(value);
  ASSERT_FALSE(corim) << part;
  EXPECT_EQ(corim.error().code, code) << corim.error().message;
  EXPECT_NE(corim.error().message.find(part), std::string::npos)
      << corim.error().message << " (expected: " << part << ")";
}

TEST(Corim, Fields) {
  const CborValue validity = map({number(0), tag(1, number(1735689600)), number(1), tag(1, number(2082672000))});
  const auto corim = read(small({number(4), validity, number(5), list({map({number(0), text("NVIDIA")})})}));
  ASSERT_TRUE(corim) << corim.error().message;
  EXPECT_EQ(corim->id, "manifest-1");
  EXPECT_EQ(corim->tag_ids, std::vector<std::string>{"tag-1"});
  EXPECT_EQ(corim->not_before, 1735689600);
  EXPECT_EQ(corim->not_after, 2082672000);
  ASSERT_EQ(corim->references.size(), 1u);
  EXPECT_EQ(corim->references[0].environment, environment());
  EXPECT_EQ(corim->references[0].measurements.size(), 1u);
  EXPECT_EQ(corim->references[0].measurements[0].key, number(3));
  EXPECT_EQ(corim->references[0].measurements[0].values.digests[0].algorithm, "sha-384");
  EXPECT_TRUE(corim->dependencies.empty());
  EXPECT_EQ(read(small())->not_after, std::nullopt);
}

TEST(Corim, Dependencies) {
  const auto with = [](CborValue dependency) {
    return around(map({number(0), list({reference(digest())}), number(4), list({std::move(dependency)})}));
  };
  const auto corim = read(with(list({environment(), list({environment()})})));
  ASSERT_TRUE(corim) << corim.error().message;
  ASSERT_EQ(corim->dependencies.size(), 1u);
  EXPECT_EQ(corim->dependencies[0].environment, environment());
  EXPECT_EQ(corim->dependencies[0].trustees, std::vector<CborValue>{environment()});
  expect_refused(with(list({environment(), list({})})), ErrorCode::kBadRim, "trustees");
  expect_refused(with(list({environment()})), ErrorCode::kBadRim, "trustees");
  expect_refused(with(number(1)), ErrorCode::kBadRim, "trustees");
  expect_refused(with(list({environment(), list({number(1)})})), ErrorCode::kBadRim, "environment");
}

// Unknown parts that would change the meaning of the manifest are unsupported, and never ignored.
TEST(Corim, UnknownPartsAreUnsupported) {
  const auto unsupported = [](const CborValue& value, std::string_view part) {
    expect_refused(value, ErrorCode::kUnsupported, part);
  };
  unsupported(small({number(2), list({})}), "dependent manifests");
  unsupported(small({number(3), tag(32, text("tag:example.com,2026:x"))}), "profiles");
  for (const std::uint64_t kind : {1u, 2u, 3u, 5u, 6u, 8u, 10u}) {
    unsupported(around(map({number(0), list({reference(digest())}), number(kind), list({number(1)})})), "triples");
  }
  unsupported(around(map({number(0), list({reference(map({number(12), map({number(0), list({number(1)})})}))})})),
              "values of kind 12");
  unsupported(tag(501, map({number(0), text("m"), number(1), list({tag(505, bytes({}))})})), "tags of another kind");
}

TEST(Corim, OtherFormsAreRefused) {
  const auto malformed = [](const CborValue& value, std::string_view part) {
    expect_refused(value, ErrorCode::kBadRim, part);
  };
  malformed(tag(500, map({})), "tagged 501");
  malformed(tag(501, list({})), "tagged 501");
  malformed(tag(501, map({number(1), list({})})), "no id");
  malformed(tag(501, map({number(0), text("m")})), "no tags");
  malformed(tag(501, map({number(0), text("m"), number(1), list({})})), "1 to 64 tags");
  malformed(tag(501, map({number(0), text("m"), number(1), list({tag(506, text("x"))})})), "bytes");
  malformed(tag(501, map({number(0), text("m"), number(1), list({tag(506, bytes({0xff}))})})), "CBOR");
  malformed(tag(501, map({number(0), text(""), number(1), list({})})), "id");
  malformed(small({number(4), map({number(0), number(1)})}), "whole seconds");
  malformed(around(map({number(0), list({})})), "list");
  malformed(around(map({number(0), list({list({environment(), list({})})})})), "environment");
  malformed(around(map({number(0), list({list({map({}), list({map({number(1), digest()})})})})})), "environment");
  malformed(around(map({number(0), list({reference(map({}))})})), "values");
  const Bytes good = write_cbor(small());
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(read_corim(ByteView(good).first(size))) << size;
}

}  // namespace
}  // namespace cloister::codec
