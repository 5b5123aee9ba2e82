// Genuine GPU and switch reports with their signatures, and reports of our own with one fault each.
#include "codec/spdm.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/json.h"
#include "base/testing/vectors.h"
#include "codec/byte_reader.h"
#include "crypto/ecdsa.h"
#include "crypto/x509.h"

namespace cloister::codec {
namespace {

SpdmReport small_report() {
  SpdmReport report;
  report.request_nonce.fill(1);
  report.responder_nonce.fill(2);
  for (std::uint8_t i = 1; i <= 3; ++i) report.measurements.push_back({i, Bytes(48, i)});
  report.opaque[3] = to_bytes(as_bytes(std::string_view("550.90.07\0", 10)));
  report.opaque[6] = Bytes(8, 6);
  report.opaque[999] = {};
  return report;
}

constexpr std::size_t kResponse = 37;
constexpr std::size_t kRecord = kResponse + 8;
constexpr std::size_t kBlock = 55;  // 4 + 3 + 48
constexpr std::size_t kOpaqueSize = kRecord + 3 * kBlock + 32;

Bytes small_bytes() {
  Bytes bytes = write_spdm_signed_region(small_report());
  bytes.resize(bytes.size() + 96, 0x55);
  return bytes;
}

std::string complaint(ByteView bytes) {
  const auto report = parse_spdm_report(bytes);
  if (report) return "accepted";
  EXPECT_EQ(report.error().code, ErrorCode::kBadGpuEvidence);
  return report.error().message;
}

void expect_spoiled(std::size_t offset, std::initializer_list<std::uint8_t> bytes, std::string_view part) {
  Bytes report = small_bytes();
  std::copy(bytes.begin(), bytes.end(), report.begin() + static_cast<std::ptrdiff_t>(offset));
  const std::string message = complaint(report);
  EXPECT_NE(message.find(part), std::string::npos) << message << " (expected: " << part << ")";
}

TEST(OwnReports, WriterAndParserAgree) {
  const auto report = parse_spdm_report(small_bytes());
  ASSERT_TRUE(report) << report.error().message;
  const SpdmReport expected = small_report();
  EXPECT_EQ(report->request_nonce, expected.request_nonce);
  EXPECT_EQ(report->responder_nonce, expected.responder_nonce);
  ASSERT_EQ(report->measurements.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(report->measurements[i].index, i + 1);
    EXPECT_EQ(report->measurements[i].value, expected.measurements[i].value);
  }
  EXPECT_EQ(report->opaque, expected.opaque);
  EXPECT_EQ(report->opaque_text(OpaqueField::kDriverVersion), "550.90.07");
  EXPECT_EQ(report->opaque_text(OpaqueField::kProject), "");
  EXPECT_EQ(report->signed_region, write_spdm_signed_region(expected));
  EXPECT_EQ(report->signature[95], 0x55);
}

TEST(OwnReports, EveryTruncationIsRefusedAndOnlyZerosMayFollow) {
  Bytes bytes = small_bytes();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_spdm_report(ByteView(bytes).first(size))) << size;
  }
  bytes.push_back(0);
  EXPECT_TRUE(parse_spdm_report(bytes));
  bytes.push_back(1);
  EXPECT_NE(complaint(bytes).find("nothing but zero bytes"), std::string::npos);
  EXPECT_NE(complaint(Bytes(65537, 0)).find("at most 65536"), std::string::npos);
}

TEST(OwnReports, RequestIsTheOneForSignedMeasurements) {
  expect_spoiled(0, {0x12}, "request version at offset 0: expected 17, got 18");
  expect_spoiled(1, {0xe1}, "request code");
  expect_spoiled(2, {0}, "request param1");
  expect_spoiled(3, {1}, "request param2");
  expect_spoiled(36, {1}, "request slot");
}

