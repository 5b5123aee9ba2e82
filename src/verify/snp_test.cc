// The genuine Milan report (from a debug VM), every byte of it, and each check of an SNP report with its own failure.
#include "verify/snp.h"

#include <gtest/gtest.h>

#include <set>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "codec/snp_report.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "verify/bundle.h"
#include "verify/check_list.h"
#include "verify/report.h"
#include "verify/snp/amd_roots.h"
#include "verify/snp/endorsement.h"
#include "verify/snp/policy_checks.h"

namespace cloister::verify {
namespace {

using codec::SnpProduct;
using codec::SnpReport;
using testing::vector_bytes;
using testing::vector_text;
using Ids = std::set<std::string>;

constexpr UnixSeconds kTime = 1750500000;  // 2025-06-21

Ids ids(const Verdict& verdict, State state) {
  Ids out;
  for (const Check& check : verdict.checks) {
    EXPECT_NE(find_meaning(check.id), nullptr) << check.id;
    if (check.state == state) out.insert(check.id);
  }
  return out;
}

struct Recorded {
  Bytes report = vector_bytes("snp/milan_report_go.bin");
  Policy policy;
  Collateral collateral{.snp = {{vector_bytes("snp/milan_vcek_go.der"), vector_text("snp/ask_ark_milan.pem"), {}}}};
  UnixSeconds time = kTime;

