// ACI reports (`aci/1`) on simulated evidence. A genuine report is accepted, and every change fails its own check.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "evidence/aci/keyset.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "tests/simulator/expect_service_failing.h"
#include "tests/simulator/forgery.h"

namespace cloister::testing {
namespace {

using verify::Outcome;
using verify::State;

Json& keyset_in(ServiceCase& c) { return c.report["attestation"]["workload_keyset"]; }

void flip_digit(Json& text, std::size_t at) {
  char& digit = text.get_ref<std::string&>()[at];
  digit = digit == '1' ? '2' : '1';
}

// The digest next to the keyset changes too, as an attacker who swaps keys would do.
void rename_keyset(ServiceCase& c) {
  c.report["workload_keyset_digest"] = evidence::digest_text(*evidence::document_digest(keyset_in(c)));
}

// Binds a keyset of the attacker's choice with a quote of the same TEE.
void bind_keyset(ServiceCase& c, const std::function<void(Json&)>& edit) {
  Json keyset = service().keyset();
  edit(keyset);
  const ByteArray<32> digest = *evidence::document_digest(keyset);
  c.report = service().aci_report_around(
      keyset, evidence::statement_report_data(evidence::aci_statement(digest, test_nonce())));
}

TEST(AciReport, AGenuineOneIsAccepted) {
  const verify::Verdict verdict = aci_case().judge_report();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.facts["report_data_layout"], "A1");
  EXPECT_EQ(verdict.facts["tee_type"], "insecure_simulator");
  EXPECT_EQ(verdict.facts["keyset_digest"], aci_case().report["workload_keyset_digest"]);
  EXPECT_EQ(verify::attested_address(verdict), node().address(evidence::SigningAlgo::kEd25519));
  ServiceCase strict = aci_case();
  strict.policy.accept_simulator = false;
  EXPECT_EQ(ids_in(strict.judge_report(), State::kFail), Ids{"tee.simulator"});
}

TEST(AciReport, EveryChangeFailsItsOwnCheck) {
  expect_service_failing(
      aci_case(), &ServiceCase::judge_report,
      {
          {"another version", [](ServiceCase& c) { c.report["api_version"] = "aci/2"; }, {"report.form"}},
          {"a member too many", [](ServiceCase& c) { c.report["verified"] = true; }, {"report.form"}},
          {"a key role too many", [](ServiceCase& c) { keyset_in(c)["admin_keys"] = Json::array(); }, {"report.form"}},
          {"two kinds of report in one", [](ServiceCase& c) { c.report["intel_quote"] = "00"; }, {"report.form"}},
          {"digest in capitals",
           [](ServiceCase& c) {
             std::string digest = c.report["workload_keyset_digest"];
             for (char& ch : digest) ch = static_cast<char>(std::toupper(ch));
             c.report["workload_keyset_digest"] = "sha256:" + digest.substr(7);
           },
           {"report.form"}},
          {"the attacker's key",
           [](ServiceCase& c) { keyset_in(c)["receipt_signing_keys"][0]["public_key"] = std::string(64, 'a'); },
           {"keyset.digest", "report_data.identity"}},
          {"the attacker's key and its digest",
           [](ServiceCase& c) {
             keyset_in(c)["receipt_signing_keys"][0]["public_key"] = std::string(64, 'a');
             rename_keyset(c);
           },
           {"report_data.identity"}},
          {"another digest",
           [](ServiceCase& c) { flip_digit(c.report["workload_keyset_digest"], 9); },
           {"keyset.digest"}},
          {"for another nonce", [](ServiceCase& c) { c.expected.nonce->at(3) ^= 1; }, {"report_data.identity"}},
          {"for no nonce",
           [](ServiceCase& c) { c.report = service().aci_report(std::nullopt); },
           {"report_data.nonce"}},
          {"shown report data",
           [](ServiceCase& c) { flip_digit(c.report["attestation"]["report_data"], 0); },
           {"report.report_data_copy"}},
          {"report data of the evidence",
           [](ServiceCase& c) { c.report["attestation"]["evidence"]["quote_report_data"] = std::string(128, '0'); },
           {"report.report_data_copy"}},
          {"short report data",
           [](ServiceCase& c) { c.report["attestation"]["report_data"] = "00"; },
           {"report.report_data_copy"}},
          {"named as real", [](ServiceCase& c) { c.report["attestation"]["tee_type"] = "tdx"; }, {"report.tee_type"}},
          {"expired", [](ServiceCase& c) { c.time = kNotAfter; }, {"keyset.not_after"}},
          {"the channel ends elsewhere",
           [](ServiceCase& c) { c.expected.tls_spki_sha256.emplace().fill(0x11); },
           {"report_data.tls"}},
          {"the TLS key of another host",
           [](ServiceCase& c) {
             c.expected.tls_spki_sha256.emplace().fill(0xcc);
             c.expected.tls_host = "evil.example.com";
           },
           {"report_data.tls"}},
          {"another encryption key",
           [](ServiceCase& c) { c.expected.e2ee_public_key = std::string(64, 'd'); },
           {"report_data.e2ee"}},
          {"points at another TLS key",
           [](ServiceCase& c) {
             c.report["attestation"]["evidence"]["downstream_tls_binding"] = {{"spki_sha256", std::string(64, '1')},
                                                                              {"domain", "api.example.com"}};
           },
           {"report.downstream_tls"}},
          {"one key, two roles",
           [](ServiceCase& c) {
             bind_keyset(c, [](Json& keyset) {
               keyset["e2ee_public_keys"][0]["public_key"] = keyset["receipt_signing_keys"][0]["public_key"];
             });
           },
           {"keyset.roles"}},
          {"one id, two keys",
           [](ServiceCase& c) {
             bind_keyset(c, [](Json& keyset) { keyset["receipt_signing_keys"][1]["key_id"] = "receipt-1"; });
           },
           {"keyset.roles"}},
          {"no key for receipts",
           [](ServiceCase& c) { bind_keyset(c, [](Json& keyset) { keyset["receipt_signing_keys"] = Json::array(); }); },
           {"keyset.roles"}},
          {"something in the second half",
           [](ServiceCase& c) {
             evidence::ReportData data = evidence::statement_report_data(
                 evidence::aci_statement(*evidence::document_digest(service().keyset()), test_nonce()));
             data[63] = 1;
             c.report = service().aci_report_around(service().keyset(), data);
           },
           {"report_data.padding"}},
          {"a quote that is none",
           [](ServiceCase& c) { c.report["attestation"]["evidence"]["quote"] = "0400"; },
           {"tdx.quote.form"}},
      });
}

TEST(AciReport, KeysInUseThatTheKeysetListsPass) {
  ServiceCase c = aci_case();
  c.expected.tls_spki_sha256.emplace().fill(0xcc);
  c.expected.tls_host = "API.example.com";
  c.expected.e2ee_public_key = std::string(64, 'E');
  const verify::Verdict verdict = c.judge_report();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("report_data.tls")->state, State::kPass);
  EXPECT_EQ(verdict.find("report_data.e2ee")->state, State::kPass);
}

