#include "codec/snp_report.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"

namespace cloister::codec {
namespace {

// A version 2 report that holds only what the form requires.
Bytes sample(std::uint8_t version = 2) {
  Bytes bytes(kSnpReportSize);
  bytes[0x00] = version;
  bytes[0x34] = 1;
  bytes[0x0a] = 2;  // policy bit 17
  return bytes;
}

TEST(SnpReport, FieldsAreWhereTheSpecificationPutsThem) {
  Bytes bytes = sample(5);
  bytes[0x08] = 0x1f;
  bytes[0x30] = 3;
  bytes[0x38] = 9;
  bytes[0x40] = 1;
  bytes[0x48] = 1 | 2 | 1 << 2;
  bytes[0x50] = 0x50;
  bytes[0x90] = 0x90;
  bytes[0xc0] = 0xc0;
  bytes[0xe0] = 0xe0;
  bytes[0x110] = 0x11;
  bytes[0x140] = 0x14;
  bytes[0x180] = 0x18;
  bytes[0x188] = 0x1a;
  bytes[0x189] = 0x02;
  bytes[0x18a] = 0x01;
  bytes[0x1a0] = 0xa0;
  bytes[0x1e0] = 0x1e;
  bytes[0x1f0] = 0x1f;
  bytes[0x1f8] = 1;
  bytes[0x2a0] = 0x01;
  bytes[0x2a0 + 72] = 0x02;
  const auto report = parse_snp_report(bytes);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->version, 5u);
  EXPECT_EQ(report->policy, 0x2001fu);
  EXPECT_EQ(report->vmpl, 3u);
  EXPECT_EQ(report->current_tcb[0], 9);
  EXPECT_EQ(report->platform_info, 1u);
  EXPECT_TRUE(report->author_key_enabled);
  EXPECT_TRUE(report->chip_key_masked);
  EXPECT_EQ(report->signing_key, SnpSigningKey::kVlek);
  EXPECT_EQ(report->report_data[0], 0x50);
  EXPECT_EQ(report->measurement[0], 0x90);
  EXPECT_EQ(report->host_data[0], 0xc0);
  EXPECT_EQ(report->id_key_digest[0], 0xe0);
  EXPECT_EQ(report->author_key_digest[0], 0x11);
  EXPECT_EQ(report->report_id[0], 0x14);
  EXPECT_EQ(report->reported_tcb[0], 0x18);
  EXPECT_EQ(report->product, SnpProduct::kTurin);
  EXPECT_EQ(report->chip_id[0], 0xa0);
  EXPECT_EQ(report->committed_tcb[0], 0x1e);
  EXPECT_EQ(report->launch_tcb[0], 0x1f);
  EXPECT_EQ(report->signature[47], 0x01);  // little-endian in the report, big-endian here
  EXPECT_EQ(report->signature[95], 0x02);
  EXPECT_EQ(report->signed_region.size(), kSnpSignedSize);
}

TEST(SnpReport, EverySizeButTheRightOneIsRefused) {
  const Bytes bytes = sample();
  for (std::size_t size = 0; size < bytes.size(); ++size) EXPECT_FALSE(parse_snp_report(ByteView(bytes).first(size)));
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_REFUSED(parse_snp_report(longer), "SNP report: expected 1184 bytes, got 1185");
  EXPECT_TRUE(parse_snp_report(bytes));
}

TEST(SnpReport, OtherVersionsAlgorithmsAndReservedBitsAreRefused) {
  const struct {
    const char* what;
    std::size_t offset;
    std::uint8_t value;
  } cases[] = {{"version 0", 0, 0},
               {"version 1", 0, 1},
               {"version 7", 0, 7},
               {"version 6", 0, 6},
               {"version 256 + 2", 1, 1},
               {"algorithm 0", 0x34, 0},
               {"algorithm 2", 0x34, 2},
               {"signing key 2", 0x48, 8},
               {"key flag 5", 0x48, 0x20},
               {"reserved", 0x4c, 1},
               {"CPUID in version 2", 0x188, 0x19},
               {"reserved", 0x19f, 1},
               {"reserved", 0x1eb, 1},
               {"reserved", 0x1ef, 1},
               {"mitigations in version 2", 0x1f8, 1},
               {"reserved", 0x29f, 1},
               {"r beyond 48 bytes", 0x2a0 + 48, 1},
               {"s beyond 48 bytes", 0x2a0 + 120, 1},
               {"after the signature", 0x2a0 + 144, 1},
               {"last byte", 1183, 1}};
  for (const auto& wrong : cases) {
    Bytes bytes = sample();
    bytes.at(wrong.offset) = wrong.value;
    EXPECT_FALSE(parse_snp_report(bytes)) << wrong.what << " at " << wrong.offset;
  }
}

TEST(SnpReport, ProductsByFamilyAndModel) {
  const struct {
    std::uint8_t family, model;
    std::optional<SnpProduct> product;
  } cases[] = {{0x19, 0x01, SnpProduct::kMilan}, {0x19, 0x11, SnpProduct::kGenoa}, {0x19, 0xa0, SnpProduct::kGenoa},
               {0x1a, 0x02, SnpProduct::kTurin}, {0x1a, 0x11, SnpProduct::kTurin}, {0x17, 0x31, std::nullopt},
               {0x19, 0x50, std::nullopt},       {0x1b, 0x00, std::nullopt}};
  for (const auto& one : cases) {
    Bytes bytes = sample(3);
    bytes[0x188] = one.family;
    bytes[0x189] = one.model;
    const auto report = parse_snp_report(bytes);
    ASSERT_TRUE(report);
    EXPECT_TRUE(report->has_cpuid);
    EXPECT_EQ(report->product, one.product) << int{one.family} << " " << int{one.model};
  }
  EXPECT_FALSE(parse_snp_report(sample(2))->has_cpuid);
}

TEST(SnpReport, TurinCountsItsLevelsFromTheFmc) {
  const ByteArray<8> bytes = {1, 2, 3, 4, 5, 6, 7, 8};
  EXPECT_EQ(decode_snp_tcb(bytes, SnpProduct::kMilan), (SnpTcb{1, 2, 7, 8, 0}));
  EXPECT_EQ(decode_snp_tcb(bytes, SnpProduct::kGenoa), (SnpTcb{1, 2, 7, 8, 0}));
  EXPECT_EQ(decode_snp_tcb(bytes, SnpProduct::kTurin), (SnpTcb{2, 3, 4, 8, 1}));
}

TEST(SnpReport, GenuineMilanReport) {
  const auto report = parse_snp_report(testing::vector_bytes("snp/milan_report_go.bin"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->version, 2u);
  EXPECT_EQ(report->policy, 0xb0000u);
  EXPECT_EQ(decode_snp_tcb(report->reported_tcb, SnpProduct::kMilan), (SnpTcb{2, 0, 5, 0x44, 0}));
  EXPECT_EQ(to_hex(ByteView(report->report_data).first(6)), "010203040500");
}

}  // namespace
}  // namespace cloister::codec
