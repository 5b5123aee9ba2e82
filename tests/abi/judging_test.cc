// Each judging call on evidence that stands alone: what it accepts, what it rejects and by which check, and what it refuses.
#include <cstring>
#include <string>

#include "base/testing/vectors.h"
#include "codec/jcs.h"
#include "crypto/hash.h"
#include "evidence/chat_signature.h"
#include "evidence/event_salts.h"
#include "evidence/json_reader.h"
#include "evidence/merkle_tree.h"
#include "evidence/prefix_proof.h"
#include "tests/abi/abi_test_util.h"

namespace cloister::testing {
namespace {

constexpr std::int64_t kJune2025 = 1750809600;  // 2025-06-25

// ---- what every judging call refuses ----

template <typename Input>
using Call = cloister_outcome (*)(const cloister_verifier*, const Input*, cloister_verdict**);

// One call with a structure, or a part of it, that cannot be used.
template <typename Input>
void expect_refusal(const char* what, Call<Input> call, const cloister_verifier* verifier, const Input* input,
                    cloister_status status) {
  cloister_verdict* verdict = reinterpret_cast<cloister_verdict*>(1);  // whatever stood there is not kept
  EXPECT_EQ(call(verifier, input, &verdict), CLOISTER_UNREADABLE) << what;
  ASSERT_NE(verdict, nullptr) << what;
  expect_refused(VerdictHandle(CLOISTER_UNREADABLE, verdict), status);
  EXPECT_EQ(call(verifier, input, nullptr), CLOISTER_UNREADABLE) << what;
}

// `most` is the size of the largest evidence of this kind.
template <typename Input>
void expect_refusals(Call<Input> call, cloister_bytes Input::*evidence, std::size_t most, std::uint32_t known_flags) {
  cloister_verifier* verifier = cloister_verifier_new();
  ASSERT_EQ(cloister_verifier_set_time(verifier, kJudgedAt), CLOISTER_OK);
  struct Later {
    Input input;
    unsigned char tail[64];
  };
  const auto fresh = [&] {
    Later later;
    std::memset(&later, 0, sizeof later);
    later.input.struct_size = sizeof(Input);
    later.input.*evidence = {"{}", 2};
    return later;
  };
  Later later = fresh();
  expect_refusal<Input>("no verifier", call, nullptr, &later.input, CLOISTER_ERROR_NULL);
  expect_refusal<Input>("no input", call, verifier, nullptr, CLOISTER_ERROR_NULL);
  for (const std::size_t size : {std::size_t{0}, std::size_t{8}, sizeof(Input) - 16, sizeof(Input) - 1,
                                 std::size_t{4097}, std::size_t{0xffffffff}}) {
    later.input.struct_size = static_cast<std::uint32_t>(size);
    expect_refusal<Input>("struct_size", call, verifier, &later.input, CLOISTER_ERROR_STRUCT_SIZE);
  }
  later.input.struct_size = sizeof later;
  later.tail[63] = 1;
  expect_refusal<Input>("a later member", call, verifier, &later.input, CLOISTER_ERROR_STRUCT_SIZE);
  later.tail[63] = 0;
  later.input.*evidence = {"", 0};
  expect_refusal<Input>("a later structure, and empty evidence", call, verifier, &later.input,
                        CLOISTER_ERROR_MALFORMED);

  later = fresh();
  for (int bit = 0; bit < 32; ++bit) {
    later.input.flags = 1u << bit;
    if ((later.input.flags & known_flags) == 0)
      expect_refusal<Input>("a flag", call, verifier, &later.input, CLOISTER_ERROR_FLAGS);
  }

  later = fresh();
  later.input.*evidence = {nullptr, 0};
  expect_refusal<Input>("no evidence", call, verifier, &later.input, CLOISTER_ERROR_NULL);
  later.input.*evidence = {nullptr, 10};
  expect_refusal<Input>("NULL with a size", call, verifier, &later.input, CLOISTER_ERROR_NULL);
  // Nothing behind the pointer is looked at.
  later.input.*evidence = {"", most + 1};
  expect_refusal<Input>("too large", call, verifier, &later.input, CLOISTER_ERROR_TOO_LARGE);
  later.input.*evidence = {"", SIZE_MAX};
  expect_refusal<Input>("the largest size", call, verifier, &later.input, CLOISTER_ERROR_TOO_LARGE);
  later.input.*evidence = {"\0\xff no evidence", 15};
  expect_refusal<Input>("garbage", call, verifier, &later.input, CLOISTER_ERROR_MALFORMED);
  cloister_verifier_free(verifier);
}

constexpr std::size_t kMiB = 1u << 20;

TEST(Judging, EveryCallRefusesWhatCannotBeUsed) {
  expect_refusals(cloister_verify_report, &cloister_report_input::report, 16 * kMiB, CLOISTER_REPORT_AS_DOCUMENT);
  expect_refusals(cloister_verify_quote, &cloister_quote_input::quote, kMiB, 0);
  expect_refusals(cloister_verify_gpu, &cloister_gpu_input::evidence, 16 * kMiB, 0);
  expect_refusals(cloister_verify_snp, &cloister_snp_input::report, 65536, 0);
  expect_refusals(cloister_verify_receipt, &cloister_receipt_input::receipt, kMiB, 0);
  expect_refusals(cloister_verify_session, &cloister_session_input::session, 16 * kMiB, 0);
  expect_refusals(cloister_verify_signature, &cloister_signature_input::signature, kMiB, 0);
  expect_refusals(cloister_verify_proof, &cloister_file_input::file, 64 * kMiB, 0);
  expect_refusals(cloister_verify_archive, &cloister_file_input::file, 192 * kMiB, CLOISTER_FILE_BEGINNING);
  expect_refusals(cloister_verify_bundle, &cloister_file_input::file, 192 * kMiB, CLOISTER_FILE_BEGINNING);
}

// Each optional member of an input, by what its size may be.
template <typename Input>
void expect_member_refused(VerdictHandle (VerifierHandle::*judge)(const Input&) const, Input good,
                           cloister_bytes Input::*member, const cloister_bytes& value, cloister_status status) {
  good.*member = value;
  expect_refused((simulator_verifier().*judge)(good), status);
}

TEST(Judging, ValuesOfFixedSizeHaveNoOther) {
  const std::string many(65, 'x');
  for (const std::size_t size : {0, 1, 31, 33, 64}) {
    const cloister_bytes value = {many.data(), size};
    const auto report = report_input();
    expect_member_refused(&VerifierHandle::report, report, &cloister_report_input::nonce, value, CLOISTER_ERROR_SIZE);
    expect_member_refused(&VerifierHandle::report, report, &cloister_report_input::tls_spki_sha256, value,
                          CLOISTER_ERROR_SIZE);
  }
  auto quote = input<cloister_quote_input>();
  quote.quote = bytes(std::string_view("04000200"));
  auto snp = input<cloister_snp_input>();
  snp.report = bytes(many);
  for (const std::size_t size : {0, 32, 63, 65}) {
    const cloister_bytes value = {many.data(), size};
    expect_member_refused(&VerifierHandle::quote, quote, &cloister_quote_input::report_data, value,
                          CLOISTER_ERROR_SIZE);
    expect_member_refused(&VerifierHandle::snp, snp, &cloister_snp_input::report_data, value, CLOISTER_ERROR_SIZE);
  }
  expect_member_refused(&VerifierHandle::report, report_input(), &cloister_report_input::nonce,
                        cloister_bytes{nullptr, 32}, CLOISTER_ERROR_NULL);
}

// A buffer that nobody filled is no nonce: a replayed report may have been made for it.
TEST(Judging, AValueThatNobodyFilledIsRefused) {
  const std::string zeros(64, '\0');
  const cloister_bytes half = {zeros.data(), 32}, whole = {zeros.data(), 64};
  for (const Json& served : {node().report({.nonce = {}}), service().aci_report(evidence::Nonce{}),
                             service().native_report(evidence::Nonce{})}) {
    const std::string report = codec::write_json(served);
    cloister_report_input in = report_input();
    in.report = bytes(report);
    in.flags = CLOISTER_REPORT_AS_DOCUMENT;
    in.nonce = half;
    expect_refused(simulator_verifier().report(in), CLOISTER_ERROR_MALFORMED, "nonce: it is all zeros");
  }
  cloister_report_input report = report_input();
  report.tls_spki_sha256 = half;
  expect_refused(simulator_verifier().report(report), CLOISTER_ERROR_MALFORMED, "tls_spki_sha256");
  const std::string evidence = vector_text("tdx/v4_b0c06f_uptodate.bin"), snp_report = vector_text("snp/genoa_v5.bin");
  auto quote = input<cloister_quote_input>();
  quote.quote = bytes(evidence);
  quote.report_data = whole;
  expect_refused(simulator_verifier().quote(quote), CLOISTER_ERROR_MALFORMED, "report-data");
  auto snp = input<cloister_snp_input>();
  snp.report = bytes(snp_report);
  snp.report_data = whole;
  expect_refused(simulator_verifier().snp(snp), CLOISTER_ERROR_MALFORMED, "report-data");
}

TEST(Judging, NamesAreNeitherEmptyNorEndless) {
  const std::string most(4096, 'm'), more(4097, 'm');
  auto in = report_input();
  const auto member = &cloister_report_input::model;
  expect_member_refused(&VerifierHandle::report, in, member, bytes(std::string_view()), CLOISTER_ERROR_MALFORMED);
  expect_member_refused(&VerifierHandle::report, in, member, bytes(more), CLOISTER_ERROR_TOO_LARGE);
  expect_member_refused(&VerifierHandle::report, in, member, cloister_bytes{nullptr, 4}, CLOISTER_ERROR_NULL);
  in.model = bytes(most);
  EXPECT_EQ(simulator_verifier().report(in).outcome(), CLOISTER_UNDETERMINED) << "no list of models was asked for";
}

TEST(Judging, WithoutATimeNothingIsJudged) {
  VerifierHandle timeless;
  timeless.set_policy(kAcceptSimulator);
  expect_refused(timeless.report(report_input()), CLOISTER_ERROR_TIME, "cloister_verifier_follow_clock");
  timeless.set_time(0);
  EXPECT_EQ(timeless.report(report_input()).outcome(), CLOISTER_REJECTED) << "nothing is valid in 1970";
}

// ---- reports ----

TEST(Judging, ReportsGetTheFourOutcomes) {
  const VerifierHandle judge = simulator_verifier();
  cloister_report_input in = report_input();
  EXPECT_EQ(judge.report(in).outcome(), CLOISTER_ACCEPTED);
  VerifierHandle by_default;
  by_default.set_time(kJudgedAt);
  EXPECT_EQ(by_default.report(in).outcome(), CLOISTER_REJECTED);
  in.nonce = {};
  EXPECT_EQ(judge.report(in).outcome(), CLOISTER_UNDETERMINED) << "it may be old";
  in.report = bytes(std::string_view(R"({"hello":"world"})"));
  expect_refused(judge.report(in), CLOISTER_ERROR_MALFORMED);
}

TEST(Judging, AReportIsComparedWithTheKeyOfTheConnection) {
  Ask ask = test_ask();
  ask.tls_spki_sha256.emplace().fill(0x11);
  const std::string report = codec::write_json(node().report(ask));
  cloister_report_input in = report_input();
  in.report = bytes(report);
  in.tls_spki_sha256 = bytes(*ask.tls_spki_sha256);
  const VerifierHandle judge = simulator_verifier(
      "accept_simulator = true\n[service]\naccept_no_node_policy = true\naccept_unproven_tls_keys = true");
  EXPECT_EQ(state_of(judge.report(in), "report_data.tls"), CLOISTER_PASSED) << judge.report(in).tree();
  in.tls_host = bytes(std::string_view("node.example"));
  EXPECT_EQ(state_of(judge.report(in), "report_data.tls"), CLOISTER_PASSED);
  const ByteArray<32> other{2};
  in.tls_spki_sha256 = bytes(other);
  const VerdictHandle middle = judge.report(in);
  EXPECT_EQ(middle.outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(state_of(middle, "report_data.tls"), CLOISTER_FAILED);
  in.tls_spki_sha256 = {};
  expect_refused(judge.report(in), CLOISTER_ERROR_COMPARISON, "tls_host");
}

// A genuine report proves nothing about a connection whose key the caller left out.
TEST(Judging, ALeftOutTlsKeyIsNoYes) {
  const VerifierHandle judge = simulator_verifier("accept_simulator = true\n[service]\naccept_no_node_policy = true");
  for (const Json& served : {service().native_report(test_nonce()), service().aci_report(test_nonce())}) {
    const std::string report = codec::write_json(served);
    cloister_report_input in = report_input();
    in.report = bytes(report);
    const VerdictHandle left_out = judge.report(in);
    EXPECT_EQ(left_out.outcome(), CLOISTER_UNDETERMINED);
    EXPECT_EQ(state_of(left_out, "report_data.tls"), CLOISTER_SKIPPED);
    EXPECT_TRUE(left_out.find("report_data.tls")->required);
    in.flags = CLOISTER_REPORT_AS_DOCUMENT;
    EXPECT_TRUE(judge.report(in).accepted()) << judge.report(in).tree();
    const ByteArray<32> key{3};
    in.tls_spki_sha256 = bytes(key);
    expect_refused(judge.report(in), CLOISTER_ERROR_COMPARISON, "tls_spki_sha256");
  }
}

TEST(Judging, AKeyThatIsForAnotherHostIsNotThisHosts) {
  const std::string report = codec::write_json(service().native_report(test_nonce()));
  const Json keyset = service().keyset();
  ASSERT_FALSE(keyset["tls_public_keys"].empty());
  const auto key = from_hex_exactly<32>(keyset["tls_public_keys"][0]["spki_sha256"].get<std::string>());
  ASSERT_TRUE(key);
  cloister_report_input in = report_input();
  in.report = bytes(report);
  in.tls_spki_sha256 = bytes(*key);
  const VerifierHandle judge = simulator_verifier("accept_simulator = true");
  EXPECT_EQ(state_of(judge.report(in), "report_data.tls"), CLOISTER_PASSED) << judge.report(in).tree();
  if (!keyset["tls_public_keys"][0].contains("domain")) return;
  in.tls_host = bytes(std::string_view("elsewhere.invalid"));
  EXPECT_EQ(state_of(judge.report(in), "report_data.tls"), CLOISTER_FAILED);
}

TEST(Judging, AReportIsComparedWithTheModelThatIsAskedFor) {
  const std::string report = report_with_model(model_manifest("demo"));
  cloister_report_input in = report_input();
  in.report = bytes(report);
  in.flags = CLOISTER_REPORT_AS_DOCUMENT;
  const VerifierHandle judge = simulator_verifier("accept_simulator = true");
  in.model = bytes(std::string_view("demo"));
  const VerdictHandle same = judge.report(in);
  EXPECT_TRUE(same.accepted()) << same.tree();
  EXPECT_EQ(state_of(same, "report.model"), CLOISTER_PASSED);
  in.model = bytes(std::string_view("another"));
  const VerdictHandle other = judge.report(in);
  EXPECT_EQ(other.outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(state_of(other, "report.model"), CLOISTER_FAILED);
}

TEST(Judging, AReportIsComparedWithAManifestOfTheModel) {
  const std::string report = report_with_model(model_manifest("demo"));
  cloister_report_input in = report_input();
  in.report = bytes(report);
  in.flags = CLOISTER_REPORT_AS_DOCUMENT;
  const VerifierHandle judge = simulator_verifier("accept_simulator = true");
  EXPECT_TRUE(judge.report(in).accepted()) << judge.report(in).tree();
  const std::string same = codec::write_json(to_json(model_manifest("demo"))),
                    other = codec::write_json(to_json(model_manifest("another")));
  in.model_manifest = bytes(same);
  EXPECT_EQ(state_of(judge.report(in), "model.id"), CLOISTER_PASSED) << judge.report(in).tree();
  in.model_manifest = bytes(other);
  const VerdictHandle verdict = judge.report(in);
  EXPECT_EQ(verdict.outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(state_of(verdict, "model.id"), CLOISTER_FAILED);
  in.model_manifest = bytes(std::string_view("{}"));
  expect_refused(judge.report(in), CLOISTER_ERROR_MALFORMED, "model-manifest");
  in.model_manifest = {"", kMiB + 1};
  expect_refused(judge.report(in), CLOISTER_ERROR_TOO_LARGE, "model-manifest");
  in.model_manifest = {};
  EXPECT_TRUE(judge.report(in).accepted()) << "a manifest belongs to one call";
}

TEST(Judging, ReportsOfOtherServicesAreJudgedWithWhatStandsBesideThem) {
  const std::string report = vector_text("reports/live/chutes_20260610.json"),
                    instances = vector_text("reports/live/chutes_20260610.instances.json");
  VerifierHandle judge;
  judge.set_policy("[boot]\nallow_any_measurements = true");
  judge.set_time(1781056229);  // 2026-06-10T01:50:29Z
  judge.add_collateral(vector_text("reports/live/chutes_20260610.bundle.json"));
  const auto nonce = *from_hex_exactly<32>("3339ed515124334c8c85e73f5101de92da4112b23ecec719a72d767a278d3440");
  auto in = input<cloister_report_input>();
  in.report = bytes(report);
  in.nonce = bytes(nonce);
  EXPECT_EQ(state_of(judge.report(in), "instance.0.report.e2e_key"), CLOISTER_SKIPPED);
  in.instances = bytes(instances);
  const VerdictHandle verdict = judge.report(in);
  EXPECT_EQ(verdict.outcome(), CLOISTER_UNDETERMINED) << verdict.summary();
  EXPECT_EQ(state_of(verdict, "instance.0.report.e2e_key"), CLOISTER_PASSED);
  EXPECT_EQ(state_of(verdict, "instance.0.tdx.quote.signature"), CLOISTER_PASSED);
  // The list belongs to no other form, and no other list is one.
  auto other = report_input();
  other.instances = bytes(instances);
  expect_refused(simulator_verifier().report(other), CLOISTER_ERROR_MALFORMED, "instances");
  in.instances = bytes(report);
  expect_refused(judge.report(in), CLOISTER_ERROR_MALFORMED, "instances");
}

TEST(Judging, AFileThatHoldsEverythingIsNoReport) {
  cloister_report_input in = report_input();
  in.report = bytes(std::string_view(R"({"archive":"cloister.archive.v1","judged_at":"2026-06-01T00:00:00Z"})"));
  expect_refused(simulator_verifier().report(in), CLOISTER_ERROR_MALFORMED, "archive");
}

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

// ---- receipts ----

// What a receipt is judged with, as texts.
struct ReceiptCase {
  ServiceCase good = native_case();
  std::string receipt = codec::write_json(good.receipt), report = codec::write_json(good.report);

  cloister_receipt_input input() const {
    auto in = cloister::input<cloister_receipt_input>();
    in.receipt = bytes(receipt);
    in.report = bytes(report);
    in.nonce = bytes(*good.expected.nonce);
    in.request = bytes(good.request);
    in.response = bytes(good.response);
    return in;
  }
};

TEST(Judging, AReceiptIsAcceptedWithItsReportAndBodies) {
  const ReceiptCase c;
  const VerifierHandle judge = simulator_verifier();
  cloister_receipt_input in = c.input();
  const VerdictHandle all = judge.receipt(in);
  EXPECT_TRUE(all.accepted()) << all.tree();
  in.id = bytes(*c.good.id);
  in.model = bytes(*c.good.model);
  EXPECT_TRUE(judge.receipt(in).accepted()) << judge.receipt(in).tree();
  in.id = bytes(std::string_view("another"));
  EXPECT_EQ(judge.receipt(in).outcome(), CLOISTER_REJECTED);
  in.id = {};
  in.model = bytes(std::string_view("another"));
  EXPECT_EQ(judge.receipt(in).outcome(), CLOISTER_REJECTED);
}

TEST(Judging, EachPartOfAReceiptIsComparedOrMissed) {
  const ReceiptCase c;
  const VerifierHandle judge = simulator_verifier();
  struct Row {
    cloister_bytes cloister_receipt_input::*member;
    const char* check;
  };
  for (const auto& [member, check] : {Row{&cloister_receipt_input::request, "receipt.request_hash"},
                                      Row{&cloister_receipt_input::response, "receipt.response_hash"}}) {
    cloister_receipt_input in = c.input();
    in.*member = {};
    EXPECT_EQ(judge.receipt(in).outcome(), CLOISTER_UNDETERMINED);
    EXPECT_EQ(state_of(judge.receipt(in), check), CLOISTER_SKIPPED) << judge.receipt(in).tree();
    for (const std::string_view other : {std::string_view("other"), std::string_view()}) {
      in.*member = bytes(other);
      EXPECT_EQ(judge.receipt(in).outcome(), CLOISTER_REJECTED);
      EXPECT_EQ(state_of(judge.receipt(in), check), CLOISTER_FAILED) << "present and empty is not absent";
    }
  }
  cloister_receipt_input alone = c.input();
  alone.report = {};
  expect_refused(judge.receipt(alone), CLOISTER_ERROR_COMPARISON, "nonce");
  alone.nonce = {};
  EXPECT_EQ(judge.receipt(alone).outcome(), CLOISTER_UNDETERMINED);
}

TEST(Judging, AReceiptIsComparedWithAKnownKeyset) {
  const ReceiptCase c;
  const VerifierHandle judge = simulator_verifier();
  const std::string keyset = codec::write_json(service().keyset());
  Json changed = service().keyset();
  changed["receipt_signing_keys"][0]["public_key"] = std::string(64, 'a');
  const std::string other = codec::write_json(changed);
  cloister_receipt_input in = c.input();
  in.keyset = bytes(keyset);
  EXPECT_EQ(state_of(judge.receipt(in), "receipt.known_keyset"), CLOISTER_PASSED) << judge.receipt(in).tree();
  in.keyset = bytes(other);
  EXPECT_EQ(judge.receipt(in).outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(state_of(judge.receipt(in), "receipt.known_keyset"), CLOISTER_FAILED);
  in.keyset = bytes(c.receipt);
  expect_refused(judge.receipt(in), CLOISTER_ERROR_MALFORMED, "keyset");
  in.keyset = bytes(std::string_view("no JSON"));
  expect_refused(judge.receipt(in), CLOISTER_ERROR_MALFORMED, "keyset");
  in.keyset = {};
  in.report = bytes(c.receipt);
  expect_refused(judge.receipt(in), CLOISTER_ERROR_MALFORMED, "report");
}

TEST(Judging, AReceiptIsComparedWithAManifestOfTheModel) {
  ReceiptCase c;
  const VerifierHandle judge = simulator_verifier();
  c.report = report_with_model(model_manifest("demo"));
  const std::string same = codec::write_json(to_json(model_manifest("demo"))),
                    other = codec::write_json(to_json(model_manifest("another")));
  cloister_receipt_input in = c.input();
  in.model_manifest = bytes(same);
  EXPECT_EQ(state_of(judge.receipt(in), "model.id"), CLOISTER_PASSED) << judge.receipt(in).tree();
  in.model_manifest = bytes(other);
  EXPECT_EQ(state_of(judge.receipt(in), "model.id"), CLOISTER_FAILED);
}

TEST(Judging, ABeginningOfAReplyIsShownToBeTheTrueOne) {
  ReceiptCase c;
  std::string& reply = c.good.response;
  reply.clear();
  for (int i = 0; i < 4; ++i) reply += "data: {\"i\":" + std::to_string(i) + "}\n\n";
  const evidence::SaltSeed secret{7};
  const auto leaves = evidence::salted_leaves(secret, evidence::event_hashes(reply));
  Json receipt = c.good.receipt;
  receipt["event_log"][3]["body_hash"] = evidence::digest_text(crypto::sha256(as_bytes(reply)));
  receipt["event_log"].push_back({{"type", "response.events"},
                                  {"count", leaves.size()},
                                  {"root", evidence::digest_text(evidence::merkle_root(leaves))},
                                  {"tree", "cloister.events.v2"}});
  receipt = service().sign(receipt);
  c.receipt = codec::write_json(receipt);
  const VerifierHandle judge = simulator_verifier();
  cloister_receipt_input in = c.input();
  EXPECT_TRUE(judge.receipt(in).accepted()) << judge.receipt(in).tree();

  const std::string held = reply.substr(0, reply.size() / 2);
  const std::string proof = codec::write_json(evidence::to_json(
      evidence::prove_prefix(receipt["receipt_id"].get<std::string>(), leaves, 2, std::optional(secret))));
  in.response = bytes(held);
  EXPECT_EQ(judge.receipt(in).outcome(), CLOISTER_REJECTED) << "a beginning is not the reply";
  in.prefix_proof = bytes(proof);
  const VerdictHandle beginning = judge.receipt(in);
  EXPECT_TRUE(beginning.accepted()) << beginning.tree();
  EXPECT_EQ(state_of(beginning, "receipt.prefix"), CLOISTER_PASSED);
  EXPECT_EQ(parsed(beginning)["facts"]["partial_reply"], "only the first 2 of 4 events of the reply");
  in.response = {};
  EXPECT_NE(judge.receipt(in).outcome(), CLOISTER_ACCEPTED);
  in.prefix_proof = bytes(std::string_view("no JSON"));
  expect_refused(judge.receipt(in), CLOISTER_ERROR_MALFORMED, "prefix-proof");
  in.prefix_proof = {"", 65537};
  expect_refused(judge.receipt(in), CLOISTER_ERROR_TOO_LARGE, "prefix-proof");
}

// ---- sessions ----

// A gateway's record of the simulated node.
struct SessionCase {
  Json session;

  SessionCase() {
    const std::string report = report_with_model(model_manifest("demo"));
    session = {{"api_version", "aci/1"},
               {"upstream_name", "demo"},
               {"endpoint", "https://api.example.com"},
               {"verifier_id", "test/1"},
               {"established_at", kJudgedAt - 60},
               {"expires_at", kJudgedAt + 3540},
               {"channel_binding", Json::array({{{"type", "tls_spki_sha256"},
                                                 {"origin", "https://api.example.com"},
                                                 {"spki_sha256", std::string(64, 'c')}}})},
               {"claims", Json::object()},
               {"evidence",
                {{"digest", "sha256:" + to_hex(crypto::sha256(as_bytes(report)))},
                 {"data", "data:application/json;base64," + to_base64(as_bytes(report))}}}};
  }
  ByteArray<32> id() const { return crypto::sha256(as_bytes(*codec::write_jcs(session))); }
};

TEST(Judging, ASessionIsTheOneThatWasNamed) {
  const SessionCase c;
  const std::string text = codec::write_json(c.session);
  const ByteArray<32> id = c.id();
  const VerifierHandle judge = simulator_verifier("accept_simulator = true\nrequire_nonce = false");
  auto in = input<cloister_session_input>();
  in.session = bytes(text);
  in.id = bytes(id);
  const VerdictHandle verdict = judge.session(in);
  EXPECT_TRUE(verdict.accepted()) << verdict.tree();
  EXPECT_EQ(state_of(verdict, "upstream.tdx.quote.signature"), CLOISTER_PASSED);
  const ByteArray<32> other{1};
  in.id = bytes(other);
  EXPECT_EQ(judge.session(in).outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(state_of(judge.session(in), "session.id"), CLOISTER_FAILED);
  in.id = {};
  EXPECT_EQ(judge.session(in).outcome(), CLOISTER_UNDETERMINED) << "nobody named it";
  in.id = {other.data(), 31};
  expect_refused(judge.session(in), CLOISTER_ERROR_SIZE, "id");
}

TEST(Judging, ASessionAndTheReceiptThatNamesItAreJudgedTogether) {
  const SessionCase c;
  const std::string text = codec::write_json(c.session);
  Json receipt = service().receipt();
  const Json event = {{"type", "upstream.verified"},
                      {"result", "verified"},
                      {"required", true},
                      {"model_id", "demo"},
                      {"session_id", to_hex(c.id())}};
  receipt["event_log"].insert(receipt["event_log"].begin() + 1, event);
  const std::string naming = codec::write_json(service().sign(receipt)), other = codec::write_json(service().receipt());
  const VerifierHandle judge = simulator_verifier("accept_simulator = true\nrequire_nonce = false");
  auto in = input<cloister_session_input>();
  in.session = bytes(text);
  in.receipt = bytes(naming);
  EXPECT_EQ(state_of(judge.session(in), "session.id"), CLOISTER_PASSED) << judge.session(in).tree();
  in.receipt = bytes(other);
  EXPECT_NE(judge.session(in).outcome(), CLOISTER_ACCEPTED);
  in.receipt = bytes(text);
  expect_refused(judge.session(in), CLOISTER_ERROR_MALFORMED, "receipt");

  const ServiceCase gateway = aci_case();
  const std::string report = codec::write_json(gateway.report);
  auto both = input<cloister_receipt_input>();
  both.receipt = bytes(naming);
  both.report = bytes(report);
  both.nonce = bytes(*gateway.expected.nonce);
  both.request = bytes(kReceiptRequest);
  both.response = bytes(kReceiptResponse);
  both.session = bytes(text);
  const VerdictHandle verdict =
      simulator_verifier(
          "accept_simulator = true\n[service]\naccept_no_node_policy = true\naccept_upstream_claims = true")
          .receipt(both);
  EXPECT_TRUE(verdict.accepted()) << verdict.tree();
  EXPECT_EQ(state_of(verdict, "session.id"), CLOISTER_PASSED);
}

TEST(Judging, ASessionIsComparedWithAManifestOfTheModel) {
  const SessionCase c;
  const std::string text = codec::write_json(c.session);
  const ByteArray<32> id = c.id();
  const std::string other = codec::write_json(to_json(model_manifest("another")));
  auto in = input<cloister_session_input>();
  in.session = bytes(text);
  in.id = bytes(id);
  in.model_manifest = bytes(other);
  const VerdictHandle verdict = simulator_verifier("accept_simulator = true\nrequire_nonce = false").session(in);
  EXPECT_NE(verdict.outcome(), CLOISTER_ACCEPTED);
  EXPECT_EQ(state_of(verdict, "upstream.model.id"), CLOISTER_FAILED) << verdict.tree();
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
