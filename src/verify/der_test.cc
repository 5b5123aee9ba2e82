#include "verify/der.h"
#include "base/result_testing.h"

#include <gtest/gtest.h>

namespace cloister::verify {
namespace {

TEST(DerReader, WalksValues) {
  const Bytes bytes = {0x04, 0x02, 0xaa, 0xbb, 0x30, 0x00};
  DerReader reader(bytes);
  auto first = reader.next();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->tag, kDerOctetString);
  EXPECT_EQ(to_bytes(first->content), (Bytes{0xaa, 0xbb}));
  EXPECT_FALSE(reader.at_end());
  EXPECT_TRUE(reader.next(kDerSequence));
  EXPECT_TRUE(reader.at_end());
  EXPECT_REFUSED(reader.next(), "DER: expected a value, found 0 bytes");
}

TEST(DerReader, ReadsLongLengths) {
  Bytes bytes = {0x04, 0x81, 0x80};
  bytes.resize(3 + 0x80);
  EXPECT_EQ(DerReader(bytes).next()->content.size(), 0x80u);
  bytes = {0x04, 0x82, 0x01, 0x00};
  bytes.resize(4 + 0x100);
  EXPECT_EQ(DerReader(bytes).next()->content.size(), 0x100u);
}

class BadDer : public ::testing::TestWithParam<Bytes> {};
TEST_P(BadDer, IsRefused) { EXPECT_FALSE(DerReader(GetParam()).next()); }
INSTANTIATE_TEST_SUITE_P(Table, BadDer,
                         ::testing::Values(Bytes{}, Bytes{0x04}, Bytes{0x04, 0x01}, Bytes{0x04, 0x80},
                                           Bytes{0x04, 0x81}, Bytes{0x04, 0x81, 0x01, 0xaa},
                                           Bytes{0x04, 0x82, 0x00, 0x01, 0xaa}, Bytes{0x1f, 0x01, 0x00},
                                           Bytes{0x04, 0x84, 0xff, 0xff, 0xff, 0xff},
                                           Bytes{0x04, 0x83, 0xff, 0xff, 0xff}));

TEST(DerReader, AnotherTagIsAnError) {
  const Bytes bytes = {0x04, 0x00};
  EXPECT_REFUSED(DerReader(bytes).next(kDerSequence), "DER: expected tag 48, found 4");
}

}  // namespace
}  // namespace cloister::verify
