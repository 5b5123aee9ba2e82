// Receipts under a keyset that a simulated quote binds. A genuine receipt is accepted, and every change fails its own
// check.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/aci/receipt.h"
#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "evidence/prefix_proof.h"
#include "tests/simulator/expect_service_failing.h"

namespace cloister::testing {
namespace {

using verify::Outcome;
using verify::State;

// Signs the edited receipt as the TEE itself would.
void resign(ServiceCase& c, const std::function<void(Json&)>& edit) {
  edit(c.receipt);
  c.receipt = service().sign(c.receipt);
}

Json upstream(const char* result, bool required) {
  return {{"type", "upstream.verified"},
          {"result", result},
          {"required", required},
          {"model_id", "demo"},
          {"session_id", std::string(64, '9')}};
}

TEST(Receipt, AGenuineOneIsAcceptedUnderEitherReport) {
  for (const ServiceCase& c : {aci_case(), native_case()}) {
    const verify::Verdict verdict = c.judge_receipt();
    EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
    EXPECT_EQ(verdict.subject, "receipt");
    EXPECT_EQ(verdict.facts["receipt_id"], "rcpt-1");
    EXPECT_EQ(verdict.facts["tee_type"], "insecure_simulator");
    // Events of unknown types are kept, as claims.
    EXPECT_EQ(verdict.facts["claims"]["events"].back()["type"], "usage.metered");
  }
}

TEST(Receipt, EveryChangeFailsItsOwnCheck) {
  expect_service_failing(
      native_case(), &ServiceCase::judge_receipt,
      {
          {"request", [](ServiceCase& c) { c.request += ' '; }, {"receipt.request_hash"}},
          {"response", [](ServiceCase& c) { c.response.pop_back(); }, {"receipt.response_hash"}},
          {"of another reply", [](ServiceCase& c) { c.id = "chatcmpl-2"; }, {"receipt.id"}},
          {"of another model", [](ServiceCase& c) { c.model = "better"; }, {"receipt.model", "receipt.served_model"}},
          {"another version", [](ServiceCase& c) { c.receipt["api_version"] = "aci/2"; }, {"receipt.form"}},
          {"a member too many", [](ServiceCase& c) { c.receipt["verified"] = true; }, {"receipt.form"}},
          {"without signature", [](ServiceCase& c) { c.receipt.erase("signature"); }, {"receipt.form"}},
          {"any member changed",
           [](ServiceCase& c) { c.receipt["endpoint"] = "/v1/completions"; },
           {"receipt.signature"}},
          {"an unknown event dropped", [](ServiceCase& c) { c.receipt["event_log"].erase(4); }, {"receipt.signature"}},
          {"an unknown event's field",
           [](ServiceCase& c) { c.receipt["event_log"][4]["prompt_tokens"] = 0; },
           {"receipt.signature"}},
          {"key of another role",
           [](ServiceCase& c) { resign(c, [](Json& r) { r["key_id"] = "e2ee-1"; }); },
           {"receipt.key"}},
          {"key of another algorithm",
           [](ServiceCase& c) { resign(c, [](Json& r) { r["key_id"] = "legacy-1"; }); },
           {"receipt.key"}},
          {"key of nobody", [](ServiceCase& c) { resign(c, [](Json& r) { r["key_id"] = "mine"; }); }, {"receipt.key"}},
          {"signed by another TEE",
           [](ServiceCase& c) { c.receipt = SimulatedService(SimulatedNode(7, 1)).sign(c.receipt); },
           {"receipt.signature"}},
          {"of another keyset",
           [](ServiceCase& c) {
             resign(c, [](Json& r) { r["workload_keyset_digest"] = "sha256:" + std::string(64, '0'); });
           },
           {"receipt.keyset"}},
          {"of the future",
           [](ServiceCase& c) { resign(c, [](Json& r) { r["served_at"] = kJudgedAt + 301; }); },
           {"receipt.served_at"}},
          {"after the keyset's end",
           [](ServiceCase& c) { resign(c, [](Json& r) { r["served_at"] = kNotAfter; }), c.time = kNotAfter; },
           {"receipt.served_at", "keyset.not_after"}},
          {"request not first",
           [](ServiceCase& c) { resign(c, [](Json& r) { std::swap(r["event_log"][0], r["event_log"][1]); }); },
           {"receipt.events"}},
          {"two replies",
           [](ServiceCase& c) { resign(c, [](Json& r) { r["event_log"].push_back(r["event_log"][3]); }); },
           {"receipt.events"}},
          {"two requests",
           [](ServiceCase& c) { resign(c, [](Json& r) { r["event_log"].push_back(r["event_log"][0]); }); },
           {"receipt.events"}},
          {"forwarded twice",
           [](ServiceCase& c) { resign(c, [](Json& r) { r["event_log"].push_back(r["event_log"][1]); }); },
           {"receipt.events"}},
          {"no events",
           [](ServiceCase& c) { resign(c, [](Json& r) { r["event_log"] = Json::array(); }); },
           {"receipt.events"}},
          {"another model answered",
           [](ServiceCase& c) {
             resign(c, [](Json& r) { r["event_log"][2]["model_digest"] = "sha256:" + std::string(64, '0'); });
           },
           {"receipt.model_digest"}},
          {"nobody verified who answered",
           [](ServiceCase& c) { resign(c, [](Json& r) { r["event_log"].push_back(upstream("failed", false)); }); },
           {"receipt.upstream"}},
          {"verified though nobody had to",
           [](ServiceCase& c) { resign(c, [](Json& r) { r["event_log"].push_back(upstream("verified", false)); }); },
           {"receipt.upstream"}},
      });
}

TEST(Receipt, AnAggregatorsReceiptMustSayToWhomItWent) {
  ServiceCase c = aci_case();
  c.report["service_capabilities"]["serving"] = "aggregator";
  c.policy.service.accept_upstream_claims = true;
  EXPECT_EQ(ids_in(c.judge_receipt(), State::kFail), Ids{"receipt.upstream"});
  resign(c, [](Json& r) { r["event_log"].push_back(upstream("verified", true)); });
  verify::Verdict verdict = c.judge_receipt();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("receipt.upstream")->state, State::kSkipped);
  EXPECT_EQ(verdict.facts["claims"]["events"].back()["session_id"], std::string(64, '9'));
  // A claim is no proof unless the policy accepts it as one.
  c.policy.service.accept_upstream_claims = false;
  EXPECT_EQ(c.judge_receipt().outcome(), Outcome::kUndetermined);
}

// A receipt cannot say whether the change is welcome. The change is shown and does not prevent acceptance.
TEST(Receipt, ARequestThatTheServiceChangedIsNoPass) {
  ServiceCase c = native_case();
  EXPECT_EQ(c.judge_receipt().find("receipt.rewrite")->state, State::kPass);
  resign(c, [](Json& r) { r["event_log"][1]["body_hash"] = "sha256:" + std::string(64, '0'); });
  const verify::Verdict verdict = c.judge_receipt();
  EXPECT_EQ(verdict.find("receipt.rewrite")->state, State::kSkipped);
  EXPECT_FALSE(verdict.find("receipt.rewrite")->required);
  EXPECT_NE(verdict.find("receipt.rewrite")->detail.find(std::string(64, '0')), std::string::npos)
      << "it says what the model saw";
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  resign(c, [](Json& r) { r["event_log"].erase(1); });
  EXPECT_EQ(c.judge_receipt().find("receipt.rewrite")->state, State::kNotApplicable);
}

// The name in the reply of another server is that server's statement. A wrong name is a failure, and the right name is
// no proof.
TEST(Receipt, TheNameThatAnotherServerGivesIsItsWord) {
  const auto told_of = [](const Json& name) {
    ServiceCase c = native_case();
    resign(c, [&](Json& r) {
      r["event_log"][2]["model_id"] = name;
      r["event_log"][2]["model_id_source"] = evidence::kToldByReply;
    });
    return c;
  };
  ServiceCase c = told_of("demo");
  c.model = "demo";
  EXPECT_EQ(ids_in(c.judge_receipt(), State::kSkipped).contains("receipt.served_model"), true);
  EXPECT_EQ(c.judge_receipt().outcome(), Outcome::kUndetermined);
  c.policy.service.accept_upstream_claims = true;
  EXPECT_EQ(c.judge_receipt().outcome(), Outcome::kAccepted);
  c.policy.service.accept_upstream_claims = false;
  c.policy.service.model_digests = {to_bytes(*evidence::document_digest(service().model()))};
  EXPECT_EQ(c.judge_receipt().find("receipt.served_model")->state, State::kPass)
      << "who names the digest needs no word";
  for (const Json& name : {Json("cheaper"), Json()}) {
    ServiceCase other = told_of(name);
    other.model = "demo";
    EXPECT_EQ(other.judge_receipt().find("receipt.served_model")->state,
              name.is_null() ? State::kSkipped : State::kFail);
    EXPECT_NE(other.judge_receipt().outcome(), Outcome::kAccepted);
  }
  // This receipt names no model.
  ServiceCase silent = aci_case();
  silent.model = "demo";
  resign(silent, [](Json& r) { r["event_log"].erase(2); });
  EXPECT_EQ(silent.judge_receipt().find("receipt.served_model")->state, State::kSkipped);
  EXPECT_EQ(silent.judge_receipt().outcome(), Outcome::kUndetermined);
}

// A refusal has a receipt too. Nothing was passed on, so no other server answered.
TEST(Receipt, OfARefusalIsAccepted) {
  ServiceCase c = native_case();
  resign(c, [](Json& r) {
    r["event_log"] = Json::array({r["event_log"][0], upstream("failed", true), r["event_log"][3]});
  });
  const verify::Verdict verdict = c.judge_receipt();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.find("receipt.upstream")->state, State::kNotApplicable);
}

