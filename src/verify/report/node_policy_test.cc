// What a node's policy document may say, member by member; tests/simulator and tests/attacks test the evidence that binds it.
#include "verify/report/node_policy.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/encoding.h"
#include "evidence/event_log.h"
#include "evidence/json_reader.h"
#include "evidence/key_configuration.h"
#include "evidence/measured_events.h"
#include "evidence/native_report.h"

namespace cloister::verify {
namespace {

const std::string kLibrary = evidence::digest_text([] {
  ByteArray<32> digest;
  digest.fill(7);
  return digest;
}());

// The document of a node whose keys belong to it.
Json with_keys(Json document) {
  document.erase(evidence::kKeyConfigurationMember);
  document[evidence::kKeyConfigurationMember] =
      evidence::digest_text(evidence::key_configuration_digest(document).value());
  return document;
}

// In the form that a node in a real TEE writes.
Json good_document() {
  return with_keys(
      {{"schema", "cloister.policy.v1"},
       {"listen", {{"address", "0.0.0.0"}, {"port", 8443}, {"tls", "self-signed"}, {"token_required", true}}},
       {"engine",
        {{"kind", "llama"}, {"serving", "direct"}, {"shared_prompt_cache", false}, {"upstreams", Json::array()}}},
       {"tee", "dstack"},
       {"gpu",
        {{"check_seconds", 300}, {"evidence", "nvml"}, {"library", nullptr}, {"policy", nullptr}, {"required", true}}},
       {"logging", {{"content", "never"}}}});
}

const Expected kNoConnection{.no_connection = true};

Verdict judge(const Json& document, const Policy& policy = {}, const std::string& tee_type = "tdx") {
  Verdict verdict;
  verdict.facts["tee_type"] = tee_type;
  check_node_policy({}, document, *evidence::document_digest(document), NodeKind::kCloister, kNoConnection, policy,
                    verdict);
  return verdict;
}

TEST(NodePolicy, AGoodOnePasses) {
  const Verdict verdict = judge(good_document());
  EXPECT_EQ(verdict.checks.size(), 11u);
  for (const Check& check : verdict.checks) EXPECT_EQ(check.state, State::kPass) << check.id << ": " << check.detail;
}

// What the node says of its TLS is no statement about the connection in use: report_data.tls is.
TEST(NodePolicy, TlsPassesWithTheKeyOfTheConnection) {
  const Json document = good_document();
  const auto tls_check = [&document](std::optional<State> key, const Expected& expected) {
    Verdict verdict;
    verdict.facts["tee_type"] = "tdx";
    if (key) verdict.add({"report_data.tls", *key, true, {}, {}, {}});
    check_node_policy({}, document, *evidence::document_digest(document), NodeKind::kCloister, expected, {}, verdict);
    return *verdict.find("policy.tls");
  };
  EXPECT_EQ(tls_check(State::kPass, {}).state, State::kPass);
  for (const std::optional<State> key :
       {std::optional<State>(), std::optional(State::kSkipped), std::optional(State::kNotApplicable)}) {
    const Check check = tls_check(key, {});
    EXPECT_EQ(check.state, State::kSkipped);
    EXPECT_TRUE(check.required);
    EXPECT_EQ(tls_check(key, kNoConnection).state, State::kPass);
  }
}

struct Case {
  const char* what;
  std::function<void(Json&)> change;
  const char* check;
  State state;
  std::function<void(Policy&)> allow = {};  // the setting by which it passes, if any
};

TEST(NodePolicy, EachMemberHasItsCheck) {
  const auto upstreams = [](const char* url) {
    return [url](Json& d) { d["engine"]["kind"] = "upstream", d["engine"]["upstreams"] = Json::array({url}); };
  };
  const auto claims = [](Policy& policy) { policy.service.accept_upstream_claims = true; };
  const auto lists = [](const char* url) { return [url](Policy& policy) { policy.service.upstreams = {url}; }; };
  const auto cache = [](Policy& policy) { policy.service.allow_shared_prompt_cache = true; };
  const auto http = [](Policy& policy) { policy.service.allow_plain_http = true; };
  const auto library = [](Policy& policy) { policy.service.gpu_libraries = {Bytes(32, 7)}; };
  const std::vector<Case> cases = {
      {"engine", [](Json& d) { d["engine"]["kind"] = "mystery"; }, "policy.engine", State::kSkipped},
      {"no engine", [](Json& d) { d.erase("engine"); }, "policy.engine", State::kSkipped},
      {"aggregator", [](Json& d) { d["engine"]["serving"] = "aggregator"; }, "policy.serving", State::kSkipped},
      {"no serving", [](Json& d) { d["engine"].erase("serving"); }, "policy.serving", State::kSkipped},
      {"http upstream", upstreams("http://10.0.0.9:8000"), "policy.upstreams", State::kSkipped,
       lists("http://10.0.0.9:8000")},
      {"a name", upstreams("http://vllm:8000"), "policy.upstreams", State::kSkipped, lists("http://vllm:8000")},
      {"https upstream", upstreams("https://gpu.example"), "policy.upstreams", State::kSkipped,
       lists("https://gpu.example")},
      {"looks local", upstreams("http://127.0.0.1.example:8000"), "policy.upstreams", State::kSkipped},
      {"user part", upstreams("http://127.0.0.1@evil.example"), "policy.upstreams", State::kSkipped},
      {"no list", [](Json& d) { d["engine"]["upstreams"] = "none"; }, "policy.upstreams", State::kSkipped},
      {"no TLS", [](Json& d) { d["listen"]["tls"] = "none"; }, "policy.tls", State::kSkipped, http},
      {"TLS of no kind", [](Json& d) { d["listen"].erase("tls"); }, "policy.tls", State::kSkipped},
      {"cache", [](Json& d) { d["engine"]["shared_prompt_cache"] = true; }, "policy.prompt_cache", State::kSkipped,
       cache},
      {"cache in words", [](Json& d) { d["engine"]["shared_prompt_cache"] = "no"; }, "policy.prompt_cache",
       State::kSkipped},
      {"no TEE", [](Json& d) { d["tee"] = "none"; }, "policy.tee", State::kFail},
      {"another TEE", [](Json& d) { d["tee"] = "sev_snp"; }, "policy.tee", State::kFail},
      {"simulated TEE", [](Json& d) { d["tee"] = "insecure_simulator"; }, "policy.tee", State::kFail},
      {"simulated GPU", [](Json& d) { d["gpu"]["evidence"] = "insecure_simulator"; }, "policy.gpu", State::kFail},
      {"no gate", [](Json& d) { d["gpu"]["required"] = false; }, "policy.gpu", State::kSkipped},
      {"no GPU part", [](Json& d) { d.erase("gpu"); }, "policy.gpu", State::kSkipped},
      {"a GPU library", [](Json& d) { d["gpu"]["library"] = kLibrary; }, "policy.gpu_library", State::kSkipped,
       library},
      {"a GPU library of no digest", [](Json& d) { d["gpu"]["library"] = "/opt/libnvidia-ml.so.1"; },
       "policy.gpu_library", State::kSkipped},
      {"a GPU library in a flag", [](Json& d) { d["gpu"]["library"] = true; }, "policy.gpu_library", State::kSkipped},
      {"no word about a GPU library", [](Json& d) { d["gpu"].erase("library"); }, "policy.gpu_library",
       State::kSkipped},
      {"prompts in the log", [](Json& d) { d["logging"]["content"] = "debug"; }, "policy.logging", State::kFail},
      {"log unknown", [](Json& d) { d.erase("logging"); }, "policy.logging", State::kSkipped},
  };
  for (const Case& one : cases) {
    Json document = good_document();
    one.change(document);
    document = with_keys(document);
    const Verdict verdict = judge(document);
    const Check* check = verdict.find(one.check);
    ASSERT_NE(check, nullptr) << one.what;
    EXPECT_EQ(check->state, one.state) << one.what;
    EXPECT_TRUE(check->required) << one.what;
    EXPECT_NE(verdict.outcome(), Outcome::kAccepted) << one.what;
    if (!one.allow) continue;
    Policy policy;
    one.allow(policy);
    EXPECT_EQ(judge(document, policy).find(one.check)->state, State::kPass) << one.what;
  }
  Json document = good_document();
  document["engine"]["serving"] = "aggregator";
  Policy policy;
  claims(policy);
  EXPECT_EQ(judge(with_keys(document), policy).outcome(), Outcome::kAccepted);
  upstreams("http://10.0.0.9:8000")(document);
  EXPECT_EQ(judge(with_keys(document), policy).outcome(), Outcome::kUndetermined)
      << "in clear, whatever the gateway claims";
  upstreams("https://10.0.0.9:8000")(document);
  EXPECT_EQ(judge(with_keys(document), policy).outcome(), Outcome::kAccepted);
}

// Two starts of a node have the same keys only where the same party reads the prompts.
TEST(NodePolicy, TheKeysBelongToTheDocument) {
  const std::function<void(Json&)> of_another[] = {
      [](Json& d) { d["engine"]["upstreams"] = Json::array({"unix:"}); },
      [](Json& d) { d["engine"]["kind"] = "upstream"; },
      [](Json& d) { d["engine"]["known_answers"] = true; },
      [](Json& d) { d["gpu"]["required"] = false; },
      [](Json& d) { d["gpu"]["manifests"] = true; },
      [](Json& d) { d["gpu"]["check_seconds"] = 3000; },
      [](Json& d) { d["gpu"]["policy"] = kLibrary; },
      [](Json& d) { d["gpu"]["library"] = kLibrary; },
      [](Json& d) { d["listen"]["tls"] = "certificate"; },
      [](Json& d) { d["listen"]["address"] = "10.0.0.1"; },
      [](Json& d) { d["signing"] = true; },
      [](Json& d) { d["tee"] = "tdx"; },
  };
  for (const auto& change : of_another) {
    Json document = good_document();
    change(document);
    const Verdict verdict = judge(document);
    EXPECT_EQ(verdict.find("policy.keys")->state, State::kFail) << document;
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
    EXPECT_NE(with_keys(document)[evidence::kKeyConfigurationMember],
              good_document()[evidence::kKeyConfigurationMember]);
  }
  Json same = good_document();
  same["listen"]["port"] = 1;
  same["limits"] = {{"body_bytes", 5}};
  same["logging"]["level"] = "debug";
  EXPECT_EQ(judge(same).find("policy.keys")->state, State::kPass);
  same.erase(evidence::kKeyConfigurationMember);
  EXPECT_EQ(judge(same).find("policy.keys")->state, State::kSkipped) << "a node of before";
  EXPECT_FALSE(judge(same).find("policy.keys")->required);
  same[evidence::kKeyConfigurationMember] = 7;
  EXPECT_EQ(judge(same).outcome(), Outcome::kUndetermined);
}

TEST(NodePolicy, AGpuThatThePolicyRequiresIsGated) {
  Json document = good_document();
  document["gpu"] = {{"evidence", "none"}, {"library", nullptr}, {"required", false}};
  document = with_keys(document);
  EXPECT_EQ(judge(document).outcome(), Outcome::kAccepted);
  Policy policy;
  policy.nvidia.required = GpuRequirement::kAlways;
  EXPECT_EQ(judge(document, policy).find("policy.gpu")->state, State::kFail);
}

TEST(NodePolicy, ANodeThatOnlyItsMachineReachesNeedsNeitherTlsNorApartCaches) {
  Json document = good_document();
  document["listen"]["tls"] = "none";
  document["engine"]["shared_prompt_cache"] = true;
  for (const char* address : {"127.0.0.1", "::1", "localhost"}) {
    document["listen"]["address"] = address;
    EXPECT_EQ(judge(with_keys(document)).outcome(), Outcome::kAccepted) << address;
  }
  for (const char* address : {"0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example", ""}) {
    document["listen"]["address"] = address;
    EXPECT_EQ(judge(with_keys(document)).outcome(), Outcome::kUndetermined) << address;
  }
}

TEST(NodePolicy, TheEvidenceBindsTheDocument) {
  const Json document = good_document();
  const auto digest = evidence::document_digest(document).value();
  const auto document_check = [](const Json& shown, const std::optional<ByteArray<32>>& bound, NodeKind kind,
                                 const Policy& policy = {}) {
    Verdict verdict;
    verdict.facts["tee_type"] = "tdx";
    check_node_policy({}, shown, bound, kind, kNoConnection, policy, verdict);
    EXPECT_EQ(verdict.checks.size(), 11u);
    return std::pair(verdict.checks.front().state, verdict.outcome());
  };
  using Pair = std::pair<State, Outcome>;
  const Pair unknown = {State::kSkipped, Outcome::kUndetermined};
  EXPECT_EQ(document_check(document, digest, NodeKind::kCloister), Pair(State::kPass, Outcome::kAccepted));
  EXPECT_EQ(document_check(document, ByteArray<32>{1}, NodeKind::kCloister), Pair(State::kFail, Outcome::kRejected));
  EXPECT_EQ(document_check(document, std::nullopt, NodeKind::kUnknown), unknown);
  EXPECT_EQ(document_check(Json(), digest, NodeKind::kUnknown), unknown);
  EXPECT_EQ(document_check(Json(), std::nullopt, NodeKind::kCloister), unknown);
  // A missing document must not help: it may have been removed, unless the verifier knows that the service has none.
  EXPECT_EQ(document_check(Json(), std::nullopt, NodeKind::kUnknown), unknown);
  Policy of_others;
  of_others.service.accept_no_node_policy = true;
  EXPECT_EQ(document_check(Json(), std::nullopt, NodeKind::kUnknown, of_others),
            Pair(State::kNotApplicable, Outcome::kUndetermined));
  EXPECT_EQ(document_check(Json(), std::nullopt, NodeKind::kCloister, of_others), unknown);
  EXPECT_EQ(document_check(Json(), digest, NodeKind::kUnknown, of_others), unknown);
  EXPECT_EQ(document_check(document, std::nullopt, NodeKind::kUnknown, of_others), unknown);
  Json other = document;
  other["schema"] = "cloister.policy.v2";
  EXPECT_EQ(document_check(other, evidence::document_digest(other).value(), NodeKind::kCloister), unknown);
  // A document that the verifier pins is the verifier's own decision.
  Policy pinned;
  pinned.service.policy_digests = {to_bytes(evidence::document_digest(other).value())};
  EXPECT_EQ(document_check(other, evidence::document_digest(other).value(), NodeKind::kCloister, pinned),
            Pair(State::kPass, Outcome::kAccepted));
  EXPECT_EQ(document_check(Json(), evidence::document_digest(other).value(), NodeKind::kCloister, pinned),
            Pair(State::kPass, Outcome::kAccepted));
  EXPECT_EQ(document_check(document, evidence::document_digest(other).value(), NodeKind::kCloister, pinned),
            Pair(State::kFail, Outcome::kRejected));
}

// What runs in the node can have it write any document: the log tells of the library that was loaded before.
TEST(NodePolicy, ALibraryThatTheLogTellsOfIsListed) {
  const auto judge_log = [](const std::vector<evidence::Event>& events, const Json& shown, const Policy& policy) {
    evidence::BootEvidence boot;
    boot.event_log = evidence::event_log_json(events).dump();
    Verdict verdict;
    verdict.facts["tee_type"] = "tdx";
    for (const char* id :
         {"boot.rtmr3", "boot.event.digests", "boot.event.names", "boot.events.order", "boot.events.unique"}) {
      verdict.add({id, State::kPass, true, {}, {}, {}});
    }
    check_node_policy(boot, shown, evidence::document_digest(good_document()).value(), NodeKind::kCloister,
                      kNoConnection, policy, verdict);
    return *verdict.find("policy.gpu_library");
  };
  const Json document = good_document();
  const auto loaded = [](std::uint8_t mark) {
    return evidence::runtime_event(evidence::kGpuLibraryEvent, Bytes(32, mark));
  };
  Policy listed, pinned;
  listed.service.gpu_libraries = {Bytes(32, 7)};
  pinned.service.policy_digests = {to_bytes(*evidence::document_digest(document))};
  EXPECT_EQ(judge_log({}, document, {}).state, State::kPass);
  EXPECT_EQ(judge_log({loaded(7)}, document, listed).state, State::kPass);
  EXPECT_EQ(judge_log({}, document, pinned).state, State::kNotApplicable);
  // Without a log nobody sees what was measured, unless the register says that nothing was.
  for (const char* rtmr3 : {"00", "07"}) {
    Verdict verdict;
    verdict.facts["tee_type"] = "tdx";
    verdict.facts["rtmr3"] = rtmr3;
    check_node_policy({}, document, evidence::document_digest(document).value(), NodeKind::kCloister, kNoConnection,
                      Policy(), verdict);
    EXPECT_EQ(verdict.find("policy.gpu_library")->state, std::string(rtmr3) == "00" ? State::kPass : State::kSkipped);
    EXPECT_TRUE(verdict.find("policy.gpu_library")->required);
  }
  const struct {
    std::vector<evidence::Event> events;
    Policy policy;
    Json shown;
  } speaks_against[] = {
      {{loaded(7)}, {}, document},
      {{loaded(7), loaded(8)}, listed, document},
      {{loaded(8), loaded(7)}, listed, document},
      {{evidence::runtime_event(evidence::kGpuLibraryEvent, Bytes(31, 7))}, listed, document},
      {{loaded(7)}, pinned, document},
      {{loaded(7)}, pinned, Json()},
  };
  for (const auto& one : speaks_against) {
    const Check check = judge_log(one.events, one.shown, one.policy);
    EXPECT_EQ(check.state, State::kSkipped) << check.detail;
    EXPECT_TRUE(check.required);
    EXPECT_NE(check.detail.find("service.gpu_libraries"), std::string::npos) << check.detail;
  }
}

// In the forms whose statement names no configuration the last event counts: any other would let an operator show the harmless
// configuration of before, or of another node, in front of the evidence of the one that runs.
TEST(NodePolicy, TheLastConfigurationThatWasMeasuredCounts) {
  const Json first = good_document();
  Json second = first;
  second["listen"]["port"] = 8444;
  const auto event = [](std::string_view name, const Json& document) {
    return evidence::runtime_event(name, *evidence::document_digest(document));
  };
  const auto judge_log = [](const std::vector<evidence::Event>& events, const Json& shown) {
    evidence::BootEvidence boot;
    boot.event_log = evidence::event_log_json(events).dump();
    Verdict verdict;
    verdict.facts["tee_type"] = "tdx";
    for (const char* id :
         {"boot.rtmr3", "boot.event.digests", "boot.event.names", "boot.events.order", "boot.events.unique"}) {
      verdict.add({id, State::kPass, true, {}, {}, {}});
    }
    check_logged_digests(boot, shown, NodeKind::kUnknown, kNoConnection, {}, verdict);
    return *verdict.find("policy.document");
  };
  EXPECT_EQ(judge_log({event(evidence::kPolicyEvent, first)}, first).state, State::kPass);
  const std::vector<evidence::Event> both = {event(evidence::kPolicyEvent, first),
                                             event(evidence::kPolicyEvent, second)};
  EXPECT_EQ(judge_log(both, second).state, State::kPass);
  const Check former = judge_log(both, first);
  EXPECT_EQ(former.state, State::kFail);
  EXPECT_NE(former.detail.find("measured another configuration since"), std::string::npos) << former.detail;
  EXPECT_NE(former.detail.find("another node in the same VM"), std::string::npos) << former.detail;
  // A configuration that was never measured, one from before the end of the boot, and one under another name.
  EXPECT_EQ(judge_log({event(evidence::kPolicyEvent, second)}, first).detail,
            "the evidence binds another policy document");
  EXPECT_EQ(judge_log({event(evidence::kPolicyEvent, first), evidence::runtime_event("system-ready", {}),
                       event(evidence::kPolicyEvent, second)},
                      first)
                .detail,
            "the evidence binds another policy document");
  EXPECT_EQ(judge_log({event(evidence::kModelEvent, first), event(evidence::kPolicyEvent, second)}, first).detail,
            "the evidence binds another policy document");
}

TEST(NodePolicy, KnowsTheAddressesOfItsMachine) {
  for (const char* url : {"http://127.0.0.1", "http://127.0.0.1:8000/v1", "https://localhost:1", "http://[::1]:8000",
                          "http://[::1]", "unix:/run/engine.sock", "http://127.255.1.2"}) {
    EXPECT_TRUE(is_local_address(url)) << url;
  }
  for (const char* url :
       {"", "127.0.0.1", "http://", "http://127.evil.example", "http://127.0.0.1.evil.example", "http://127.0.0.1@evil",
        "http://localhost.evil", "http://[::1].evil", "http://[::2]", "http://[::1", "http://127.0.0", "http://127.1",
        "http://10.0.0.1", "http://127.0.0.1%2eevil", "http://127.0.0.1\\@evil", "http://LOCALHOST.evil"}) {
    EXPECT_FALSE(is_local_address(url)) << url;
  }
}

}  // namespace
}  // namespace cloister::verify
