#include "verify/nvidia/nras.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "verify/bundle.h"
#include "verify/nvidia/device_identity.h"
#include "verify/nvidia/nras_keys.h"
#include "verify/nvidia/testing/gpu_world.h"
#include "verify/nvidia/testing/ids.h"

namespace cloister::verify::testing {
namespace {

const GpuWorld& world() {
  static const GpuWorld made(2);
  return made;
}

const Ids kAllButForm = {"nvidia.nras.signature", "nvidia.nras.time",    "nvidia.nras.nonce",
                         "nvidia.nras.digests",   "nvidia.nras.devices", "nvidia.nras.result"};

WorldToken token() { return {world(), {ueid(world().chains[0].certificates), ueid(world().chains[1].certificates)}}; }

Verdict judge(const std::string& text, const std::string& jwks = world_jwks(), bool required = true,
              UnixSeconds time = kWorldTime) {
  GpuWorld changed = world();
  changed.collateral.nras_token = text;
  changed.collateral.nras_jwks = jwks;
  changed.collateral.nras_jwks_live = !jwks.empty();
  changed.policy.nvidia.require_nras = required;
  changed.time = time;
  return changed.judge();
}

void expect_failing(const WorldToken& made, const Ids& expected, const std::string& part = {}) {
  const Verdict verdict = judge(made.text());
  EXPECT_EQ(failing(verdict), expected) << to_text(verdict, false);
  if (!part.empty()) {
    EXPECT_NE(said(verdict, *expected.begin()).find(part), std::string::npos) << said(verdict, *expected.begin());
  }
}

TEST(Nras, AGoodTokenOfTwoGpus) {
  const Verdict verdict = judge(token().text());
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.facts["nras"]["key_id"], "world");
  EXPECT_EQ(verdict.facts["nras"]["claims_version"], "3.0");
}

TEST(Nras, AbsentAndRequiredOrNot) {
  Verdict verdict = judge("", "", false);
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted);
  EXPECT_EQ(verdict.find("nvidia.nras.signature")->state, State::kNotApplicable);
  verdict = judge("", "", true);
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
  EXPECT_EQ(missing(verdict).size(), 7u);
  // A token whose keys are not available.
  verdict = judge(token().text(), "", true);
  EXPECT_EQ(missing(verdict), kAllButForm);
  EXPECT_EQ(judge(token().text(), "", false).outcome(), Outcome::kAccepted);
}

TEST(Nras, ABadTokenFailsEvenWhenNoneIsRequired) {
  WorldToken made = token();
  made.overall["x-nvidia-overall-att-result"] = false;
  EXPECT_EQ(failing(judge(made.text(), world_jwks(), false)), Ids{"nvidia.nras.result"});
}

TEST(Nras, OtherFormsAreRefused) {
  for (const char* text : {"x", "{}", "[]", "[[]]", R"([["JWT"],{}])", R"([["JWT","a.b.c"],{}])", R"([["CWT","x"],{}])",
                           R"([["JWT",1],{}])"}) {
    EXPECT_EQ(failing(judge(text)), Ids{"nvidia.nras.form"}) << text;
  }
  Json json = Json::parse(token().text());
  json[1]["GPU-0"] = 7;
  EXPECT_EQ(failing(judge(json.dump())), Ids{"nvidia.nras.form"});
  json = Json::parse(token().text());
  json.push_back(1);
  EXPECT_EQ(failing(judge(json.dump())), Ids{"nvidia.nras.form"});
}

TEST(Nras, SignaturesOfEveryPart) {
  const Json good = Json::parse(token().text());
  const auto flip = [](const Json& text) {
    std::string changed = text.get<std::string>();
    changed[changed.size() - 3] = changed[changed.size() - 3] == 'A' ? 'B' : 'A';
    return changed;
  };
  Json json = good;
  json[0][1] = flip(good[0][1]);
  EXPECT_EQ(failing(judge(json.dump())), Ids{"nvidia.nras.signature"});
  json = good;
  json[1]["GPU-1"] = flip(good[1]["GPU-1"]);
  EXPECT_EQ(failing(judge(json.dump())), (Ids{"nvidia.nras.signature", "nvidia.nras.digests"}));
  // Somebody else signed it.
  json[0][1] = world_jwt(token().overall, "stranger");
  EXPECT_TRUE(failing(judge(json.dump())).contains("nvidia.nras.signature"));
  // A key set without that key, and one that cannot be parsed.
  EXPECT_EQ(failing(judge(good.dump(), R"({"keys":[]})")), Ids{"nvidia.nras.signature"});
  EXPECT_EQ(failing(judge(good.dump(), "x")), Ids{"nvidia.nras.signature"});
}