const std::string kOtherDigest = "sha256:" + std::string(64, '7');

Bytes digest_bytes(const Json& document) { return to_bytes(*evidence::document_digest(document)); }

Json in_force(const std::string& digest) { return {{"type", evidence::kPolicyInForce}, {"policy_digest", digest}}; }

// Keys outlive restarts. The report describes the time of the report, and the receipt the time of the reply.
TEST(Receipt, ThePolicysModelsAreComparedWithTheReceiptInEveryForm) {
  for (ServiceCase c : {aci_case(), native_case()}) {
    c.policy.service.model_digests = {digest_bytes(service().model())};
    EXPECT_EQ(c.judge_receipt().find("receipt.model_digest")->state, State::kPass);
    c.policy.service.model_digests = {Bytes(32, 7)};
    EXPECT_EQ(c.judge_receipt().find("receipt.model_digest")->state, State::kFail);
    c.policy.service.model_digests = {digest_bytes(service().model())};
    resign(c, [](Json& r) { r["event_log"][2]["model_digest"] = kOtherDigest; });
    EXPECT_EQ(c.judge_receipt().find("receipt.model_digest")->state, State::kFail);
    resign(c, [](Json& r) { r["event_log"].erase(2); });
    EXPECT_EQ(c.judge_receipt().find("receipt.model_digest")->state, State::kSkipped);
    EXPECT_TRUE(c.judge_receipt().find("receipt.model_digest")->required);
    EXPECT_NE(c.judge_receipt().outcome(), Outcome::kAccepted);
    // It does not help to leave out that the request was passed on.
    resign(c, [](Json& r) { r["event_log"].erase(1); });
    EXPECT_EQ(c.judge_receipt().find("receipt.model_digest")->state, State::kSkipped);
  }
}

