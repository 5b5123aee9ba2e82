// Every parser of the verifier on the stack of a small thread: how deep an input nests must not decide how much stack a program needs.
#include <gtest/gtest.h>
#include <pthread.h>

#include <functional>
#include <string>

#include "base/testing/vectors.h"
#include "codec/cbor.h"
#include "codec/jcs.h"
#include "codec/msgpack.h"
#include "codec/yaml.h"
#include "crypto/crl.h"
#include "crypto/ocsp.h"
#include "crypto/x509.h"
#include "tests/abi/abi_test_util.h"

namespace cloister::testing {
namespace {

// Sanitised code needs several times the stack.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CLOISTER_LARGE_FRAMES 1
#endif
#endif
#ifdef CLOISTER_LARGE_FRAMES
constexpr std::size_t kStackBytes = 1u << 20;
#else
constexpr std::size_t kStackBytes = 128u << 10;
#endif

constexpr std::size_t kDeep = 200000;

void* run(void* work) {
  (*static_cast<std::function<void()>*>(work))();
  return nullptr;
}

void on_small_stack(std::function<void()> work) {
  pthread_attr_t attributes;
  ASSERT_EQ(::pthread_attr_init(&attributes), 0);
  ASSERT_EQ(::pthread_attr_setstacksize(&attributes, kStackBytes), 0);
  pthread_t thread;
  ASSERT_EQ(::pthread_create(&thread, &attributes, run, &work), 0);
  ASSERT_EQ(::pthread_join(thread, nullptr), 0);
  ::pthread_attr_destroy(&attributes);
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

TEST(SmallStack, Policies) {
  const std::string texts[] = {repeated("a.", kDeep) + "a=1", "[" + repeated("a.", kDeep) + "a]",
                               "a=" + repeated("[", kDeep), "a=" + repeated("{a=", kDeep),
                               "[[" + repeated("a.", kDeep) + "a]]"};
  for (const std::string& text : texts) {
    on_small_stack([&text] {
      VerifierHandle verifier;
      EXPECT_THROW(verifier.set_policy(text), std::invalid_argument);
    });
  }
  const std::string deepest = repeated("a.", 15) + "a = " + "1";
  on_small_stack([&] {
    VerifierHandle verifier;
    EXPECT_THROW(verifier.set_policy(deepest), std::invalid_argument) << "an unknown key";
    verifier.set_policy(cloister_default_policy());
  });
}

TEST(SmallStack, Json) {
  const std::string deepest = repeated("[", 64) + repeated("]", 64),
                    members = repeated("{\"a\":", 63) + "1" + repeated("}", 63);
  on_small_stack([&] {
    EXPECT_FALSE(codec::parse_json(repeated("[", kDeep)));
    EXPECT_FALSE(codec::parse_json(repeated("{\"a\":", kDeep)));
    EXPECT_FALSE(codec::parse_json(repeated("[", kDeep) + repeated("]", kDeep)));
    for (const std::string& text : {deepest, members}) {
      const auto json = codec::parse_json(text);
      ASSERT_TRUE(json);
      EXPECT_EQ(codec::write_json(*json), text);
      EXPECT_TRUE(codec::write_jcs(*json));
    }
  });
}

TEST(SmallStack, YamlAndBinaryForms) {
  on_small_stack([] {
    for (const std::string_view part : {"[", "{a: ", "- ", "? "})
      EXPECT_FALSE(codec::parse_yaml(repeated(part, kDeep)));
    EXPECT_TRUE(codec::parse_yaml(repeated("[", 30) + repeated("]", 30)));
    for (const std::string_view part : {"\x81", "\xa1\x01", "\xc1"}) {
      EXPECT_FALSE(codec::parse_cbor(as_bytes(repeated(part, kDeep))));
      EXPECT_TRUE(codec::parse_cbor(as_bytes(repeated(part, 20) + "\x01")));
    }
    for (const std::string_view part : {"\x91", "\x81\xa1k"}) {
      EXPECT_FALSE(codec::parse_msgpack(as_bytes(repeated(part, kDeep))));
      EXPECT_TRUE(codec::parse_msgpack(as_bytes(repeated(part, 12) + "\x01")));
    }
  });
}

// Through the library: a second copy of the XML libraries' state in this program would be a leak.
TEST(SmallStack, Xml) {
  const std::string report = vector_text("nvidia/hopper_535.86.09.report.hex"),
                    chain = vector_text("nvidia/hopper_535.86.09.certs.b64");
  for (const std::string& rim : {repeated("<a>", kDeep), repeated("<a>", kDeep) + repeated("</a>", kDeep),
                                 vector_text("nvidia/rims/1010_0200_882_96005E0001_PROD.swidtag")}) {
    on_small_stack([&] {
      VerifierHandle judge;
      judge.set_time(1717200000);  // 2024-06-01
      judge.add_rim("NV_GPU_VBIOS_1010_0200_882_96005E0001", rim);
      auto in = input<cloister_gpu_input>();
      in.evidence = bytes(report);
      in.chain = bytes(chain);
      const bool deep = rim.starts_with("<a>");
      EXPECT_EQ(state_of(judge.gpu(in), "nvidia.gpu.0.rim.vbios.form"), deep ? CLOISTER_FAILED : CLOISTER_PASSED);
    });
  }
}

TEST(SmallStack, Asn1) {
  on_small_stack([] {
    // The values of one text have no length of their own, and those of the other are as long as the rest.
    std::string nested;
    for (std::size_t i = 0; i < 16000; ++i) {
      const std::size_t size = nested.size();
      std::string head = "\x30\x83";
      for (const unsigned shift : {16u, 8u, 0u}) head += static_cast<char>(size >> shift & 0xff);
      nested.insert(0, head);
    }
    for (const std::string& der : {repeated("\x30\x80", kDeep), repeated("\x24\x80", kDeep), nested}) {
      EXPECT_FALSE(crypto::Certificate::from_der(as_bytes(der)));
      EXPECT_FALSE(crypto::Crl::from_der(as_bytes(der)));
      EXPECT_FALSE(crypto::OcspResponse::from_der(as_bytes(der)));
    }
  });
}

TEST(SmallStack, WholeJudgements) {
  const std::string report = codec::write_json(service().native_report(test_nonce()));
  const evidence::Nonce nonce = test_nonce();
  const std::string quote = vector_text("tdx/v4_b0c06f_uptodate.bin");
  on_small_stack([&] {
    auto in = input<cloister_report_input>();
    in.report = bytes(report);
    in.nonce = bytes(nonce);
    in.flags = CLOISTER_REPORT_AS_DOCUMENT;
    const VerdictHandle verdict = simulator_verifier().report(in);
    EXPECT_TRUE(verdict.accepted());
    EXPECT_FALSE(verdict.json().empty() || verdict.tree().empty());
    VerifierHandle genuine;
    genuine.set_time(1750809600);  // 2025-06-25
    genuine.add_collateral(vector_text("tdx/v4_b0c06f_uptodate.collateral.json"));
    auto quoted = input<cloister_quote_input>();
    quoted.quote = bytes(quote);
    EXPECT_EQ(genuine.quote(quoted).outcome(), CLOISTER_UNDETERMINED);
  });
}

}  // namespace
}  // namespace cloister::testing