TEST(Nras, TimeHasAnEndAndABeginning) {
  const std::string text = token().text();
  GpuWorld changed = world();
  const auto at = [&](UnixSeconds time) {
    WorldToken made = token();
    for (Json* claims : {&made.overall, &made.parts["GPU-0"], &made.parts["GPU-1"]}) {
      (*claims)["nbf"] = (*claims)["nbf"].get<std::int64_t>() - (time - kWorldTime);
      (*claims)["exp"] = (*claims)["exp"].get<std::int64_t>() - (time - kWorldTime);
    }
    return failing(judge(made.text()));
  };
  EXPECT_EQ(at(kWorldTime + 3590 + 59), Ids{});
  EXPECT_EQ(at(kWorldTime + 3590 + 60), Ids{"nvidia.nras.time"});
  EXPECT_EQ(at(kWorldTime - 70), Ids{});
  EXPECT_EQ(at(kWorldTime - 71), Ids{"nvidia.nras.time"});
  for (const char* claim : {"nbf", "exp"}) {
    WorldToken made = token();
    made.parts["GPU-1"].erase(claim);
    expect_failing(made, {"nvidia.nras.time"}, "GPU-1");
    made = token();
    made.overall[claim] = "x";
    expect_failing(made, {"nvidia.nras.time"}, "overall");
  }
  WorldToken made = token();
  made.overall["exp"] = 18446744073709551615u;
  expect_failing(made, {"nvidia.nras.time"});
}

TEST(Nras, NonceOfEveryPart) {
  for (const bool overall : {true, false}) {
    WorldToken made = token();
    Json& claims = overall ? made.overall : made.parts["GPU-1"];
    std::string upper = to_hex(world().nonce);
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    claims["eat_nonce"] = upper;
    EXPECT_EQ(failing(judge(made.text())), Ids{});
    claims["eat_nonce"] = std::string(64, '0');
    expect_failing(made, {"nvidia.nras.nonce"});
    claims.erase("eat_nonce");
    expect_failing(made, {"nvidia.nras.nonce"});
  }
}

TEST(Nras, DigestsAndTheSetOfSubmodules) {
  Json json = Json::parse(token().text());
  // A part that the overall token does not list.
  json[1]["GPU-2"] = json[1]["GPU-0"];
  EXPECT_EQ(failing(judge(json.dump())), (Ids{"nvidia.nras.digests", "nvidia.nras.devices"}));
  // One part is left out.
  json = Json::parse(token().text());
  json[1].erase("GPU-1");
  EXPECT_EQ(failing(judge(json.dump())), (Ids{"nvidia.nras.digests", "nvidia.nras.devices"}));
  // Two parts are swapped.
  json = Json::parse(token().text());
  std::swap(json[1]["GPU-0"], json[1]["GPU-1"]);
  EXPECT_EQ(failing(judge(json.dump())), Ids{"nvidia.nras.digests"});
  WorldToken made = token();
  made.overall["submods"] = {{"GPU-0", {"DIGEST", {"SHA-1", "00"}}}, {"GPU-1", {"DIGEST", {"SHA-256", "00"}}}};
  expect_failing(made, {"nvidia.nras.digests"});
  made.overall["submods"] = "x";
  expect_failing(made, {"nvidia.nras.digests"});
}

TEST(Nras, AboutTheseVeryGpus) {
  WorldToken made = token();
  made.parts["GPU-1"]["ueid"] = "12345";
  expect_failing(made, {"nvidia.nras.devices"}, "12345");
  made = token();
  made.parts["GPU-1"]["ueid"] = made.parts["GPU-0"]["ueid"];  // one GPU twice
  expect_failing(made, {"nvidia.nras.devices"});
  made = token();
  made.parts.erase("GPU-1");
  expect_failing(made, {"nvidia.nras.devices"}, "|2|1");
  made = token();
  made.parts["GPU-1"].erase("ueid");
  expect_failing(made, {"nvidia.nras.devices"});
}

