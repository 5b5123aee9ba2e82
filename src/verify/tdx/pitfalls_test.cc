// The pitfalls of docs/pitfalls.md that are about TDX quotes and their collateral: one test for each number. What other
// tests show at length is shown here once more, by its number.
#include <gtest/gtest.h>

#include "base/result_testing.h"
#include "codec/json.h"
#include "codec/tdx_quote.h"
#include "verify/quote.h"
#include "verify/tdx/collateral_checks.h"
#include "verify/tdx/quote_checks.h"
#include "verify/tdx/tcb_checks.h"
#include "verify/testing/own_platform.h"
#include "verify/testing/recorded_tdx.h"
#include "verify/testing/verdict_ids.h"

namespace cloister::verify {
namespace {

using namespace testing;  // NOLINT(google-build-using-namespace): evidence only

Verdict judge(ByteView quote, const TdxCollateral& collateral, UnixSeconds time = kJune2025,
              const Policy& policy = any_code()) {
  return verify_quote(quote, {policy, {{collateral}}, time});
}

Verdict judge_tcb(const OwnPlatform& platform, const TdxPolicy& policy = {}) {
  Verdict verdict;
  add_tcb_checks(judge_collateral(platform.build(), platform.root()), platform.quote, platform.pck, policy, kNow,
                 verdict);
  return verdict;
}

Verdict judge_collateral_of(const OwnPlatform& platform, const TdxCollateral& collateral) {
  Verdict verdict;
  add_collateral_checks(judge_collateral(collateral, platform.root()), platform.pck_chain(), {}, kNow, verdict);
  return verdict;
}

Bytes up_to_date() { return recorded_quote("v4_b0c06f_uptodate.bin"); }

constexpr std::size_t kSignatureAt = 636, kQeReportAt = 770;

TEST(TdxPitfall, No7DebugIsCheckedWhateverTheTcbStatus) {
  EXPECT_TRUE(
      failing(judge(recorded_quote("v4_50806f_DEBUG.bin"), bundle_of_2025())).contains("tdx.td_attributes.debug"));
  OwnPlatform platform;
  platform.quote.qe_report.attributes[0] |= 2;
  const Verdict verdict = judge_tcb(platform);
  EXPECT_EQ(verdict.facts["tcb_status"], "UpToDate");
  EXPECT_EQ(failing(verdict), Ids{"tdx.qe_identity.attributes"});
  Bytes quote = up_to_date();
  quote[kQeReportAt + 48] |= 2;
  EXPECT_TRUE(failing(judge(quote, bundle_of_2025())).contains("tdx.qe_report.debug"));
}

TEST(TdxPitfall, No8AFreshPartDoesNotExcuseAStaleOne) {
  // The TCB info is valid until 10:16:03, the list of the platform's authority until 10:00:35.
  EXPECT_EQ(failing(judge(up_to_date(), bundle_of_2025(), *from_rfc3339("2025-07-19T10:10:00Z"))),
            Ids{"tdx.collateral.pck_crl.window"});
}

TEST(TdxPitfall, No9OldCollateralIsNoCollateral) {
  OwnPlatform platform;
  platform.tcb_info["nextUpdate"] = to_rfc3339(kNow);
  EXPECT_EQ(failing(judge_collateral_of(platform, platform.build())), Ids{"tdx.collateral.tcb_info.window"});
  platform.tcb_info["issueDate"] = to_rfc3339(kNow + 1);
  platform.tcb_info["nextUpdate"] = to_rfc3339(kNow + 2);
  EXPECT_EQ(failing(judge_collateral_of(platform, platform.build())), Ids{"tdx.collateral.tcb_info.window"});
}

TEST(TdxPitfall, No10TheBytesAreSignedAndNotTheirMeaning) {
  const OwnPlatform platform;
  TdxCollateral collateral = platform.build();
  Json reordered = platform.tcb_info;
  reordered.erase("version");
  reordered["version"] = 3;
  collateral.tcb_info = codec::write_json(reordered);
  EXPECT_EQ(failing(judge_collateral_of(platform, collateral)), Ids{"tdx.collateral.tcb_info.signature"});
}

TEST(TdxPitfall, No11FmspcIsComparedAsBytes) {
  for (const char* same : {"b0c06f000000", "B0C06F000000", "b0C06f000000"}) {
    OwnPlatform platform;
    platform.tcb_info["fmspc"] = same;
    EXPECT_EQ(failing(judge_tcb(platform)), Ids{}) << same;
  }
  OwnPlatform other;
  other.tcb_info["fmspc"] = "B0C06F000001";
  EXPECT_EQ(failing(judge_tcb(other)), Ids{"tdx.fmspc"});
  OwnPlatform pce;
  pce.tcb_info["pceId"] = "0001";
  EXPECT_EQ(failing(judge_tcb(pce)), Ids{"tdx.pce_id"});
}

TEST(TdxPitfall, No12CollateralOfSgxIsNotForTdx) {
  const Ids failed = failing(
      judge(up_to_date(), recorded_bundle("sgx_v3_00a067.collateral.json"), *from_rfc3339("2025-06-20T00:00:00Z")));
  EXPECT_TRUE(failed.contains("tdx.collateral.tcb_info.kind"));
  EXPECT_TRUE(failed.contains("tdx.collateral.qe_identity.kind"));
  EXPECT_FALSE(failed.contains("tdx.collateral.tcb_info.signature"));
}

TEST(TdxPitfall, No13TheModuleHasAnIdentityByHexadecimalNumber) {
  OwnPlatform platform;
  platform.quote.report.tee_tcb_svn = {4, 16, 2};
  EXPECT_EQ(failing(judge_tcb(platform)), Ids{"tdx.tcb.module"});
  platform.tcb_info["tdxModuleIdentities"][0]["id"] = "TDX_16";
  EXPECT_EQ(failing(judge_tcb(platform)), Ids{"tdx.tcb.module"});
  platform.tcb_info["tdxModuleIdentities"][0]["id"] = "TDX_10";
  EXPECT_EQ(failing(judge_tcb(platform)), Ids{});
}

TEST(TdxPitfall, No14BothSvnsOfATdReport15Count) {
  OwnPlatform platform;
  platform.quote.report.tee_tcb_svn2 = ByteArray<16>{4, 1, 2};
  EXPECT_EQ(judge_tcb(platform).facts["tcb_status"], "UpToDate");
  platform.quote.report.tee_tcb_svn = {3, 1, 2};  // at launch
  EXPECT_EQ(judge_tcb(platform).facts["tcb_status"], "TDRelaunchAdvised");
  platform.quote.report.tee_tcb_svn = {4, 1, 2};
  platform.quote.report.tee_tcb_svn2 = ByteArray<16>{0, 1, 2};  // now
  EXPECT_EQ(failing(judge_tcb(platform)), Ids{"tdx.tcb.module"});
}

TEST(TdxPitfall, No15NoLevelIsNotOutOfDate) {
  Policy policy = any_code();
  policy.tdx.accepted_tcb_statuses = {"UpToDate", "OutOfDate", "OutOfDateConfigurationNeeded"};
  policy.tdx.out_of_date_grace_days = 100000;
  const Verdict verdict = judge(recorded_quote("v4_b0c06f_platform2.hex"), bundle_of_2025(), kJune2025, policy);
  EXPECT_EQ(failing(verdict), Ids{"tdx.tcb.platform"});
  EXPECT_FALSE(verdict.facts.contains("tcb_status"));
}

TEST(TdxPitfall, No16ShortComponentArraysAreNoCollateral) {
  for (const char* name : {"sgxtcbcomponents", "tdxtcbcomponents"}) {
    OwnPlatform platform;
    platform.tcb_info["tcbLevels"][0]["tcb"][name].erase(15);
    EXPECT_TRUE(failing(judge_collateral_of(platform, platform.build())).contains("tdx.collateral.tcb_info.form"));
    EXPECT_EQ(judge_tcb(platform).find("tdx.tcb.platform")->state, State::kSkipped);
  }
}

TEST(TdxPitfall, No17ToleratedStatusesHideNothing) {
  OwnPlatform platform;
  platform.pck.pce_svn = 5;                    // OutOfDate
  platform.pck_crl.next_update = kNow;         // expired
  platform.quote.qe_report.mr_signer[0] ^= 1;  // a foreign enclave
  TdxPolicy policy;
  policy.accepted_tcb_statuses = {"OutOfDate"};
  Verdict verdict = judge_tcb(platform, policy);
  verdict.append(judge_collateral_of(platform, platform.build()));
  EXPECT_EQ(verdict.find("tdx.tcb.status")->state, State::kPass);
  EXPECT_EQ(failing(verdict), (Ids{"tdx.qe_identity.mr_signer", "tdx.collateral.pck_crl.window"}));
}

TEST(TdxPitfall, No18AStatusComesFromAFinishedEvaluationOnly) {
  OwnPlatform platform;
  platform.quote.qe_report.isv_svn = 0;
  const Verdict verdict = judge_tcb(platform);
  EXPECT_EQ(verdict.find("tdx.tcb.platform")->state, State::kPass);
  EXPECT_EQ(failing(verdict), Ids{"tdx.tcb.qe"});
  EXPECT_EQ(verdict.find("tdx.tcb.status")->state, State::kSkipped);
  EXPECT_FALSE(verdict.facts.contains("tcb_status"));
}

// The verifier has no network at all: what is not given does not exist for it, whatever addresses the certificates hold.
TEST(TdxPitfall, No19NothingIsFetchedFromWhatTheEvidenceNames) {
  const Verdict verdict = verify_quote(up_to_date(), {any_code(), {}, kJune2025});
  EXPECT_EQ(verdict.find("tdx.pck.revocation")->state, State::kSkipped);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
}

TEST(TdxPitfall, No20ARootInTheEvidenceIsNotTrustedForItself) {
  const OwnPlatform own;
  TdxCollateral collateral = bundle_of_2025();
  const std::string chain = own.signer().to_pem() + own.root().to_pem();
  collateral.tcb_info_issuer_chain = chain;
  collateral.tcb_info_signature = to_hex(own.signing_key.sign(as_bytes(collateral.tcb_info)));
  const Verdict verdict = judge(up_to_date(), collateral);
  EXPECT_EQ(verdict.find("tdx.collateral.tcb_info.signature")->state, State::kPass);
  EXPECT_EQ(failing(verdict), Ids{"tdx.collateral.tcb_info.chain"});
}

TEST(TdxPitfall, No21OnlyTheSignerOfTcbInfoSignsIt) {
  OwnPlatform platform;
  for (const char* name : {"Intel SGX PCK Certificate", "Intel SGX Root CA", "Intel SGX TCB Signing ", ""}) {
    platform.signing_name = name;
    EXPECT_EQ(failing(judge_collateral_of(platform, platform.build())),
              (Ids{"tdx.collateral.tcb_info.chain", "tdx.collateral.qe_identity.chain"}))
        << name;
  }
}

TEST(TdxPitfall, No22JunkAroundAPartIsRefused) {
  const OwnPlatform platform;
  using Part = std::string TdxCollateral::*;
  for (const Part part : {Part{&TdxCollateral::tcb_info}, Part{&TdxCollateral::tcb_info_signature},
                          Part{&TdxCollateral::tcb_info_issuer_chain}, Part{&TdxCollateral::pck_crl_issuer_chain}}) {
    for (const bool before : {false, true}) {
      TdxCollateral collateral = platform.build();
      std::string& text = collateral.*part;
      text = before ? "x" + text : text + "x";
      EXPECT_EQ(judge_collateral_of(platform, collateral).outcome(), Outcome::kRejected);
    }
  }
  TdxCollateral followed = platform.build();
  followed.pck_crl.push_back(0);
  EXPECT_EQ(failing(judge_collateral_of(platform, followed)), Ids{"tdx.collateral.pck_crl.form"});
}

TEST(TdxPitfall, No23SizesDoNotOverflow) {
  // Offsets of sizes in a version 4 quote: signature data, certification, authentication data, chain.
  for (const std::size_t at : {std::size_t{632}, std::size_t{766}, std::size_t{1218}, std::size_t{1254}}) {
    for (const std::uint8_t fill : {std::uint8_t{0xff}, std::uint8_t{0x7f}, std::uint8_t{0}}) {
      Bytes quote = up_to_date();
      std::fill_n(quote.begin() + static_cast<std::ptrdiff_t>(at), at == 1218 ? 2 : 4, fill);
      EXPECT_EQ(failing(judge(quote, bundle_of_2025())), Ids{"tdx.quote.form"}) << at << " " << int{fill};
    }
  }
  Bytes v5 = recorded_quote("v5_90c06f_outdated.bin");
  std::fill_n(v5.begin() + 50, 4, std::uint8_t{0xff});
  EXPECT_EQ(failing(judge(v5, bundle_of_2025())), Ids{"tdx.quote.form"});
}

TEST(TdxPitfall, No24LengthsInACertificateAreBounded) {
  // A sequence that claims to have 16 MiB, and one nested in itself 64 times.
  EXPECT_REFUSED(parse_pck_extension(Bytes{0x30, 0x83, 0xff, 0xff, 0xff, 0x30, 0x00}),
                 "DER: a value of 16777215 bytes has only 2");
  EXPECT_REFUSED(parse_pck_extension(Bytes{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}), "DER: bad length");
  Bytes nested;
  for (int i = 0; i < 64; ++i) nested = der(0x30, nested);
  EXPECT_REFUSED(parse_pck_extension(nested), "DER: expected tag 6, found 48");
  EXPECT_REFUSED(crypto::Crl::from_der(Bytes{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff, 0x30}),
                 "revocation list: not an X.509 revocation list in DER");
}

// (r, n - s) verifies as well, and genuine quoting enclaves make either: two different quotes say the same.
TEST(TdxPitfall, No25AQuotesBytesAreNoIdentity) {
  const Bytes order = *from_hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  const Bytes quote = up_to_date();
  Bytes other = quote;
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    std::uint8_t& s = other[kSignatureAt + 32 + i];
    const int digit = int{order[i]} - int{s} - borrow;
    borrow = digit < 0 ? 1 : 0;
    s = static_cast<std::uint8_t>(digit + (borrow != 0 ? 256 : 0));
  }
  EXPECT_NE(quote, other);
  EXPECT_EQ(failing(judge(other, bundle_of_2025())), Ids{});
}

// Whoever holds a machine can extract its attestation key, and no check of a quote can tell. A verifier can only name
// the machines that it trusts.
TEST(TdxPitfall, No42OnlyNamedMachinesWhereThePolicyNamesThem) {
  Policy policy = any_code();
  policy.tdx.platform_ids = {Bytes(32, 0)};
  const Verdict refused = judge(up_to_date(), bundle_of_2025(), kJune2025, policy);
  EXPECT_EQ(failing(refused), Ids{"tdx.pck.platform"});
  policy.tdx.platform_ids.insert(*from_hex(refused.find("tdx.pck.platform")->actual));
  EXPECT_EQ(failing(judge(up_to_date(), bundle_of_2025(), kJune2025, policy)), Ids{});
}

TEST(TdxPitfall, No43TheTimeJudgedAtIsReported) {
  const Verdict verdict = judge(up_to_date(), bundle_of_2025());
  EXPECT_EQ(verdict.facts["judged_at"], "2025-06-21T10:00:00Z");
  EXPECT_EQ(verdict.facts["collateral_expires"], "2025-07-19T10:00:35Z");
}

TEST(TdxPitfall, No45ASkippedCheckIsNoYes) {
  for (Bytes TdxCollateral::*list : {&TdxCollateral::root_ca_crl, &TdxCollateral::pck_crl}) {
    TdxCollateral collateral = bundle_of_2025();
    (collateral.*list).clear();
    const Verdict verdict = judge(up_to_date(), collateral);
    EXPECT_EQ(failing(verdict), Ids{});
    EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  }
}

}  // namespace
}  // namespace cloister::verify
