#include "evidence/report_data.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "crypto/hash.h"

namespace cloister::evidence {
namespace {

Nonce numbered_nonce() {
  Nonce nonce;
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] = static_cast<std::uint8_t>(i);
  return nonce;
}

constexpr const char* kNonceHex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

TEST(ReportData, L1PadsAnAddressOnTheRight) {
  EXPECT_EQ(to_hex(report_data_l1(Bytes(20, 0xaa), numbered_nonce())),
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa000000000000000000000000" + std::string(kNonceHex));
}

TEST(ReportData, L1TakesAWholeEd25519Key) {
  EXPECT_EQ(to_hex(report_data_l1(Bytes(32, 0xbb), numbered_nonce())), std::string(64, 'b') + kNonceHex);
}

TEST(ReportData, L2HashesTheIdentityUnpaddedWithTheTlsKey) {
  ByteArray<32> spki;
  spki.fill(0xcc);
  Bytes bound(20, 0xaa);
  append(bound, spki);
  EXPECT_EQ(bound.size(), 52u);
  EXPECT_EQ(to_hex(report_data_l2(Bytes(20, 0xaa), spki, numbered_nonce())), to_hex(crypto::sha256(bound)) + kNonceHex);
  // The value is written out, so that a change to both sides is noticed.
  EXPECT_EQ(to_hex(report_data_l2(Bytes(20, 0xaa), spki, numbered_nonce())).substr(0, 64),
            "7c524308cd6b48a82c32dc17121712f30622e39588dd6501fbaaf0790035edff");
}

}  // namespace
}  // namespace cloister::evidence