TEST(Nras, EveryResultCounts) {
  const auto with = [](const std::function<void(Json & overall, Json & part)>& change) {
    WorldToken made = token();
    change(made.overall, made.parts["GPU-1"]);
    return made;
  };
  const Ids result = {"nvidia.nras.result"};
  expect_failing(with([](Json& overall, Json&) { overall["x-nvidia-overall-att-result"] = "true"; }), result);
  expect_failing(with([](Json& overall, Json&) { overall.erase("x-nvidia-overall-att-result"); }), result);
  expect_failing(with([](Json& overall, Json&) { overall["sub"] = "x"; }), result, "kind");
  expect_failing(with([](Json& overall, Json&) { overall["iss"] = "https://nras.example"; }), result, "issuer");
  expect_failing(with([](Json&, Json& part) { part["iss"] = "https://nras.example"; }), result, "GPU-1");
  expect_failing(with([](Json&, Json& part) { part["measres"] = "fail"; }), result, "measres");
  expect_failing(with([](Json&, Json& part) { part["secboot"] = false; }), result, "secboot");
  expect_failing(with([](Json&, Json& part) { part.erase("secboot"); }), result, "secboot");
  expect_failing(with([](Json&, Json& part) { part["dbgstat"] = "enabled"; }), result, "dbgstat is enabled");
  expect_failing(with([](Json&, Json& part) { part["x-nvidia-gpu-arch-check"] = false; }), result, "arch-check");
  expect_failing(with([](Json&, Json& part) {
                   part["x-nvidia-gpu-driver-rim-cert-chain"]["x-nvidia-cert-ocsp-status"] = "revoked";
                 }),
                 result, "OCSP");
  EXPECT_EQ(failing(judge(with([](Json&, Json& part) { part["measres"] = "comparison-successful"; }).text())), Ids{});
}

// A key set that came in the same file as the token.
struct Bundled {
  Json key = Json::parse(world_jwks())["keys"][0];
  GpuWorld changed = world();

  Bundled() {
    changed.collateral.nras_token = token().text();
    changed.policy.nvidia.require_nras = true;
  }
  Verdict judge(const crypto::Certificate* authority = pinned_nras_authority()) {
    changed.collateral.nras_jwks = Json{{"keys", Json::array({key})}}.dump();
    changed.nras_authority = authority;
    return changed.judge();
  }
};

TEST(NrasKeys, AKeySetThatCameWithTheTokenProvesNothing) {
  Bundled bundled;
  EXPECT_EQ(failing(bundled.judge()), Ids{});
  EXPECT_EQ(missing(bundled.judge()), kAllButForm);
  EXPECT_EQ(bundled.judge().outcome(), Outcome::kUndetermined);
  EXPECT_EQ(bundled.judge().facts["nras"]["keys"], "none");
  // Its claims count neither way.
  bundled.changed.collateral.nras_token = [] {
    WorldToken made = token();
    made.overall["x-nvidia-overall-att-result"] = false;
    return made.text();
  }();
  EXPECT_EQ(missing(bundled.judge()), kAllButForm);
  bundled.changed.policy.nvidia.require_nras = false;
  EXPECT_EQ(bundled.judge().outcome(), Outcome::kAccepted);
  EXPECT_EQ(ids(bundled.judge(), State::kSkipped), kAllButForm);
  // Neither does a certificate that somebody else signed, or the key itself.
  bundled.changed.policy.nvidia.require_nras = true;
  const Certificate own = world_certificate("NVIDIA Attestation Service GPU GH100", "nras key",
                                            "NVIDIA Attestation Service GPU Intermediate 004", "stranger", false);
  for (const Certificate& certificate : {own, *pinned_nras_authority()}) {
    bundled.key["x5c"] = {to_base64(certificate.der()), to_base64(pinned_nras_authority()->der())};
    EXPECT_EQ(missing(bundled.judge()), kAllButForm);
  }
}

TEST(NrasKeys, ThePolicyMayNameKeys) {
  Bundled bundled;
  const Bytes point = world_key("nras key").public_point();
  bundled.changed.policy.nvidia.nras_keys = {"p384:" + to_hex(Bytes(96, 7)), "p384:" + to_hex(point)};
  EXPECT_EQ(bundled.judge().outcome(), Outcome::kAccepted) << to_text(bundled.judge(), false);
  EXPECT_EQ(bundled.judge().facts["nras"]["keys"], "policy");
  // Without a key set the token is verified with the policy's keys alone.
  bundled.changed.collateral.nras_jwks.clear();
  EXPECT_EQ(bundled.changed.judge().outcome(), Outcome::kAccepted);
  bundled.changed.policy.nvidia.nras_keys = {"p384:" + to_hex(world_key("other").public_point())};
  EXPECT_EQ(missing(bundled.judge()), kAllButForm);
  for (const char* text : {"", "p384:", "p384:00", "p256:00", "P384:"})
    EXPECT_REFUSED(read_nras_key(text), "expected p384: and 192 hex digits of x and y") << text;
}

