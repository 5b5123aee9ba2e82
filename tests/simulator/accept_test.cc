// A genuine report of a node on the simulated TEE is accepted when the policy accepts the simulator by name, and
// rejected otherwise.
#include <gtest/gtest.h>

#include <cctype>

#include "evidence/measured_events.h"
#include "evidence/native_report.h"
#include "tests/simulator/expect_failing.h"
#include "tests/simulator/forgery.h"

namespace cloister::testing {
namespace {

using evidence::SigningAlgo;
using verify::Outcome;
using verify::State;
using verify::Verdict;

class Algorithms : public ::testing::TestWithParam<SigningAlgo> {};
INSTANTIATE_TEST_SUITE_P(Both, Algorithms, ::testing::Values(SigningAlgo::kEcdsa, SigningAlgo::kEd25519));

TEST_P(Algorithms, AcceptedByNameAndTheVerdictStillSaysIt) {
  Ask ask = test_ask();
  ask.algo = GetParam();
  const Case genuine = genuine_case(ask);
  const Verdict verdict = genuine.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(ids_in(verdict, State::kSkipped), Ids{});
  EXPECT_EQ(verdict.facts["tee_type"], "insecure_simulator");
  EXPECT_EQ(verdict.facts["signing_address"], node().address(GetParam()));
  EXPECT_EQ(verify::attested_address(verdict), node().address(GetParam()));
  EXPECT_EQ(verdict.facts["report_data_layout"], "L1");
  EXPECT_EQ(verdict.facts["fmspc"], "00514d000000");
  EXPECT_EQ(verdict.facts["gpus"].size(), 2u);
  EXPECT_NE(to_text(verdict, false).find("THE TEE IS SIMULATED"), std::string::npos);
}

TEST_P(Algorithms, RejectedUnlessToldByName) {
  Ask ask = test_ask();
  ask.algo = GetParam();
  Case genuine = genuine_case(ask);
  genuine.policy = {};
  EXPECT_EQ(ids_in(genuine.judge(), State::kFail), Ids{"tee.simulator"});
}

TEST_P(Algorithms, WithTheTlsKeyBound) {
  Ask ask = test_ask();
  ask.algo = GetParam();
  ask.tls_spki_sha256.emplace().fill(0x11);
  Case genuine = genuine_case(ask);
  Verdict verdict = genuine.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("report_data.tls")->state, State::kPass);
  EXPECT_EQ(verdict.facts["report_data_layout"], "L2");
  // Nothing in this form says where the key was made, so the policy has to accept that.
  genuine.policy.service.accept_unproven_tls_keys = false;
  verdict = genuine.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << to_text(verdict, false);
  EXPECT_EQ(ids_in(verdict, State::kSkipped), Ids{"report_data.tls"});
  EXPECT_EQ(verdict.facts["tls_key_origin"], "unknown");
  // Nothing binds the report's own statement. It can only count against the key.
  for (const char* origin : {"born", "given"}) {
    Case said = genuine;
    set_member(said.report, "tls_key_origin", origin);
    set_member(said.report, "policy", Json{{"listen", {{"tls", "self-signed"}}}});  // the form of version 0.1
    EXPECT_EQ(said.judge().outcome(), Outcome::kUndetermined) << origin;
    said.expected.tls_spki_sha256.reset();
    EXPECT_EQ(said.judge().outcome(), Outcome::kUndetermined) << origin;
  }
  // The same holds when the report is verified later without the connection. The statement about the key may have been
  // left out.
  genuine.expected.tls_spki_sha256.reset();
  genuine.expected.no_connection = true;
  verdict = genuine.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined) << to_text(verdict, false);
  genuine.policy.service.accept_unproven_tls_keys = true;
  // A connection whose key was left out is not the same as none.
  genuine.expected.no_connection = false;
  EXPECT_EQ(genuine.judge().outcome(), Outcome::kUndetermined);
  genuine.expected.no_connection = true;
  verdict = genuine.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(ids_in(verdict, State::kSkipped), Ids{"report_data.tls"});
}

