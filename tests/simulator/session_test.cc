// Sessions of a gateway about an upstream on the simulated TEE. The upstream's own evidence verifies them, and every
// change fails its own check.
#include "verify/session.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/aci/session.h"
#include "evidence/json_reader.h"
#include "tests/simulator/expect_failing.h"
#include "tests/simulator/simulated_service.h"
#include "verify/receipt.h"

namespace cloister::testing {
namespace {

using verify::Outcome;
using verify::State;
using verify::Verdict;

std::string data_uri(std::string_view bytes) { return "data:application/json;base64," + to_base64(as_bytes(bytes)); }

std::string sha256_hex(ByteView bytes) { return to_hex(crypto::sha256(bytes)); }

struct SessionCase {
  Json session;
  Json receipt;  // null when no receipt is given
  std::optional<std::string> id;
  verify::Policy policy;
  UnixSeconds time = kJudgedAt;

  SessionCase() {
    policy.accept_simulator = true;
    policy.require_nonce = false;  // the gateway chose the nonce
    session = {
        {"api_version", "aci/1"},
        {"upstream_name", "demo"},
        {"endpoint", "https://api.example.com"},
        {"verifier_id", "test/1"},
        {"established_at", kJudgedAt - 60},
        {"expires_at", kJudgedAt + 3540},
        {"channel_binding", Json::array({{{"type", "tls_spki_sha256"},
                                          {"origin", "https://api.example.com"},
                                          {"spki_sha256", std::string(64, 'c')}}})},
        {"claims", {{"tee_attested", {{"status", "asserted"}, {"source", "hardware_proven"}, {"reason", "x"}}}}}};
    hold(codec::write_json(service().native_report(test_nonce())));
  }
  void hold(const std::string& evidence) {
    session["evidence"] = {{"digest", "sha256:" + sha256_hex(as_bytes(evidence))}, {"data", data_uri(evidence)}};
  }
  std::string own_id() const { return sha256_hex(as_bytes(*codec::write_jcs(session))); }
  Json& binding() { return session["channel_binding"][0]; }

  Verdict judge() const {
    verify::SessionEvidence evidence;
    const std::string text = codec::write_json(session), receipt_text = codec::write_json(receipt);
    evidence.session = text;
    evidence.id = from_hex_exactly<32>(id.value_or(own_id())).value_or({});
    if (!receipt.is_null()) evidence.receipt = receipt_text;
    return verify::verify_session(evidence, {policy, {}, time});
  }
};

// Returns the receipt of a reply. The receipt cites this session.
Json citing(const std::string& session_id) {
  Json receipt = service().receipt();
  const Json event = {{"type", "upstream.verified"},
                      {"result", "verified"},
                      {"required", true},
                      {"model_id", "demo"},
                      {"session_id", session_id}};
  receipt["event_log"].insert(receipt["event_log"].begin() + 1, event);
  return receipt;
}

TEST(Session, AGenuineOneIsAcceptedWithItsUpstreamsEvidence) {
  const SessionCase genuine;
  const Verdict verdict = genuine.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.facts["tee_type"], "insecure_simulator");
  EXPECT_EQ(verdict.find("upstream.tdx.quote.signature")->state, State::kPass);
  EXPECT_EQ(verdict.find("upstream.report_data.tls")->state, State::kPass);
  EXPECT_EQ(verdict.find("session.channel")->actual, std::string(64, 'c'));
  EXPECT_EQ(verdict.find("session.claims")->state, State::kNotApplicable);
  EXPECT_EQ(verdict.facts["session_id"], genuine.own_id());
}

TEST(Session, TheGatewaysNonceIsNobodysElse) {
  SessionCase strict;
  strict.policy.require_nonce = true;
  EXPECT_EQ(strict.judge().outcome(), Outcome::kUndetermined);
  EXPECT_TRUE(ids_in(strict.judge(), State::kSkipped).contains("upstream.report.nonce"));
}

TEST(Session, WhereAGatewaysWordIsTakenSoIsItsWordOnTheNonce) {
  SessionCase trusting;
  trusting.policy.require_nonce = true;
  trusting.policy.service.accept_upstream_claims = true;
  EXPECT_EQ(trusting.judge().outcome(), Outcome::kAccepted) << to_text(trusting.judge(), false);
}

// Verifies a receipt of a gateway with the gateway's own report and the session of the upstream that answered.
Verdict judge_with_session(const SessionCase& upstream, const Json& receipt) {
  const ServiceCase gateway = aci_case();
  const std::string receipt_text = codec::write_json(receipt), session_text = codec::write_json(upstream.session);
  const std::string report_text = codec::write_json(gateway.report);
  verify::ReceiptEvidence evidence;
  evidence.receipt = receipt_text;
  evidence.report = report_text;
  evidence.expected = gateway.expected;
  evidence.request = as_bytes(kReceiptRequest);
  evidence.response = as_bytes(kReceiptResponse);
  evidence.session = session_text;
  verify::Policy policy;
  policy.accept_simulator = true;
  policy.service.accept_upstream_claims = true;
  return verify::verify_receipt(evidence, {policy, {}, kJudgedAt});
}

TEST(Session, IsJudgedWithTheReceiptThatNamesIt) {
  const SessionCase upstream;
  const Verdict verdict = judge_with_session(upstream, service().sign(citing(upstream.own_id())));
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("session.id")->state, State::kPass);
  EXPECT_EQ(verdict.find("upstream.tdx.quote.signature")->state, State::kPass);
  EXPECT_EQ(verdict.find("receipt.upstream")->state, State::kSkipped) << "the gateway's word never passes";
  EXPECT_EQ(verdict.facts["session"]["upstream_name"], "demo");
  EXPECT_EQ(verdict.facts["keyset_digest"], aci_case().report["workload_keyset_digest"])
      << "the gateway's own facts stay";
  const Verdict other = judge_with_session(upstream, service().sign(citing(std::string(64, '0'))));
  EXPECT_EQ(ids_in(other, State::kFail), Ids{"session.id"});
}