// Recorded answers of NRAS with the key sets of the same minute: the authority that certifies NVIDIA's keys vouches for
// them, and for nothing else in the set.
TEST(NrasKeys, ThePinnedAuthorityVouchesForGenuineKeySets) {
  for (const char* file : {"near_direct_20260610", "tinfoil_v3_tdx_gpu_20260622"}) {
    const auto collateral =
        parse_bundle(cloister::testing::vector_text(std::string("reports/live/") + file + ".bundle.json"));
    ASSERT_TRUE(collateral) << collateral.error().message;
    const auto jwt = codec::parse_jwt(Json::parse(collateral->nras_token)[0][1].get<std::string>());
    ASSERT_TRUE(jwt);
    const UnixSeconds time = jwt->claims["iat"].get<UnixSeconds>();
    const Policy policy;
    const auto judged = [&](const Collateral& by, UnixSeconds at, const crypto::Certificate* authority) {
      return NrasKeys::read({policy, by, at}, authority)->judge(*jwt);
    };
    EXPECT_EQ(judged(*collateral, time, pinned_nras_authority()).source, "pinned");
    EXPECT_EQ(judged(*collateral, time, nullptr).finding, NrasKeys::Finding::kUnproven);
    // The certificates of these keys are valid for two days.
    for (const UnixSeconds at : {time - 3 * 86400, time + 3 * 86400}) {
      EXPECT_EQ(judged(*collateral, at, pinned_nras_authority()).finding, NrasKeys::Finding::kUnproven);
    }
    Json set = Json::parse(collateral->nras_jwks);
    for (Json& key : set["keys"]) {
      if (key["kid"] != jwt->key_id) continue;
      const Bytes point = world_key("nras key").public_point();
      key["x"] = codec::to_base64url(ByteView(point).first(48));
      key["y"] = codec::to_base64url(ByteView(point).subspan(48));
    }
    Collateral changed = *collateral;
    changed.nras_jwks = set.dump();
    const auto other = judged(changed, time, pinned_nras_authority());
    EXPECT_EQ(other.finding, NrasKeys::Finding::kUnproven);
    EXPECT_NE(other.why.find("about another key"), std::string::npos) << other.why;
  }
}

TEST(Nras, ClaimsOfVersion4) {
  WorldToken made = token();
  made.overall["x-nvidia-ver"] = "4.0";
  for (auto& [name, part] : made.parts) {
    part["x-nvidia-gpu-claims-version"] = "4.0";
    part["x-nvidia-attester-claims"] = {{"FSP_UCODE_MIN_SVN", 7}};
    part["x-nvidia-mismatch-measurement-records"] = nullptr;
    part["x-nvidia-mismatch-opaque-data-records"] = Json::array();
  }
  const Verdict verdict = judge(made.text());
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.facts["nras"]["attester_claims"]["GPU-1"]["FSP_UCODE_MIN_SVN"], 7);
  // A listed mismatch counts, whatever else the token says.
  made.parts["GPU-1"]["x-nvidia-mismatch-opaque-data-records"] = {{{"id", 37}, {"name", "FSP_UCODE_MIN_SVN"}}};
  expect_failing(made, {"nvidia.nras.result"}, "GPU-1: x-nvidia-mismatch-opaque-data-records");
  made.parts["GPU-1"]["x-nvidia-mismatch-opaque-data-records"] = "none";
  expect_failing(made, {"nvidia.nras.result"});
  // The meaning of a later version is unknown.
  for (const char* version : {"5.0", "4", "x", "40.0"}) {
    WorldToken later = token();
    later.parts["GPU-0"]["x-nvidia-gpu-claims-version"] = version;
    const Verdict unknown = judge(later.text());
    EXPECT_EQ(failing(unknown), Ids{}) << version;
    EXPECT_EQ(missing(unknown).size(), 7u) << version;
  }
}

