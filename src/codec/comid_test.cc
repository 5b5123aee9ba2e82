#include "codec/comid.h"

#include <gtest/gtest.h>

#include "codec/testing/cbor_values.h"

namespace cloister::codec {
namespace {

using namespace testing;

CborValue no() { return {CborValue::Kind::kBool, 0, {}, {}, {}}; }
CborValue nothing() { return {}; }
CborValue digest_of(CborValue algorithm, std::uint8_t fill = 1) {
  return list({std::move(algorithm), bytes(Bytes(48, fill))});
}

CborValue environment() { return map({number(0), map({number(1), text("NVIDIA"), number(2), text("GR100")})}); }
CborValue triple_of(CborValue values, CborValue of = environment()) {
  return list({std::move(of), list({map({number(0), number(3), number(1), std::move(values)})})});
}

Result<ComidValues> read(std::uint64_t kind, CborValue value, ComidUse use = ComidUse::kReference) {
  TRY(triple, read_comid_triple(triple_of(map({number(kind), std::move(value)})), use));
  return triple.measurements.at(0).values;
}

void expect_refused(const CborValue& triple, ErrorCode code, std::string_view part) {
  const auto read = read_comid_triple(triple, ComidUse::kReference);
  ASSERT_FALSE(read) << part;
  EXPECT_EQ(read.error().code, code) << read.error().message;
  EXPECT_NE(read.error().message.find(part), std::string::npos) << read.error().message;
}

TEST(Comid, EachKindOfValue) {
  EXPECT_EQ(read(0, map({number(0), text("620.54"), number(1), number(2)}))->version, "620.54");
  EXPECT_EQ(read(1, number(3))->svn->number, 3u);
  EXPECT_FALSE(read(1, tag(552, number(3)))->svn->at_least);
  EXPECT_TRUE(read(1, tag(553, number(3)))->svn->at_least);
  EXPECT_EQ(read(2, list({digest_of(text("sha-384"))}))->digests[0].algorithm, "sha-384");
  EXPECT_EQ(read(2, list({digest_of(number(7)), digest_of(number(8)), digest_of(number(99))}))->digests[2].algorithm,
            "99");
  EXPECT_EQ(read(3, map({number(3), yes(), number(0), no()}))->flags,
            (std::map<std::uint64_t, bool>{{0, false}, {3, true}}));
  EXPECT_EQ(read(4, tag(560, bytes({1})))->raw->value, Bytes{1});
  EXPECT_EQ(read(4, tag(563, list({bytes({1}), bytes({0xf0})})))->raw->mask, Bytes{0xf0});
  EXPECT_EQ(read(11, text("CC MPT"))->name, "CC MPT");
  EXPECT_EQ(read(15, number(4))->range->least, 4);
  EXPECT_EQ(read(15, tag(564, list({number(4), nothing()})))->range->most, std::nullopt);
  EXPECT_EQ(read(12, map({number(0), list({number(5), number(6)})}), ComidUse::kEvidence)->spdm_blocks,
            (std::vector<std::uint8_t>{5, 6}));
}

TEST(Comid, MalformedValuesAreRefused) {
  const std::pair<std::uint64_t, CborValue> cases[] = {{0, text("620.54")},
                                                       {0, map({number(1), number(2)})},
                                                       {1, tag(554, number(3))},
                                                       {1, text("3")},
                                                       {2, list({})},
                                                       {2, list({list({number(7)})})},
                                                       {2, list({list({number(7), bytes({})})})},
                                                       {2, list({digest_of(number(7)), digest_of(text("sha-384"), 2)})},
                                                       {3, map({number(3), number(1)})},
                                                       {3, map({})},
                                                       {4, bytes({1})},
                                                       {4, tag(563, list({bytes({1}), bytes({1, 2})}))},
                                                       {4, tag(563, list({bytes({1}), bytes({0})}))},
                                                       {11, number(1)},
                                                       {15, text("4")},
                                                       {15, tag(564, list({nothing(), nothing()}))},
                                                       {15, tag(564, list({number(5), number(4)}))}};
  for (const auto& [kind, value] : cases) {
    const auto values = read(kind, value);
    ASSERT_FALSE(values) << kind;
    EXPECT_EQ(values.error().code, ErrorCode::kBadRim) << values.error().message;
  }
  for (const CborValue& indices :
       {list({}), list({number(0)}), list({number(256)}), list({number(5), number(5)}), text("5")}) {
    EXPECT_EQ(read(12, map({number(0), indices}), ComidUse::kEvidence).error().code, ErrorCode::kBadRim);
  }
}

TEST(Comid, UnknownPartsAreUnsupported) {
  for (const std::uint64_t kind : {5u, 6u, 7u, 8u, 9u, 10u, 12u, 13u, 14u, 16u}) {
    expect_refused(triple_of(map({number(kind), number(1)})), ErrorCode::kUnsupported, "values of kind");
  }
  expect_refused(triple_of(map({text("x"), number(1)})), ErrorCode::kUnsupported, "extensions");
  expect_refused(triple_of(map({number(3), map({number(10), yes()})})), ErrorCode::kUnsupported, "flags");
  expect_refused(triple_of(map({number(0), map({number(0), text("1"), number(1), number(5)})})),
                 ErrorCode::kUnsupported, "scheme");
  expect_refused(
      list({environment(), list({map({number(1), map({number(1), number(1)}), number(2), list({number(1)})})})}),
      ErrorCode::kUnsupported, "other members of measurements");
  const CborValue svn = map({number(1), number(1)});
  expect_refused(triple_of(svn, map({number(1), tag(550, bytes(Bytes(8, 1)))})), ErrorCode::kUnsupported,
                 "without a class");
  expect_refused(triple_of(svn, map({number(0), map({number(5), number(1)})})), ErrorCode::kUnsupported, "classes");
  expect_refused(triple_of(svn, map({number(0), map({number(1), text("NVIDIA")}), number(3), number(1)})),
                 ErrorCode::kUnsupported, "environments");
}

TEST(Comid, OtherFormsAreRefused) {
  const CborValue svn = map({number(1), number(1)});
  const auto malformed = [](const CborValue& triple, std::string_view part) {
    expect_refused(triple, ErrorCode::kBadRim, part);
  };
  malformed(number(1), "an environment and");
  malformed(list({environment(), list({})}), "an environment and");
  malformed(triple_of(svn, map({})), "environment");
  malformed(triple_of(svn, map({number(0), map({})})), "class");
  malformed(triple_of(svn, map({number(0), map({number(0), number(1)})})), "member 0");
  malformed(triple_of(svn, map({number(0), map({number(1), number(1)})})), "member 1");
  malformed(triple_of(svn, map({number(0), map({number(3), text("1")})})), "member 3");
  malformed(triple_of(svn, map({number(0), map({number(1), text("NVIDIA")}), number(1), number(1)})), "instance");
  malformed(triple_of(map({})), "values");
  malformed(list({environment(), list({map({number(0), number(1)})})}), "no values");
  malformed(list({environment(), list({map({number(0), list({}), number(1), svn})})}), "key");
  malformed(list({environment(), list({map({number(1), svn}), map({number(1), svn})})}), "two measurements");
}

}  // namespace
}  // namespace cloister::codec
