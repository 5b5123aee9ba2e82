// Evidence of a virtual TPM, made here: nobody signed the TEE's own report in it. Recorded evidence was verified by hand.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "codec/json.h"
#include "codec/jwt.h"
#include "crypto/hash.h"
#include "crypto/rsa_signature.h"
#include "evidence/services/azure_vtpm.h"
#include "verify/policy/rules.h"
#include "verify/report.h"
#include "verify/testing/verdict_ids.h"

namespace cloister::verify {
namespace {

using testing::failing;

constexpr std::string_view kModulus =
    "9fa316427ec3896edda06d56d344fccda6cded326a712a0d120bd7c13d8f64b3615edb61c503dc8a1c5f5efe6bb31ffb02246da360933af98816d220"
    "385a6a943cc55956075d2d4409ecc4b6084a9179b1b71cb6dab3dd3c8b3698d91d686f0f68baea7678b36388973d5e2b72dced7355f112857ef0b50c"
    "8e80be447c5ab2dd9530af0aa54aa54e369a6fdf70f8c17ce3cb661bac992d2f399e72bfaaef1dd4db8bb540d283dfab471e29aa535870f199cc12d2"
    "ec4cee7bf403de7513c6c63234bc1cff249d48ed0c0441fd747cf750555d7aeeb991b8c08c26dcc14ab25994b5f108b34a2a8f304bc67b7460c3fe68"
    "f3b73c3fba91f9190d1eb33bd68292dd";
constexpr std::string_view kMessage =
    "ff54434780180022000b000000000000000000000000000000000000000000000000000000000000000000205a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"
    "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a0000000000000000000000000000000000000000000000000000000001000b03ffffff002088991c8481c6d6"
    "7ba8de50a57b61a9076836372634d644bc8682c3e321358c6e";
constexpr std::string_view kSignature =
    "6d50196d6942e9dd94b89800f2529796dd7c09abd2bea48a0b4a70abf5fb02671ebbd96fb89d7e4661239b00d4d83b0fa52186896fe74975c8776bf6"
    "c3fe98ac5cce739723778a38cb4dff9a77e790f45ab8930c3e9e81c0747b91d8188ef6bc7d9517660cc1d6ba4d4ddfd9e9d48f73ae4e9e8cde665854"
    "c84ae70cb4c150dc03d9bd530e6ba853a017f77c48e683916819d9a71a8d76bf004a9b24368c6bcd71f19e01190a6b8a6caa7f808adbee88b642b881"
    "df872cf8027d5c4b925334345d3875d1a685ea4d101c6075ca0b2e93b813afde671712308c5f9cee3c4bfb31a0b939af2a609ae663a3bcd5e3582f6a"
    "90c442e4f69a16b733bdccf9424ea4a1";

Bytes bytes(std::string_view hex) { return from_hex(hex).value(); }

void put_le32(Bytes& out, std::size_t at, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) out[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

std::string runtime_data() {
  return R"({"keys":[{"kid":"HCLAkPub","key_ops":["sign"],"kty":"RSA","e":"AQAB","n":")" +
         codec::to_base64url(bytes(kModulus)) + R"("}],"user-data":"00"})";
}

// A paravisor's report around an SEV-SNP report of version 2 whose report data is the hash of the runtime data.
Bytes hcl_report(const std::string& data) {
  constexpr std::size_t kTee = 32, kReportData = kTee + 0x50, kSecond = kTee + 1184;
  Bytes out(kSecond + 20);
  std::copy_n("HCLA", 4, out.begin());
  out[kTee] = 2;
  out[kTee + 0x34] = 1;  // ECDSA on P-384
  const auto hash = crypto::sha256(as_bytes(data));
  std::copy(hash.begin(), hash.end(), out.begin() + kReportData);
  put_le32(out, kSecond + 8, 2);
  put_le32(out, kSecond + 12, 1);
  put_le32(out, kSecond + 16, static_cast<std::uint32_t>(data.size()));
  append(out, as_bytes(data));
  return out;
}

Json evidence_json() {
  Json pcrs = Json::array();
  for (int i = 0; i < 24; ++i) pcrs.push_back(to_hex(Bytes(32, static_cast<std::uint8_t>(i))));
  return {{"version", 1},
          {"tpm_quote", {{"message", kMessage}, {"signature", kSignature}, {"pcrs", pcrs}}},
          {"hcl_report", codec::to_base64url(hcl_report(runtime_data()))},
          {"vcek", ""}};
}

Verdict judge(const Json& evidence, std::uint8_t nonce = 0x5a, const Policy& policy = {}) {
  Expected expected;
  expected.nonce.emplace().fill(nonce);
  return verify_report(codec::write_json(evidence), expected, {policy, {}, 1780272000});
}

bool passes(const Verdict& verdict, std::string_view id) {
  return verdict.find(id) != nullptr && verdict.find(id)->state == State::kPass;
}

TEST(AzureReport, TheTpmsKeyItsQuoteItsRegistersAndTheNonceAreBound) {
  const Verdict verdict = judge(evidence_json());
  for (const char* id : {"report.form", "report.nonce", "report.tpm_quote", "report.tpm_registers",
                         "report_data.identity", "report_data.padding"}) {
    EXPECT_TRUE(passes(verdict, id)) << id;
  }
  EXPECT_EQ(verdict.facts["tpm_registers"].size(), 24U);
  EXPECT_NE(verdict.outcome(), Outcome::kAccepted);  // nobody signed the TEE's report
}

