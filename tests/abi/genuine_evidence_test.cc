// The judging calls on recorded quotes, GPU evidence, SNP reports and signatures: what they accept, and what they reject by which check.
#include <string>

#include "base/testing/vectors.h"
#include "tests/abi/abi_test_util.h"

namespace cloister::testing {
namespace {

constexpr std::int64_t kJune2025 = 1750809600;  // 2025-06-25

// ---- quotes ----

cloister_quote_input genuine_quote(const std::string& quote) {
  auto in = input<cloister_quote_input>();
  in.quote = bytes(quote);
  in.report_data = {quote.data() + 568, 64};
  return in;
}

TEST(Judging, AGenuineQuoteIsAcceptedWithCollateralAndTime) {
  const std::string quote = vector_text("tdx/v4_b0c06f_uptodate.bin");
  VerifierHandle judge;
  judge.set_policy("[boot]\nallow_any_measurements = true");
  judge.set_time(kJune2025);
  cloister_quote_input in = genuine_quote(quote);
  EXPECT_EQ(judge.quote(in).outcome(), CLOISTER_UNDETERMINED) << "without collateral";
  judge.add_collateral(vector_text("tdx/v4_b0c06f_uptodate.collateral.json"));
  const VerdictHandle verdict = judge.quote(in);
  EXPECT_TRUE(verdict.accepted()) << verdict.summary();
  EXPECT_EQ(state_of(verdict, "tee.report_data"), CLOISTER_PASSED);

  in.report_data = {};
  const VerdictHandle old = judge.quote(in);
  EXPECT_EQ(old.outcome(), CLOISTER_UNDETERMINED) << "it may be old";
  EXPECT_EQ(state_of(old, "tee.report_data"), CLOISTER_SKIPPED);
  const std::string another(64, '\1');
  in.report_data = bytes(another);
  const VerdictHandle other = judge.quote(in);
  EXPECT_EQ(other.outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(state_of(other, "tee.report_data"), CLOISTER_FAILED);

  std::string changed = quote;
  changed[200] ^= 1;
  const VerdictHandle forged = judge.quote(genuine_quote(changed));
  EXPECT_EQ(forged.outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(state_of(forged, "tdx.quote.signature"), CLOISTER_FAILED);
  judge.set_time(kJune2025 + 90 * 86400);
  EXPECT_EQ(judge.quote(genuine_quote(quote)).outcome(), CLOISTER_REJECTED) << "the collateral has expired";
  const std::string hex = to_hex(as_bytes(quote));
  judge.set_time(kJune2025);
  in = genuine_quote(quote);
  in.quote = bytes(hex);
  EXPECT_TRUE(judge.quote(in).accepted());
}

TEST(Judging, ReportDataThatThePolicyDoesNotNameIsRefused) {
  const std::string quote = vector_text("tdx/v4_b0c06f_uptodate.bin");
  VerifierHandle judge;
  judge.set_time(kJune2025);
  judge.set_policy("report_data = [\"" + std::string(128, 'a') + "\"]");
  expect_refused(judge.quote(genuine_quote(quote)), CLOISTER_ERROR_COMPARISON, "report-data");
}

TEST(Judging, WhatStandsBesideAQuoteIsComparedWithIt) {
  const std::string quote = vector_text("tdx/ccel/cos113_quote_8000.bin"),
                    ccel = vector_text("tdx/ccel/cos113_ccel_data.bin");
  VerifierHandle judge;
  judge.set_policy("require_nonce = false\n[boot]\nallow_any_measurements = true");
  judge.set_time(1722470400);  // 2024-08-01
  auto in = input<cloister_quote_input>();
  in.quote = bytes(quote);  // its report data are zeros
  EXPECT_EQ(state_of(judge.quote(in), "boot.ccel.replay"), CLOISTER_NOT_APPLICABLE);
  in.ccel = bytes(ccel);
  EXPECT_EQ(state_of(judge.quote(in), "boot.ccel.form"), CLOISTER_PASSED) << judge.quote(in).tree();
  EXPECT_EQ(state_of(judge.quote(in), "boot.ccel.replay"), CLOISTER_PASSED) << judge.quote(in).tree();
  const std::string other = vector_text("dstack/ccel_sample.bin");
  in.ccel = bytes(other);
  EXPECT_EQ(state_of(judge.quote(in), "boot.ccel.replay"), CLOISTER_FAILED);
  in.ccel = {};
  in.event_log = bytes(std::string_view("[]"));
  EXPECT_EQ(judge.quote(in).outcome(), CLOISTER_REJECTED) << "an empty log replays to no register";
  in.event_log = bytes(std::string_view("no JSON"));
  expect_refused(judge.quote(in), CLOISTER_ERROR_MALFORMED, "event-log");
  in.event_log = {};
  in.vm_config = bytes(std::string_view("no JSON"));
  expect_refused(judge.quote(in), CLOISTER_ERROR_MALFORMED, "vm-config");
  in.vm_config = {};
  in.app_compose = {"", 16 * kMiB + 1};
  expect_refused(judge.quote(in), CLOISTER_ERROR_TOO_LARGE, "app-compose");
}

TEST(Judging, ALogAndAComposeTextAreComparedWithTheQuote) {
  const Json report = Json::parse(vector_text("dstack/quote_report_90c06f.json"));
  std::string quote_text, log;
  for (const char* name : {"intel_quote", "quote"})
    if (report.contains(name)) quote_text = report[name].get<std::string>();
  ASSERT_FALSE(quote_text.empty());
  ASSERT_TRUE(report.contains("event_log"));
  log =
      report["event_log"].is_string() ? report["event_log"].get<std::string>() : codec::write_json(report["event_log"]);
  VerifierHandle judge;
  judge.set_policy("require_nonce = false\n[boot]\nallow_any_measurements = true");
  judge.set_time(1771113600);  // 2026-02-15
  auto in = input<cloister_quote_input>();
  in.quote = bytes(quote_text);
  in.event_log = bytes(log);
  const VerdictHandle verdict = judge.quote(in);
  EXPECT_EQ(state_of(verdict, "boot.rtmr3"), CLOISTER_PASSED) << verdict.tree();
  in.app_compose = bytes(std::string_view("{\"other\":1}"));
  EXPECT_EQ(state_of(judge.quote(in), "boot.compose_hash"), CLOISTER_FAILED) << judge.quote(in).tree();
}

// ---- GPUs ----

TEST(Judging, SimulatedGpuEvidenceIsAcceptedAlone) {
  const std::string payload = node().report(test_ask())["nvidia_payload"].get<std::string>();
  const evidence::Nonce nonce = test_nonce();
  auto in = input<cloister_gpu_input>();
  in.evidence = bytes(payload);
  in.nonce = bytes(nonce);
  const VerdictHandle verdict = simulator_verifier().gpu(in);
  EXPECT_TRUE(verdict.accepted()) << verdict.tree();
  in.nonce = {};
  EXPECT_EQ(simulator_verifier().gpu(in).outcome(), CLOISTER_UNDETERMINED);
  in.nonce = {"", 0};
  expect_refused(simulator_verifier().gpu(in), CLOISTER_ERROR_SIZE, "nonce");
}

TEST(Judging, GenuineGpuEvidenceIsComparedWithItsManifests) {
  const std::string evidence = vector_text("nvidia/whole/h100_550.90.07.evidence.json");
  const auto nonce = *from_hex_exactly<32>("931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb");
  VerifierHandle judge;
  judge.set_time(1755759600);  // 2025-08-21T07:00:00Z
  auto in = input<cloister_gpu_input>();
  in.evidence = bytes(evidence);
  in.nonce = bytes(nonce);
  EXPECT_EQ(state_of(judge.gpu(in), "nvidia.gpu.0.rim.driver.measurements"), CLOISTER_SKIPPED);
  judge.add_collateral(vector_text("nvidia/whole/h100_550.90.07.bundle.json"));
  const VerdictHandle verdict = judge.gpu(in);
  EXPECT_EQ(verdict.outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(state_of(verdict, "nvidia.gpu.0.signature"), CLOISTER_PASSED);
  EXPECT_EQ(state_of(verdict, "nvidia.gpu.0.rim.driver.measurements"), CLOISTER_PASSED);
  EXPECT_EQ(state_of(verdict, "nvidia.gpu.0.rim.vbios.measurements"), CLOISTER_PASSED);
  EXPECT_EQ(state_of(verdict, "nvidia.known_nonce"), CLOISTER_FAILED) << "a nonce that tools leave in place";
}

TEST(Judging, OneDeviceInTwoFilesIsJudgedWithAManifestOfItsOwn) {
  const std::string report = vector_text("nvidia/hopper_535.86.09.report.hex"),
                    chain = vector_text("nvidia/hopper_535.86.09.certs.b64");
  VerifierHandle judge;
  judge.set_time(1717200000);  // 2024-06-01
  auto in = input<cloister_gpu_input>();
  in.evidence = bytes(report);
  in.chain = bytes(chain);
  EXPECT_EQ(state_of(judge.gpu(in), "nvidia.gpu.0.signature"), CLOISTER_PASSED) << judge.gpu(in).tree();
  EXPECT_EQ(state_of(judge.gpu(in), "nvidia.gpu.0.rim.vbios.form"), CLOISTER_SKIPPED);
  judge.add_rim("NV_GPU_VBIOS_1010_0200_882_96005E0001",
                vector_text("nvidia/rims/1010_0200_882_96005E0001_PROD.swidtag"));
  EXPECT_EQ(state_of(judge.gpu(in), "nvidia.gpu.0.rim.vbios.form"), CLOISTER_PASSED) << judge.gpu(in).tree();
  const std::string other = vector_text("nvidia/hopper_INVALID_SIGNATURE.report.hex");
  in.evidence = bytes(other);
  EXPECT_EQ(judge.gpu(in).outcome(), CLOISTER_REJECTED);
  in.evidence = bytes(report);
  in.chain = {};
  expect_refused(judge.gpu(in), CLOISTER_ERROR_MALFORMED);
  in.chain = {"", kMiB + 1};
  expect_refused(judge.gpu(in), CLOISTER_ERROR_TOO_LARGE, "chain");
}

// ---- SEV-SNP ----

TEST(Judging, AGenuineSnpReportIsJudgedWithItsCertificates) {
  const std::string report = vector_text("snp/genoa_v5.bin");
  VerifierHandle judge;
  judge.set_time(1780272000);  // 2026-06-01
  auto in = input<cloister_snp_input>();
  in.report = bytes(report);
  EXPECT_EQ(state_of(judge.snp(in), "snp.signature"), CLOISTER_SKIPPED);
  judge.add_collateral(vector_text("snp/genoa_v5.vcek_chain.pem"));
  in.report_data = {report.data() + 0x50, 64};
  const VerdictHandle verdict = judge.snp(in);
  EXPECT_EQ(verdict.outcome(), CLOISTER_UNDETERMINED);
  EXPECT_EQ(state_of(verdict, "snp.signature"), CLOISTER_PASSED);
  EXPECT_EQ(state_of(verdict, "snp.report_data"), CLOISTER_PASSED) << verdict.tree();
  const std::string another(64, '\1');
  in.report_data = bytes(another);
  const VerdictHandle other = judge.snp(in);
  EXPECT_EQ(other.outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(state_of(other, "snp.report_data"), CLOISTER_FAILED);
  in.report.size -= 1;
  expect_refused(judge.snp(in), CLOISTER_ERROR_MALFORMED, "1184 bytes");
}

// ---- signatures ----

TEST(Judging, AGenuineSignatureIsComparedWithBodiesAndAddress) {
  const std::string folder = "reports/live/near_chat_20260602.";
  const std::string signature = vector_text(folder + "signature.json"), request = vector_text(folder + "request.json"),
                    response = vector_text(folder + "response.txt");
  VerifierHandle judge;
  judge.set_time(1780358400);  // 2026-06-02
  auto in = input<cloister_signature_input>();
  in.signature = bytes(signature);
  EXPECT_EQ(judge.signature(in).outcome(), CLOISTER_UNDETERMINED);
  in.request = bytes(request);
  in.response = bytes(response);
  in.address = bytes(std::string_view("0x6525e128afcffebf7eed05d485d7be983cdae934"));
  const VerdictHandle all = judge.signature(in);
  EXPECT_TRUE(all.accepted()) << all.tree();
  in.address = bytes(std::string_view("0x0000000000000000000000000000000000000001"));
  EXPECT_EQ(judge.signature(in).outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(state_of(judge.signature(in), "signature.signer_attested"), CLOISTER_FAILED);
  for (const std::string_view malformed : {"0x", "6525e128afcffebf7eed05d485d7be983cdae934", "0xzz", " "}) {
    in.address = bytes(malformed);
    expect_refused(judge.signature(in), CLOISTER_ERROR_MALFORMED, "address");
  }
  in.address = {};
  in.response = bytes(request);
  EXPECT_EQ(state_of(judge.signature(in), "signature.response_hash"), CLOISTER_FAILED);
}

}  // namespace
}  // namespace cloister::testing
