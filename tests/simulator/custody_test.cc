// Key custody in reports whose quote binds a keyset. The keys whose custody is proven have to be the keys in use.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "tests/simulator/expect_service_failing.h"

namespace cloister::testing {
namespace {

using verify::Outcome;
using verify::State;

Json custody_of(const std::string& role, const std::string& public_key) {
  const Json key = {{"role", role},
                    {"path", "aci/" + role + "/v1"},
                    {"purpose", "aci." + role + ".v1"},
                    {"algo", "ed25519"},
                    {"public_key", public_key},
                    {"kms_public_key", std::string(66, '2')},
                    {"signature_chain", Json::array({std::string(130, '3'), std::string(130, '4')})}};
  return {{"provider", "dstack-kms"}, {"keys", Json::array({key})}};
}

std::string receipt_key(const ServiceCase& c, Json::json_pointer keyset) {
  return c.report.at(keyset)["receipt_signing_keys"][0]["public_key"];
}

// Describes where a report of this form has its keyset, and which members describe its boot.
struct Form {
  ServiceCase (*make)();
  Json::json_pointer keyset, evidence;
};
const Form kForms[] = {
    {aci_case, Json::json_pointer("/attestation/workload_keyset"), Json::json_pointer("/attestation/evidence")},
    {native_case, Json::json_pointer("/keyset"), Json::json_pointer("")}};

// A log would name the application of the chains, and these chains belong to none.
ServiceCase make_without_log(const Form& form) {
  ServiceCase c = form.make();
  for (const char* name : {"event_log", "cloister_policy", "info"}) c.report[form.evidence].erase(name);
  return c;
}

TEST(KeyCustody, OfTheKeysInUseIsAccepted) {
  for (const Form& form : kForms) {
    ServiceCase c = make_without_log(form);
    EXPECT_EQ(c.judge_report().find("keyset.custody")->state, State::kNotApplicable) << "the TEE is simulated";
    c.policy.service.accept_unproven_custody = true;  // no other key of the keyset has a chain
    c.report[form.evidence]["key_custody"] = custody_of("receipt", receipt_key(c, form.keyset));
    const verify::Verdict verdict = c.judge_report();
    EXPECT_EQ(ids_in(verdict, State::kFail), Ids{}) << to_text(verdict, false);
    EXPECT_EQ(verdict.find("keyset.custody")->state, State::kPass);
  }
}

TEST(KeyCustody, OfOtherKeysOrInOtherRolesIsRejected) {
  for (const Form& form : kForms) {
    ServiceCase c = make_without_log(form);
    c.policy.service.accept_unproven_custody = true;
    c.report[form.evidence]["key_custody"] = custody_of("receipt", std::string(64, 'a'));
    EXPECT_EQ(c.judge_report().outcome(), Outcome::kRejected);
    EXPECT_EQ(ids_in(c.judge_report(), State::kFail), Ids{"keyset.custody"});
    c.report[form.evidence]["key_custody"] = custody_of("e2ee", receipt_key(c, form.keyset));
    EXPECT_EQ(ids_in(c.judge_report(), State::kFail), Ids{"keyset.custody"});
  }
}

TEST(NamedReportData, OfASimulatedQuote) {
  ServiceCase c = aci_case();
  c.policy.report_data = {Bytes(64, 1)};
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kRejected);
  EXPECT_EQ(ids_in(c.judge_report(), State::kFail), Ids{"tee.report_data"});
  c.policy.report_data.insert(*from_hex(c.report["attestation"]["evidence"]["quote_report_data"].get<std::string>()));
  EXPECT_EQ(c.judge_report().outcome(), Outcome::kAccepted);
  EXPECT_EQ(c.judge_report().find("tee.report_data")->state, State::kPass);
}

}  // namespace
}  // namespace cloister::testing
