// Statements and the report data made from them: the protocol's own vectors, and the fixed form of Cloister's.
#include "evidence/statement.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/jcs.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/aci/keyset.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

Nonce counting_nonce() {
  Nonce nonce;
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(i);
  return nonce;
}

NativeStatement full_statement() {
  NativeStatement out;
  out.gpu_evidence_digest.emplace().fill(1);
  out.keyset_digest.fill(2);
  out.model_digest.emplace().fill(3);
  out.nonce.fill(4);
  out.policy_digest.emplace().fill(5);
  return out;
}

std::string repeated(const char* two_digits) {
  std::string out;
  for (int i = 0; i < 32; ++i) out += two_digits;
  return out;
}

TEST(Statement, RecordedKeysetAndReportData) {
  const auto recorded = codec::parse_json(testing::vector_text("e2ee/aci_keyset_and_report_data.json"));
  ASSERT_TRUE(recorded);
  const auto keyset = parse_keyset(*codec::parse_json(recorded->at("keyset_jcs").get<std::string>()));
  ASSERT_TRUE(keyset) << keyset.error().message;
  EXPECT_EQ(digest_text(keyset->digest), recorded->at("workload_keyset_digest"));
  const std::string with_nonce = aci_statement(keyset->digest, counting_nonce());
  EXPECT_EQ(with_nonce, recorded->at("statement_with_nonce"));
  EXPECT_EQ(to_hex(crypto::sha256(as_bytes(with_nonce))), recorded->at("report_data_with_nonce"));
  EXPECT_EQ(to_hex(statement_report_data(with_nonce)), recorded->at("report_data_slot_64"));
  const std::string without = aci_statement(keyset->digest, std::nullopt);
  EXPECT_EQ(without, recorded->at("statement_null_nonce"));
  EXPECT_EQ(to_hex(crypto::sha256(as_bytes(without))), recorded->at("report_data_null_nonce"));
}

TEST(Statement, NativeFormIsItsOwnCanonicalForm) {
  const std::string text = native_statement(full_statement());
  EXPECT_EQ(text,
            "{\"gpu_evidence_digest\":\"sha256:" + repeated("01") + "\",\"keyset_digest\":\"sha256:" + repeated("02") +
                "\",\"model_digest\":\"sha256:" + repeated("03") + "\",\"nonce\":\"" + repeated("04") +
                "\",\"policy_digest\":\"sha256:" + repeated("05") + "\",\"purpose\":\"cloister.report_data.v1\"}");
  NativeStatement bare = full_statement();
  bare.gpu_evidence_digest.reset();
  bare.model_digest.reset();
  bare.policy_digest.reset();
  for (const NativeStatement& statement : {full_statement(), bare}) {
    const auto parsed = codec::parse_json(native_statement(statement));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*codec::write_jcs(*parsed), native_statement(statement));
  }
  EXPECT_NE(native_statement(bare).find("\"gpu_evidence_digest\":null"), std::string::npos);
}

// The values were computed once with another implementation of SHA-256.
TEST(Statement, GpuNonceIsTheHashOfTagKeysetAndNonce) {
  ByteArray<32> keyset;
  keyset.fill(2);
  Nonce nonce;
  nonce.fill(4);
  EXPECT_EQ(to_hex(gpu_nonce(keyset, nonce)), "2ea06584a92927faf96a7cb4375c3d25e7d624698bc0738eef3bba5dcb3020b1");
  nonce[31] ^= 1;
  EXPECT_NE(to_hex(gpu_nonce(keyset, nonce)), "2ea06584a92927faf96a7cb4375c3d25e7d624698bc0738eef3bba5dcb3020b1");
}

TEST(DigestText, OneSpellingOnly) {
  ByteArray<32> digest;
  digest.fill(0xab);
  EXPECT_EQ(*parse_digest(digest_text(digest)), digest);
  for (const std::string& text :
       {std::string("sha256:"), repeated("ab"), "sha256:" + repeated("AB"), "SHA256:" + repeated("ab"),
        "sha256:" + repeated("ab") + " ", "sha384:" + repeated("ab"), "sha256:0x" + repeated("ab").substr(2)}) {
    EXPECT_FALSE(parse_digest(text)) << text;
  }
}

}  // namespace
}  // namespace cloister::evidence