TEST(Receipt, AManifestIsComparedWithWhatTheReceiptNames) {
  ServiceCase c = aci_case();
  c.policy.service.model_manifest.emplace();
  EXPECT_EQ(c.judge_receipt().find("receipt.model_digest")->state, State::kSkipped) << "a digest of something else";
  EXPECT_NE(c.judge_receipt().outcome(), Outcome::kAccepted);
  const auto digest = evidence::document_digest(evidence::to_json(*c.policy.service.model_manifest));
  resign(c, [&](Json& r) { r["event_log"][2]["model_digest"] = evidence::digest_text(*digest); });
  EXPECT_EQ(c.judge_receipt().find("receipt.model_digest")->state, State::kPass);
}

TEST(Receipt, NamesTheConfigurationThatWasInForce) {
  const std::string own = evidence::digest_text(*evidence::document_digest(service().policy()));
  for (const ServiceCase& genuine : {aci_case(), native_case()}) {
    const auto with = [&](const std::string& digest) {
      ServiceCase c = genuine;
      resign(c, [&](Json& r) { r["event_log"].insert(r["event_log"].begin() + 1, in_force(digest)); });
      return c;
    };
    EXPECT_EQ(genuine.judge_receipt().find("receipt.policy_digest")->state, State::kNotApplicable)
        << "receipts of before";
    EXPECT_EQ(with(own).judge_receipt().find("receipt.policy_digest")->state, State::kPass);
    EXPECT_EQ(with(own).judge_receipt().outcome(), Outcome::kAccepted);
    // The receipt names another configuration than the verified one.
    EXPECT_EQ(with(kOtherDigest).judge_receipt().find("receipt.policy_digest")->state, State::kSkipped);
    EXPECT_EQ(with(kOtherDigest).judge_receipt().outcome(), Outcome::kUndetermined);
    ServiceCase c = with(kOtherDigest);
    c.policy.service.policy_digests = {digest_bytes(service().policy())};
    EXPECT_EQ(c.judge_receipt().find("receipt.policy_digest")->state, State::kFail);
    c.policy.service.policy_digests.insert(Bytes(32, 0x77));
    EXPECT_EQ(c.judge_receipt().find("receipt.policy_digest")->state, State::kPass) << "the policy names both";
    c = genuine;
    c.policy.service.policy_digests = {digest_bytes(service().policy())};
    EXPECT_EQ(c.judge_receipt().find("receipt.policy_digest")->state, State::kSkipped) << "receipts of before";
    EXPECT_EQ(c.judge_receipt().outcome(), Outcome::kUndetermined);
  }
}

