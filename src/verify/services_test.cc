// Recorded evidence of other services: the verdict about it, and about it with one change.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/services/chutes.h"
#include "verify/bundle.h"
#include "verify/report.h"
#include "verify/testing/verdict_ids.h"

namespace cloister::verify {
namespace {

using testing::failing;
using testing::Ids;
using testing::ids_in;
using testing::vector_text;

evidence::Nonce nonce_of(const char* hex) { return from_hex_exactly<32>(hex).value(); }

Verdict judge(const std::string& text, const Expected& expected, const char* time) {
  Policy policy;
  policy.boot.allow_any_measurements = true;
  return verify_report(text, expected, {policy, {}, from_rfc3339(time).value()});
}

bool passes(const Verdict& verdict, std::string_view id) {
  const Check* check = verdict.find(id);
  return check != nullptr && check->state == State::kPass;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// ---- Tinfoil ----

constexpr const char* kTinfoilTdx = "reports/live/tinfoil_v3_tdx_gpu_20260622.json";
constexpr const char* kTinfoilSnp = "reports/live/tinfoil_v3_snp_genoa_20260618.json";
constexpr const char* kTinfoilV2 = "reports/live/tinfoil_v2_20260325.json";
constexpr const char* kTdxTime = "2026-06-22T23:54:12Z";
constexpr const char* kTdxNonce = "a8c5455663ef4951c4a6fef8de2a079934c8e93c67626e7311bf385ba6724c9e";
constexpr const char* kTlsKey = "dd34cd14f50bc0e410886c75bb387a6a4afa3704a03ad22386ec8fb8fe5cef9a";
constexpr const char* kHpkeKey = "0394825e3555b92558d6130d1193bf3049e06a67633ed2a735bb3203cdf6ff1f";

Expected asked(const char* nonce) { return {.nonce = nonce_of(nonce)}; }

TEST(TinfoilReport, VersionThreeBindsKeysNonceAndEvidence) {
  Expected expected = asked(kTdxNonce);
  expected.tls_spki_sha256 = nonce_of(kTlsKey);
  expected.e2ee_public_key = kHpkeKey;
  const Verdict verdict = judge(vector_text(kTinfoilTdx), expected, kTdxTime);
  for (const char* id : {"report.form", "report.nonce", "report.tee_type", "report_data.identity", "report_data.nonce",
                         "report_data.padding", "report_data.tls", "report_data.e2ee", "report.tls_certificate",
                         "report.document_signature", "report.gpu_evidence_digest"}) {
    EXPECT_TRUE(passes(verdict, id)) << id;
  }
  EXPECT_EQ(verdict.facts["report_data_layout"], "T3");
  EXPECT_EQ(verdict.facts["tls_key_sha256"], kTlsKey);
  EXPECT_EQ(verdict.facts["hpke_key"], kHpkeKey);
}

TEST(TinfoilReport, VersionThreeOnSevSnp) {
  const Verdict verdict =
      judge(vector_text(kTinfoilSnp), asked("e3e79c41b8c21758ac8da369c51dc5056c07125c5fa271aa6cd54512e7e12536"),
            "2026-06-18T03:24:57Z");
  for (const char* id : {"report_data.identity", "report_data.nonce", "report_data.padding", "report.tls_certificate",
                         "report.document_signature", "report.gpu_evidence_digest"}) {
    EXPECT_TRUE(passes(verdict, id)) << id;
  }
  EXPECT_EQ(verdict.find("report.switch_evidence_digest")->state, State::kNotApplicable);
}

// Each change fails the check of the changed part, and no check that does not depend on it.
TEST(TinfoilReport, AChangedDocumentIsRejected) {
  const std::string good = vector_text(kTinfoilTdx);
  const auto failed_by = [&](std::string_view from, std::string_view to) {
    return failing(judge(replaced(good, from, to), asked(kTdxNonce), kTdxTime));
  };
  const std::string other(64, '7');
  const auto has = [](const Ids& ids, std::initializer_list<const char*> wanted) {
    return std::all_of(wanted.begin(), wanted.end(), [&](const char* id) { return ids.contains(id); });
  };
  // Keys that the quote does not bind.
  EXPECT_TRUE(has(failed_by(kTlsKey, other), {"report_data.identity", "report.tls_certificate"}));
  EXPECT_TRUE(has(failed_by(kHpkeKey, other), {"report_data.identity"}));
  // A nonce that was inserted after the quote was made.
  EXPECT_TRUE(has(failed_by(kTdxNonce, other), {"report.nonce", "report_data.identity"}));
  // Other GPU evidence, and the same evidence with another spelling.
  EXPECT_TRUE(has(failed_by(R"("arch":"HOPPER")", R"("arch":"BLACKWELL")"), {"report.gpu_evidence_digest"}));
  EXPECT_TRUE(has(failed_by(R"({"evidences":[)", R"({"evidences": [)"),
                  {"report.gpu_evidence_digest", "report.document_signature"}));
  // The evidence is left out together with its hash.
  const Json whole = codec::parse_json(good).value();
  const std::string hash =
      R"(,"gpu_evidence_hash":")" + whole["report_data"]["gpu_evidence_hash"].get<std::string>() + "\"";
  EXPECT_TRUE(has(failed_by(hash, ""), {"report_data.identity", "report.gpu_evidence_digest"}));
  // A member that this form does not have could be evidence that another reader finds.
  EXPECT_EQ(failed_by(R"("format":)", R"("extra":1,"format":)"), Ids{"report.form"});
  // Somebody else's signature: here over another text, since nobody has the key.
  EXPECT_EQ(failed_by("}\n", " }\n"), Ids{"report.document_signature"});
  EXPECT_TRUE(has(failing(judge(good, asked(other.c_str()), kTdxTime)), {"report.nonce", "report_data.nonce"}));
  Expected other_channel = asked(kTdxNonce);
  other_channel.tls_spki_sha256 = nonce_of(other.c_str());
  EXPECT_TRUE(failing(judge(good, other_channel, kTdxTime)).contains("report_data.tls"));
  // A left out key of the connection is not the same as no connection.
  const Check left_out = *judge(good, asked(kTdxNonce), kTdxTime).find("report_data.tls");
  EXPECT_TRUE(left_out.state == State::kSkipped && left_out.required);
  Expected document = asked(kTdxNonce);
  document.no_connection = true;
  EXPECT_FALSE(judge(good, document, kTdxTime).find("report_data.tls")->required);
  Expected other_key = asked(kTdxNonce);
  other_key.e2ee_public_key = other;
  EXPECT_TRUE(failing(judge(good, other_key, kTdxTime)).contains("report_data.e2ee"));
}

TEST(TinfoilReport, SwitchesAreBoundByHashOrSignature) {
  // Added by somebody who has neither the quote nor the key.
  const std::string text = replaced(vector_text(kTinfoilTdx), R"(,"certificate":"-----BEGIN)",
                                    R"(,"nvswitch":{"evidences":[]},"certificate":"-----BEGIN)");
  const Verdict verdict = judge(text, asked(kTdxNonce), kTdxTime);
  EXPECT_TRUE(failing(verdict).contains("report.document_signature"));
  EXPECT_EQ(verdict.find("report.switch_evidence_digest")->state, State::kSkipped);
}

TEST(TinfoilReport, VersionTwoIsNeverFresh) {
  const std::string text = vector_text(kTinfoilV2);
  // The reseller put this nonce next to it.
  Expected expected = asked("2e9d4dfe19f2b8d66b690b02c24b7dc38cea5cd0df3b81a42f9c5395596af239");
  expected.tls_spki_sha256 = nonce_of("5b496c10a95278ae770a56dbb0a8281c1ac06a551aaad6d6191930187463d9ad");
  const Verdict verdict = judge(text, expected, "2026-03-25T22:50:22Z");
  EXPECT_NE(verdict.outcome(), Outcome::kAccepted);
  EXPECT_EQ(verdict.find("report.nonce")->state, State::kSkipped);
  EXPECT_TRUE(verdict.find("report.nonce")->required);
  EXPECT_EQ(verdict.find("report_data.nonce")->state, State::kSkipped);
  EXPECT_TRUE(passes(verdict, "report_data.tls"));
  EXPECT_EQ(verdict.facts["hpke_key"], "b663e698318aebaf32e54d44b5c6399cbb59d11b00be98b31db0a1f2d8e1b507");
  expected.tls_spki_sha256->fill(1);
  EXPECT_TRUE(failing(judge(text, expected, "2026-03-25T22:50:22Z")).contains("report_data.tls"));
}

// ---- Chutes ----

constexpr const char* kRedpill = "reports/live/redpill_chutes_20260610.json";
constexpr const char* kChutes = "reports/live/chutes_20260610.json";
constexpr const char* kChutesKeys = "reports/live/chutes_20260610.instances.json";
constexpr const char* kRedpillNonce = "aa8aa7cb237cb07d054e2ba1c1660b6d6bf60a1501e4d33bec8115148543e501";
constexpr const char* kChutesNonce = "3339ed515124334c8c85e73f5101de92da4112b23ecec719a72d767a278d3440";
constexpr const char* kRedpillTime = "2026-06-10T01:49:17Z";
constexpr const char* kChutesTime = "2026-06-10T01:50:29Z";

std::string instance(int number, const char* id) { return "instance." + std::to_string(number) + "." + id; }

TEST(ChutesReport, AsRedpillPassesItOn) {
  const Verdict verdict = judge(vector_text(kRedpill), asked(kRedpillNonce), kRedpillTime);
  EXPECT_TRUE(passes(verdict, "report.nonce"));
  EXPECT_TRUE(passes(verdict, "report.distinct_devices"));
  for (int i = 0; i < 5; ++i) {
    for (const char* id : {"report.e2e_key", "report_data.identity", "report_data.nonce", "nvidia.gpu.0.nonce",
                           "nvidia.gpu.7.nonce", "nvidia.gpu.0.signature", "nvidia.duplicates"}) {
      EXPECT_TRUE(passes(verdict, instance(i, id))) << i << id;
    }
  }
  EXPECT_EQ(verdict.facts["instances"].size(), 5U);
}

// Whoever passes the evidence on can be the end of the connection.
TEST(ChutesReport, BindsNoConnection) {
  Expected expected = asked(kChutesNonce);
  expected.instance_keys = evidence::parse_chutes_instances(vector_text(kChutesKeys)).value();
  expected.tls_spki_sha256 = ByteArray<32>{7};
  const Verdict verdict = judge(vector_text(kChutes), expected, kChutesTime);
  const Check* tls = verdict.find("instance.0.report_data.tls");
  ASSERT_NE(tls, nullptr);
  EXPECT_TRUE(tls->state == State::kSkipped && tls->required);
  EXPECT_NE(verdict.outcome(), Outcome::kAccepted);
}

TEST(ChutesReport, AnswersANonceOfItsOwnAndThatIsSeen) {
  const Verdict verdict = judge(
      vector_text(kRedpill), asked("732f6f1c000000000000000000000000000000000000000000000000bb7c7e00"), kRedpillTime);
  EXPECT_EQ(verdict.outcome(), Outcome::kRejected);
  EXPECT_TRUE(failing(verdict).contains("report.nonce"));
  EXPECT_TRUE(failing(verdict).contains("instance.0.report_data.nonce"));
}

TEST(ChutesReport, TheServiceItselfShowsNoKeys) {
  const std::string text = vector_text(kChutes);
  Expected expected = asked(kChutesNonce);
  const Verdict alone = judge(text, expected, kChutesTime);
  EXPECT_EQ(alone.find("instance.0.report_data.identity")->state, State::kSkipped);
  expected.instance_keys = evidence::parse_chutes_instances(vector_text(kChutesKeys)).value();
  const Verdict verdict = judge(text, expected, kChutesTime);
  std::size_t bound = 0;
  for (int i = 0; i < 7; ++i) {
    bound += passes(verdict, instance(i, "report_data.identity")) ? 1 : 0;
    EXPECT_TRUE(passes(verdict, instance(i, "nvidia.gpu.0.nonce"))) << i;
  }
  EXPECT_EQ(bound, 5U);  // two keys are nowhere in the evidence
  // The same evidence with another nonce.
  expected.nonce = nonce_of(kRedpillNonce);
  EXPECT_TRUE(failing(judge(text, expected, kChutesTime)).contains("instance.0.report_data.identity"));
}

TEST(ChutesReport, AChangedAnswerIsRejected) {
  const Json good = codec::parse_json(vector_text(kRedpill)).value();
  const auto judged = [](const Json& changed) {
    return failing(judge(codec::write_json(changed), asked(kRedpillNonce), kRedpillTime));
  };
  // One instance's key next to another's quote.
  Json changed = good;
  std::swap(changed["all_attestations"][0]["e2e_pubkey"], changed["all_attestations"][1]["e2e_pubkey"]);
  EXPECT_TRUE(judged(changed).contains("instance.0.report_data.identity"));
  // The GPUs of another instance.
  changed = good;
  changed["all_attestations"][0]["gpu_evidence"] = good["all_attestations"][1]["gpu_evidence"];
  EXPECT_TRUE(judged(changed).contains("instance.0.nvidia.gpu.0.nonce"));
  EXPECT_TRUE(judged(changed).contains("report.distinct_devices"));
  // No key, a short one, and one with a number that is too large.
  for (const std::string& key : {std::string(), to_base64(Bytes(1183)), to_base64(Bytes(1184, 0xff))}) {
    changed = good;
    changed["all_attestations"][0]["e2e_pubkey"] = key;
    EXPECT_TRUE(judged(changed).contains("instance.0.report.e2e_key")) << key.size();
  }
  // An instance that is listed twice, one with a nonce of its own, and none at all.
  changed = good;
  changed["all_attestations"][1]["instance_id"] = changed["all_attestations"][0]["instance_id"];
  EXPECT_EQ(judged(changed), Ids{"report.form"});
  changed = good;
  changed["all_attestations"][1]["nonce"] = kChutesNonce;
  EXPECT_EQ(judged(changed), Ids{"report.form"});
  changed = good;
  changed["all_attestations"] = Json::array();
  EXPECT_EQ(judged(changed), Ids{"report.form"});
}

// ---- NEAR ----

constexpr const char* kNear = "reports/live/near_direct_20260610.json";
constexpr const char* kNearNonce = "e1acc835c324635d087549f55702d334ba5e8dd7ef64e9c52a312eded2709223";
constexpr const char* kNearTime = "2026-06-10T01:54:00Z";

TEST(NearReport, BindsItsObliviousKeyAndItsDeployments) {
  const Verdict verdict = judge(vector_text(kNear), asked(kNearNonce), kNearTime);
  for (const char* id : {"report.ohttp_key", "report.compose_manager", "compose_manager.tdx.quote.signature"}) {
    EXPECT_TRUE(passes(verdict, id)) << id;
  }
  EXPECT_EQ(verdict.facts["compose_actions"], 26);
}

TEST(NearReport, ChangedPartsAreRejected) {
  const Json good = codec::parse_json(vector_text(kNear)).value();
  const auto judged = [](const Json& changed) {
    return failing(judge(codec::write_json(changed), asked(kNearNonce), kNearTime));
  };
  Json changed = good;
  changed["ohttp_attestation"]["key_config"] = std::string(82, '0');
  changed.erase("ohttp_key_config");
  EXPECT_TRUE(judged(changed).contains("report.ohttp_key"));
  // The served text is not the signed one.
  changed = good;
  changed["ohttp_key_config"] = std::string(82, '0');
  EXPECT_TRUE(judged(changed).contains("report.ohttp_key"));
  // One deployment is left out; one is added with a matching hash; another nonce.
  changed = good;
  changed["compose_manager_attestation"]["actions"].erase(25);
  EXPECT_TRUE(judged(changed).contains("report.compose_manager"));
  const std::string hash =
      to_hex(crypto::sha256(as_bytes(codec::write_json(changed["compose_manager_attestation"]["actions"]))));
  changed["compose_manager_attestation"]["actions_hash"] = hash;
  EXPECT_TRUE(judged(changed).contains("report.compose_manager"));
  changed = good;
  changed["compose_manager_attestation"]["nonce"] = std::string(64, '1');
  EXPECT_TRUE(judged(changed).contains("report.compose_manager"));
}

}  // namespace
}  // namespace cloister::verify
