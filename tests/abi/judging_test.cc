// The judging calls on reports, receipts and sessions of a simulated node: what they accept, and what they reject by which check.
#include <string>

#include "base/testing/vectors.h"
#include "codec/jcs.h"
#include "crypto/hash.h"
#include "evidence/event_salts.h"
#include "evidence/json_reader.h"
#include "evidence/merkle_tree.h"
#include "evidence/prefix_proof.h"
#include "tests/abi/abi_test_util.h"

namespace cloister::testing {
namespace {

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

}  // namespace
}  // namespace cloister::testing