  Recorded() {
    policy.tee_kinds = {"sev_snp"};
    policy.snp.min_boot_loader = policy.snp.min_tee = policy.snp.min_snp = policy.snp.min_microcode = 0;
    policy.snp.measurements = {Bytes(report.begin() + 0x90, report.begin() + 0xc0)};
  }
  Bytes report_data() const { return Bytes(report.begin() + 0x50, report.begin() + 0x90); }
  Verdict judge() const { return verify_snp(report, report_data(), {policy, collateral, time}); }
  Ids failing() const { return ids(judge(), State::kFail); }
};

TEST(GenuineSnp, MilanIsSignedByItsChipAndRejectedAsADebugVm) {
  const Recorded recorded;
  const Verdict verdict = recorded.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
  EXPECT_EQ(ids(verdict, State::kFail), Ids{"snp.policy.debug"}) << to_text(verdict, false);
  EXPECT_EQ(ids(verdict, State::kSkipped), Ids{"snp.revocation"});
  EXPECT_EQ(ids(verdict, State::kPass),
            (Ids{"snp.report.form", "snp.cert_chain", "snp.product", "snp.signing_key", "snp.signature",
                 "snp.tcb.certified", "snp.tcb.minimum", "snp.chip_id", "snp.policy.form", "snp.policy.migration_agent",
                 "snp.policy.smt", "snp.vmpl", "snp.report_data", "snp.measurement", "tee.kind", "policy.applied"}));
  EXPECT_EQ(verdict.find("snp.cert_chain")->actual, "ark_Milan");
  EXPECT_EQ(verdict.facts["tee_type"], "sev_snp");
}

// Milan at Google, version 4; Genoa and Turin, version 5 with their certificates.
TEST(GenuineSnp, EveryVersionIsRead) {
  const auto google = codec::parse_snp_report(vector_bytes("snp/gce_v4.bin"));
  ASSERT_TRUE(google) << google.error().message;
  EXPECT_EQ(google->version, 4u);
  EXPECT_EQ(google->product, SnpProduct::kMilan);
  Policy policy;
  policy.tee_kinds = {"sev_snp"};
  Verdict verdict = verify_snp(vector_bytes("snp/gce_v4.bin"), std::nullopt, {policy, {}, kTime});
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("snp.report.form")->state, State::kPass);
  for (const char* name : {"genoa", "turin"}) {
    const std::string file = std::string("snp/") + name + "_v5";
    const auto collateral = parse_bundle(vector_text(file + ".bundle.json"));
    ASSERT_TRUE(collateral) << collateral.error().message;
    verdict = verify_snp(vector_bytes(file + ".bin"), std::nullopt, {policy, *collateral, 1780272000});
    EXPECT_EQ(ids(verdict, State::kFail), Ids{}) << to_text(verdict, false);
    EXPECT_EQ(ids(verdict, State::kSkipped),
              (Ids{"snp.revocation", "snp.report_data", "snp.measurement", "snp.tcb.minimum"}));
  }
  // The mitigation vectors of version 5 are reserved in version 4.
  Bytes changed = vector_bytes("snp/gce_v4.bin");
  changed.at(0x1f8) = 1;
  EXPECT_REFUSED(codec::parse_snp_report(changed), "SNP report: bytes up to 0x2a0 must be zero");
}

TEST(GenuineSnp, AnyByteChangedIsRejectedByNameExhaustively) {
  Recorded recorded;
  const Bytes genuine = recorded.report;
  const Bytes report_data = recorded.report_data();
  for (std::size_t i = 0; i < genuine.size(); ++i) {
    recorded.report = genuine;
    recorded.report[i] ^= 0xff;
    const Verdict verdict = verify_snp(recorded.report, report_data, {recorded.policy, recorded.collateral, kTime});
    const Ids failing = ids(verdict, State::kFail);
    EXPECT_TRUE(failing.contains("snp.signature") || failing.contains("snp.report.form")) << i;
  }
}

TEST(GenuineSnp, EachChangeHasItsOwnCheck) {
  const struct {
    const char* what;
    std::size_t offset;
    std::uint8_t value;
    const char* id;
  } cases[] = {{"unknown policy bit", 0x0b, 0x80, "snp.policy.form"},
               {"policy bit 17 clear", 0x0a, 0x09, "snp.policy.form"},
               {"migration agent", 0x0a, 0x0f, "snp.policy.migration_agent"},
               {"VMPL", 0x30, 1, "snp.vmpl"},
               {"signed by a VLEK, it says", 0x48, 1 << 2, "snp.signing_key"},
               {"signed by nobody, it says", 0x48, 7 << 2, "snp.signing_key"},
               {"report data", 0x8f, 1, "snp.report_data"},
               {"measurement", 0x90, 0, "snp.measurement"},
               {"reported TCB", 0x180, 3, "snp.tcb.certified"},
               {"chip id", 0x1a0, 0, "snp.chip_id"},
               {"version 3 of no known processor", 0x00, 3, "snp.product"}};
  for (const auto& one : cases) {
    Recorded recorded;
    const Bytes report_data = recorded.report_data();
    recorded.report.at(one.offset) = one.value;
    const Verdict verdict = verify_snp(recorded.report, report_data, {recorded.policy, recorded.collateral, kTime});
    EXPECT_TRUE(ids(verdict, State::kFail).contains(one.id)) << one.what << to_text(verdict, false);
    EXPECT_TRUE(ids(verdict, State::kFail).contains("snp.signature")) << one.what;
  }
}

TEST(GenuineSnp, CertificatesAndTime) {
  for (const UnixSeconds time : {UnixSeconds{1600000000}, UnixSeconds{1900000000}}) {
    Recorded recorded;
    recorded.time = time;
    EXPECT_EQ(recorded.failing(), (Ids{"snp.cert_chain", "snp.policy.debug"})) << time;
  }
  Recorded recorded;
  recorded.collateral.snp[0].vcek.back() ^= 1;
  EXPECT_EQ(recorded.failing(), (Ids{"snp.cert_chain", "snp.policy.debug"}));
  recorded = Recorded();
  recorded.collateral.snp[0].crl = Bytes{0x30, 0x00};
  EXPECT_EQ(recorded.failing(), (Ids{"snp.revocation", "snp.policy.debug"}));
  // With the root of another product the chain does not verify, and the levels are another product's.
  recorded = Recorded();
  std::string& pem = recorded.collateral.snp[0].ask_ark;
  pem = pem.substr(0, pem.find("-----BEGIN", 10)) + amd_root(SnpProduct::kGenoa)->to_pem();
  EXPECT_EQ(recorded.failing(), (Ids{"snp.cert_chain", "snp.product", "snp.policy.debug"}));
  // A root that nobody pinned: the ASK in its place.
  recorded = Recorded();
  std::string& own = recorded.collateral.snp[0].ask_ark;
  own = own.substr(0, own.find("-----BEGIN", 10)) + own.substr(0, own.find("-----BEGIN", 10));
  EXPECT_EQ(recorded.failing(), (Ids{"snp.cert_chain", "snp.policy.debug"}));
  // A certificate that is no DER.
  recorded = Recorded();
  recorded.collateral.snp[0].vcek = Bytes{1};
  EXPECT_EQ(recorded.failing(), (Ids{"snp.cert_chain", "snp.policy.debug"}));
  EXPECT_EQ(recorded.judge().find("snp.signature")->state, State::kSkipped);
}

TEST(GenuineSnp, AmongSeveralChipsItsOwnIsFound) {
  Recorded recorded;
  SnpCollateral broken = recorded.collateral.snp[0];
  broken.vcek = Bytes{1};
  recorded.collateral.snp.insert(recorded.collateral.snp.begin(), broken);
  EXPECT_EQ(recorded.failing(), Ids{"snp.policy.debug"});
}

TEST(GenuineSnp, WithoutCollateralOrExpectationNothingIsAccepted) {
  Recorded recorded;
  recorded.collateral = {};
  recorded.policy = {};
  const Verdict verdict = verify_snp(recorded.report, std::nullopt, {recorded.policy, recorded.collateral, kTime});
  EXPECT_EQ(ids(verdict, State::kSkipped), (Ids{"snp.cert_chain", "snp.product", "snp.revocation", "snp.signing_key",
                                                "snp.signature", "snp.tcb.certified", "snp.chip_id", "snp.tcb.minimum",
                                                "snp.report_data", "snp.measurement", "tee.kind"}));
}

TEST(Snp, WhatIsNoReportIsRejectedAndEveryIdIsThere) {
  const Verdict verdict = verify_snp(Bytes(1184), Bytes(64), {{}, {}, kTime});
  EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
  EXPECT_EQ(ids(verdict, State::kFail), Ids{"snp.report.form"});
  std::size_t listed = 0;
  for (const CheckMeaning& meaning : check_list()) listed += meaning.id.starts_with("snp.") ? 1 : 0;
  EXPECT_EQ(verdict.checks.size(), listed + 2) << "tee.kind and tee.report_data";
}

// ---- policy, on reports that need no signature ----

using Level = std::optional<std::uint8_t> SnpPolicy::*;
constexpr Level kLevels[] = {&SnpPolicy::min_boot_loader, &SnpPolicy::min_tee, &SnpPolicy::min_snp,
                             &SnpPolicy::min_microcode, &SnpPolicy::min_fmc};

struct Asked {
  SnpReport report;
  Policy policy;
  std::optional<SnpProduct> product = SnpProduct::kTurin;