// A listed key without a mark may belong to anybody. A marked key states its own origin.
TEST(AciReport, ATlsKeyThatWasNotBornInTheTeeIsNoneOfTheTees) {
  struct Row {
    const char* name;
    void (*change)(Json& keyset);
    const char* origin;
  };
  const Row table[] = {
      {"no mark", [](Json& keyset) { keyset["e2ee_public_keys"].erase(1); }, "unknown"},
      {"given", [](Json& keyset) { keyset["e2ee_public_keys"][1]["algo"] = evidence::kTlsGivenAlgo; }, "given"},
      {"given and not listed",
       [](Json& keyset) {
         keyset["e2ee_public_keys"][1]["algo"] = evidence::kTlsGivenAlgo;
         keyset["tls_public_keys"] = Json::array();
       },
       "given"},
      {"both",
       [](Json& keyset) {
         Json mark = keyset["e2ee_public_keys"][1];
         mark["algo"] = evidence::kTlsGivenAlgo;
         mark["key_id"] = "tls-2";
         mark["public_key"] = std::string(64, 'C');
         keyset["e2ee_public_keys"].push_back(mark);
       },
       "given"},
      {"the mark of another key",
       [](Json& keyset) { keyset["e2ee_public_keys"][1]["public_key"] = std::string(64, 'd'); }, "unknown"},
  };
  for (const Row& row : table) {
    ServiceCase c = aci_case();
    bind_keyset(c, row.change);
    c.expected.tls_spki_sha256.emplace().fill(0xcc);
    c.expected.tls_host = "api.example.com";
    verify::Verdict verdict = c.judge_report();
    const verify::Check* check = verdict.find("report_data.tls");
    if (std::string_view(row.name) == "both") {
      EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << "keyset.roles";
    } else {
      EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << row.name << to_text(verdict, false);
    }
    EXPECT_TRUE(check->state == State::kSkipped && check->required) << row.name;
    EXPECT_EQ(verdict.facts["tls_key_origin"], row.origin) << row.name;
    c.policy.service.accept_unproven_tls_keys = true;
    verdict = c.judge_report();
    EXPECT_EQ(verdict.find("report_data.tls")->state, State::kPass) << row.name;
    // A given key is reported even where there is no connection.
    c.policy.service.accept_unproven_tls_keys = false;
    c.expected.tls_spki_sha256.reset();
    check = nullptr;
    verdict = c.judge_report();
    EXPECT_EQ(verdict.find("report_data.tls")->required, std::string_view(row.origin) == "given") << row.name;
    c.expected.no_connection = false;
    EXPECT_TRUE(c.judge_report().find("report_data.tls")->required) << row.name;
  }
}