TEST(Receipt, ASecondModelOrConfigurationIsRejected) {
  ServiceCase c = native_case();
  resign(c, [](Json& r) { r["event_log"].push_back(r["event_log"][2]); });
  EXPECT_EQ(ids_in(c.judge_receipt(), State::kFail), Ids{"receipt.events"});
  c = native_case();
  resign(c, [](Json& r) {
    r["event_log"].push_back(in_force(kOtherDigest));
    r["event_log"].push_back(in_force(kOtherDigest));
  });
  EXPECT_EQ(ids_in(c.judge_receipt(), State::kFail), Ids{"receipt.events"});
}

TEST(Receipt, AKeysetBesideAReportIsComparedWithIt) {
  const ServiceCase c = native_case();
  const std::string report = codec::write_json(c.report), receipt = codec::write_json(c.receipt);
  const auto judge = [&](const std::string& keyset) {
    verify::ReceiptEvidence evidence;
    evidence.receipt = receipt;
    evidence.report = report;
    evidence.keyset = keyset;
    evidence.expected = c.expected;
    evidence.request = as_bytes(c.request);
    evidence.response = as_bytes(c.response);
    return verify::verify_receipt(evidence, verify::Context{c.policy, {}, c.time});
  };
  EXPECT_EQ(judge(codec::write_json(service().keyset())).outcome(), Outcome::kAccepted);
  Json other = service().keyset();
  other["not_after"] = kNotAfter + 1;
  for (const std::string& keyset : {codec::write_json(other), std::string("garbage"), std::string("{}")}) {
    EXPECT_EQ(ids_in(judge(keyset), State::kFail), Ids{"receipt.known_keyset"}) << keyset;
  }
}

TEST(Receipt, OfAReplyThatWasBrokenOffSaysSoInTheLastLine) {
  ServiceCase c = native_case();
  resign(c, [](Json& r) {
    r["event_log"].push_back(
        {{"type", "response.aborted"}, {"bytes", 3}, {"events", 0}, {"reason", "connection_ended"}});
  });
  const verify::Verdict verdict = c.judge_receipt();
  EXPECT_EQ(verdict.facts["partial_reply"], "the reply was broken off");
  EXPECT_NE(to_text(verdict, false).find("not applicable): the reply was broken off\n"), std::string::npos);
}

const evidence::SaltSeed kReplySecret = crypto::sha256(as_bytes("of the reply"));

enum class Tree { kSalted, kOfBefore };

std::vector<evidence::MerkleHash> leaves_of(const ServiceCase& c, Tree tree) {
  if (tree == Tree::kOfBefore) return evidence::event_leaves(c.response);
  return evidence::salted_leaves(kReplySecret, evidence::event_hashes(c.response));
}

// Returns a case whose reply is a stream of six events, with the receipt's statement about them.
ServiceCase streamed_case(Tree tree = Tree::kSalted) {
  ServiceCase c = native_case();
  c.response.clear();
  for (int i = 0; i < 6; ++i) c.response += "data: {\"i\":" + std::to_string(i) + "}\n\n";
  const auto leaves = leaves_of(c, tree);
  resign(c, [&](Json& r) {
    r["event_log"][3]["body_hash"] = evidence::digest_text(crypto::sha256(as_bytes(c.response)));
    r["event_log"].push_back({{"type", "response.events"},
                              {"count", leaves.size()},
                              {"root", evidence::digest_text(evidence::merkle_root(leaves))}});
    if (tree == Tree::kSalted) r["event_log"].back()["tree"] = "cloister.events.v2";
  });
  return c;
}