TEST(OwnReports, ResponseLengthsAreChecked) {
  expect_spoiled(kResponse, {0x10}, "response version");
  expect_spoiled(kResponse + 1, {0x7f}, "response code");
  expect_spoiled(kResponse + 4, {2}, "expected 2 measurements, got 3");
  expect_spoiled(kResponse + 4, {4}, "expected 4 measurements, got 3");
  expect_spoiled(kResponse + 5, {0xff, 0xff, 0xff}, "needs 16777215 bytes");
  expect_spoiled(kResponse + 5, {3 * kBlock - 1, 0, 0}, "measurement value");
  expect_spoiled(kOpaqueSize, {0xff, 0xff}, "opaque data at offset");
  expect_spoiled(kOpaqueSize, {1, 0}, "field type");
}

TEST(OwnReports, BlocksAreChecked) {
  expect_spoiled(kRecord, {0}, "index 0");
  expect_spoiled(kRecord, {2}, "index 2 occurs twice");
  expect_spoiled(kRecord + 1, {2}, "measurement specification");
  expect_spoiled(kRecord + 2, {50}, "does not agree");
  expect_spoiled(kRecord + 5, {47}, "does not agree");
}

// A report whose opaque data is these bytes.
Bytes with_opaque(const Bytes& opaque) {
  Bytes bytes = write_spdm_signed_region({});
  bytes.resize(bytes.size() - 2);
  append_integer(bytes, opaque.size(), 2);
  append(bytes, opaque);
  bytes.resize(bytes.size() + 96);
  return bytes;
}

// The opaque data of NVIDIA's Blackwell driver 620.12, as in its public sample except for the counts of field 12.
const std::string kVersionedOpaque =
    "4e5644414f440000"
    "02000000"
    "06008600080000d900960f000000"
    "0e008200040035040000"
    "0f0082000900383834000000000000"
    "10008200050030000000001100820005004735323000120082000500303230310013008200020000000300860007003632302e31320004008200"
    "080080010000000000000d008300040000c001000b0082000100aa25008700020000001400010030000d7cde10dab1dd6dea10fed9a4a5e83311"
    "1f8bf80104b557e51c9987f996b5f76a6c57969dbf080c10a36f69029b5d161500850001005522008600020000002400850002000000";

TEST(VersionedOpaqueData, IsReadWithItsValueTypes) {
  const Bytes opaque = *from_hex(kVersionedOpaque);
  const auto report = parse_spdm_report(with_opaque(opaque));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->opaque_version, (OpaqueVersion{2, 0, 0}));
  EXPECT_EQ(report->opaque.size(), 16u);
  EXPECT_EQ(report->opaque_value_types.size(), 16u);
  EXPECT_EQ(report->opaque_text(OpaqueField::kDriverVersion), "620.12");
  EXPECT_EQ(to_hex(report->opaque.at(6)), "00d900960f000000");
  EXPECT_EQ(report->opaque.at(20).size(), 48u);
  const Bytes* svn = report->typed_field(37, OpaqueValueType::kSvn);
  ASSERT_NE(svn, nullptr);
  EXPECT_EQ(*svn, (Bytes{0, 0}));
  EXPECT_EQ(report->typed_field(37, OpaqueValueType::kStatus), nullptr);
  EXPECT_EQ(report->typed_field(38, OpaqueValueType::kStatus), nullptr);
  // The written report equals the parsed one, except for the order of fields.
  Bytes written = write_spdm_signed_region(*report);
  EXPECT_EQ(written.size(), report->signed_region.size());
  written.resize(written.size() + 96);
  const auto again = parse_spdm_report(written);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->opaque, report->opaque);
  EXPECT_EQ(again->opaque_value_types, report->opaque_value_types);
  // The legacy form has no value types.
  EXPECT_EQ(parse_spdm_report(small_bytes())->opaque_version, std::nullopt);
  EXPECT_TRUE(parse_spdm_report(small_bytes())->opaque_value_types.empty());
}

