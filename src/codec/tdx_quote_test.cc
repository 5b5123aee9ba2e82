// Genuine quotes with their signatures, one-byte mutations of them, and quotes of our own with one wrong length each.
#include "codec/tdx_quote.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/json.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"
#include "crypto/x509.h"

namespace cloister::codec {
namespace {

using crypto::Curve;
using crypto::verify_ecdsa;

template <typename T>
T filled(std::uint8_t value) {
  T out;
  out.fill(value);
  return out;
}

TdReport numbered_report() {
  TdReport report;
  report.tee_tcb_svn = filled<ByteArray<16>>(1);
  report.mr_seam = filled<ByteArray<48>>(2);
  report.mr_signer_seam = filled<ByteArray<48>>(3);
  report.seam_attributes = filled<ByteArray<8>>(4);
  report.td_attributes = filled<ByteArray<8>>(5);
  report.xfam = filled<ByteArray<8>>(6);
  report.mr_td = filled<ByteArray<48>>(7);
  report.mr_config_id = filled<ByteArray<48>>(8);
  report.mr_owner = filled<ByteArray<48>>(9);
  report.mr_owner_config = filled<ByteArray<48>>(10);
  for (std::uint8_t i = 0; i < 4; ++i) report.rtmr[i] = filled<ByteArray<48>>(static_cast<std::uint8_t>(11 + i));
  report.report_data = filled<ByteArray<64>>(15);
  return report;
}

QeReport numbered_qe_report() {
  QeReport report;
  report.cpu_svn = filled<ByteArray<16>>(21);
  report.misc_select = 0x01020304;
  report.attributes = filled<ByteArray<16>>(22);
  report.mr_enclave = filled<ByteArray<32>>(23);
  report.mr_signer = filled<ByteArray<32>>(24);
  report.isv_prod_id = 2;
  report.isv_svn = 0x1234;
  report.report_data = filled<ByteArray<64>>(25);
  return report;
}

Bytes own_quote() {
  const Bytes region = write_tdx_v4_signed_region(numbered_report(), filled<ByteArray<20>>(16));
  return write_tdx_v4_quote(region, filled<ByteArray<64>>(17), filled<ByteArray<64>>(18),
                            write_qe_report(numbered_qe_report()), filled<ByteArray<64>>(19), Bytes(32, 20),
                            as_bytes("-----BEGIN..."));
}

// The same quote as version 5 with this body type. Types 3 and 4 get the two fields of TD report 1.5, type 4 those of 1.5 Ex.
Bytes own_v5_quote(std::uint8_t body_type) {
  const Bytes v4 = own_quote();
  Bytes out(v4.begin(), v4.begin() + 48);
  out[0] = 5;
  const std::size_t size = body_type == 4 ? kTdReport15ExSize : body_type == 3 ? kTdReport15Size : kTdReport10Size;
  append(out, Bytes{body_type, 0, static_cast<std::uint8_t>(size & 255), static_cast<std::uint8_t>(size >> 8), 0, 0});
  out.insert(out.end(), v4.begin() + 48, v4.begin() + 632);
  if (body_type >= 3) {
    append(out, Bytes(16, 31));
    append(out, Bytes(48, 32));
  }
  if (body_type == 4) {
    std::uint8_t value = 33;
    for (const std::size_t field : {1, 32, 48, 48, 8, 16, 16, 12, 48, 8}) append(out, Bytes(field, value++));
  }
  out.insert(out.end(), v4.begin() + 632, v4.end());
  return out;
}

std::string complaint(ByteView bytes) {
  const auto quote = parse_tdx_quote(bytes);
  if (quote) return "accepted";
  EXPECT_EQ(quote.error().code, ErrorCode::kBadQuote);
  return quote.error().message;
}

std::string spoiled(Bytes quote, std::size_t offset, std::initializer_list<std::uint8_t> bytes) {
  std::copy(bytes.begin(), bytes.end(), quote.begin() + static_cast<std::ptrdiff_t>(offset));
  return complaint(quote);
}

void expect_complaint(const std::string& message, std::string_view part) {
  EXPECT_NE(message.find(part), std::string::npos) << message << " (expected: " << part << ")";
}

TEST(OwnQuotes, WriterAndParserAgree) {
  const auto quote = parse_tdx_quote(own_quote());
  ASSERT_TRUE(quote) << quote.error().message;
  EXPECT_EQ(quote->version, 4);
  EXPECT_EQ(quote->user_data, filled<ByteArray<20>>(16));
  const TdReport expected = numbered_report();
  EXPECT_EQ(quote->report.tee_tcb_svn, expected.tee_tcb_svn);
  EXPECT_EQ(quote->report.mr_seam, expected.mr_seam);
  EXPECT_EQ(quote->report.mr_signer_seam, expected.mr_signer_seam);
  EXPECT_EQ(quote->report.seam_attributes, expected.seam_attributes);
  EXPECT_EQ(quote->report.td_attributes, expected.td_attributes);
  EXPECT_EQ(quote->report.xfam, expected.xfam);
  EXPECT_EQ(quote->report.mr_td, expected.mr_td);
  EXPECT_EQ(quote->report.mr_config_id, expected.mr_config_id);
  EXPECT_EQ(quote->report.mr_owner, expected.mr_owner);
  EXPECT_EQ(quote->report.mr_owner_config, expected.mr_owner_config);
  for (int i = 0; i < 4; ++i) EXPECT_EQ(quote->report.rtmr[i], expected.rtmr[i]);
  EXPECT_EQ(quote->report.report_data, expected.report_data);
  EXPECT_FALSE(quote->report.tee_tcb_svn2 || quote->report.mr_service_td);
  EXPECT_EQ(quote->signature, filled<ByteArray<64>>(17));
  EXPECT_EQ(quote->attestation_key, filled<ByteArray<64>>(18));
  EXPECT_EQ(quote->qe_report_signature, filled<ByteArray<64>>(19));
  EXPECT_EQ(quote->qe_authentication_data, Bytes(32, 20));
  EXPECT_EQ(quote->certification_type, 5);
  EXPECT_EQ(as_text(quote->certification_data), "-----BEGIN...");
  EXPECT_EQ(quote->signed_region, write_tdx_v4_signed_region(expected, filled<ByteArray<20>>(16)));
}

TEST(OwnQuotes, QeReportRoundTrip) {
  const QeReport expected = numbered_qe_report();
  const Bytes bytes = write_qe_report(expected);
  ASSERT_EQ(bytes.size(), kQeReportSize);
  const auto report = parse_qe_report(bytes);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->cpu_svn, expected.cpu_svn);
  EXPECT_EQ(report->misc_select, expected.misc_select);
  EXPECT_EQ(report->attributes, expected.attributes);
  EXPECT_EQ(report->mr_enclave, expected.mr_enclave);
  EXPECT_EQ(report->mr_signer, expected.mr_signer);
  EXPECT_EQ(report->isv_prod_id, expected.isv_prod_id);
  EXPECT_EQ(report->isv_svn, expected.isv_svn);
  EXPECT_EQ(report->report_data, expected.report_data);
  EXPECT_REFUSED(parse_qe_report(ByteView(bytes).first(383)), "QE report: expected 384 bytes, got 383");
  EXPECT_REFUSED(parse_qe_report(Bytes(385, 0)), "QE report: expected 384 bytes, got 385");
}

TEST(OwnQuotes, Version5BodiesOfBothSizes) {
  const auto td10 = parse_tdx_quote(own_v5_quote(2));
  ASSERT_TRUE(td10) << td10.error().message;
  EXPECT_EQ(td10->report.report_data, filled<ByteArray<64>>(15));
  EXPECT_EQ(td10->signed_region.size(), 54u + 584u);
  const auto td15 = parse_tdx_quote(own_v5_quote(3));
  ASSERT_TRUE(td15) << td15.error().message;
  EXPECT_EQ(td15->report.tee_tcb_svn2, filled<ByteArray<16>>(31));
  EXPECT_EQ(td15->report.mr_service_td, filled<ByteArray<48>>(32));
  EXPECT_EQ(td15->signed_region.size(), 54u + 648u);
  EXPECT_FALSE(td15->report.extension);
}

TEST(OwnQuotes, Version5BodyWithTheExtension) {
  const auto quote = parse_tdx_quote(own_v5_quote(4));
  ASSERT_TRUE(quote) << quote.error().message;
  EXPECT_EQ(quote->signed_region.size(), 54u + 885u);
  EXPECT_EQ(quote->report.mr_service_td, filled<ByteArray<48>>(32));
  ASSERT_TRUE(quote->report.extension);
  const TdReportExtension& extension = *quote->report.extension;
  EXPECT_EQ(extension.vm_id, 33);
  EXPECT_EQ(extension.td_id, filled<ByteArray<32>>(34));
  EXPECT_EQ(extension.device_info, filled<ByteArray<48>>(35));
  EXPECT_EQ(extension.initial_service_td_hash, filled<ByteArray<48>>(36));
  EXPECT_EQ(extension.initial_service_td_attributes, filled<ByteArray<8>>(37));
  EXPECT_EQ(extension.initial_cpu_svn, filled<ByteArray<16>>(38));
  EXPECT_EQ(extension.initial_tee_tcb_svn, filled<ByteArray<16>>(39));
  EXPECT_EQ(extension.initial_fmspc, filled<ByteArray<12>>(40));
  EXPECT_EQ(extension.service_td_hash, filled<ByteArray<48>>(41));
  EXPECT_EQ(extension.service_td_attributes, filled<ByteArray<8>>(42));
}

TEST(OwnQuotes, EveryTruncationIsRefused) {
  for (const Bytes& quote : {own_quote(), own_v5_quote(2), own_v5_quote(3), own_v5_quote(4)}) {
    ASSERT_TRUE(parse_tdx_quote(quote));
    for (std::size_t size = 0; size < quote.size(); ++size) {
      EXPECT_FALSE(parse_tdx_quote(ByteView(quote).first(size))) << size;
    }
  }
}

TEST(OwnQuotes, OnlyZeroBytesMayFollow) {
  Bytes quote = own_quote();
  quote.resize(quote.size() + 3065);
  EXPECT_TRUE(parse_tdx_quote(quote));
  quote.back() = 1;
  expect_complaint(complaint(quote), "expected nothing but zero bytes after the end");
  expect_complaint(complaint(Bytes(256 * 1024 + 1, 0)), "at most 262144 bytes");
}

TEST(OwnQuotes, HeaderFieldsAreChecked) {
  const Bytes quote = own_quote();
  expect_complaint(spoiled(quote, 0, {3}), "which only SGX quotes have");
  expect_complaint(spoiled(quote, 0, {6}), "got 6");
  expect_complaint(spoiled(quote, 0, {4, 1}), "got 260");
  expect_complaint(spoiled(quote, 2, {3}), "attestation key type 2");
  expect_complaint(spoiled(quote, 4, {0}), "got an SGX one");
  expect_complaint(spoiled(quote, 4, {0x82}), "TEE type 129");
  expect_complaint(spoiled(quote, 12, {0}), "vendor");
  EXPECT_EQ(spoiled(quote, 8, {1, 2, 3, 4}), "accepted");  // reserved: not interpreted
}

TEST(OwnQuotes, Version5DescriptorIsChecked) {
  const Bytes quote = own_v5_quote(3);
  expect_complaint(spoiled(quote, 48, {1}), "SGX enclave report");
  expect_complaint(spoiled(quote, 48, {4}), "body type 4 has 885 bytes, got 648");
  expect_complaint(spoiled(quote, 48, {5}), "body type 2, 3 or 4, got 5");
  expect_complaint(spoiled(quote, 48, {2}), "body type 2 has 584 bytes, got 648");
  expect_complaint(spoiled(quote, 50, {0xff, 0xff, 0xff, 0xff}), "got 4294967295");
}

TEST(OwnQuotes, EveryLengthAndTypeOfTheSignatureDataIsChecked) {
  const Bytes quote = own_quote();
  constexpr std::size_t kData = 636;  // where the signature data starts in a version 4 quote
  constexpr std::size_t kInner = kData + 134;
  expect_complaint(spoiled(quote, 632, {0xff, 0xff, 0xff, 0xff}), "signature data at offset 636 needs 4294967295");
  expect_complaint(spoiled(quote, kData + 128, {5}), "certification type 6");
  expect_complaint(spoiled(quote, kData + 130, {0xff, 0xff, 0xff, 0xff}), "needs 4294967295");
  expect_complaint(spoiled(quote, kData + 130, {quote[kData + 130], 0}), "bytes more than its sizes account for");
  expect_complaint(spoiled(quote, kInner + 448, {0xff, 0xff}), "authentication data at offset 450 needs 65535");
  expect_complaint(spoiled(quote, kInner + 450 + 32, {4}), "got 4");
  expect_complaint(spoiled(quote, kInner + 450 + 32, {6}), "got 6");
  expect_complaint(spoiled(quote, kInner + 450 + 32, {7}), "got 7");
  expect_complaint(spoiled(quote, kInner + 450 + 32, {0}), "got 0");
  EXPECT_EQ(spoiled(quote, kInner + 450 + 32, {3}), "accepted");
  expect_complaint(spoiled(quote, kInner + 452 + 32, {0xff, 0xff, 0xff, 0xff}), "needs 4294967295");
  expect_complaint(spoiled(quote, kInner + 452 + 32, {12}), "1 bytes more than its sizes account for");
}

// Which signatures of a quote verify, by the names that mutations.json uses.
struct Signatures {
  bool quote = false;
  bool qe_report = false;
  bool binding = false;
};

Signatures check_signatures(const TdxQuote& quote) {
  Signatures out;
  out.quote = verify_ecdsa(Curve::kP256, quote.attestation_key, quote.signed_region, quote.signature).has_value();
  const auto chain = crypto::parse_pem_chain(quote.certification_data);
  EXPECT_TRUE(chain) << chain.error().message;
  if (!chain) return out;
  out.qe_report =
      verify_ecdsa(Curve::kP256, *chain->front().ec_public_point(), quote.qe_report_bytes, quote.qe_report_signature)
          .has_value();
  Bytes bound = to_bytes(quote.attestation_key);
  append(bound, quote.qe_authentication_data);
  ByteArray<64> expected{};
  const auto hash = crypto::sha256(bound);
  std::copy(hash.begin(), hash.end(), expected.begin());
  out.binding = quote.qe_report.report_data == expected;
  return out;
}

// A quote followed by text of its publisher's, which the parser refuses; quote_vector() cuts it off.
constexpr const char* kWithText = "tdx/v4_50806f.bin";
constexpr std::size_t kTextOffset = 4935;

Bytes quote_vector(const std::string& name) {
  Bytes quote = testing::vector_bytes(name);
  if (name == kWithText) quote.resize(kTextOffset);
  return quote;
}

TEST(RealQuotes, TextAfterTheEndIsRefused) {
  expect_complaint(complaint(testing::vector_bytes(kWithText)), "got another at offset 4935");
}

TEST(RealQuotes, ParseAndTheirSignaturesHold) {
  const std::vector<std::pair<const char*, int>> quotes = {
      {"tdx/v4_b0c06f_uptodate.bin", 4}, {"tdx/v4_90c06f_h200.bin", 4},
      {"tdx/v5_90c06f_outdated.bin", 5}, {kWithText, 4},
      {"tdx/v4_50806f_DEBUG.bin", 4},    {"tdx/ccel/cos113_quote_8000.bin", 4},
      {"tdx/v5_td15_90c06f.bin", 5},     {"tdx/v5_td15ex_b0c06f.bin", 5}};
  for (const auto& [name, version] : testing::those_there(quotes, [](const auto& one) { return one.first; })) {
    const auto quote = parse_tdx_quote(quote_vector(name));
    ASSERT_TRUE(quote) << name << ": " << quote.error().message;
    EXPECT_EQ(quote->version, version) << name;
    EXPECT_EQ(quote->report.tee_tcb_svn2.has_value(), version == 5) << name;
    EXPECT_EQ(quote->qe_authentication_data.size(), 32u) << name;
    const Signatures signatures = check_signatures(*quote);
    EXPECT_TRUE(signatures.quote && signatures.qe_report && signatures.binding) << name;
  }
}

TEST(RealQuotes, ExtensionOfAVmThatNeverMoved) {
  const auto quote = parse_tdx_quote(quote_vector("tdx/v5_td15ex_b0c06f.bin"));
  ASSERT_TRUE(quote && quote->report.extension);
  TdReportExtension expected;
  expected.td_id = *from_hex_exactly<32>("e1f3ee829cb6f039318b8ae3eee622622775f4c9128fee747cb662c624d88b8e");
  EXPECT_EQ(*quote->report.extension, expected);
}

TEST(RealQuotes, HexQuoteParses) {
  std::string text = testing::vector_text("tdx/v4_b0c06f_platform2.hex");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const auto bytes = from_hex(text.starts_with("0x") ? text.substr(2) : text);
  ASSERT_TRUE(bytes) << bytes.error().message;
  const auto quote = parse_tdx_quote(*bytes);
  ASSERT_TRUE(quote) << quote.error().message;
  EXPECT_TRUE(check_signatures(*quote).quote);
}

TEST(RealQuotes, KnownFields) {
  const auto v4 = parse_tdx_quote(quote_vector(kWithText));
  ASSERT_TRUE(v4);
  EXPECT_EQ(to_hex(v4->report.td_attributes), "0000004000000000");
  EXPECT_EQ(to_hex(v4->report.tee_tcb_svn).substr(0, 6), "030004");
  const auto debug = parse_tdx_quote(testing::vector_bytes("tdx/v4_50806f_DEBUG.bin"));
  ASSERT_TRUE(debug);
  EXPECT_EQ(debug->report.td_attributes[0] & 1, 1);
  const auto v5 = parse_tdx_quote(testing::vector_bytes("tdx/v5_td15_90c06f.bin"));
  ASSERT_TRUE(v5);
  EXPECT_EQ(to_hex(v5->report.tee_tcb_svn).substr(0, 6), "0b0104");
  EXPECT_EQ(to_hex(*v5->report.tee_tcb_svn2).substr(0, 6), "0d0104");
}

TEST(RealQuotes, EveryTruncationIsRefused) {
  Bytes quote = testing::vector_bytes("tdx/v4_b0c06f_uptodate.bin");
  const std::size_t signature_size = quote[632] | quote[633] << 8;
  quote.resize(636 + signature_size);
  ASSERT_TRUE(parse_tdx_quote(quote));
  for (std::size_t size = 0; size < quote.size(); ++size) {
    EXPECT_FALSE(parse_tdx_quote(ByteView(quote).first(size))) << size;
  }
}

TEST(RealQuotes, WhatIsNotATdxQuoteIsRefused) {
  expect_complaint(complaint(testing::vector_bytes("tdx/sgx_v3_00a067.bin")), "only SGX quotes");
  EXPECT_NE(complaint(testing::vector_bytes("tdx/tdreport_raw_1024.bin")), "accepted");
  EXPECT_NE(complaint(testing::vector_bytes("tdx/ccel/cos113_ccel_data.bin")), "accepted");
}

TEST(RealQuotes, SharedMutationsFailWhereTheyShould) {
  const auto mutations = Json::parse(testing::vector_text("tdx/mutations.json"));
  const Bytes base = testing::vector_bytes("tdx/" + mutations.at("base").get<std::string>());
  ASSERT_GE(mutations.at("cases").size(), 10u);
  for (const auto& test : mutations.at("cases")) {
    Bytes bytes = base;
    bytes.at(test.at("offset")) ^= mutations.at("xor").get<std::uint8_t>();
    const std::string what = test.at("what");
    const std::string must_fail = test.at("must_fail");
    const auto quote = parse_tdx_quote(bytes);
    if (must_fail.starts_with("structure")) {
      EXPECT_FALSE(quote) << what;
      continue;
    }
    ASSERT_TRUE(quote) << what << ": " << quote.error().message;
    const Signatures signatures = check_signatures(*quote);
    if (must_fail.starts_with("quote signature")) {
      EXPECT_FALSE(signatures.quote) << what;
      EXPECT_TRUE(signatures.qe_report && signatures.binding) << what;
    } else if (must_fail == "QE report signature") {
      EXPECT_FALSE(signatures.qe_report) << what;
      EXPECT_TRUE(signatures.quote) << what;
    } else if (must_fail == "QE key binding") {
      EXPECT_FALSE(signatures.binding) << what;
      EXPECT_TRUE(signatures.quote && signatures.qe_report) << what;
    } else if (must_fail == "key not on the curve or QE binding") {
      EXPECT_FALSE(signatures.quote || signatures.binding) << what;
    } else {
      FAIL() << "a kind of failure this test does not know: " << must_fail;
    }
  }
}

}  // namespace
}  // namespace cloister::codec
