#include "codec/coev.h"

#include <gtest/gtest.h>

#include "codec/testing/cbor_values.h"

namespace cloister::codec {
namespace {

using namespace testing;

CborValue triple() {
  return list(
      {map({number(0), map({number(1), text("NVIDIA"), number(2), text("GR100 A01 GSP")})}),
       list({map({number(0), text("FFMC"), number(1), map({number(12), map({number(0), list({number(3)})})})})})});
}
CborValue evidence(std::vector<CborValue> more = {}) {
  std::vector<CborValue> members = {number(0), map({number(0), list({triple()})})};
  for (CborValue& member : more) members.push_back(std::move(member));
  return tag(571, map(std::move(members)));
}
CborValue toc(std::vector<CborValue> more = {}) {
  std::vector<CborValue> members = {number(0), list({evidence()})};
  for (CborValue& member : more) members.push_back(std::move(member));
  return tag(570, map(std::move(members)));
}
CborValue locator(CborValue uri) { return map({number(0), std::move(uri)}); }

Result<SpdmToc> read(const CborValue& value) { return read_spdm_toc(write_cbor(value)); }

void expect_refused(const CborValue& value, ErrorCode code, std::string_view part) {
  const auto read_toc = read(value);
  ASSERT_FALSE(read_toc) << part;
  EXPECT_EQ(read_toc.error().code, code) << read_toc.error().message;
  EXPECT_NE(read_toc.error().message.find(part), std::string::npos) << read_toc.error().message;
}

TEST(Coev, Fields) {
  const auto read_toc = read(toc({number(1), list({locator(tag(32, text("https://example.com/rim/A.corim")))}),
                                  number(2), tag(32, text("tag:example.com,2026:x"))}));
  ASSERT_TRUE(read_toc) << read_toc.error().message;
  EXPECT_EQ(read_toc->rim_locators, std::vector<std::string>{"https://example.com/rim/A.corim"});
  EXPECT_EQ(read_toc->profile, "tag:example.com,2026:x");
  ASSERT_EQ(read_toc->triples.size(), 1u);
  EXPECT_EQ(read_toc->triples[0].measurements[0].values.spdm_blocks, std::vector<std::uint8_t>{3});
  const auto two =
      read(tag(570, map({number(0), list({evidence({number(1), tag(37, bytes(Bytes(16, 1)))}), evidence()})})));
  ASSERT_TRUE(two) << two.error().message;
  EXPECT_EQ(two->triples.size(), 2u);
}

TEST(Coev, UnknownPartsAreUnsupported) {
  const auto unsupported = [](const CborValue& value, std::string_view part) {
    expect_refused(value, ErrorCode::kUnsupported, part);
  };
  unsupported(toc({number(3), number(1)}), "table of contents");
  unsupported(tag(570, map({number(0), list({evidence({number(3), number(1)})})})), "the evidence");
  unsupported(tag(570, map({number(0), list({evidence({number(2), tag(32, text("x"))})})})), "profiles");
  for (const std::uint64_t kind : {1u, 2u, 3u, 4u, 5u}) {
    unsupported(tag(570, map({number(0), list({tag(571, map({number(0), map({number(kind), list({number(1)})})}))})})),
                "the triples");
  }
  unsupported(toc({number(1), list({locator(list({tag(32, text("a")), tag(32, text("b"))}))})}), "several places");
}

TEST(Coev, OtherFormsAreRefused) {
  const auto malformed = [](const CborValue& value, std::string_view part) {
    expect_refused(value, ErrorCode::kBadGpuEvidence, part);
  };
  malformed(tag(571, map({})), "570");
  malformed(tag(570, list({})), "map");
  malformed(tag(570, map({})), "1 to 8 pieces");
  malformed(tag(570, map({number(0), list({})})), "1 to 8 pieces");
  malformed(tag(570, map({number(0), list({map({})})})), "571");
  malformed(tag(570, map({number(0), list({tag(571, map({}))})})), "no triples");
  malformed(tag(570, map({number(0), list({tag(571, map({number(0), map({})}))})})), "list of triples");
  malformed(tag(570, map({number(0), list({tag(571, map({number(0), map({number(0), list({number(1)})})}))})})),
            "environment");
  malformed(tag(570, map({number(0), list({evidence({number(1), number(1)})})})), "UUID");
  malformed(toc({number(1), list({})}), "1 to 8 locators");
  malformed(toc({number(1), list({map({})})}), "without a URI");
  malformed(toc({number(1), list({locator(text("x"))})}), "URI");
  malformed(toc({number(2), text("x")}), "URI");
  const Bytes good = write_cbor(toc());
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_FALSE(read_spdm_toc(ByteView(good).first(size))) << size;
}

}  // namespace
}  // namespace cloister::codec