// The recorded answers: their keys are gone, so nothing accepts them, and they have expired.
TEST(Nras, RecordedAnswers) {
  struct Case {
    const char* file;
    const char* nonce;
    const char* ueid;
    UnixSeconds time;
  };
  for (const Case& test :
       {Case{"nvidia/nras/nras_v3_1gpu.json", "56f5c2c4f23fda73db0536276f39a266569e1517de34023817ce455a79efb6d7",
             "595950054503819673211404242389179792039583846068", 1759774100},
        Case{"nvidia/nras/hopper_claims_v3_detached_eat.json",
             "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb",
             "478176379286082186618948445787393647364802107249", 1749601900}}) {
    Collateral collateral;
    collateral.nras_token = cloister::testing::vector_text(test.file);
    Policy policy;
    policy.nvidia.require_nras = true;
    const NrasSubject subject = {{test.ueid}, {}, *from_hex_exactly<32>(test.nonce), true};
    Verdict verdict;
    check_nras(subject, {policy, collateral, test.time}, pinned_nras_authority(), verdict);
    EXPECT_EQ(failing(verdict), Ids{}) << to_text(verdict, false);
    EXPECT_EQ(missing(verdict), kAllButForm);
    // The service's own key set, as if fetched, no longer has this key.
    collateral.nras_jwks = world_jwks();
    collateral.nras_jwks_live = true;
    for (const UnixSeconds time : {test.time, test.time - 86400, test.time + 86400}) {
      Verdict live;
      check_nras(subject, {policy, collateral, time}, pinned_nras_authority(), live);
      Ids expected = {"nvidia.nras.signature"};
      if (time != test.time) expected.insert("nvidia.nras.time");
      EXPECT_EQ(failing(live), expected) << to_text(live, false);
    }
  }
}

// A world of one GPU and one switch, as the service appraises them: each kind in a token of its own.
struct TwoOpinions {
  WorldToken gpus{world(), {"1"}};
  WorldToken switches{world(), {"2"}};
  NrasSubject subject{{"1"}, {"2"}, world().nonce, true};
  bool required = true;

  TwoOpinions() {
    auto part = switches.parts.extract("GPU-0");
    part.key() = "SWITCH-0";
    part.mapped()["x-nvidia-switch-attestation-report-nonce-match"] = true;
    switches.parts.insert(std::move(part));
  }
  Verdict judge(bool with_gpus = true, bool with_switches = true) const {
    Policy policy;
    policy.nvidia.require_nras = required;
    Collateral collateral;
    if (with_gpus) collateral.nras_token = gpus.text();
    if (with_switches) collateral.nras_switch_token = switches.text();
    collateral.nras_jwks = world_jwks();
    collateral.nras_jwks_live = true;
    Verdict verdict;
    check_nras(subject, {policy, collateral, kWorldTime}, nullptr, verdict);
    return verdict;
  }
};

TEST(NrasSwitches, HaveATokenOfTheirOwn) {
  const TwoOpinions both;
  EXPECT_EQ(both.judge().outcome(), Outcome::kAccepted) << to_text(both.judge(), false);
  EXPECT_EQ(missing(both.judge(true, false)), Ids{"nvidia.nras.devices"});
  EXPECT_EQ(missing(both.judge(false, true)), Ids{"nvidia.nras.devices"});
  EXPECT_EQ(missing(both.judge(false, false)).size(), 7u);
}

TEST(NrasSwitches, ATokenOfGpusAloneIsEnoughWhereNoneIsRequired) {
  TwoOpinions gpus_only;
  gpus_only.required = false;
  EXPECT_EQ(gpus_only.judge(true, false).outcome(), Outcome::kAccepted);
  gpus_only.subject.gpu_ueids = {"3"};
  EXPECT_EQ(failing(gpus_only.judge(true, false)), Ids{"nvidia.nras.devices"});
}