verify::Verdict judge_prefix(const ServiceCase& c, const std::string& held, const Json& proof) {
  const std::string report = codec::write_json(c.report), receipt = codec::write_json(c.receipt);
  const std::string proof_text = codec::write_json(proof);
  verify::ReceiptEvidence evidence;
  evidence.receipt = receipt;
  evidence.report = report;
  evidence.expected = c.expected;
  evidence.request = as_bytes(c.request);
  evidence.response = as_bytes(held);
  evidence.prefix_proof = proof_text;
  return verify::verify_receipt(evidence, verify::Context{c.policy, {}, c.time});
}

Json prefix_proof_of(const ServiceCase& c, std::size_t events, Tree tree = Tree::kSalted) {
  const std::optional<evidence::SaltSeed> secret = tree == Tree::kSalted ? std::optional(kReplySecret) : std::nullopt;
  return evidence::to_json(evidence::prove_prefix(c.receipt["receipt_id"], leaves_of(c, tree), events, secret));
}

TEST(Receipt, TheBeginningOfAStreamIsAccepted) {
  for (const auto& [tree, k] : std::vector<std::pair<Tree, std::size_t>>{{Tree::kSalted, 1},
                                                                         {Tree::kSalted, 2},
                                                                         {Tree::kSalted, 3},
                                                                         {Tree::kSalted, 5},
                                                                         {Tree::kSalted, 6},
                                                                         {Tree::kOfBefore, 1},
                                                                         {Tree::kOfBefore, 3},
                                                                         {Tree::kOfBefore, 6}}) {
    const ServiceCase c = streamed_case(tree);
    const std::size_t event_size = c.response.size() / 6;
    const std::string held = c.response.substr(0, k * event_size);
    const verify::Verdict verdict = judge_prefix(c, held, prefix_proof_of(c, k, tree));
    EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
    EXPECT_EQ(verdict.find("receipt.prefix")->state, State::kPass);
    EXPECT_EQ(verdict.facts["prefix_events"], k);
    EXPECT_EQ(verdict.facts["total_events"], 6);
    EXPECT_EQ(verdict.facts.contains("partial_reply"), k < 6);
    if (k < 6) {
      EXPECT_EQ(verdict.facts["partial_reply"], "only the first " + std::to_string(k) + " of 6 events of the reply");
    }
  }
}

// No leaf covers the text after the last complete event. Anybody who passes the text on could have written it.
TEST(Receipt, NothingMayFollowTheLastCompleteEventOfABeginning) {
  const ServiceCase c = streamed_case();
  const std::string held = c.response.substr(0, 3 * (c.response.size() / 6));
  for (const char* tail : {"d", "\r", "data: forged", "data: {\"forged\":1}\n", "data: {\"forged\":1}\r\r",
                           "data: {\"forged\":1}\r\n\r\n", "data: {\"forged\":1}\n\r", ": forged\r\r"}) {
    const verify::Verdict verdict = judge_prefix(c, held + tail, prefix_proof_of(c, 3));
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << tail;
    EXPECT_EQ(verdict.find("receipt.prefix")->state, State::kFail) << tail;
  }
}

TEST(Receipt, AnInventedBeginningIsRejected) {
  const ServiceCase c = streamed_case();
  const std::size_t event_size = c.response.size() / 6;
  const std::string held = c.response.substr(0, 3 * event_size);
  const auto rejected = [&](const std::string& bytes, const Json& proof) {
    const verify::Verdict verdict = judge_prefix(c, bytes, proof);
    EXPECT_EQ(ids_in(verdict, State::kFail), Ids{"receipt.prefix"}) << to_text(verdict, false);
  };
  rejected(held + "data: {\"i\":9}\n\n", prefix_proof_of(c, 4));
  rejected(held + "data: {\"i\":9}\n\n", prefix_proof_of(c, 3));
  rejected(held, prefix_proof_of(c, 2));
  rejected(held.substr(event_size), prefix_proof_of(c, 2));
  for (std::size_t i = 0; i < held.size(); ++i) {
    std::string changed = held;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    rejected(changed, prefix_proof_of(c, 3));
  }
  for (const char* name : {"receipt_id", "proof"}) {
    Json proof = prefix_proof_of(c, 3);
    proof[name] = "other";
    rejected(held, proof);
  }
  Json proof = prefix_proof_of(c, 3);
  proof["total"] = 7;
  rejected(held, proof);
  proof = prefix_proof_of(c, 3);
  proof["consistency"][0] = std::string(64, '0');
  rejected(held, proof);
  proof["consistency"] = Json::array();
  rejected(held, proof);
  rejected(held, Json::object());
  proof = prefix_proof_of(c, 3);
  proof["salts"][0] = std::string(64, '0');
  rejected(held, proof);
  proof["salts"].push_back(std::string(64, '0'));
  rejected(held, proof);
  rejected(held, prefix_proof_of(c, 3, Tree::kOfBefore));
  EXPECT_EQ(ids_in(judge_prefix(streamed_case(Tree::kOfBefore), held, prefix_proof_of(c, 3)), State::kFail),
            Ids{"receipt.prefix"});
}

