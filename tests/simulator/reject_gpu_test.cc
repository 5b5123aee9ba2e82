// Tampered GPU evidence.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "crypto/x509.h"
#include "tests/simulator/expect_failing.h"
#include "tests/simulator/forgery.h"

namespace cloister::testing {
namespace {

using codec::OpaqueField;
using evidence::NvidiaPayload;

// Offsets in a GPU report (DMTF DSP0274, section 10.11).
constexpr std::size_t kRequestNonce = 4, kFirstMeasurement = 37 + 8 + 7, kResponderNonce = 37 + 8 + 3520;

Tampering edit(std::string name, std::function<void(NvidiaPayload&)> change, Ids failing) {
  return {std::move(name), [change = std::move(change)](Case& c) { edit_payload(c.report, change); },
          std::move(failing)};
}

Tampering flip(const char* name, std::size_t offset, Ids failing) {
  return edit(
      name, [=](NvidiaPayload& p) { p.evidence_list[0].report.at(offset) ^= 1; }, std::move(failing));
}

TEST(RejectGpu, OneByteInEachRegion) {
  expect_failing({
      flip("version", 0, {"nvidia.gpu.0.form"}),
      flip("request nonce", kRequestNonce, {"nvidia.gpu.0.nonce", "nvidia.gpu.0.signature"}),
      flip("measurement", kFirstMeasurement, {"nvidia.gpu.0.signature"}),
      flip("responder nonce", kResponderNonce, {"nvidia.gpu.0.signature"}),
      edit("driver version",
           [](NvidiaPayload& p) {
             Bytes& report = p.evidence_list[0].report;
             const auto at = as_text(report).find("550.144.03");
             report.at(at) = '6';
           },
           {"nvidia.gpu.0.signature"}),
      edit("signature", [](NvidiaPayload& p) { p.evidence_list[0].report.back() ^= 1; }, {"nvidia.gpu.0.signature"}),
      edit("cut", [](NvidiaPayload& p) { p.evidence_list[0].report.pop_back(); }, {"nvidia.gpu.0.form"}),
      edit("followed by a byte", [](NvidiaPayload& p) { p.evidence_list[0].report.push_back(1); },
           {"nvidia.gpu.0.form"}),
      edit("report of the other device",
           [](NvidiaPayload& p) { p.evidence_list[0].report = p.evidence_list[1].report; },
           {"nvidia.gpu.0.signature", "nvidia.duplicates"}),
  });
}

TEST(RejectGpu, Certificates) {
  std::vector<Tampering> table;
  for (std::size_t i = 0; i < 5; ++i) {
    Ids failing = {"nvidia.gpu.1.cert_chain"};
    // No one pinned a changed root. The device is then not simulated any more, so it is not of the quote's kind either.
    if (i == 4) failing.insert("nvidia.root_agreement");
    table.push_back(edit(
        "certificate " + std::to_string(i) + " changed",
        [=](NvidiaPayload& p) {
          std::string& chain = p.evidence_list[1].certificate_chain_pem;
          chain = flip_certificate(chain, i);
        },
        failing));
    table.push_back(edit("certificate " + std::to_string(i) + " missing",
                         [=](NvidiaPayload& p) {
                           std::string& chain = p.evidence_list[1].certificate_chain_pem;
                           chain = drop_certificate(chain, i);
                         },
                         {"nvidia.gpu.1.form"}));
  }
  expect_failing(table);
}

TEST(RejectGpu, TheSet) {
  expect_failing({
      {"no JSON", [](Case& c) { set_member(c.report, "nvidia_payload", "x"); }, {"nvidia.payload.form"}},
      {"empty object",
       [](Case& c) { set_member(c.report, "nvidia_payload", Json::object()); },
       {"nvidia.payload.form"}},
      edit("no device", [](NvidiaPayload& p) { p.evidence_list.clear(); }, {"nvidia.payload.form"}),
      edit("payload's nonce", [](NvidiaPayload& p) { p.nonce_hex = std::string(64, 'a'); }, {"nvidia.payload.nonce"}),
      edit("the same device again", [](NvidiaPayload& p) { p.evidence_list.push_back(p.evidence_list[0]); },
           {"nvidia.duplicates"}),
      edit("another architecture",
           [](NvidiaPayload& p) {
             p.arch = "BLACKWELL";
             for (auto& device : p.evidence_list) device.arch = "BLACKWELL";
           },
           {"nvidia.gpu.0.arch", "nvidia.gpu.1.arch"}),
  });
}

// The attacker asks the same device twice. The responder nonce differs, and the key is the same.
TEST(RejectGpu, OneDeviceAskedTwice) {
  expect_failing(
      {edit("asked twice", [](NvidiaPayload& p) { p.evidence_list[1] = node().gpu().collect(test_nonce())->front(); },
            {"nvidia.duplicates"})});
}

TEST(RejectGpu, WellSignedButWrong) {
  const auto fwid = static_cast<std::uint16_t>(OpaqueField::kFwid);
  expect_failing({
      {"answer to another nonce",
       [](Case& c) {
         resign_gpu_report(c.report, node().seed(), 0, [](codec::SpdmReport& r) { r.request_nonce.fill(1); });
       },
       {"nvidia.gpu.0.nonce"}},
      {"other firmware",
       [=](Case& c) {
         resign_gpu_report(c.report, node().seed(), 1, [=](codec::SpdmReport& r) { r.opaque[fwid][0] ^= 1; });
       },
       {"nvidia.gpu.1.fwid"}},
      {"firmware not told",
       [=](Case& c) {
         resign_gpu_report(c.report, node().seed(), 1, [=](codec::SpdmReport& r) { r.opaque.erase(fwid); });
       },
       {"nvidia.gpu.1.fwid"}},
  });
}

// A genuine GPU's report stands next to a simulated quote, and a simulated GPU next to a genuine quote.
TEST(RejectGpu, KindsMayNotBeMixed) {
  const Json recorded = Json::parse(vector_text("nvidia/evidence_hopper_1gpu.json"));
  Ask ask;
  ask.nonce = *from_hex_exactly<32>(recorded[0]["nonce"].get<std::string>());
  expect_failing({{"genuine GPU, simulated quote",
                   [&](Case& c) { set_member(c.report, "nvidia_payload", recorded.dump()); },
                   {"nvidia.root_agreement"}}},
                 ask);

  const Bytes genuine_quote = vector_bytes("tdx/v4_b0c06f_uptodate.bin");
  const auto quote = codec::parse_tdx_quote(genuine_quote);
  ASSERT_TRUE(quote);
  ask.gpu = true;
  std::copy_n(quote->report.report_data.begin() + 32, 32, ask.nonce.begin());
  Case mixed;
  mixed.time = 1750500000;  // 2025-06-21
  mixed.expected.nonce = ask.nonce;
  mixed.report = {{"signing_address", to_hex(ByteView(quote->report.report_data).first(32))},
                  {"signing_algo", "ed25519"},
                  {"request_nonce", to_hex(ask.nonce)},
                  {"intel_quote", to_hex(genuine_quote)},
                  {"nvidia_payload", node().report(ask)["nvidia_payload"]}};
  for (const bool accept : {false, true}) {
    mixed.policy.accept_simulator = accept;
    const verify::Verdict verdict = mixed.judge();
    EXPECT_EQ(ids_in(verdict, verify::State::kFail), Ids{"nvidia.root_agreement"}) << to_text(verdict, false);
  }
}

}  // namespace
}  // namespace cloister::testing
