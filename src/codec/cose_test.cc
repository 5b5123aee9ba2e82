#include "codec/cose.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "codec/cbor.h"
#include "crypto/ecdsa.h"
#include "crypto/hash.h"

namespace cloister::codec {
namespace {

const std::vector<Bytes> kChain = {{0x30, 0x01, 0xaa}, {0x30, 0x01, 0xbb}};
const Bytes kPayload = {0xd9, 0x01, 0xf5, 0xa0};

void expect_refused(ByteView bytes, std::string_view part) {
  const auto read = parse_cose_sign1(bytes);
  ASSERT_FALSE(read) << part;
  EXPECT_NE(read.error().message.find(part), std::string::npos)
      << read.error().message << " (expected: " << part << ")";
}

// [protected header as hex, unprotected header as hex, payload, signature].
Bytes item(const std::string& protected_hex, const std::string& unprotected_hex, const Bytes& payload = kPayload,
           std::size_t signature = 96) {
  Bytes out = {0xd2, 0x84};
  append_cbor_bytes(out, *from_hex(protected_hex));
  append(out, *from_hex(unprotected_hex));
  append_cbor_bytes(out, payload);
  append_cbor_bytes(out, Bytes(signature, 7));
  return out;
}

const std::string kAlg = "013822";        // 1: -35
const std::string kX5c = "1821433001aa";  // 33: one certificate

TEST(Cose, TheSignatureCoversHeaderAndPayload) {
  const auto key = *crypto::EcKey::derive(crypto::Curve::kP384, Bytes(32, 1), "cose");
  const Bytes covered = cose_signed_bytes(kChain, kPayload);
  const auto read = parse_cose_sign1(write_cose_sign1(kChain, kPayload, key.sign(covered)));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->certificates, kChain);
  EXPECT_EQ(read->payload, kPayload);
  EXPECT_EQ(read->signed_bytes, covered);
  EXPECT_TRUE(crypto::verify_ecdsa(crypto::Curve::kP384, key.public_point(), read->signed_bytes, read->signature));
  // RFC 9052, 4.4: ["Signature1", protected, h'', payload].
  EXPECT_TRUE(to_hex(covered).starts_with("846a5369676e617475726531"));
  EXPECT_TRUE(to_hex(covered).ends_with("4044d901f5a0"));
}

TEST(Cose, HeadersAreReadStrictly) {
  EXPECT_TRUE(parse_cose_sign1(item("a2" + kAlg + kX5c, "a0")));
  EXPECT_TRUE(parse_cose_sign1(item("a1" + kAlg, "a1" + kX5c)));
  const std::string sha256 = to_hex(crypto::sha256(Bytes{0x30, 0x01, 0xaa}));
  EXPECT_TRUE(parse_cose_sign1(item("a3" + kAlg + kX5c + "1822822f5820" + sha256, "a0")));
  expect_refused(item("a3" + kAlg + kX5c + "1822822f5820" + std::string(64, '0'), "a0"), "x5t");
  expect_refused(item("a3" + kAlg + kX5c + "1822822e5820" + sha256, "a0"), "x5t");
  expect_refused(item("a1" + kX5c, "a1" + kAlg), "ES384");
  expect_refused(item("a2" + kAlg + kX5c, "a1" + kAlg), "ES384");
  for (const char* other : {"0126", "013823", "0101", "016545533338"}) {
    expect_refused(item(std::string("a2") + other + kX5c, "a0"), "");
  }
  expect_refused(item("a2" + kAlg + kX5c, "a1" + kX5c), "x5chain in one");
  expect_refused(item("a1" + kAlg, "a0"), "x5chain in one");
  expect_refused(item("a3" + kAlg + "028101" + kX5c, "a0"), "critical");
  expect_refused(item("a2" + kAlg + kX5c, "a1028101"), "critical");
  expect_refused(item("a2" + kAlg + "182181433001aa", "a0"), "x5chain");
  expect_refused(item("a2" + kAlg + "182101", "a0"), "x5chain");
  expect_refused(item("80", "a0"), "map");
  expect_refused(item("", "a0"), "");
  expect_refused(item("a2" + kAlg + kX5c, "80"), "two headers");
}

TEST(Cose, OtherFormsAreRefused) {
  const Bytes good = item("a2" + kAlg + kX5c, "a0");
  expect_refused(ByteView(good).subspan(1), "tagged 18");
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_cose_sign1(ByteView(good).first(size))) << size;
  }
  expect_refused(item("a2" + kAlg + kX5c, "a0", kPayload, 95), "96 bytes");
  Bytes detached = {0xd2, 0x84};
  append_cbor_bytes(detached, *from_hex("a2" + kAlg + kX5c));
  append(detached, Bytes{0xa0, 0xf6});
  append_cbor_bytes(detached, Bytes(96, 7));
  expect_refused(detached, "payload inside");
}

}  // namespace
}  // namespace cloister::codec
