#include "verify/signature.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/json.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"
#include "verify/check.h"
#include "verify/check_list.h"

namespace cloister::verify {
namespace {

using evidence::SigningAlgo;

constexpr std::string_view kRequest = R"({"model":"m","messages":[]})";
constexpr std::string_view kResponse = "data: {}\n\ndata: [DONE]\n\n";

struct Signed {
  evidence::ChatSignature signature;
  std::string request{kRequest};
  std::string response{kResponse};
  std::optional<std::string> attested;

  SignatureEvidence evidence() const { return {signature, as_bytes(request), as_bytes(response), attested}; }
};

Signed sign(SigningAlgo algo, const std::string& prefix = {}) {
  Signed out;
  out.signature.signing_algo = algo;
  out.signature.text =
      prefix + evidence::signed_text(crypto::sha256(as_bytes(kRequest)), crypto::sha256(as_bytes(kResponse)));
  const Bytes secret(32, 7);
  if (algo == SigningAlgo::kEcdsa) {
    auto key = crypto::Secp256k1Key::from_secret(secret);
    out.signature.signature = "0x" + to_hex(key->sign_text(out.signature.text));
    out.signature.signing_address = crypto::eth_address_text(key->address());
  } else {
    auto key = crypto::Ed25519Key::from_seed(secret);
    out.signature.signature = to_hex(key->sign(as_bytes(out.signature.text)));
    out.signature.signing_address = to_hex(key->public_key());
  }
  out.attested = out.signature.signing_address;
  return out;
}

std::vector<std::string> failures(const Verdict& verdict) {
  std::vector<std::string> out;
  for (const Check& check : verdict.checks) {
    EXPECT_NE(find_meaning(check.id), nullptr) << check.id;
    if (check.state == State::kFail) out.push_back(check.id);
  }
  return out;
}

class Algorithms : public ::testing::TestWithParam<SigningAlgo> {};
INSTANTIATE_TEST_SUITE_P(Both, Algorithms, ::testing::Values(SigningAlgo::kEcdsa, SigningAlgo::kEd25519));

TEST_P(Algorithms, AGenuineSignatureIsAccepted) {
  const Verdict verdict = verify_signature(sign(GetParam()).evidence());
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
}

TEST_P(Algorithms, WithModelInTheTextToo) {
  const Verdict verdict = verify_signature(sign(GetParam(), "a:b:").evidence());
  EXPECT_EQ(verdict.outcome(), Outcome::kAccepted) << to_text(verdict, false);
  EXPECT_EQ(verdict.facts["signed_model"], "a:b");
}

TEST_P(Algorithms, ATextOfThreePartsMustNameTheModelThatWasAskedFor) {
  const Signed genuine = sign(GetParam(), "a:b:");
  SignatureEvidence evidence = genuine.evidence();
  evidence.model = "a:b";
  EXPECT_EQ(verify_signature(evidence).outcome(), Outcome::kAccepted);
  evidence.model = "a";
  EXPECT_EQ(failures(verify_signature(evidence)), std::vector<std::string>{"signature.model"});
  // A text of two parts has no model to compare.
  const Signed two_parts = sign(GetParam());
  evidence = two_parts.evidence();
  evidence.model = "a";
  EXPECT_EQ(verify_signature(evidence).outcome(), Outcome::kAccepted);
}

TEST_P(Algorithms, AnyOfTheAttestedInstancesMaySign) {
  const Signed genuine = sign(GetParam());
  SignatureEvidence evidence = genuine.evidence();
  const std::string other = GetParam() == SigningAlgo::kEcdsa ? "0x" + std::string(40, '1') : std::string(64, '1');
  evidence.attested_address = other;
  EXPECT_EQ(failures(verify_signature(evidence)), std::vector<std::string>{"signature.signer_attested"});
  evidence.further_addresses = {other, genuine.signature.signing_address};
  EXPECT_EQ(verify_signature(evidence).outcome(), Outcome::kAccepted);
  evidence.attested_address.reset();
  EXPECT_EQ(verify_signature(evidence).outcome(), Outcome::kAccepted);
}

// Flips one bit at a time, in the bytes of the signature and in the signed text. The only other value with the same
// meaning, v of 0 or 1 for 27 or 28, differs in more than one bit.
TEST_P(Algorithms, EveryFlippedBitIsRejected) {
  const Signed genuine = sign(GetParam(), "vendor/model:free:");
  const bool ecdsa = GetParam() == SigningAlgo::kEcdsa;
  const std::string prefix = ecdsa ? "0x" : "";
  const Bytes bytes = *from_hex(std::string_view(genuine.signature.signature).substr(prefix.size()));
  ASSERT_EQ(bytes.size(), ecdsa ? 65u : 64u);
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    Signed changed = genuine;
    Bytes flipped = bytes;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    changed.signature.signature = prefix + to_hex(flipped);
    EXPECT_EQ(failures(verify_signature(changed.evidence())), std::vector<std::string>{"signature.valid"}) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * genuine.signature.text.size(); ++bit) {
    Signed changed = genuine;
    char& c = changed.signature.text[bit / 8];
    c = static_cast<char>(c ^ (1 << bit % 8));
    const Verdict verdict = verify_signature(changed.evidence());
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << bit;
    EXPECT_EQ(verdict.find("signature.valid")->state, State::kFail) << bit;
  }
}

// Both forms of v are the same signature; every other value of the byte is refused.
TEST(Signature, EveryValueOfV) {
  const Signed genuine = sign(SigningAlgo::kEcdsa);
  const std::string body = genuine.signature.signature.substr(0, 130);
  const int own = std::stoi(genuine.signature.signature.substr(130), nullptr, 16);
  for (int v = 0; v < 256; ++v) {
    Signed changed = genuine;
    changed.signature.signature = body + to_hex(Bytes{static_cast<std::uint8_t>(v)});
    const bool accept = v == own || v == own - 27;
    EXPECT_EQ(verify_signature(changed.evidence()).outcome(), accept ? Outcome::kAccepted : Outcome::kRejected) << v;
  }
}

struct Tampering {
  std::string name;
  std::function<void(Signed&)> change;
  std::vector<std::string> failing;
};

void flip(std::string& text, std::size_t at) { text[at] = text[at] == '1' ? '2' : '1'; }

const std::vector<Tampering>& tamperings() {
  static const std::vector<Tampering> list = {
      {"request", [](Signed& s) { s.request[0] ^= 1; }, {"signature.request_hash"}},
      {"request_longer", [](Signed& s) { s.request += '\n'; }, {"signature.request_hash"}},
      {"response", [](Signed& s) { s.response.back() ^= 1; }, {"signature.response_hash"}},
      {"response_empty", [](Signed& s) { s.response.clear(); }, {"signature.response_hash"}},
      {"text_hash", [](Signed& s) { flip(s.signature.text, 0); }, {"signature.request_hash", "signature.valid"}},
      {"text_form", [](Signed& s) { s.signature.text.pop_back(); }, {"signature.text", "signature.valid"}},
      {"signature_bytes", [](Signed& s) { flip(s.signature.signature, 40); }, {"signature.valid"}},
      {"signature_short", [](Signed& s) { s.signature.signature.pop_back(); }, {"signature.form"}},
      {"signature_not_hex", [](Signed& s) { s.signature.signature[20] = 'g'; }, {"signature.form"}},
      {"address_form", [](Signed& s) { s.signature.signing_address.pop_back(); }, {"signature.form"}},
      {"attested_another", [](Signed& s) { flip(*s.attested, 12); }, {"signature.signer_attested"}},
      {"attested_malformed", [](Signed& s) { s.attested = "x"; }, {"signature.signer_attested"}},
      {"address",
       [](Signed& s) { flip(s.signature.signing_address, 12); },
       {"signature.valid", "signature.signer_attested"}},
  };
  return list;
}

TEST_P(Algorithms, EveryTamperingFailsItsOwnCheck) {
  for (const Tampering& tampering : tamperings()) {
    Signed changed = sign(GetParam());
    tampering.change(changed);
    const Verdict verdict = verify_signature(changed.evidence());
    EXPECT_EQ(verdict.outcome(), Outcome::kRejected) << tampering.name;
    EXPECT_EQ(failures(verdict), tampering.failing) << tampering.name << "\n" << to_text(verdict, false);
  }
}

TEST_P(Algorithms, WhatIsNotKnownIsSkippedAndNotAccepted) {
  const Signed genuine = sign(GetParam());
  SignatureEvidence evidence = genuine.evidence();
  evidence.attested_address.reset();
  EXPECT_EQ(verify_signature(evidence).outcome(), Outcome::kUndetermined);
  evidence = genuine.evidence();
  evidence.request.reset();
  EXPECT_EQ(verify_signature(evidence).outcome(), Outcome::kUndetermined);
  evidence = genuine.evidence();
  evidence.response.reset();
  EXPECT_EQ(verify_signature(evidence).outcome(), Outcome::kUndetermined);
}

TEST(Signature, AttestedAddressInAnotherCaseIsTheSame) {
  Signed genuine = sign(SigningAlgo::kEcdsa);
  for (char& c : *genuine.attested) c = static_cast<char>(std::tolower(c));
  EXPECT_EQ(verify_signature(genuine.evidence()).outcome(), Outcome::kAccepted);
}

TEST(Signature, AnAttestedKeyOfTheOtherAlgorithmIsAnother) {
  Signed genuine = sign(SigningAlgo::kEcdsa);
  genuine.attested = sign(SigningAlgo::kEd25519).signature.signing_address;
  EXPECT_EQ(failures(verify_signature(genuine.evidence())), std::vector<std::string>{"signature.signer_attested"});
}

// A signature names no configuration: it is the report's where the keys belong to that one, since no other start of the node has them.
TEST(Signature, TheConfigurationIsKnownByTheKeys) {
  const auto judged = [](Check keys, const Policy& policy = {}) {
    Verdict verdict;
    verdict.add(passed("policy.document"));
    verdict.add(std::move(keys));
    check_unnamed_digests(policy, verdict);
    return *verdict.find("signature.policy_digest");
  };
  EXPECT_EQ(judged(passed("policy.keys", "sha256:07")).state, State::kPass);
  const Check unknown = judged(skipped("policy.keys", "not said", false));
  EXPECT_EQ(unknown.state, State::kSkipped);
  EXPECT_TRUE(unknown.required);
  Policy policy;
  policy.service.accept_unnamed_configuration = true;
  EXPECT_FALSE(judged(skipped("policy.keys", "not said", false), policy).required);
  policy.service.policy_digests = {Bytes(32, 7)};
  EXPECT_EQ(judged(passed("policy.keys", "sha256:07"), policy).state, State::kSkipped)
      << "the digest is of more than the keys belong to";
  EXPECT_TRUE(judged(passed("policy.keys", "sha256:07"), policy).required);
}

// Another server's reply is signed: which model that server says has answered, the receipt alone tells.
TEST(Signature, DoesNotSayWhichModelOfAnotherServerAnswered) {
  for (const char* engine : {"upstream", "llama", "echo"}) {
    Verdict verdict;
    verdict.facts["node_policy"] = {{"engine", engine}};
    check_unnamed_digests(Policy(), verdict);
    const Check* check = verdict.find("signature.served_model");
    ASSERT_EQ(check != nullptr, std::string(engine) == "upstream") << engine;
    if (check == nullptr) continue;
    EXPECT_EQ(check->state, State::kSkipped);
    EXPECT_TRUE(check->required);
  }
}

TEST(Signature, EcdsaNeedsIts0x) {
  Signed genuine = sign(SigningAlgo::kEcdsa);
  genuine.signature.signature.erase(0, 2);
  EXPECT_EQ(failures(verify_signature(genuine.evidence())), std::vector<std::string>{"signature.form"});
}

// Recorded cases: each has a text, a signature, and what a verifier must say.
void check_recorded(const char* file, SigningAlgo algo, const char* address_member) {
  auto cases = codec::parse_json(testing::vector_text(file));
  ASSERT_TRUE(cases) << cases.error().message;
  ASSERT_FALSE(cases->empty());
  for (const Json& entry : *cases) {
    SignatureEvidence evidence;
    evidence.signature = {entry["text"], entry["signature"], entry[address_member], algo};
    const Verdict verdict = verify_signature(evidence);
    const bool accept = entry["verdict"] == "accept";
    EXPECT_EQ(failures(verdict).empty(), accept) << entry["why"] << "\n" << to_text(verdict, false);
  }
}

TEST(Signature, RecordedEip191Cases) {
  check_recorded("signatures/eip191_chat.json", SigningAlgo::kEcdsa, "signing_address");
}

TEST(Signature, RecordedEd25519Cases) {
  check_recorded("signatures/ed25519_chat.json", SigningAlgo::kEd25519, "public_key");
}

}  // namespace
}  // namespace cloister::verify
