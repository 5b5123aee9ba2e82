// The edge cases of C2SP/Wycheproof, from the recorded vectors: what a valid signature is, and what only looks like one. The
// vectors test this project's use of the libraries (encodings, the low-s rule, canonical points), not only the libraries.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>

#include "base/encoding.h"
#include "base/json.h"
#include "base/testing/vectors.h"
#include "crypto/ecdsa.h"
#include "crypto/ed25519.h"
#include "crypto/hash.h"
#include "crypto/secp256k1.h"

namespace cloister::crypto {
namespace {

// The order of secp256k1's group, halved (SEC 2, section 2.4.1): a signature of a reply has s at most this large.
constexpr std::string_view kHalfOrder = "7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0";

Json read_cases(const std::string& name) {
  return Json::parse(::cloister::testing::vector_text("wycheproof/" + name), nullptr, false);
}

Bytes hex_of(const Json& object, const char* name) { return from_hex(object.at(name).get<std::string>()).value(); }

// Runs `verifies` on each test of the file and compares it with the file's expectation. Returns the number of tests.
std::size_t run_signatures(
    const std::string& name, const std::function<bool(const Json& group, const Json& test)>& verifies,
    const std::function<bool(const Json& test)>& refused_here = [](const Json&) { return false; }) {
  const Json cases = read_cases(name);
  std::size_t count = 0;
  if (!cases.is_object()) {
    ADD_FAILURE() << name << " cannot be read";
    return count;
  }
  for (const Json& group : cases.at("testGroups")) {
    for (const Json& test : group.at("tests")) {
      ++count;
      const std::string result = test.at("result");
      if (result == "acceptable") continue;
      const bool expected = result == "valid" && !refused_here(test);
      EXPECT_EQ(verifies(group, test), expected) << name << " test " << test.at("tcId") << ": " << test.at("comment");
    }
  }
  return count;
}

// SEC 1 points of the files begin with 04; ours are the coordinates alone.
Bytes point_of(const Json& group) {
  const Bytes point = hex_of(group.at("publicKey"), "uncompressed");
  return Bytes(point.begin() + 1, point.end());
}

TEST(Wycheproof, EcdsaP256InTheFormOfQuotes) {
  const std::size_t count =
      run_signatures("ecdsa_secp256r1_sha256_p1363_test.json", [](const Json& group, const Json& test) {
        return verify_ecdsa(Curve::kP256, point_of(group), hex_of(test, "msg"), hex_of(test, "sig")).has_value();
      });
  EXPECT_EQ(count, 262u);
}

TEST(Wycheproof, EcdsaP384InTheFormOfGpuReports) {
  const std::size_t count =
      run_signatures("ecdsa_secp384r1_sha384_p1363_test.json", [](const Json& group, const Json& test) {
        return verify_ecdsa(Curve::kP384, point_of(group), hex_of(test, "msg"), hex_of(test, "sig")).has_value();
      });
  EXPECT_EQ(count, 280u);
}

// A reply's signature names its key by recovery: the key has to be one of the two that the signature recovers to, and s has to be low.
TEST(Wycheproof, EcdsaSecp256k1InTheFormOfReplySignatures) {
  const std::size_t count = run_signatures(
      "ecdsa_secp256k1_sha256_p1363_test.json",
      [](const Json& group, const Json& test) {
        const Bytes point = point_of(group);
        const Sha256Digest digest = sha256(hex_of(test, "msg"));
        for (const std::uint8_t v : {std::uint8_t{27}, std::uint8_t{28}}) {
          Bytes signature = hex_of(test, "sig");
          signature.push_back(v);
          const auto key = recover_secp256k1(digest, signature);
          if (key && std::equal(key->begin(), key->end(), point.begin(), point.end())) return true;
        }
        return false;
      },
      [](const Json& test) {
        const std::string signature = test.at("sig");
        return signature.size() == 128 && signature.substr(64) > kHalfOrder;
      });
  EXPECT_EQ(count, 252u);
}

TEST(Wycheproof, Ed25519) {
  const std::size_t count = run_signatures("ed25519_test.json", [](const Json& group, const Json& test) {
    return verify_ed25519(hex_of(group.at("publicKey"), "pk"), hex_of(test, "msg"), hex_of(test, "sig")).has_value();
  });
  EXPECT_EQ(count, 151u);
}

TEST(Wycheproof, HkdfSha256) {
  const Json cases = read_cases("hkdf_sha256_test.json");
  for (const Json& group : cases.at("testGroups")) {
    for (const Json& test : group.at("tests")) {
      if (test.at("result") != "valid") continue;  // lengths beyond the function's range, which no caller asks for
      const Bytes info = hex_of(test, "info");
      const SecretBytes key = hkdf_sha256(hex_of(test, "ikm"), hex_of(test, "salt"),
                                          std::string_view(reinterpret_cast<const char*>(info.data()), info.size()),
                                          test.at("size").get<std::size_t>());
      EXPECT_EQ(to_hex(key.expose()), test.at("okm").get<std::string>()) << test.at("tcId");
    }
  }
}

}  // namespace
}  // namespace cloister::crypto