// A genuine report proves nothing about a connection whose key was left out: anybody in the way can pass the report on.
TEST(AciReport, ALeftOutTlsKeyIsNoYes) {
  for (const ServiceCase& good : {aci_case(), native_case()}) {
    ServiceCase c = good;
    EXPECT_EQ(c.judge_report().outcome(), Outcome::kAccepted);
    c.expected.no_connection = false;
    const verify::Verdict verdict = c.judge_report();
    EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
    EXPECT_EQ(verdict.find("report_data.tls")->state, State::kSkipped);
    EXPECT_TRUE(verdict.find("report_data.tls")->required);
    bind_keyset(c, [](Json& keyset) {
      keyset["e2ee_public_keys"].erase(1);
      keyset["tls_public_keys"] = Json::array();
    });
    EXPECT_EQ(c.judge_report().outcome(), Outcome::kAccepted) << "a keyset without a TLS key leaves nothing to compare";
  }
}

TEST(AciReport, WithoutOwnNonceIsUndetermined) {
  ServiceCase c = aci_case();
  c.expected.nonce.reset();
  verify::Verdict verdict = c.judge_report();
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict.find("report_data.identity")->state, State::kSkipped);
  // The form without a nonce proves the keyset but not freshness.
  c.report = service().aci_report(std::nullopt);
  verdict = c.judge_report();
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict.find("report_data.identity")->state, State::kPass);
  EXPECT_TRUE(ids_in(verdict, State::kSkipped).contains("report_data.nonce"));
  c.policy.require_nonce = false;
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kAccepted);
}

TEST(AciReport, AnAggregatorIsUndeterminedUnlessItsWordIsTaken) {
  for (const char* serving : {"aggregator", "upstream", ""}) {
    ServiceCase c = aci_case();
    c.report["service_capabilities"]["serving"] = serving;
    EXPECT_EQ(c.judge_report().outcome(), Outcome::kUndetermined) << serving;
    c.policy.service.accept_upstream_claims = true;
    const verify::Verdict verdict = c.judge_report();
    EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << serving;
    EXPECT_EQ(verdict.find("report.serving")->state, State::kSkipped);
  }
}

}  // namespace
}  // namespace cloister::testing
