// Every check about collateral fails with one change each, under authorities of our own whose signatures stay valid.
#include "verify/tdx/collateral_checks.h"

#include <gtest/gtest.h>

#include <functional>

#include "verify/testing/own_platform.h"
#include "verify/testing/verdict_ids.h"

namespace cloister::verify {
namespace {

using crypto::Certificate;
using testing::der_extension;
using testing::der_integer;
using testing::failing;
using testing::Ids;
using testing::ids_in;
using testing::kIssued;
using testing::kNow;
using testing::kSuperseded;
using testing::OwnPlatform;

struct Case {
  OwnPlatform platform;
  TdxPolicy policy;
  UnixSeconds time = kNow;
  std::function<void(TdxCollateral&)> tamper;            // after signing
  std::function<void(std::vector<Certificate>&)> chain;  // the quote's PCK chain
};

Verdict judge(const Case& c) {
  TdxCollateral collateral = c.platform.build();
  if (c.tamper) c.tamper(collateral);
  std::vector<Certificate> chain = c.platform.pck_chain();
  if (c.chain) c.chain(chain);
  Verdict verdict;
  add_collateral_checks(judge_collateral(collateral, c.platform.root()), chain, c.policy, c.time, verdict);
  return verdict;
}

Ids full(const std::string& prefix, std::initializer_list<const char*> names) {
  Ids out;
  for (const char* name : names) out.insert("tdx.collateral." + prefix + "." + name);
  return out;
}

TEST(CollateralChecks, GoodCollateralPasses) {
  const Verdict verdict = judge({});
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.checks.size(), 22u);
  EXPECT_EQ(ids_in(verdict, State::kPass).size(), 22u);
  EXPECT_EQ(verdict.facts["evaluation_data_numbers"], Json({{"tcb_info", 17}, {"qe_identity", 17}}));
  EXPECT_EQ(verdict.facts["collateral_expires"], to_rfc3339(kSuperseded));
}

// Each of the four is signed on its own, so an attacker may mix old and new ones (docs/pitfalls.md, 8 and 9).
TEST(CollateralChecks, EachWindowIsMissedOnBothSides) {
  struct Window {
    const char* id;
    std::function<void(Case&, UnixSeconds, UnixSeconds)> set;
  };
  const auto document = [](Json& json, UnixSeconds from, UnixSeconds until) {
    json["issueDate"] = to_rfc3339(from);
    json["nextUpdate"] = to_rfc3339(until);
  };
  const auto list = [](testing::CrlMaker& maker, UnixSeconds from, UnixSeconds until) {
    maker.this_update = from;
    maker.next_update = until;
  };
  const Window windows[] = {
      {"tdx.collateral.tcb_info.window",
       [&](Case& c, UnixSeconds a, UnixSeconds b) { document(c.platform.tcb_info, a, b); }},
      {"tdx.collateral.qe_identity.window",
       [&](Case& c, UnixSeconds a, UnixSeconds b) { document(c.platform.qe_identity, a, b); }},
      {"tdx.collateral.root_crl.window",
       [&](Case& c, UnixSeconds a, UnixSeconds b) { list(c.platform.root_crl, a, b); }},
      {"tdx.collateral.pck_crl.window", [&](Case& c, UnixSeconds a, UnixSeconds b) { list(c.platform.pck_crl, a, b); }},
  };
  for (const Window& window : windows) {
    struct {
      UnixSeconds from, until;
      bool good;
    } const sides[] = {
        {kNow, kNow + 1, true}, {kNow + 1, kNow + 9, false}, {kNow - 9, kNow, false}, {kNow - 9, kNow - 1, false}};
    for (const auto& side : sides) {
      Case c;
      window.set(c, side.from, side.until);
      EXPECT_EQ(failing(judge(c)), side.good ? Ids{} : Ids{window.id}) << window.id;
    }
    Case c;
    window.set(c, kIssued, kNow + 7);
    EXPECT_EQ(judge(c).facts["collateral_expires"], to_rfc3339(kNow + 7)) << window.id;
  }
}

TEST(CollateralChecks, CertificatesAreJudgedAtTheTime) {
  Case c;
  c.time = testing::kCertificatesFrom - 1;
  Ids failed = failing(judge(c));
  for (const char* id :
       {"tdx.collateral.tcb_info.chain", "tdx.collateral.qe_identity.chain", "tdx.collateral.pck_crl.chain"}) {
    EXPECT_TRUE(failed.contains(id)) << id;
  }
  c.time = testing::kCertificatesUntil + 1;
  failed = failing(judge(c));
  EXPECT_TRUE(failed.contains("tdx.collateral.tcb_info.chain"));
  EXPECT_FALSE(failed.contains("tdx.collateral.tcb_info.signature"));
}

struct Row {
  const char* what;
  std::function<void(Case&)> change;
  Ids failing;
  Ids skipped = {};
};

void flip(std::string& text, std::size_t at) { text.at(at) = static_cast<char>(text.at(at) ^ 1); }

TEST(CollateralChecks, EachFailsForItsOwnReason) {
  const Row rows[] = {
      {"TCB info changed after signing",
       [](Case& c) { c.tamper = [](TdxCollateral& t) { t.tcb_info.replace(t.tcb_info.find(":17"), 3, ":18"); }; },
       {"tdx.collateral.tcb_info.signature"}},
      {"TCB info serialised anew",
       [](Case& c) { c.tamper = [](TdxCollateral& t) { t.tcb_info.insert(1, " "); }; },
       {"tdx.collateral.tcb_info.signature"}},
      {"TCB info signature changed",
       [](Case& c) { c.tamper = [](TdxCollateral& t) { flip(t.tcb_info_signature, 9); }; },
       {"tdx.collateral.tcb_info.signature"}},
      {"TCB info signature too short",
       [](Case& c) { c.tamper = [](TdxCollateral& t) { t.tcb_info_signature.resize(126); }; },
       {"tdx.collateral.tcb_info.signature"}},
      {"TCB info signature of zeros",
       [](Case& c) { c.tamper = [](TdxCollateral& t) { t.tcb_info_signature.assign(128, '0'); }; },
       {"tdx.collateral.tcb_info.signature"}},
      {"TCB info followed by something",
       [](Case& c) { c.tamper = [](TdxCollateral& t) { t.tcb_info += "x"; }; },
       {"tdx.collateral.tcb_info.form", "tdx.collateral.tcb_info.signature"},
       {"tdx.collateral.tcb_info.kind", "tdx.collateral.tcb_info.window", "tdx.collateral.evaluation_data_number"}},
      {"TCB info of SGX",
       [](Case& c) {
         c.platform.tcb_info["id"] = "SGX";
         for (Json& level : c.platform.tcb_info["tcbLevels"]) level["tcb"].erase("tdxtcbcomponents");
       },
       {"tdx.collateral.tcb_info.kind"}},
      {"QE identity of SGX", [](Case& c) { c.platform.qe_identity["id"] = "QE"; }, {"tdx.collateral.qe_identity.kind"}},
      {"QE identity changed after signing",
       [](Case& c) { c.tamper = [](TdxCollateral& t) { t.qe_identity.replace(t.qe_identity.find(":17"), 3, ":18"); }; },
       {"tdx.collateral.qe_identity.signature"}},
      {"QE identity of version 1",
       [](Case& c) { c.platform.qe_identity["version"] = 1; },
       {"tdx.collateral.qe_identity.form"},
       {"tdx.collateral.qe_identity.kind", "tdx.collateral.qe_identity.window",
        "tdx.collateral.evaluation_data_number"}},
      {"the two swapped",
       [](Case& c) {
         c.tamper = [](TdxCollateral& t) {
           std::swap(t.tcb_info, t.qe_identity);
           std::swap(t.tcb_info_signature, t.qe_identity_signature);
         };
       },
       {"tdx.collateral.tcb_info.form", "tdx.collateral.qe_identity.form"},
       {"tdx.collateral.tcb_info.kind", "tdx.collateral.qe_identity.kind", "tdx.collateral.tcb_info.window",
        "tdx.collateral.qe_identity.window", "tdx.collateral.evaluation_data_number"}},
      {"signed in another role",
       [](Case& c) { c.platform.signing_name = "Intel SGX PCK Certificate"; },
       {"tdx.collateral.tcb_info.chain", "tdx.collateral.qe_identity.chain"}},
      {"signed by the platform's own leaf",
       [](Case& c) {
         c.tamper = [&c](TdxCollateral& t) {
           t.tcb_info_issuer_chain = c.platform.leaf().to_pem() + c.platform.ca().to_pem() + c.platform.root().to_pem();
           t.tcb_info_signature = to_hex(c.platform.pck_key.sign(as_bytes(t.tcb_info)));
         };
       },
       {"tdx.collateral.tcb_info.chain"}},
      {"issuer chain without its root",
       [](Case& c) { c.tamper = [&c](TdxCollateral& t) { t.tcb_info_issuer_chain = c.platform.signer().to_pem(); }; },
       {"tdx.collateral.tcb_info.chain"}},
      {"issuer chain with one more",
       [](Case& c) { c.tamper = [&c](TdxCollateral& t) { t.qe_identity_issuer_chain += c.platform.root().to_pem(); }; },
       {"tdx.collateral.qe_identity.chain"}},
      {"issuer chain that is none",
       [](Case& c) { c.tamper = [](TdxCollateral& t) { t.tcb_info_issuer_chain = "x"; }; },
       {"tdx.collateral.tcb_info.chain"},
       {"tdx.collateral.tcb_info.signature", "tdx.collateral.tcb_info.revocation"}},
      {"signer under another root of the same name",
       [](Case& c) {
         c.tamper = [&c](TdxCollateral& t) {
           const auto other = OwnPlatform::key("another root");
           const auto name = "Intel SGX Root CA";
           t.tcb_info_issuer_chain =
               OwnPlatform::issue("Intel SGX TCB Signing", name, 3, false, {}, c.platform.signing_key, other).to_pem() +
               OwnPlatform::issue(name, name, 1, true, 1, other, other).to_pem();
         };
       },
       {"tdx.collateral.tcb_info.chain"}},
      {"signing certificate revoked",
       [](Case& c) { c.platform.root_crl.revoked = {{3}}; },
       {"tdx.collateral.tcb_info.revocation", "tdx.collateral.qe_identity.revocation"}},
      {"platform certificate revoked",
       [](Case& c) {
         c.platform.pck_crl.revoked = {{9}, {0, 4}};
       },
       {"tdx.pck.revocation"}},
      {"platform authority revoked", [](Case& c) { c.platform.root_crl.revoked = {{2}}; }, {"tdx.pck.revocation"}},
      {"root revoked by itself", [](Case& c) { c.platform.root_crl.revoked = {{1}}; }, {"tdx.pck.revocation"}},
      {"another platform revoked",
       [](Case& c) {
         c.platform.pck_crl.revoked = {{9}, {4, 0}};
       },
       {}},
      {"root list signed by another",
       [](Case& c) {
         c.tamper = [&c](TdxCollateral& t) { t.root_ca_crl = c.platform.root_crl.sign(c.platform.ca_key); };
       },
       {"tdx.collateral.root_crl.signature"}},
      {"platform list signed by another",
       [](Case& c) { c.tamper = [&c](TdxCollateral& t) { t.pck_crl = c.platform.pck_crl.sign(c.platform.pck_key); }; },
       {"tdx.collateral.pck_crl.signature"}},
      {"root list in place of the platform list",
       [](Case& c) { c.tamper = [](TdxCollateral& t) { t.pck_crl = t.root_ca_crl; }; },
       {"tdx.collateral.pck_crl.issuer", "tdx.collateral.pck_crl.signature"}},
      {"delta list",
       [](Case& c) {
         c.platform.pck_crl.extensions = {der_extension({0x55, 0x1d, 0x1b}, true, der_integer(Bytes{1}))};
       },
       {"tdx.collateral.pck_crl.form"},
       {"tdx.collateral.pck_crl.signature", "tdx.collateral.pck_crl.window", "tdx.collateral.pck_crl.issuer",
        "tdx.pck.revocation"}},
      {"root list with an unknown critical extension",
       [](Case& c) {
         c.platform.root_crl.extensions = {der_extension({0x2a, 0x03}, true, {0x05, 0x00})};
       },
       {"tdx.collateral.root_crl.form"},
       {"tdx.collateral.root_crl.signature", "tdx.collateral.root_crl.window", "tdx.pck.revocation",
        "tdx.collateral.tcb_info.revocation", "tdx.collateral.qe_identity.revocation"}},
      {"list of the processor authority",
       [](Case& c) {
         c.tamper = [&c](TdxCollateral& t) {
           const std::string name = "Intel SGX PCK Processor CA";
           const auto other = OwnPlatform::key("processor");
           t.pck_crl_issuer_chain =
               OwnPlatform::issue(name, "Intel SGX Root CA", 7, true, 0, other, c.platform.root_key).to_pem() +
               c.platform.root().to_pem();
           testing::CrlMaker list = c.platform.pck_crl;
           list.issuer_common_name = name;
           t.pck_crl = list.sign(other);
         };
       },
       {"tdx.collateral.pck_crl.issuer"}},
      {"list of an authority of the same name with another key",
       [](Case& c) {
         c.tamper = [&c](TdxCollateral& t) {
           const auto other = OwnPlatform::key("second platform authority");
           t.pck_crl_issuer_chain =
               OwnPlatform::issue(c.platform.ca_name, "Intel SGX Root CA", 7, true, 0, other, c.platform.root_key)
                   .to_pem() +
               c.platform.root().to_pem();
           t.pck_crl = c.platform.pck_crl.sign(other);
         };
       },
       {"tdx.collateral.pck_crl.issuer"}},
      {"list's issuer in another role",
       [](Case& c) {
         c.tamper = [&c](TdxCollateral& t) {
           t.pck_crl_issuer_chain = c.platform.signer().to_pem() + c.platform.root().to_pem();
         };
       },
       {"tdx.collateral.pck_crl.chain", "tdx.collateral.pck_crl.signature", "tdx.collateral.pck_crl.issuer"}},
      {"list's issuer is no authority",
       [](Case& c) {
         c.tamper = [&c](TdxCollateral& t) {
           t.pck_crl_issuer_chain = OwnPlatform::issue(c.platform.ca_name, "Intel SGX Root CA", 2, false, {},
                                                       c.platform.ca_key, c.platform.root_key)
                                        .to_pem() +
                                    c.platform.root().to_pem();
         };
       },
       {"tdx.collateral.pck_crl.chain", "tdx.collateral.pck_crl.signature"}},
      {"evaluation too old",
       [](Case& c) { c.policy.min_evaluation_data_number = 18; },
       {"tdx.collateral.evaluation_data_number"}},
      {"one evaluation too old",
       [](Case& c) {
         c.policy.min_evaluation_data_number = 17;
         c.platform.qe_identity["tcbEvaluationDataNumber"] = 16;
       },
       {"tdx.collateral.evaluation_data_number"}},
      {"no PCK chain in the quote",
       [](Case& c) { c.chain = [](auto& chain) { chain.clear(); }; },
       {},
       {"tdx.collateral.pck_crl.issuer", "tdx.pck.revocation"}},
  };
  for (const Row& row : rows) {
    Case c;
    row.change(c);
    const Verdict verdict = judge(c);
    EXPECT_EQ(failing(verdict), row.failing) << row.what << "\n" << to_text(verdict, false);
    EXPECT_EQ(ids_in(verdict, State::kSkipped), row.skipped) << row.what;
    EXPECT_EQ(verdict.checks.size(), 22u) << row.what;
    if (!row.failing.empty()) {
      EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << row.what;
    } else if (!row.skipped.empty()) {
      EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << row.what;
    }
  }
}

TEST(CollateralChecks, WhatIsMissingIsSkippedAndRequired) {
  struct {
    const char* what;
    std::function<void(TdxCollateral&)> remove;
    Ids skipped;
  } const rows[] = {
      {"TCB info", [](TdxCollateral& t) { t.tcb_info.clear(); },
       [] {
         Ids ids = full("tcb_info", {"form", "kind", "chain", "signature", "window", "revocation"});
         ids.insert("tdx.collateral.evaluation_data_number");
         return ids;
       }()},
      {"QE identity", [](TdxCollateral& t) { t.qe_identity.clear(); },
       [] {
         Ids ids = full("qe_identity", {"form", "kind", "chain", "signature", "window", "revocation"});
         ids.insert("tdx.collateral.evaluation_data_number");
         return ids;
       }()},
      {"root list",
       [](TdxCollateral& t) { t.root_ca_crl.clear(); },
       {"tdx.collateral.root_crl.form", "tdx.collateral.root_crl.signature", "tdx.collateral.root_crl.window",
        "tdx.collateral.tcb_info.revocation", "tdx.collateral.qe_identity.revocation", "tdx.pck.revocation"}},
      {"platform list",
       [](TdxCollateral& t) {
         t.pck_crl.clear();
         t.pck_crl_issuer_chain.clear();
       },
       {"tdx.collateral.pck_crl.form", "tdx.collateral.pck_crl.chain", "tdx.collateral.pck_crl.issuer",
        "tdx.collateral.pck_crl.signature", "tdx.collateral.pck_crl.window", "tdx.pck.revocation"}},
  };
  for (const auto& row : rows) {
    Case c;
    c.tamper = row.remove;
    const Verdict verdict = judge(c);
    EXPECT_EQ(failing(verdict), Ids{}) << row.what;
    EXPECT_EQ(ids_in(verdict, State::kSkipped), row.skipped) << row.what;
    EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << row.what;
  }
}

// A list that could not be used in full still revokes what it names.
TEST(CollateralChecks, ARevocationIsNotHiddenByWhatIsMissing) {
  Case c;
  c.platform.pck_crl.revoked = {{4}};
  c.tamper = [](TdxCollateral& t) { t.root_ca_crl.clear(); };
  EXPECT_EQ(failing(judge(c)), Ids{"tdx.pck.revocation"});
}

TEST(CollateralChecks, UndoneMeansAllOfThem) {
  Verdict verdict;
  add_collateral_checks_undone(State::kSkipped, "why", verdict);
  EXPECT_EQ(ids_in(verdict, State::kSkipped), ids_in(judge({}), State::kPass));
  Verdict other;
  add_collateral_checks_undone(State::kNotApplicable, "why", other);
  EXPECT_EQ(ids_in(other, State::kNotApplicable).size(), 22u);
}

}  // namespace
}  // namespace cloister::verify