TEST(Receipt, OfAReplyThatWasNoStreamHasNoBeginnings) {
  const ServiceCase c = native_case();
  const Json proof = {{"proof", "cloister.prefix.v1"},
                      {"receipt_id", c.receipt["receipt_id"]},
                      {"events", 1},
                      {"total", 1},
                      {"consistency", Json::array()}};
  EXPECT_EQ(ids_in(judge_prefix(c, "data: x\n\n", proof), State::kFail), Ids{"receipt.prefix"});
}

TEST(Receipt, WhatIsNotKnownIsSkippedAndNotAccepted) {
  const ServiceCase genuine = native_case();
  const std::string report = codec::write_json(genuine.report), receipt = codec::write_json(genuine.receipt);
  const verify::Context context{genuine.policy, {}, genuine.time};
  verify::ReceiptEvidence evidence;
  evidence.receipt = receipt;
  evidence.report = report;
  evidence.expected = genuine.expected;
  verify::Verdict verdict = verify::verify_receipt(evidence, context);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  const Ids skipped = ids_in(verdict, State::kSkipped);
  for (const char* id : {"receipt.request_hash", "receipt.response_hash"}) EXPECT_TRUE(skipped.contains(id)) << id;

  evidence.request = as_bytes(genuine.request);
  evidence.response = as_bytes(genuine.response);
  EXPECT_EQ(verify::verify_receipt(evidence, context).outcome(), Outcome::kAccepted);
  evidence.report.reset();
  verdict = verify::verify_receipt(evidence, context);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_TRUE(ids_in(verdict, State::kSkipped).contains("receipt.signature"));
  const std::string keyset = codec::write_json(service().keyset());
  evidence.keyset = keyset;
  verdict = verify::verify_receipt(evidence, context);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(verdict.find("receipt.signature")->state, State::kPass);
  EXPECT_EQ(verdict.find("receipt.keyset_attested")->state, State::kSkipped);
}

TEST(Receipt, AKeysetThatNoQuoteBindsIsNotAttested) {
  ServiceCase c = native_case();
  c.report["statement"]["nonce"] = std::string(64, '0');
  c.expected.nonce = evidence::Nonce{};
  const verify::Verdict verdict = c.judge_receipt();
  EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
  EXPECT_EQ(verdict.find("receipt.keyset_attested")->state, State::kSkipped);
  EXPECT_EQ(verdict.find("receipt.model_digest")->state, State::kNotApplicable);
}

// The test flips every bit of every byte of the text. No change of a receipt may go unnoticed.
TEST(Receipt, EveryFlippedBitIsRejected) {
  const ServiceCase genuine = aci_case();
  const std::string receipt = codec::write_json(genuine.receipt);
  const std::string keyset = codec::write_json(service().keyset());
  verify::ReceiptEvidence evidence;
  evidence.keyset = keyset;
  evidence.request = as_bytes(genuine.request);
  evidence.response = as_bytes(genuine.response);
  const verify::Context context{genuine.policy, {}, genuine.time};
  evidence.receipt = receipt;
  ASSERT_EQ(ids_in(verify::verify_receipt(evidence, context), State::kFail), Ids{});
  for (std::size_t bit = 0; bit < 8 * receipt.size(); ++bit) {
    std::string changed = receipt;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    evidence.receipt = changed;
    const verify::Verdict verdict = verify::verify_receipt(evidence, context);
    ASSERT_EQ(verdict.outcome(), Outcome::kRejected) << "bit " << bit << ": " << changed;
    const Ids failed = ids_in(verdict, State::kFail);
    ASSERT_TRUE(failed.contains("receipt.form") || failed.contains("receipt.signature") ||
                failed.contains("receipt.key"))
        << changed;
  }
}

}  // namespace
}  // namespace cloister::testing