TEST(VersionedOpaqueData, NewerVersionsAreUnsupportedAndBrokenOnesMalformed) {
  const Bytes good = *from_hex(kVersionedOpaque);
  const auto code_with = [&](std::size_t at, std::uint8_t value) {
    Bytes changed = good;
    changed[at] = value;
    const auto report = parse_spdm_report(with_opaque(changed));
    return report ? std::optional<ErrorCode>() : report.error().code;
  };
  for (const std::uint8_t major : Bytes{0, 1, 2}) EXPECT_EQ(code_with(8, major), std::nullopt) << int{major};
  for (const std::uint8_t major : Bytes{3, 4, 255}) EXPECT_EQ(code_with(8, major), ErrorCode::kUnsupported);
  for (const std::size_t at : {6u, 7u}) EXPECT_EQ(code_with(at, 1), ErrorCode::kUnsupported);
  for (const std::size_t at : {9u, 10u}) EXPECT_EQ(code_with(at, 9), std::nullopt);  // minor versions and patch levels
  EXPECT_EQ(code_with(11, 1), ErrorCode::kBadGpuEvidence);
  EXPECT_EQ(code_with(16, 0xff), ErrorCode::kBadGpuEvidence);  // the size of the first field
  // The same field occurs twice.
  Bytes twice = good;
  append(twice, ByteView(good).subspan(12, 14));
  EXPECT_EQ(parse_spdm_report(with_opaque(twice)).error().code, ErrorCode::kBadGpuEvidence);
  for (std::size_t size = 6; size < 12; ++size) {
    EXPECT_FALSE(parse_spdm_report(with_opaque(to_bytes(ByteView(good).first(size))))) << size;
  }
  // The legacy form may state a version in field 34.
  for (const auto& [version, known] : std::vector<std::pair<Bytes, bool>>{
           {{}, true}, {{0}, true}, {{2, 0}, true}, {{1, 0, 0, 0}, true}, {{3}, false}, {{0, 1}, false}}) {
    SpdmReport legacy = small_report();
    legacy.opaque[34] = version;
    Bytes bytes = write_spdm_signed_region(legacy);
    bytes.resize(bytes.size() + 96);
    const auto report = parse_spdm_report(bytes);
    EXPECT_EQ(report.has_value(), known) << to_hex(version);
    if (!known) {
      EXPECT_EQ(report.error().code, ErrorCode::kUnsupported);
    }
  }
}

// Rubin sends a manifest of its measurements as one more block.
TEST(OwnReports, BlocksOfAnotherKindAreKept) {
  SpdmReport written = small_report();
  written.measurements.push_back({253, Bytes(1263, 0xd9), 0x8a});
  Bytes bytes = write_spdm_signed_region(written);
  bytes.resize(bytes.size() + 96);
  const auto report = parse_spdm_report(bytes);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->measurements.back().value_type, 0x8a);
  EXPECT_EQ(report->measurements.front().value_type, kFirmwareDigest);
  EXPECT_EQ(report->measurements.back().value.size(), 1263u);
}

TEST(OwnReports, OpaqueFieldsAreUniqueAndInside) {
  expect_spoiled(kOpaqueSize + 2, {6}, "field type 6 occurs twice");
  expect_spoiled(kOpaqueSize + 4, {0xff, 0xff}, "field value");
}

TEST(OwnReports, NoMeasurementsAndNoOpaqueDataIsAReport) {
  Bytes bytes = write_spdm_signed_region({});
  bytes.resize(bytes.size() + 96);
  const auto report = parse_spdm_report(bytes);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_TRUE(report->measurements.empty() && report->opaque.empty());
}

Bytes hex_file(const std::string& name) {
  std::string text = testing::vector_text(name);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const auto bytes = from_hex(text);
  EXPECT_TRUE(bytes) << name;
  return bytes ? *bytes : Bytes();
}

bool signature_holds(const SpdmReport& report, ByteView pem) {
  const auto chain = crypto::parse_pem_chain(pem);
  EXPECT_TRUE(chain) << chain.error().message;
  return chain && crypto::verify_ecdsa(crypto::Curve::kP384, *chain->front().ec_public_point(), report.signed_region,
                                       report.signature)
                      .has_value();
}

