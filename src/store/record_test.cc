#include "store/record.h"

#include <gtest/gtest.h>

#include <set>

#include "store/receipt_id.h"

namespace cloister::store {
namespace {

TEST(Record, IdsComeBack) {
  const std::vector<std::vector<std::string>> lists = {
      {}, {"a"}, {"a", "b"}, {std::string(256, 'x'), std::string("\0\xff", 2), "c", "d"}};
  for (const auto& ids : lists) EXPECT_EQ(*unpack_ids(pack_ids(ids)), ids);
}

TEST(Record, RefusesDamagedIds) {
  const std::string whole = pack_ids({"abc", "de"});
  for (std::size_t size = 1; size < whole.size(); ++size) {
    if (size == 5) continue;  // this is a whole list of one id
    EXPECT_FALSE(unpack_ids(whole.substr(0, size))) << size;
  }
  EXPECT_FALSE(unpack_ids(std::string("\0\0", 2))) << "an empty id";
  EXPECT_FALSE(unpack_ids(std::string("\x01\x01", 2) + std::string(257, 'x'))) << "257 bytes";
  EXPECT_FALSE(unpack_ids(pack_ids({"a", "b", "c", "d"}) + pack_ids({"e"}))) << "five of them";
}

TEST(Record, LegacyComesBack) {
  LegacySignature legacy;
  legacy.request_sha256.fill(1);
  legacy.response_sha256.fill(2);
  legacy.ecdsa.fill(3);
  EXPECT_EQ(*unpack_legacy(pack_legacy(legacy)), legacy);
  EXPECT_FALSE(unpack_legacy(pack_legacy(legacy).substr(1)));
  EXPECT_FALSE(unpack_legacy(""));
  EXPECT_FALSE(unpack_owner("15 bytes of it "));
}

TEST(Record, ReplyIdsSayWhereTheirReceiptsAre) {
  const std::string receipt_id = new_receipt_id();
  const std::string reply_id = reply_id_of(receipt_id, "chatcmpl-");
  EXPECT_EQ(reply_id, "chatcmpl-" + receipt_id.substr(5));
  EXPECT_EQ(receipt_id_in(reply_id), receipt_id);
  EXPECT_EQ(receipt_id_in(receipt_id), receipt_id);
  EXPECT_EQ(receipt_id_in(receipt_id.substr(5)), receipt_id);
  for (std::string other :
       {std::string(), std::string("chatcmpl-1"), reply_id + "X", reply_id.substr(0, 9) + std::string(32, 'g'),
        reply_id.substr(0, 9) + std::string(32, 'A'), receipt_id.substr(6)}) {
    EXPECT_EQ(receipt_id_in(other), std::nullopt) << other;
  }
}

TEST(Record, AnIdIsShownWithoutItsEnd) {
  EXPECT_EQ(shown_id("rcpt-00112233445566778899aabbccddeeff"), "rcpt-0011223344556677...");
  EXPECT_EQ(shown_id("chatcmpl-00112233445566778899aabbccddeeff"), "chatcmpl-0011223344556677...");
  EXPECT_EQ(shown_id("upstream-7"), "upstr...");
  EXPECT_EQ(shown_id("x"), "...");
  EXPECT_EQ(shown_id(""), "...");
}

TEST(Record, ReceiptIdsLieInOrderOfTime) {
  std::set<std::string> ids;
  std::string last;
  for (std::int64_t ms = 1'800'000'000'000; ms < 1'800'000'000'100; ++ms) {
    const std::string id = new_receipt_id(ms);
    EXPECT_EQ(id.size(), 37u);
    EXPECT_GT(id, last);
    last = id;
    ids.insert(id);
  }
  for (int i = 0; i < 1000; ++i) ids.insert(new_receipt_id(1));
  EXPECT_EQ(ids.size(), 1100u);
  EXPECT_LT(new_receipt_id(1'800'000'000'000), new_receipt_id(1'800'000'000'001));
  EXPECT_EQ(new_receipt_id().substr(0, 7), "rcpt-01");
}

}  // namespace
}  // namespace cloister::store
