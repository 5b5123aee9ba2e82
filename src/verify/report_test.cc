// Genuine evidence, recorded from real machines: the verdicts about it.
#include "verify/report.h"

#include <gtest/gtest.h>

#include <set>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "codec/tdx_quote.h"
#include "evidence/gpu_evidence.h"
#include "verify/check_list.h"

namespace cloister::verify {
namespace {

using testing::vector_bytes;
using testing::vector_text;

constexpr UnixSeconds kTime = 1750500000;  // 2025-06-21, when every recorded certificate was valid
constexpr UnixSeconds k2026 = 1770768000;  // 2026-02-11

struct Wrapped {
  Json report;
  Expected expected;
};

Bytes vector_hex(const std::string& file) {
  std::string hex = vector_text(file);
  std::erase_if(hex, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  if (hex.starts_with("0x")) hex.erase(0, 2);
  return from_hex(hex).value_or({});
}

// A report around a recorded quote. Others made the recorded report data for other keys; read as L1 with a 32-byte
// identity, its halves are an Ed25519 "address" and a nonce.
Wrapped wrap(ByteView quote_bytes) {
  Wrapped out;
  const auto quote = codec::parse_tdx_quote(quote_bytes);
  EXPECT_TRUE(quote) << quote.error().message;
  evidence::Nonce nonce{};
  std::string identity(64, '0');
  if (quote) {
    const ByteView data = quote->report.report_data;
    identity = to_hex(data.first(32));
    std::copy_n(data.begin() + 32, 32, nonce.begin());
  }
  out.report = {{"signing_address", identity},
                {"signing_algo", "ed25519"},
                {"request_nonce", to_hex(nonce)},
                {"intel_quote", to_hex(quote_bytes)}};
  out.expected.nonce = nonce;
  return out;
}

Verdict judge(const Wrapped& wrapped, UnixSeconds time) {
  return verify_report(codec::write_json(wrapped.report), wrapped.expected, {{}, {}, time});
}

std::set<std::string> ids(const Verdict& verdict, State state) {
  std::set<std::string> out;
  for (const Check& check : verdict.checks) {
    EXPECT_NE(find_meaning(check.id), nullptr) << check.id << " is not in checks.def";
    if (check.state == state) out.insert(check.id);
  }
  return out;
}

using Ids = std::set<std::string>;

struct GenuineQuote {
  const char* file;
  UnixSeconds time;
  const char* fmspc;
};

class GenuineQuotes : public ::testing::TestWithParam<GenuineQuote> {};

TEST_P(GenuineQuotes, LeadToIntelButAreUndeterminedWithoutCollateral) {
  const Bytes quote =
      std::string_view(GetParam().file).ends_with(".hex") ? vector_hex(GetParam().file) : vector_bytes(GetParam().file);
  const Verdict verdict = judge(wrap(quote), GetParam().time);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << to_text(verdict, false);
  EXPECT_EQ(ids(verdict, State::kFail), Ids{});
  const Ids skipped = ids(verdict, State::kSkipped);
  for (const char* id : {"tdx.collateral.tcb_info.signature", "tdx.collateral.pck_crl.window", "tdx.pck.revocation",
                         "tdx.qe_identity.mr_signer", "tdx.tcb.status", "tdx.measurements"}) {
    EXPECT_TRUE(skipped.contains(id)) << id;
  }
  EXPECT_EQ(verdict.find("tdx.pck_chain")->actual, "intel_sgx_root_ca");
  EXPECT_EQ(verdict.facts.value("fmspc", ""), GetParam().fmspc);
  EXPECT_EQ(verdict.facts.value("tee_type", ""), "tdx");
  EXPECT_EQ(verdict.facts.value("gpu", true), false);
}

INSTANTIATE_TEST_SUITE_P(Recorded, GenuineQuotes,
                         ::testing::Values(GenuineQuote{"tdx/v4_b0c06f_uptodate.bin", kTime, "b0c06f000000"},
                                           GenuineQuote{"tdx/v4_b0c06f_platform2.hex", kTime, "b0c06f000000"},
                                           GenuineQuote{"tdx/v5_td15_90c06f.bin", k2026, "90c06f000000"},
                                           GenuineQuote{"tdx/ccel/cos113_quote_8000.bin", kTime, "00806f050000"}));

TEST(GenuineQuote, MayBePaddedWithZerosOnly) {
  const Bytes file = vector_bytes("tdx/v4_50806f.bin");
  const std::string_view text = as_text(file);
  const std::size_t end = text.find("\nextra byte");
  ASSERT_NE(end, std::string_view::npos);
  const Wrapped wrapped = wrap(ByteView(file).first(end));
  const Ids as_it_is = {"tdx.td_attributes.sept_ve_disable"};
  EXPECT_EQ(ids(judge(wrapped, kTime), State::kFail), as_it_is);
  Wrapped padded = wrapped;
  padded.report["intel_quote"] = wrapped.report["intel_quote"].get<std::string>() + std::string(1000, '0');
  EXPECT_EQ(ids(judge(padded, kTime), State::kFail), as_it_is);
  Wrapped followed = wrapped;
  followed.report["intel_quote"] = to_hex(file);
  EXPECT_EQ(ids(judge(followed, kTime), State::kFail), Ids{"tdx.quote.form"});
}

TEST(GenuineQuote, ADebugVmIsRejectedForThat) {
  const Verdict verdict = judge(wrap(vector_bytes("tdx/v4_50806f_DEBUG.bin")), kTime);
  EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
  EXPECT_EQ(ids(verdict, State::kFail), Ids{"tdx.td_attributes.debug"}) << to_text(verdict, false);
}

TEST(GenuineQuote, OutsideItsCertificatesTimeTheChainFails) {
  const Wrapped wrapped = wrap(vector_bytes("tdx/v4_b0c06f_uptodate.bin"));
  for (const UnixSeconds time : {UnixSeconds{1500000000}, UnixSeconds{4000000000}}) {
    EXPECT_EQ(ids(judge(wrapped, time), State::kFail), Ids{"tdx.pck_chain"});
  }
}

// tdx/mutations.json, with the check that must notice each. Changes of report data are exempt from the expectation that
// nothing else fails, since the binding breaks there as well.
TEST(GenuineQuote, OneByteChangedFailsItsOwnCheck) {
  const std::map<std::string, std::string> check_of = {
      {"quote signature", "tdx.quote.signature"},
      {"structure: unknown TEE type", "tdx.quote.form"},
      {"quote signature (and DEBUG policy)", "tdx.quote.signature"},
      {"key not on the curve or QE binding", "tdx.qe_report.binding"},
      {"QE report signature", "tdx.qe_report.signature"},
      {"QE key binding", "tdx.qe_report.binding"},
  };
  const Bytes base = vector_bytes("tdx/v4_b0c06f_uptodate.bin");
  const Wrapped genuine = wrap(base);
  const auto mutations = codec::parse_json(vector_text("tdx/mutations.json"));
  ASSERT_TRUE(mutations);
  ASSERT_FALSE((*mutations)["cases"].empty());
  for (const Json& mutation : (*mutations)["cases"]) {
    Bytes changed = base;
    changed.at(mutation["offset"]) ^= (*mutations)["xor"].get<std::uint8_t>();
    Wrapped wrapped = genuine;
    wrapped.report["intel_quote"] = to_hex(changed);
    const Verdict verdict = judge(wrapped, kTime);
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << mutation["what"];
    const auto expected = check_of.find(mutation["must_fail"]);
    ASSERT_NE(expected, check_of.end()) << mutation["must_fail"];
    EXPECT_TRUE(ids(verdict, State::kFail).contains(expected->second)) << mutation["what"] << to_text(verdict, false);
  }
}

TEST(GenuineQuote, OfSgxOrWithoutChainOrNotAQuoteIsRefused) {
  Wrapped wrapped = wrap(vector_bytes("tdx/v4_b0c06f_uptodate.bin"));
  for (const char* file : {"tdx/sgx_v3_00a067.bin", "tdx/tdreport_raw_1024.bin"}) {
    wrapped.report["intel_quote"] = to_hex(vector_bytes(file));
    EXPECT_EQ(ids(judge(wrapped, kTime), State::kFail), Ids{"tdx.quote.form"}) << file;
  }
  wrapped.report["intel_quote"] = to_hex(vector_bytes("tdx/intel_qvl_synthetic/quote.dat"));
  EXPECT_EQ(judge(wrapped, kTime).outcome(), Outcome::kRejected);
}

TEST(GenuineQuote, ClaimingToBeSimulatedOrAnotherTeeFails) {
  Wrapped wrapped = wrap(vector_bytes("tdx/v4_b0c06f_uptodate.bin"));
  for (const char* right : {"tdx", "dstack"}) {
    wrapped.report["tee_type"] = right;
    EXPECT_EQ(ids(judge(wrapped, kTime), State::kFail), Ids{});
  }
  for (const char* wrong : {"insecure_simulator", "snp", ""}) {
    wrapped.report["tee_type"] = wrong;
    EXPECT_EQ(ids(judge(wrapped, kTime), State::kFail), Ids{"report.tee_type"});
  }
}

TEST(GenuineQuote, WithoutOwnNonceFreshnessIsSkipped) {
  Wrapped wrapped = wrap(vector_bytes("tdx/v4_b0c06f_uptodate.bin"));
  wrapped.expected.nonce.reset();
  EXPECT_TRUE(ids(judge(wrapped, kTime), State::kSkipped).contains("report.nonce"));
}

// ---- GPU evidence ----

constexpr std::string_view kHopperNonce = "e97b23a1718095a0e9e35edca810768c70a6a5a389b705e753b197912bc11576";

// A genuine quote next to genuine GPU evidence. The two come from different machines, so the quote's nonce is not the
// GPU's: report_data.nonce fails here, and the test looks only at the checks of the GPU.
Verdict judge_gpu(const Json& payload, std::string_view nonce_hex) {
  Wrapped wrapped = wrap(vector_bytes("tdx/v4_b0c06f_uptodate.bin"));
  wrapped.expected.nonce = *from_hex_exactly<32>(nonce_hex);
  wrapped.report["request_nonce"] = nonce_hex;
  wrapped.report["nvidia_payload"] = codec::write_json(payload);
  return judge(wrapped, kTime);
}

Json recorded_payload(const std::string& file) { return *codec::parse_json(vector_text(file)); }

Json old_payload(const std::string& report, const std::string& certs, const std::string& arch,
                 const std::string& nonce) {
  evidence::GpuEvidence device;
  device.arch = arch;
  device.report = vector_hex(report);
  device.certificate_chain_pem = vector_text(certs);
  return *codec::parse_json(evidence::write_nvidia_payload({nonce, arch, {device}}));
}

std::string nonce_in(const Json& payload) {
  const auto report = from_base64(payload["evidence_list"][0]["evidence"].get<std::string>());
  return to_hex(ByteView(*report).subspan(4, 32));
}

Ids gpu_ids(const Verdict& verdict, State state) {
  Ids out;
  for (const std::string& id : ids(verdict, state)) {
    if (id.starts_with("nvidia.")) out.insert(id);
  }
  return out;
}

TEST(GenuineGpu, LeadsToNvidiaButIsUndeterminedWithoutManifests) {
  const Verdict verdict = judge_gpu(recorded_payload("nvidia/evidence_hopper_1gpu.json"), kHopperNonce);
  EXPECT_EQ(gpu_ids(verdict, State::kFail), Ids{}) << to_text(verdict, false);
  EXPECT_TRUE(gpu_ids(verdict, State::kSkipped).contains("nvidia.gpu.0.rim.driver.available"));
  EXPECT_TRUE(gpu_ids(verdict, State::kSkipped).contains("nvidia.gpu.0.revocation.device"));
  EXPECT_EQ(verdict.find("nvidia.gpu.0.cert_chain")->actual, "nvidia_device_identity_ca");
  const Json gpu = verdict.facts.value("gpus", Json::array({Json::object()}))[0];
  EXPECT_EQ(gpu["arch"], "HOPPER");
  EXPECT_EQ(gpu["model"], "GH100 A01 GSP BROM");
  EXPECT_EQ(gpu["driver_version"], "590.12");
  EXPECT_EQ(gpu["vbios_version"], "96.00.A5.00.01");
}

TEST(GenuineGpu, FourDifferentOnes) {
  const Verdict verdict = judge_gpu(recorded_payload("nvidia/evidence_hopper_4gpu.json"), kHopperNonce);
  EXPECT_EQ(gpu_ids(verdict, State::kFail), Ids{}) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("nvidia.duplicates")->state, State::kPass);
  EXPECT_NE(verdict.find("nvidia.gpu.3.signature"), nullptr);
}

TEST(GenuineGpu, OneListedTwiceIsNoticed) {
  Json list = recorded_payload("nvidia/evidence_hopper_1gpu.json");
  list.push_back(list[0]);
  EXPECT_EQ(gpu_ids(judge_gpu(list, kHopperNonce), State::kFail), Ids{"nvidia.duplicates"});
}

TEST(GenuineGpu, AnotherNonceFails) {
  const Verdict verdict = judge_gpu(recorded_payload("nvidia/evidence_hopper_1gpu.json"), std::string(64, 'a'));
  EXPECT_EQ(gpu_ids(verdict, State::kFail), (Ids{"nvidia.payload.nonce", "nvidia.gpu.0.nonce"}));
}

TEST(GenuineGpu, NamedAsAnotherArchitectureFails) {
  for (const char* arch : {"BLACKWELL", "LS10", "VOLTA"}) {
    Json list = recorded_payload("nvidia/evidence_hopper_1gpu.json");
    list[0]["arch"] = arch;
    EXPECT_EQ(gpu_ids(judge_gpu(list, kHopperNonce), State::kFail), Ids{"nvidia.gpu.0.arch"}) << arch;
  }
}

TEST(GenuineGpu, OtherGenerations) {
  const Json old_driver = old_payload("nvidia/hopper_535.86.09.report.hex", "nvidia/hopper_535.86.09.certs.b64",
                                      "HOPPER", std::string(64, '0'));
  Json with_nonce = old_driver;
  with_nonce["nonce"] = nonce_in(old_driver);
  Verdict verdict = judge_gpu(with_nonce, nonce_in(old_driver));
  EXPECT_EQ(gpu_ids(verdict, State::kFail), Ids{}) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.fwid")->state, State::kSkipped);
  EXPECT_FALSE(verdict.find("nvidia.gpu.0.fwid")->required);

  Json blackwell = old_payload("nvidia/blackwell_575.32.report.hex", "nvidia/blackwell_575.32.certs.b64", "BLACKWELL",
                               std::string(64, '0'));
  blackwell["nonce"] = nonce_in(blackwell);
  verdict = judge_gpu(blackwell, nonce_in(blackwell));
  const Ids default_nonce = {"nvidia.known_nonce"};  // both were recorded with the default nonce of NVIDIA's tools
  EXPECT_EQ(gpu_ids(verdict, State::kFail), default_nonce) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("nvidia.gpu.0.fwid")->state, State::kPass);  // in DICE form