TEST(AzureReport, AChangeFailsTheCheckOfWhatWasChanged) {
  EXPECT_TRUE(failing(judge(evidence_json(), 0x5b)).contains("report.nonce"));
  Json changed = evidence_json();
  changed["tpm_quote"]["pcrs"][7] = std::string(64, 'f');
  EXPECT_TRUE(failing(judge(changed)).contains("report.tpm_registers"));
  changed = evidence_json();
  changed["tpm_quote"]["pcrs"].erase(23);
  EXPECT_TRUE(failing(judge(changed)).contains("report.tpm_registers"));
  changed = evidence_json();
  std::string signature(kSignature);
  signature[5] = signature[5] == '0' ? '1' : '0';
  changed["tpm_quote"]["signature"] = signature;
  EXPECT_TRUE(failing(judge(changed)).contains("report.tpm_quote"));
  // Another TPM's key, which the TEE's report does not bind.
  changed = evidence_json();
  Bytes other = hcl_report(runtime_data());
  other[32 + 0x50] ^= 1;
  changed["hcl_report"] = codec::to_base64url(other);
  EXPECT_TRUE(failing(judge(changed)).contains("report_data.identity"));
}

// The policy says which values the registers must have; the TPM's signature alone says nothing about what was booted.
TEST(AzureReport, TheRegistersAreComparedWithThePolicy) {
  const auto check = [](const Policy& policy, const Json& evidence = evidence_json()) {
    return *judge(evidence, 0x5a, policy).find("report.tpm_pcrs");
  };
  Policy policy;
  EXPECT_EQ(check(policy).state, State::kSkipped);
  EXPECT_TRUE(check(policy).required);
  policy.boot.allow_any_measurements = true;
  EXPECT_FALSE(check(policy).required);
  policy = {};
  policy.tpm.pcrs = {{4, {Bytes(32, 4)}}, {7, {Bytes(32, 0xaa), Bytes(32, 7)}}};
  EXPECT_EQ(check(policy).state, State::kPass);
  EXPECT_EQ(check(policy).actual, "PCR 4, PCR 7");
  EXPECT_TRUE(passes(judge(evidence_json(), 0x5a, policy), "policy.applied"));
  policy.tpm.pcrs[11] = {Bytes(32, 0xaa)};
  EXPECT_EQ(check(policy).state, State::kFail);
  EXPECT_EQ(check(policy).detail, "PCR 11 holds another value");
  EXPECT_EQ(check(policy).expected, to_hex(Bytes(32, 0xaa)));
  policy.tpm.pcrs = {{23, {Bytes(32, 23)}}};
  Json fewer = evidence_json();
  fewer["tpm_quote"]["pcrs"].erase(23);
  EXPECT_EQ(check(policy, fewer).detail, "PCR 23 is not shown");
}

// A verdict about evidence without a TPM does not silently leave the rule out.
TEST(AzureReport, ARuleAboutRegistersIsNoMatterOfAFormWithoutThem) {
  Policy policy;
  policy.tpm.pcrs = {{4, {Bytes(32, 4)}}};
  Verdict verdict;
  verdict.add({"tdx.quote.form", State::kPass, true, {}, {}, {}});
  require_rules(policy, verdict);
  ASSERT_NE(verdict.find("policy.applied"), nullptr);
  EXPECT_EQ(verdict.find("policy.applied")->expected, "tpm.pcrs");
  EXPECT_EQ(verdict.outcome(), Outcome::kUndetermined);
}

TEST(AzureReport, WhatIsNotWellFormedIsRefused) {
  const auto refused = [](const Json& evidence) { return failing(judge(evidence)) == testing::Ids{"report.form"}; };
  for (const char* name : {"tpm_quote", "hcl_report"}) {
    Json changed = evidence_json();
    changed[name] = 7;
    EXPECT_TRUE(refused(changed)) << name;
  }
  Json changed = evidence_json();
  Bytes cut = hcl_report(runtime_data());
  cut.pop_back();
  changed["hcl_report"] = codec::to_base64url(cut);
  EXPECT_TRUE(refused(changed));
  changed["hcl_report"] = codec::to_base64url(hcl_report("{\"keys\":[]}"));
  EXPECT_TRUE(refused(changed));
  const Bytes message = bytes(kMessage);
  for (std::size_t size = 0; size < message.size(); ++size)
    EXPECT_REFUSED(evidence::parse_tpm_quote(ByteView(message).first(size)), "tpm_quote.message: it ends early")
        << size;
  EXPECT_TRUE(evidence::parse_tpm_quote(message));
}

TEST(RsaSignature, KeysAndSignaturesOfOtherSizesAreRefused) {
  EXPECT_TRUE(crypto::verify_rsa_sha256(bytes(kModulus), bytes(kMessage), bytes(kSignature)));
  EXPECT_REFUSED(crypto::verify_rsa_sha256(bytes(kModulus), bytes(kMessage), Bytes(255)),
                 "an RSA signature under this key has 256 bytes, got 255");
  EXPECT_REFUSED(crypto::verify_rsa_sha256(Bytes(128, 0xff), bytes(kMessage), Bytes(128)),
                 "expected an RSA modulus of 2048 to 4096 bits");
  EXPECT_REFUSED(crypto::verify_rsa_sha256(Bytes(256), bytes(kMessage), bytes(kSignature)),
                 "expected an RSA modulus of 2048 to 4096 bits");
  EXPECT_REFUSED(crypto::verify_rsa_sha256({}, bytes(kMessage), {}), "expected an RSA modulus of 2048 to 4096 bits");
}

}  // namespace
}  // namespace cloister::verify