// The measured document says where the key was made, under either name that the document has in reports.
TEST(Accept, TheMeasuredPolicyTellsOfTheTlsKey) {
  struct Row {
    const char* tls;
    bool connected;
    State state;
    bool required;
  };
  for (const Row& row :
       {Row{"self-signed", true, State::kPass, true}, Row{"tee-key", true, State::kPass, true},
        Row{"certificate", true, State::kSkipped, true}, Row{"self-signed", false, State::kSkipped, false},
        Row{"certificate", false, State::kSkipped, true}, Row{"unheard of", false, State::kSkipped, true}}) {
    const SimulatedNode measured(5);
    Json document = {{"schema", "cloister.policy.v1"}, {"listen", {{"address", "127.0.0.1"}, {"tls", row.tls}}}};
    ASSERT_TRUE(measured.tee().extend_event(evidence::kPolicyEvent, *evidence::document_digest(document)));
    Ask ask = test_ask();
    ask.tls_spki_sha256.emplace().fill(0x11);
    for (const char* name : {"cloister_policy", "policy"}) {
      Case c = genuine_case(ask);
      c.report = measured.report(ask);
      c.policy.service.accept_unproven_tls_keys = false;
      if (!row.connected) c.expected.tls_spki_sha256.reset();
      c.expected.no_connection = !row.connected;
      set_member(c.report, name, document);
      const verify::Check* check = nullptr;
      const Verdict verdict = c.judge();
      check = verdict.find("report_data.tls");
      EXPECT_EQ(check->state, row.state) << row.tls << name;
      EXPECT_EQ(check->required, row.required) << row.tls << name;
      c.expected.no_connection = false;
      EXPECT_TRUE(c.judge().find("report_data.tls")->required) << "a key that was left out" << row.tls << name;
      c.expected.no_connection = !row.connected;
      // A document other than the measured one proves nothing.
      document["listen"]["port"] = 1;
      set_member(c.report, name, document);
      EXPECT_EQ(c.judge().find("report_data.tls")->state, State::kSkipped);
      EXPECT_TRUE(c.judge().find("report_data.tls")->required);
      document["listen"].erase("port");
    }
  }
}

TEST(Accept, WithoutGpuTheVerdictSaysThatNoneIsVouchedFor) {
  Ask ask = test_ask();
  ask.gpu = false;
  for (const Json& none : {Json(), Json("")}) {
    Case genuine = genuine_case(ask);
    set_member(genuine.report, "nvidia_payload", none);
    const Verdict verdict = genuine.judge();
    EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
    EXPECT_EQ(verdict.facts["gpu"], false);
    EXPECT_EQ(verdict.find("nvidia.payload.form")->state, State::kNotApplicable);
  }
}

TEST(Accept, WithoutOwnNonceIsUndetermined) {
  Case genuine = genuine_case();
  genuine.expected.nonce.reset();
  const Verdict verdict = genuine.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(ids_in(verdict, State::kSkipped), Ids{"report.nonce"});
}

TEST(Accept, OlderNodesLeaveOutWhatIsOptional) {
  Case genuine = genuine_case();
  for (const char* name : {"all_attestations", "signing_public_key", "quote", "info", "event_log", "vm_config"}) {
    genuine.report.erase(name);
  }
  const Verdict verdict = genuine.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
}

TEST(Accept, OtherSpellingsOfTheSame) {
  Case genuine = genuine_case();
  set_member(genuine.report, "nvidia_payload", Json::parse(genuine.report["nvidia_payload"].get<std::string>()));
  set_member(genuine.report, "event_log", genuine.report["event_log"].dump());
  set_member(genuine.report, "future_member", Json{{"a", 1}});
  std::string address = genuine.report["signing_address"];
  for (char& c : address) c = static_cast<char>(std::tolower(c));
  set_member(genuine.report, "signing_address", address);
  const Verdict verdict = genuine.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
}

}  // namespace
}  // namespace cloister::testing