TEST(RealReports, ParseAndTheirSignaturesHold) {
  struct Case {
    const char* report;
    const char* chain;
    std::size_t measurements;
  };
  const std::vector<Case> cases = {{"hopper_535.86.09.report.hex", "hopper_535.86.09.certs.b64", 64},
                                   {"hopper_550.90.07.report.hex", "hopper_550.90.07.certs.pem", 64},
                                   {"blackwell_575.32.report.hex", "blackwell_575.32.certs.b64", 64}};
  for (const Case& test :
       testing::those_there(cases, [](const Case& one) { return std::string("nvidia/") + one.report; })) {
    const Bytes bytes = hex_file(std::string("nvidia/") + test.report);
    const auto report = parse_spdm_report(bytes);
    ASSERT_TRUE(report) << test.report << ": " << report.error().message;
    EXPECT_EQ(report->measurements.size(), test.measurements);
    const Bytes chain = testing::vector_bytes(std::string("nvidia/") + test.chain);
    EXPECT_TRUE(signature_holds(*report, chain)) << test.report;
    // One bit of the verifier's nonce: inside the signed region.
    Bytes altered = bytes;
    altered[4] ^= 1;
    EXPECT_FALSE(signature_holds(*parse_spdm_report(altered), chain)) << test.report;
  }
}

TEST(RealReports, InvalidSignatureParsesAndFails) {
  const auto report = parse_spdm_report(hex_file("nvidia/hopper_INVALID_SIGNATURE.report.hex"));
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_FALSE(signature_holds(*report, testing::vector_bytes("nvidia/hopper_535.86.09.certs.b64")));
}

TEST(RealReports, VersionFieldsRead) {
  const auto hopper = parse_spdm_report(hex_file("nvidia/hopper_550.90.07.report.hex"));
  ASSERT_TRUE(hopper);
  EXPECT_EQ(hopper->opaque_text(OpaqueField::kDriverVersion), "550.90.07");
  EXPECT_EQ(to_hex(hopper->opaque.at(6)).size(), 16u);
  EXPECT_EQ(hopper->opaque.at(20).size(), 48u);
  EXPECT_EQ(to_hex(hopper->request_nonce), "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb");
}

// Compares with the vendor's own parse of the same bytes.
void expect_same_as_vendor(const char* report_name, const char* parsed_name) {
  const auto report = parse_spdm_report(hex_file(report_name));
  ASSERT_TRUE(report) << report.error().message;
  const auto parsed = Json::parse(testing::vector_text(parsed_name));
  const auto same = [](ByteView bytes, const std::string& text) { return "0x" + to_hex(bytes) == text; };
  EXPECT_TRUE(same(report->responder_nonce, parsed.at("Nonce")));
  EXPECT_TRUE(same(report->signature, parsed.at("Signature")));
  const auto& blocks = parsed.at("MeasurementRecord").at("MeasurementBlocks");
  ASSERT_EQ(report->measurements.size(), blocks.size());
  for (const SpdmMeasurement& measurement : report->measurements) {
    EXPECT_TRUE(same(measurement.value, blocks.at(std::to_string(measurement.index)).at("DMTFSpecMeasurementValue")))
        << int{measurement.index};
  }
}

TEST(RealReports, AgreeWithTheVendorsParser) {
  expect_same_as_vendor("nvidia/parsed/sdk_hopper.report.hex", "nvidia/parsed/spdm_parsed_output.json");
  expect_same_as_vendor("nvidia/parsed/sdk_switch.report.hex", "nvidia/parsed/switch_spdm_parsed_output.json");
}

TEST(RealReports, EveryTruncationIsRefused) {
  const Bytes bytes = hex_file("nvidia/hopper_550.90.07.report.hex");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_spdm_report(ByteView(bytes).first(size))) << size;
  }
}

}  // namespace
}  // namespace cloister::codec
