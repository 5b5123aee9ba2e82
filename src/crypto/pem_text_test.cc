#include "crypto/pem_text.h"

#include <gtest/gtest.h>

#include "base/result_testing.h"
#include "base/testing/vectors.h"
#include "crypto/x509.h"

namespace cloister::crypto {
namespace {

constexpr std::string_view kBlock = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";

std::string read(const std::string& text) {
  const auto out = without_explanatory_text(as_bytes(text));
  return out ? *out : "error: " + out.error().message;
}

TEST(PemText, LinesAroundCertificatesAreDropped) {
  const std::string block(kBlock);
  EXPECT_EQ(read(block + block), block + block);
  EXPECT_EQ(read("Subject: CN=a\r\n\n# first\n" + block + "\n\tsecond, \xc3\xa9\n" + block + "the end"), block + block);
  EXPECT_EQ(read(block + std::string(1, '\0')), block);
  EXPECT_EQ(read(""), "");
}

TEST(PemText, WhatTwoReadersCouldReadDifferentlyIsRefused) {
  const std::string block(kBlock);
  for (const std::string& text : {"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n" + block, "-----\n" + block,
                                  block + std::string("a\0b", 3), block + "-----BEGIN CERTIFICATE-----\nAAAA",
                                  block + std::string(2, '\0'), "\x1b[1m\n" + block}) {
    EXPECT_TRUE(read(text).starts_with("error: ")) << text;
  }
}

// With a line "# VCEK" and the like before each certificate, as people keep them.
TEST(PemText, RecordedBundlesAreRead) {
  for (const char* file : {"snp/genoa_v5.vcek_chain.pem", "snp/turin_v5.vcek_chain.pem"}) {
    const auto text = without_explanatory_text(testing::vector_bytes(file));
    ASSERT_TRUE(text) << file;
    const auto chain = parse_pem_chain(as_bytes(*text));
    ASSERT_TRUE(chain) << file << chain.error().message;
    EXPECT_EQ(chain->size(), 3U) << file;
    EXPECT_EQ(chain->front().subject_common_name(), "SEV-VCEK") << file;
  }
  EXPECT_REFUSED(parse_pem_chain(testing::vector_bytes("snp/genoa_v5.vcek_chain.pem")),
                 "expected a BEGIN CERTIFICATE line at certificate 1 of the PEM chain");
}

}  // namespace
}  // namespace cloister::crypto
