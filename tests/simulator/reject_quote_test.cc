// Tampered quotes. One byte is changed in each signed region and in each certificate. Other quotes are signed correctly
// but have forbidden contents.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/x509.h"
#include "tee/simulator/platform.h"
#include "tests/simulator/expect_failing.h"
#include "tests/simulator/forgery.h"

namespace cloister::testing {
namespace {

// Offsets in a version 4 quote (Intel TDX DCAP Quoting Library API, appendix A.3).
constexpr std::size_t kTeeType = 4, kUserData = 28, kTeeTcbSvn = 48, kXfam = 176, kMrTd = 184, kMrConfigId = 232,
                      kRtmr0 = 376, kRtmr3 = 520, kSignature = 636, kAttestationKey = 700, kQeReport = 770,
                      kQeMrEnclave = kQeReport + 64, kQeReportData = kQeReport + 320, kQeSignature = 1154,
                      kAuthenticationData = 1220;

Tampering flip(const char* name, std::size_t offset, Ids failing) {
  return {name, [offset](Case& c) { edit_quote_bytes(c.report, [offset](Bytes& quote) { quote.at(offset) ^= 1; }); },
          std::move(failing)};
}

TEST(RejectQuote, OneByteInEachRegion) {
  expect_failing({
      flip("version", 0, {"tdx.quote.form"}),
      flip("TEE type", kTeeType, {"tdx.quote.form"}),
      flip("vendor id", 12, {"tdx.quote.form"}),
      flip("user data", kUserData, {"tdx.quote.signature"}),
      flip("TEE_TCB_SVN", kTeeTcbSvn, {"tdx.quote.signature"}),
      flip("XFAM", kXfam, {"tdx.quote.signature", "tdx.xfam"}),
      flip("MRTD", kMrTd, {"tdx.quote.signature", "boot.tcb_info"}),
      flip("MRCONFIGID", kMrConfigId, {"tdx.quote.signature", "boot.mr_config_id"}),
      flip("RTMR0", kRtmr0, {"tdx.quote.signature", "boot.rtmr0", "boot.tcb_info"}),
      flip("RTMR3", kRtmr3, {"tdx.quote.signature", "boot.rtmr3", "boot.tcb_info"}),
      flip("signature r", kSignature, {"tdx.quote.signature"}),
      flip("signature s", kSignature + 63, {"tdx.quote.signature"}),
      flip("attestation key", kAttestationKey, {"tdx.quote.signature", "tdx.qe_report.binding"}),
      flip("MRENCLAVE", kQeMrEnclave, {"tdx.qe_report.signature"}),
      flip("QE report data", kQeReportData, {"tdx.qe_report.signature", "tdx.qe_report.binding"}),
      flip("QE report data, second half", kQeReportData + 40, {"tdx.qe_report.signature", "tdx.qe_report.binding"}),
      flip("QE report signature", kQeSignature, {"tdx.qe_report.signature"}),
      flip("authentication data", kAuthenticationData, {"tdx.qe_report.binding"}),
  });
}

TEST(RejectQuote, CutAnywhereItIsNoQuote) {
  const Case genuine = genuine_case();
  const Bytes quote = *from_hex(genuine.report["intel_quote"].get<std::string>());
  std::vector<Tampering> table;
  for (const std::size_t size : {std::size_t{0}, std::size_t{47}, std::size_t{48}, std::size_t{632}, std::size_t{636},
                                 std::size_t{770}, std::size_t{1220}, quote.size() - 1}) {
    table.push_back({"cut to " + std::to_string(size),
                     [=](Case& c) { set_quote(c.report, ByteView(quote).first(size)); },
                     {"tdx.quote.form"}});
  }
  table.push_back({"followed by a byte",
                   [](Case& c) { edit_quote_bytes(c.report, [](Bytes& bytes) { bytes.push_back(1); }); },
                   {"tdx.quote.form"}});
  expect_failing(table);
}

std::string pck_chain() { return std::string(as_text(quote_in(node().report(test_ask())).certification_data)); }

TEST(RejectQuote, Certificates) {
  std::vector<Tampering> table;
  for (std::size_t i = 0; i < 3; ++i) {
    table.push_back({"certificate " + std::to_string(i) + " changed",
                     [=](Case& c) { set_pck_chain(c.report, flip_certificate(pck_chain(), i)); },
                     {"tdx.pck_chain"}});
    table.push_back({"certificate " + std::to_string(i) + " missing",
                     [=](Case& c) { set_pck_chain(c.report, drop_certificate(pck_chain(), i)); },
                     {"tdx.pck_chain"}});
  }
  table.push_back(
      {"junk before the chain", [](Case& c) { set_pck_chain(c.report, "x" + pck_chain()); }, {"tdx.pck_chain"}});
  table.push_back({"chain of another machine",
                   [](Case& c) {
                     const codec::TdxQuote other = quote_in(SimulatedNode(2, 1).report(test_ask()));
                     set_pck_chain(c.report, as_text(other.certification_data));
                   },
                   {"tdx.qe_report.signature"}});
  table.push_back({"before its time",
                   [](Case& c) { c.time = 1600000000; },
                   {"tdx.pck_chain", "nvidia.gpu.0.cert_chain", "nvidia.gpu.1.cert_chain"}});
  table.push_back({"after its time", [](Case& c) { c.time = 2600000000; }, {"tdx.pck_chain"}});
  expect_failing(table);
}

// Every simulated certificate is under one root whose key is public, so the role must be checked.
TEST(RejectQuote, ALeafOfAnotherRole) {
  crypto::CertificateSpec spec;
  spec.subject_common_name = "INSECURE SIMULATOR TCB Signing";
  spec.issuer_common_name = "INSECURE SIMULATOR PCK Platform CA";
  spec.not_before = kJudgedAt - 1;
  spec.not_after = kJudgedAt + 1;
  spec.serial = {1};
  const auto pck = crypto::EcKey::derive(crypto::Curve::kP256, node().seed(), tee::kPckKeyLabel);
  const auto ca = crypto::EcKey::derive(crypto::Curve::kP256, node().seed(), tee::kPckCaKeyLabel);
  const std::string leaf = crypto::issue_certificate(spec, *pck, *ca)->to_pem();
  expect_failing({{"leaf of another role",
                   [&](Case& c) { set_pck_chain(c.report, leaf + drop_certificate(pck_chain(), 0)); },
                   {"tdx.pck_chain", "tdx.pck.extension"}}});
}

// The attacker's root has the same name, and everything below it is signed correctly.
TEST(RejectQuote, AnOwnRootOfTheSameName) {
  const auto key = crypto::EcKey::generate(crypto::Curve::kP256);
  crypto::CertificateSpec root;
  root.subject_common_name = "Intel SGX Root CA";
  root.issuer_common_name = root.subject_common_name;
  root.not_before = kJudgedAt - 1;
  root.not_after = kJudgedAt + 1;
  root.serial = {1};
  root.is_ca = true;
  const std::string pem = crypto::issue_certificate(root, *key, *key)->to_pem();
  Case c = genuine_case();
  set_pck_chain(c.report, drop_certificate(pck_chain(), 2) + pem);
  const verify::Verdict verdict = c.judge();
  EXPECT_EQ(verdict.outcome(), verify::Outcome::kRejected);
  EXPECT_EQ(ids_in(verdict, verify::State::kFail), Ids{"tdx.pck_chain"});
  EXPECT_EQ(verdict.find("tee.simulator")->state, verify::State::kSkipped);
  EXPECT_EQ(verdict.facts["tee_type"], "unknown");
}

TEST(RejectQuote, WellSignedButWrong) {
  expect_failing({
      {"debug VM",
       [](Case& c) {
         resign_td_report(c.report, node().seed(), [](codec::TdReport& report) { report.td_attributes[0] = 1; });
       },
       {"tdx.td_attributes.debug"}},
      {"reserved debug-like bit",
       [](Case& c) {
         resign_td_report(c.report, node().seed(), [](codec::TdReport& report) { report.td_attributes[0] = 0x80; });
       },
       {"tdx.td_attributes.debug"}},
      {"debug enclave",
       [](Case& c) {
         resign_qe_report(c.report, node().seed(), [](codec::QeReport& report) { report.attributes[0] |= 2; });
       },
       {"tdx.qe_report.debug"}},
      {"enclave that vouches for another key",
       [](Case& c) {
         resign_qe_report(c.report, node().seed(), [](codec::QeReport& report) { report.report_data[0] ^= 1; });
       },
       {"tdx.qe_report.binding"}},
      {"enclave with more in its report data",
       [](Case& c) {
         resign_qe_report(c.report, node().seed(), [](codec::QeReport& report) { report.report_data[63] = 1; });
       },
       {"tdx.qe_report.binding"}},
  });
}

}  // namespace
}  // namespace cloister::testing