  Asked() {
    report.policy = 1u << 17;
    for (auto* tcb : {&report.reported_tcb, &report.current_tcb, &report.committed_tcb, &report.launch_tcb}) {
      *tcb = {5, 5, 5, 5, 0, 0, 0, 5};
    }
    policy.snp.measurements = {Bytes(48)};
    for (const Level level : kLevels) policy.snp.*level = 0;
  }
  Verdict judge() const {
    Verdict verdict;
    check_snp_policy(report, product, policy, verdict);
    return verdict;
  }
  Ids failing() const { return ids(judge(), State::kFail); }
};

TEST(SnpPolicyChecks, GuestPolicyBits) {
  EXPECT_EQ(Asked().failing(), Ids{});
  Asked asked;
  asked.report.policy |= 1u << 19;
  asked.policy.snp.allow_migration_agent = true;  // nothing allows debug
  EXPECT_EQ(asked.failing(), Ids{"snp.policy.debug"});
  asked = Asked();
  asked.report.policy |= 1u << 18;
  EXPECT_EQ(asked.failing(), Ids{"snp.policy.migration_agent"});
  asked.policy.snp.allow_migration_agent = true;
  EXPECT_EQ(asked.failing(), Ids{});
  asked = Asked();
  asked.policy.snp.require_single_socket = true;
  EXPECT_EQ(asked.failing(), Ids{"snp.policy.single_socket"});
  asked.report.policy |= 1u << 20;
  EXPECT_EQ(asked.failing(), Ids{});
  asked = Asked();
  asked.policy.snp.allow_smt = false;
  EXPECT_EQ(asked.failing(), Ids{});
  asked.report.policy |= 1u << 16;
  EXPECT_EQ(asked.failing(), Ids{"snp.policy.smt"});
  asked = Asked();
  asked.policy.snp.allow_smt = false;
  asked.report.platform_info = 1;
  EXPECT_EQ(asked.failing(), Ids{"snp.policy.smt"});
  for (const std::uint64_t policy : {0ull, 1ull << 17 | 1ull << 26, 1ull << 17 | 1ull << 63}) {
    asked = Asked();
    asked.report.policy = policy;
    EXPECT_EQ(asked.failing(), Ids{"snp.policy.form"}) << policy;
  }
}

TEST(SnpPolicyChecks, EachPatchLevelOfEachKindHasItsOwnMinimum) {
  for (const Level level : kLevels) {
    Asked asked;
    asked.policy.snp.*level = 5;
    EXPECT_EQ(asked.failing(), Ids{});
    asked.policy.snp.*level = 6;
    EXPECT_EQ(asked.failing(), Ids{"snp.tcb.minimum"});
  }
  using Tcb = ByteArray<8> SnpReport::*;
  for (const Tcb tcb :
       {&SnpReport::reported_tcb, &SnpReport::current_tcb, &SnpReport::committed_tcb, &SnpReport::launch_tcb}) {
    Asked asked;
    asked.policy.snp.min_snp = 5;
    (asked.report.*tcb)[3] = 4;
    EXPECT_EQ(asked.failing(), Ids{"snp.tcb.minimum"});
  }
  Asked milan;
  milan.product = SnpProduct::kMilan;
  milan.policy.snp.min_fmc = 9;  // Milan has none
  EXPECT_EQ(milan.failing(), Ids{});
  milan.policy.snp.min_snp = 1;  // byte 6 there
  EXPECT_EQ(milan.failing(), Ids{"snp.tcb.minimum"});
}

TEST(SnpPolicyChecks, AMinimumThatNobodyNamedIsNoYes) {
  for (const Level level : kLevels) {
    Asked asked;
    (asked.policy.snp.*level).reset();
    EXPECT_EQ(ids(asked.judge(), State::kSkipped), Ids{"snp.tcb.minimum"});
    // A named minimum counts all the same.
    Asked low = asked;
    const Level other = level == kLevels[0] ? kLevels[1] : kLevels[0];
    low.policy.snp.*other = 6;
    EXPECT_EQ(low.failing(), Ids{"snp.tcb.minimum"});
  }
  Asked milan;
  milan.product = SnpProduct::kMilan;
  milan.policy.snp.min_fmc.reset();
  EXPECT_EQ(ids(milan.judge(), State::kSkipped), Ids{}) << "Milan has no FMC";
}

TEST(SnpPolicyChecks, KeyDigestsAndChipsThatThePolicyNames) {
  Asked asked;
  asked.policy.snp.id_key_digests = {Bytes(48, 1)};
  EXPECT_EQ(asked.failing(), Ids{"snp.id_key_digest"});
  asked.report.id_key_digest.fill(1);
  EXPECT_EQ(asked.failing(), Ids{});
  asked.policy.snp.author_key_digests = {Bytes(48, 2), Bytes(48, 3)};
  EXPECT_EQ(asked.failing(), Ids{"snp.author_key_digest"});
  asked.report.author_key_digest.fill(3);
  EXPECT_EQ(asked.failing(), Ids{});
  asked.policy.snp.chip_ids = {Bytes(64, 4)};
  EXPECT_EQ(asked.failing(), Ids{"snp.platform"});
  asked.report.chip_id.fill(4);
  EXPECT_EQ(asked.failing(), Ids{});
}

TEST(SnpPolicyChecks, MeasurementHostDataAndPrivilegeLevel) {
  Asked asked;
  asked.policy.snp.measurements = {Bytes(48, 1)};
  EXPECT_EQ(asked.failing(), Ids{"snp.measurement"});
  asked.policy.snp.measurements.clear();
  EXPECT_EQ(ids(asked.judge(), State::kSkipped), Ids{"snp.measurement"});
  asked.policy.boot.allow_any_measurements = true;
  EXPECT_EQ(ids(asked.judge(), State::kSkipped), Ids{});
  asked.policy.snp.host_data = {Bytes(32, 1)};
  EXPECT_EQ(asked.failing(), Ids{"snp.host_data"});
  asked.report.host_data.fill(1);
  EXPECT_EQ(asked.failing(), Ids{});
  asked.policy.snp.vmpl = 2;
  EXPECT_EQ(asked.failing(), Ids{"snp.vmpl"});
  asked.report.vmpl = 2;
  EXPECT_EQ(asked.failing(), Ids{});
}

// ---- roots ----

TEST(AmdRoots, EachIsItsProducts) {
  for (const SnpProduct product : {SnpProduct::kMilan, SnpProduct::kGenoa, SnpProduct::kTurin}) {
    const crypto::Certificate* root = amd_root(product);
    ASSERT_NE(root, nullptr);
    EXPECT_EQ(root->subject_common_name(), "ARK-" + std::string(codec::to_text(product)));
    EXPECT_EQ(root->issuer_common_name(), root->subject_common_name());
    EXPECT_TRUE(root->is_ca());
    EXPECT_EQ(find_amd_root(pinned_amd_roots(), *root)->product, product);
  }
}

TEST(AmdRoots, TheMilanRootIsTheRecordedOne) {
  const auto chain = crypto::parse_pem_chain(as_bytes(vector_text("snp/ask_ark_milan.pem")));
  ASSERT_TRUE(chain);
  EXPECT_EQ((*chain)[1].der(), amd_root(SnpProduct::kMilan)->der());
  EXPECT_EQ(find_amd_root(pinned_amd_roots(), (*chain)[0]), nullptr);
}

// An ACI report around the recorded evidence. Its report data was made for other purposes, so it binds no keyset.
Json aci_report_around(const Recorded& recorded, const std::string& tee_type) {
  const std::string key(64, 'a');
  const Json keyset = {
      {"subject", nullptr},
      {"not_after", kTime + 86400},
      {"receipt_signing_keys", Json::array({{{"key_id", "r"}, {"algo", "ed25519"}, {"public_key", key}}})},
      {"e2ee_public_keys", Json::array()},
      {"tls_public_keys", Json::array()}};
  return {{"api_version", "aci/1"},
          {"workload_keyset_digest", evidence::digest_text(*evidence::document_digest(keyset))},
          {"attestation",
           {{"tee_type", tee_type},
            {"workload_keyset", keyset},
            {"report_data", to_hex(recorded.report_data())},
            {"source_provenance", nullptr},
            {"evidence", {{"quote", to_hex(recorded.report)}}}}},
          {"service_capabilities", {{"serving", "direct"}}}};
}

Verdict judge_aci(const Recorded& recorded, const std::string& tee_type = "sev_snp") {
  return verify_report(codec::write_json(aci_report_around(recorded, tee_type)), {.nonce = evidence::Nonce{}},
                       {recorded.policy, recorded.collateral, recorded.time});
}

TEST(SnpInAReport, IsJudgedBySnpChecksAndBindsLikeAQuote) {
  const Verdict verdict = judge_aci(Recorded());
  EXPECT_EQ(ids(verdict, State::kFail), (Ids{"snp.policy.debug", "report_data.identity"})) << to_text(verdict, false);
  for (const char* id : {"snp.signature", "snp.cert_chain", "snp.measurement", "tee.simulator", "report.tee_type",
                         "report.report_data_copy", "report_data.padding", "keyset.digest"}) {
    EXPECT_EQ(verdict.find(id)->state, State::kPass) << id;
  }
  EXPECT_EQ(verdict.facts["tee_type"], "sev_snp");
  EXPECT_EQ(verdict.find("tdx.quote.form"), nullptr);
  EXPECT_EQ(verdict.find("snp.report_data"), nullptr) << "report_data.identity says it";
  EXPECT_EQ(verdict.find("boot.rtmr3")->state, State::kNotApplicable);
}

TEST(SnpInAReport, UnderAPolicyForTdxItIsNeverAccepted) {
  Recorded recorded;
  recorded.policy.tee_kinds.reset();
  EXPECT_EQ(judge_aci(recorded).find("tee.kind")->state, State::kSkipped);
  recorded.policy.tee_kinds = {"tdx"};
  EXPECT_EQ(judge_aci(recorded).find("tee.kind")->state, State::kFail);
  recorded.policy.tee_kinds.reset();
  recorded.policy.boot.mr_td = {Bytes(48, 1)};
  for (const char* id : {"tdx.measurements", "boot.rtmr3", "boot.compose_hash"}) {
    EXPECT_EQ(judge_aci(recorded).find(id)->state, State::kSkipped) << id;
  }
  // A policy about both kinds has a measurement for each.
  recorded.policy.tee_kinds = {"tdx", "sev_snp"};
  EXPECT_EQ(judge_aci(recorded).find("tdx.measurements")->state, State::kNotApplicable);
  recorded.policy.boot.compose_hashes = {Bytes(32, 1)};
  EXPECT_EQ(judge_aci(recorded).find("boot.compose_hash")->state, State::kSkipped);
}

TEST(SnpInAReport, ReportDataThatThePolicyNames) {
  Recorded recorded;
  recorded.policy.report_data = {Bytes(64, 1)};
  EXPECT_TRUE(ids(judge_aci(recorded), State::kFail).contains("tee.report_data"));
  recorded.policy.report_data = {recorded.report_data()};
  EXPECT_EQ(judge_aci(recorded).find("tee.report_data")->state, State::kPass);
  const Verdict bare = verify_snp(recorded.report, std::nullopt, {recorded.policy, recorded.collateral, kTime});
  EXPECT_EQ(bare.find("snp.report_data")->state, State::kPass);
}

TEST(SnpInAReport, MayNotTravelUnderAnotherName) {
  EXPECT_TRUE(ids(judge_aci(Recorded(), "tdx"), State::kFail).contains("report.tee_type"));
}

TEST(SnpInAReport, WithoutItsChainItIsNoTeeThatIsKnown) {
  Recorded bare;
  bare.collateral = {};
  const Verdict verdict = judge_aci(bare);
  EXPECT_EQ(verdict.facts["tee_type"], "unknown");
  for (const char* id : {"tee.simulator", "report.tee_type", "snp.signature", "snp.cert_chain"}) {
    EXPECT_EQ(verdict.find(id)->state, State::kSkipped) << id;
  }
}

TEST(SnpInAReport, AFlippedByteFailsWithItsName) {
  Recorded flipped;
  flipped.report[0x90] ^= 1;  // the measurement
  flipped.policy.snp.measurements = {Bytes(flipped.report.begin() + 0x90, flipped.report.begin() + 0xc0)};
  EXPECT_TRUE(ids(judge_aci(flipped), State::kFail).contains("snp.signature"));
}

TEST(SnpInAReport, WhatOnlyALogShowsCannotBeShown) {
  Recorded expecting;
  expecting.policy.boot.compose_hashes = {Bytes(32, 1)};
  const Verdict verdict = judge_aci(expecting);
  EXPECT_EQ(verdict.find("boot.compose_hash")->state, State::kSkipped);
  EXPECT_TRUE(verdict.find("boot.compose_hash")->required);
}

}  // namespace
}  // namespace cloister::verify