TEST(NrasSwitches, EveryCheckLooksAtBothTokens) {
  const auto failing_with = [](const std::function<void(TwoOpinions&)>& change) {
    TwoOpinions both;
    change(both);
    return failing(both.judge());
  };
  EXPECT_EQ(failing_with([](TwoOpinions& t) { t.switches.overall["x-nvidia-overall-att-result"] = false; }),
            Ids{"nvidia.nras.result"});
  EXPECT_EQ(failing_with([](TwoOpinions& t) { t.switches.parts["SWITCH-0"]["secboot"] = false; }),
            Ids{"nvidia.nras.result"});
  EXPECT_EQ(failing_with([](TwoOpinions& t) { t.switches.parts["SWITCH-0"]["iss"] = "https://example.com"; }),
            Ids{"nvidia.nras.result"});
  EXPECT_EQ(failing_with([](TwoOpinions& t) {
              t.switches.parts["SWITCH-0"]["x-nvidia-switch-attestation-report-nonce-match"] = false;
            }),
            Ids{"nvidia.nras.result"});
  EXPECT_EQ(failing_with([](TwoOpinions& t) { t.switches.parts["SWITCH-0"]["eat_nonce"] = std::string(64, '0'); }),
            Ids{"nvidia.nras.nonce"});
  EXPECT_EQ(failing_with([](TwoOpinions& t) { t.switches.overall["exp"] = kWorldTime - 100; }),
            Ids{"nvidia.nras.time"});
  EXPECT_EQ(failing_with([](TwoOpinions& t) { t.switches.overall["submods"] = Json::object(); }),
            Ids{"nvidia.nras.digests"});
  EXPECT_EQ(failing_with([](TwoOpinions& t) { t.subject.switch_ueids = {"9"}; }), Ids{"nvidia.nras.devices"});
  EXPECT_EQ(failing_with([](TwoOpinions& t) { t.subject.switch_ueids = {"2", "9"}; }), Ids{"nvidia.nras.devices"});
  // The token of the GPUs cannot replace that of the switches.
  EXPECT_EQ(failing_with([](TwoOpinions& t) { t.switches = t.gpus; }), Ids{"nvidia.nras.devices"});
}

// A token about eight GPUs, from 2026-09-10, and the key set that NVIDIA published two days later.
struct GenuineToken {
  Json token = Json::parse(
      cloister::testing::vector_text("nvidia/nras/nras_ppcie_8xh100_20260910.json"))[1]["REMOTE_GPU_CLAIMS"];
  std::string jwks = cloister::testing::vector_text("nvidia/nras/jwks_20260912.json");
  UnixSeconds time = 1789064303 + 60;
  NrasSubject subject;

  GenuineToken() {
    subject.nonce = *from_hex_exactly<32>("211b20f54486162c3a447c8a88e4a6f9f6416e4c0b10d96e59d9f7fefad1c99d");
    for (const Json& part : token[1]) {
      const auto claims = codec::parse_jwt(part.get<std::string>());
      EXPECT_TRUE(claims) << claims.error().message;
      subject.gpu_ueids.push_back(claims->claims.at("ueid"));
    }
  }
  Verdict judge() const {
    Collateral collateral;
    collateral.nras_token = token.dump();
    collateral.nras_jwks = jwks;
    Verdict verdict;
    check_nras(subject, {Policy{}, collateral, time}, pinned_nras_authority(), verdict);
    return verdict;
  }
};

TEST(GenuineNras, EightGpusUnderAKeyOfThePinnedAuthority) {
  const GenuineToken genuine;
  EXPECT_EQ(genuine.subject.gpu_ueids.size(), 8u);
  const Verdict verdict = genuine.judge();
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(ids(verdict, State::kPass).size(), 7u);
  EXPECT_EQ(verdict.facts["nras"]["keys"], "pinned");
}

TEST(GenuineNras, EachChangeFailsItsOwnCheck) {
  GenuineToken changed;
  changed.time += 3600;
  EXPECT_EQ(failing(changed.judge()), Ids{"nvidia.nras.time"});
  changed = GenuineToken();
  changed.subject.nonce->at(0) ^= 1;
  EXPECT_EQ(failing(changed.judge()), Ids{"nvidia.nras.nonce"});
  changed = GenuineToken();
  changed.subject.gpu_ueids.pop_back();
  EXPECT_EQ(failing(changed.judge()), Ids{"nvidia.nras.devices"});
  changed = GenuineToken();
  std::swap(changed.token[1]["GPU-0"], changed.token[1]["GPU-1"]);
  EXPECT_EQ(failing(changed.judge()), Ids{"nvidia.nras.digests"});
  changed = GenuineToken();
  changed.token[0][1].get_ref<std::string&>().back() ^= 4;  // of the signature
  EXPECT_EQ(failing(changed.judge()), Ids{"nvidia.nras.signature"});
  // The key set of another month has other keys.
  changed = GenuineToken();
  changed.jwks = cloister::testing::vector_text("nvidia/nras/jwks_20261022.json");
  EXPECT_EQ(failing(changed.judge()), Ids{});
  EXPECT_EQ(ids(changed.judge(), State::kSkipped), kAllButForm);
}

}  // namespace
}  // namespace cloister::verify::testing