  const Json nvswitch = recorded_payload("nvidia/evidence_ls10_1switch.json");
  verdict = judge_gpu(nvswitch, nvswitch[0]["nonce"].get<std::string>());
  EXPECT_EQ(gpu_ids(verdict, State::kFail), default_nonce) << to_text(verdict, false);
}

TEST(GenuineGpu, TheRecordedInvalidSignatureFails) {
  Json payload = old_payload("nvidia/hopper_INVALID_SIGNATURE.report.hex", "nvidia/hopper_535.86.09.certs.b64",
                             "HOPPER", std::string(64, '0'));
  payload["nonce"] = nonce_in(payload);
  const Ids failed = gpu_ids(judge_gpu(payload, nonce_in(payload)), State::kFail);
  EXPECT_TRUE(failed.contains("nvidia.gpu.0.signature"));
}

// ---- form ----

TEST(ReportForm, AnUnknownFormIsNamed) {
  const auto complaint = [](const char* text) {
    const Result<void> known = check_known_form(text);
    return known ? std::string() : known.error().message;
  };
  for (const char* text : {"{}", "[]", "7", "null", R"({"hello":1})"}) EXPECT_NE(complaint(text), "") << text;
  EXPECT_TRUE(complaint(R"({"attestation_type":"oasis"})").ends_with(": attestation_type oasis"));
  EXPECT_TRUE(complaint(R"({"format":"https://tinfoil.sh/predicate/attestation/v4"})").ends_with("attestation/v4"));
  EXPECT_TRUE(complaint(R"({"attestation_type":"a\u001b[31m"})").ends_with("a?[31m"));
  // Text that is no JSON, or contradicts itself, is a report that is rejected.
  for (const char* text : {"", "{", R"({"signing_address":"0x"})", R"({"statement":{},"intel_quote":""})"}) {
    EXPECT_EQ(complaint(text), "") << text;
  }
}

TEST(ReportForm, WhatIsNoReportIsRejected) {
  for (const char* text : {"", "{", "[]", "null", "{}", R"({"signing_address":"0x"})", R"({"a":1,"a":2})"}) {
    const Verdict verdict = verify_report(text, {}, {{}, {}, kTime});
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << text;
    EXPECT_EQ(ids(verdict, State::kFail), Ids{"report.form"}) << text;
  }
}

}  // namespace
}  // namespace cloister::verify
