#include "codec/ccel.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/result_testing.h"
#include "base/testing/vectors.h"

namespace cloister::codec {
namespace {

constexpr std::size_t kFirstEventSize = 32 + 33;  // TCG_PCR_EVENT with a Spec ID event of one algorithm

CcelEvent event(int rtmr, std::uint32_t type, std::string_view data) {
  CcelEvent out;
  out.rtmr = rtmr;
  out.event_type = type;
  out.sha384.fill(static_cast<std::uint8_t>(0x10 + rtmr));
  out.data = to_bytes(as_bytes(data));
  return out;
}

Bytes sample() { return write_ccel({event(0, 0x8000000b, "firmware"), event(3, 13, ""), event(1, 4, "....")}); }

void put32(Bytes& bytes, std::size_t at, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) bytes.at(at + static_cast<std::size_t>(i)) = static_cast<std::uint8_t>(value >> (8 * i));
}

TEST(Ccel, WhatIsWrittenIsRead) {
  const auto events = parse_ccel(sample());
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 3u);
  EXPECT_EQ((*events)[0].rtmr, 0);
  EXPECT_EQ((*events)[0].event_type, 0x8000000b);
  EXPECT_EQ(as_text((*events)[0].data), "firmware");
  EXPECT_EQ((*events)[1].rtmr, 3);
  EXPECT_EQ((*events)[1].sha384[47], 0x13);
}

TEST(Ccel, UnusedSpaceIsAllOnesOrAllZeros) {
  for (const std::uint8_t fill : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {
    Bytes padded = sample();
    padded.resize(padded.size() + 5000, fill);
    const auto events = parse_ccel(padded);
    ASSERT_TRUE(events) << events.error().message;
    EXPECT_EQ(events->size(), 3u);
    padded.back() = 1;
    EXPECT_FALSE(parse_ccel(padded));
  }
}

TEST(Ccel, NoActionIsNeverExtended) {
  const auto events = parse_ccel(write_ccel({event(0, kEvNoAction, "StartupLocality"), event(0, 1, "x")}));
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), 1u);
  EXPECT_EQ((*events)[0].event_type, 1u);
}

TEST(Ccel, CutAnywhereButBetweenEventsItIsRefused) {
  const Bytes whole = sample();
  std::size_t accepted = 0;
  for (std::size_t size = 0; size < whole.size(); ++size) accepted += parse_ccel(ByteView(whole).first(size)) ? 1 : 0;
  EXPECT_EQ(accepted, 3u);  // after the first event, after the second, after the third
}

TEST(Ccel, RegistersCountFromOne) {
  for (const std::uint32_t index : {0u, 5u, 0xfffffffeu}) {
    Bytes bytes = sample();
    put32(bytes, kFirstEventSize, index);
    const auto events = parse_ccel(bytes);
    ASSERT_FALSE(events) << index;
    EXPECT_NE(events.error().message.find("expected register 1 to 4"), std::string::npos) << events.error().message;
  }
}

TEST(Ccel, HostileLengthsAndCountsAreRefused) {
  const struct {
    const char* what;
    std::size_t offset;
    std::uint32_t value;
  } cases[] = {
      {"size of the first event", 28, 0xffffffff},
      {"size of the first event, too small", 28, 16},
      {"number of algorithms", 32 + 24, 0xffffffff},
      {"no algorithm", 32 + 24, 0},
      {"digest size 0", 32 + 28, 0x000c},
      {"digest size 65535", 32 + 28, 0xffff000c},
      {"other algorithm only", 32 + 28, 0x0020000b},
      {"number of digests", kFirstEventSize + 8, 0xffffffff},
      {"no digest", kFirstEventSize + 8, 0},
      {"event size", kFirstEventSize + 12 + 2 + 48, 0xfffffff0},
  };
  for (const auto& hostile : cases) {
    Bytes bytes = sample();
    put32(bytes, hostile.offset, hostile.value);
    EXPECT_FALSE(parse_ccel(bytes)) << hostile.what;
  }
  EXPECT_REFUSED(parse_ccel(Bytes((1 << 20) + 1)), "CCEL: expected at most 1 MiB, got 1048577");
}

TEST(Ccel, FirstEventMustBeTheSpecId) {
  for (const std::size_t offset : {std::size_t{4}, std::size_t{8}, std::size_t{32}, std::size_t{47}}) {
    Bytes bytes = sample();
    bytes.at(offset) ^= 0x40;
    EXPECT_FALSE(parse_ccel(bytes)) << offset;
  }
}

TEST(Ccel, UnlistedDigestAlgorithmIsRefused) {
  Bytes bytes = sample();
  bytes.at(kFirstEventSize + 12) = 0x0b;
  EXPECT_REFUSED(parse_ccel(bytes), "CCEL: an unlisted digest algorithm 11");
}

TEST(Ccel, GenuineLogsAreRead) {
  const auto cos = parse_ccel(testing::vector_bytes("tdx/ccel/cos113_ccel_data.bin"));
  ASSERT_TRUE(cos) << cos.error().message;
  EXPECT_EQ(cos->size(), 43u);
  EXPECT_EQ(std::count_if(cos->begin(), cos->end(), [](const CcelEvent& e) { return e.rtmr == 3; }), 0);
  const auto dstack = parse_ccel(testing::vector_bytes("dstack/ccel_sample.bin"));
  ASSERT_TRUE(dstack) << dstack.error().message;
  EXPECT_EQ(dstack->size(), 18u);
  EXPECT_REFUSED(parse_ccel(testing::vector_bytes("tdx/ccel/cos113_ccel_table.bin")),
                 "CCEL: the first event must be of type 3, got 56");
}

}  // namespace
}  // namespace cloister::codec