TEST(Session, WithoutANameItIsAnybodys) {
  const SessionCase named;
  const std::string text = codec::write_json(named.session);
  verify::SessionEvidence evidence;
  evidence.session = text;
  const Verdict verdict = verify::verify_session(evidence, {named.policy, {}, named.time});
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_TRUE(ids_in(verdict, State::kSkipped).contains("session.id"));
}

TEST(Session, AReceiptNamesIt) {
  SessionCase named;
  named.receipt = citing(named.own_id());
  EXPECT_EQ(named.judge().outcome(), Outcome::kAccepted) << to_text(named.judge(), false);
  SessionCase other = named;
  other.receipt = citing(std::string(64, '0'));
  EXPECT_EQ(ids_in(other.judge(), State::kFail), Ids{"session.id"});
  other.receipt = service().receipt();
  EXPECT_EQ(ids_in(other.judge(), State::kFail), Ids{"session.id"});
  // The time of the reply counts, and not the time of the verification.
  SessionCase later = named;
  later.time = kJudgedAt + 7200;
  EXPECT_FALSE(ids_in(later.judge(), State::kFail).contains("session.window"));
  EXPECT_EQ(later.judge().find("session.window")->state, State::kSkipped)
      << "nobody verified the receipt that says when";
  later.receipt["served_at"] = kJudgedAt + 7200;
  EXPECT_TRUE(ids_in(later.judge(), State::kFail).contains("session.window"));
  later.receipt["event_log"] = "none";
  EXPECT_EQ(ids_in(later.judge(), State::kFail), Ids{"session.form"});
}

TEST(Session, EveryChangeFailsItsOwnCheck) {
  struct Change {
    const char* name;
    std::function<void(SessionCase&)> change;
    Ids failing;
  };
  const Change changes[] = {
      {"another version", [](SessionCase& c) { c.session["api_version"] = "aci/2"; }, {"session.form"}},
      {"a member too many", [](SessionCase& c) { c.session["signature"] = "x"; }, {"session.form"}},
      {"an id inside, as in lists", [](SessionCase& c) { c.session["session_id"] = c.own_id(); }, {"session.form"}},
      {"evidence without data", [](SessionCase& c) { c.session["evidence"].erase("data"); }, {"session.form"}},
      {"evidence that is no data URI", [](SessionCase& c) { c.session["evidence"]["data"] = "x"; }, {"session.form"}},
      {"evidence in another encoding",
       [](SessionCase& c) { c.session["evidence"]["data"] = "data:,x"; },
       {"session.form"}},
      {"another id", [](SessionCase& c) { c.id = std::string(64, 'a'); }, {"session.id"}},
      {"not yet", [](SessionCase& c) { c.time = kJudgedAt - 61; }, {"session.window"}},
      {"no longer", [](SessionCase& c) { c.time = kJudgedAt + 3540; }, {"session.window"}},
      {"another digest",
       [](SessionCase& c) { c.session["evidence"]["digest"] = "sha256:" + std::string(64, 'b'); },
       {"session.evidence_digest"}},
      {"a claim refuted",
       [](SessionCase& c) {
         c.session["claims"]["tcb_up_to_date"] = {{"status", "refuted"}, {"reason", "old"}};
       },
       {"session.claims"}},
      {"another TLS key",
       [](SessionCase& c) { c.binding()["spki_sha256"] = std::string(64, 'd'); },
       {"session.channel", "upstream.report_data.tls"}},
      {"the key of another host",
       [](SessionCase& c) { c.binding()["origin"] = "https://other.example.com"; },
       {"session.channel", "upstream.report_data.tls"}},
      {"no key", [](SessionCase& c) { c.session["channel_binding"] = Json::array(); }, {"session.channel"}},
      {"a binding that nobody knows",
       [](SessionCase& c) {
         c.session["channel_binding"] = Json::array({{{"type", "trust_me"}}});
       },
       {"session.channel"}},
      {"an encryption key that is not listed",
       [](SessionCase& c) {
         c.binding() = {{"type", "e2ee_public_key_sha256"},
                        {"provider", "demo"},
                        {"algorithm", "x25519-aes-256-gcm-hkdf-sha256"},
                        {"public_key_sha256", std::string(64, 'd')}};
       },
       {"session.channel"}},
      {"another machine's quote",
       [](SessionCase& c) {
         Json report = service().native_report(test_nonce());
         std::string quote = report["quote"];
         quote[60] = quote[60] == '0' ? '1' : '0';  // only the signature covers the user data
         report["quote"] = quote;
         c.hold(codec::write_json(report));
       },
       {"upstream.tdx.quote.signature"}},
  };
  ASSERT_EQ(SessionCase().judge().outcome(), Outcome::kAccepted);
  for (const Change& change : changes) {
    SessionCase changed;
    change.change(changed);
    EXPECT_EQ(ids_in(changed.judge(), State::kFail), change.failing) << change.name << "\n"
                                                                     << to_text(changed.judge(), false);
  }
}

