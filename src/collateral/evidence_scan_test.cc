#include "collateral/evidence_scan.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/json.h"

namespace cloister::collateral {
namespace {

using cloister::testing::vector_bytes;
using cloister::testing::vector_text;

TEST(FindEvidence, FindsQuotesInReportsOfAnyShape) {
  const Bytes quote = vector_bytes("tdx/v4_b0c06f_uptodate.bin");
  for (const std::string& text : {to_hex(quote), "0x" + to_hex(quote), to_base64(quote)}) {
    const Json inner = {{"attestation", {{"evidence", {{"quote", text}}}}}};
    const Json wrapped = {{"all", Json::array({inner, inner})}, {"text", codec::write_json(inner)}};
    const Evidence got = find_evidence(codec::write_json(wrapped));
    EXPECT_EQ(got.quotes, std::vector<Bytes>{quote});  // the same quote is listed once
    EXPECT_TRUE(got.devices.empty());
  }
}

TEST(FindEvidence, FindsQuotesInReportsOfOthers) {
  for (const char* file : {"dstack/quote_report_90c06f.json", "reports/dstack_quote.json"}) {
    EXPECT_EQ(find_evidence(vector_text(file)).quotes.size(), 1u) << file;
  }
}

TEST(FindEvidence, FindsGpuEvidenceAsTextAndAsObject) {
  const std::string list = vector_text("nvidia/evidence_hopper_4gpu.json");
  const Evidence bare = find_evidence(list);
  EXPECT_EQ(bare.devices.size(), 4u);
  EXPECT_EQ(bare.gpu_nonce_hex.size(), 64u);
  EXPECT_EQ(find_evidence(codec::write_json(Json{{"nvidia_payload", list}})).devices.size(), 4u);
  evidence::NvidiaPayload payload{bare.gpu_nonce_hex, bare.devices[0].arch, bare.devices};
  const std::string text = evidence::write_nvidia_payload(payload);
  EXPECT_EQ(find_evidence(codec::write_json(Json{{"nvidia_payload", text}})).devices.size(), 4u);
  EXPECT_EQ(find_evidence(codec::write_json(Json{{"gpu", *codec::parse_json(text)}})).devices.size(), 4u);
}

TEST(FindEvidence, FindsSnpReports) {
  const Bytes report = vector_bytes("snp/milan_report_go.bin");
  const Json json = {{"report", to_base64(report)}, {"again", to_hex(report)}, {"none", std::string(2368, '0')}};
  EXPECT_EQ(find_evidence(codec::write_json(json)).snp_reports, std::vector<Bytes>{report});
}

TEST(FindEvidence, FindsNothingWhereThereIsNothing) {
  const Json junk = {{"quote", std::string(5000, 'a')}, {"evidence_list", 7}, {"list", Json::array({Json::array()})}};
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("{}"), std::string(100'000, '['), codec::write_json(junk)}) {
    const Evidence got = find_evidence(text);
    EXPECT_TRUE(got.quotes.empty());
    EXPECT_TRUE(got.devices.empty());
  }
}

TEST(FindEvidence, FindsNothingInAReportWhoseQuoteIsAStub) {
  EXPECT_TRUE(find_evidence(vector_text("reports/aci_report_stub.json")).quotes.empty());
}

TEST(FindEvidence, IsBounded) {
  Bytes quote = vector_bytes("tdx/v4_b0c06f_uptodate.bin");
  Json list = Json::array();
  for (std::uint8_t i = 0; i < 100; ++i) {
    quote[28] = i;  // user data: makes each quote different
    list.push_back(to_hex(quote));
  }
  EXPECT_EQ(find_evidence(codec::write_json(list)).quotes.size(), 64u);
  // A text nested four levels deep is not searched.
  std::string text = codec::write_json(Json::array({to_hex(quote)}));
  for (int i = 0; i < 2; ++i) text = codec::write_json(Json::array({text}));
  EXPECT_EQ(find_evidence(text).quotes.size(), 1u);
  EXPECT_TRUE(find_evidence(codec::write_json(Json::array({text}))).quotes.empty());
}

}  // namespace
}  // namespace cloister::collateral