TEST(Session, AnEncryptionKeyOfTheUpstreamsIsFoundByItsHash) {
  SessionCase encrypted;
  encrypted.binding() = {{"type", "e2ee_public_key_sha256"},
                         {"provider", "demo"},
                         {"key_id", "e2ee-1"},
                         {"algorithm", "x25519-aes-256-gcm-hkdf-sha256"},
                         {"public_key_sha256", sha256_hex(*from_hex(std::string(64, 'e')))}};
  const Verdict verdict = encrypted.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("upstream.report_data.e2ee")->state, State::kPass);
}

TEST(Session, WhatCannotBeJudgedIsSkippedAndNeverPasses) {
  SessionCase bare;
  bare.session.erase("evidence");
  EXPECT_EQ(bare.judge().outcome(), Outcome::kUndetermined);
  EXPECT_EQ(ids_in(bare.judge(), State::kFail), Ids{});
  for (const char* evidence : {"example-evidence", "{\"some\":\"form\"}", "[]", ""}) {
    SessionCase other;
    other.hold(evidence);
    EXPECT_EQ(ids_in(other.judge(), State::kFail), Ids{}) << evidence;
    EXPECT_TRUE(ids_in(other.judge(), State::kSkipped).contains("session.evidence")) << evidence;
    EXPECT_EQ(other.judge().outcome(), Outcome::kUndetermined) << evidence;
  }
  // Two keys are pinned, and nothing tells which of them was in use.
  SessionCase two;
  two.session["channel_binding"].push_back(two.binding());
  two.session["channel_binding"][1]["spki_sha256"] = std::string(64, 'd');
  EXPECT_TRUE(ids_in(two.judge(), State::kSkipped).contains("session.channel"));
  EXPECT_EQ(two.judge().outcome(), Outcome::kUndetermined);
}

// This is the session of the specification's test vectors. Its own generator gives the id (ACI test vectors, section
// 3).
TEST(Session, TheVectorOfTheSpecification) {
  const std::string text =
      R"({"api_version":"aci/1","upstream_name":"demo-upstream","verifier_id":"example/1","established_at":1750000000,)"
      R"("expires_at":1750003600,"endpoint":"https://upstream.example.com","channel_binding":[{"type":"tls_spki_sha256",)"
      R"("origin":"https://upstream.example.com","spki_sha256":")" +
      [] {
        std::string out;
        for (int i = 0; i < 32; ++i) out += "d1";
        return out;
      }() +
      R"("}],"claims":{"extra":{"gpu_arch":"HOPPER","tcb_status":"UpToDate"},"gpu_attested":{"status":"unknown"},)"
      R"("model_weights_provenance":{"status":"unknown"},"os_known_good":{"status":"unknown"},)"
      R"("serving_software_known_good":{"status":"unknown"},"tcb_up_to_date":{"status":"unknown"},"tee_attested":)"
      R"({"reason":"example quote verified","source":"hardware_proven","status":"asserted"}},"evidence":)"
      R"({"data":"data:text/plain;base64,ZXhhbXBsZS1ldmlkZW5jZQ==","digest":)"
      R"("sha256:80d70e44d0ae1e829fd5f37c3ee4a60dfbea8d3aa18407ea3f34cf7ec91da34d"}})";
  const auto session = evidence::parse_session(text);
  ASSERT_TRUE(session) << session.error().message;
  EXPECT_EQ(to_hex(session->id), "95ad1cb4dd25445808c2e9d116caf420b05703730b506395e8fc1ca6faeae28f");
  EXPECT_EQ(as_text(session->evidence->data), "example-evidence");
  EXPECT_EQ(session->evidence->media_type, "text/plain");
}

}  // namespace
}  // namespace cloister::testing
