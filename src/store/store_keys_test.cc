#include "store/store_keys.h"

#include <gtest/gtest.h>

#include <set>

#include "base/encoding.h"
#include "store/receipt_id.h"
#include "store/sealed_record.h"
#include "store/store_testing.h"

namespace cloister::store {
namespace {

using testing::keys;
using testing::record;

TEST(StoreKeys, AreTheSameForTheSameTee) {
  const auto one = keys(), same = keys(), other = keys(1);
  EXPECT_EQ(one->newest(), same->newest());
  EXPECT_EQ(one->place("x"), same->place("x"));
  EXPECT_EQ(one->name("x", testing::owner(1)), same->name("x", testing::owner(1)));
  EXPECT_EQ(one->owner(testing::owner(1)), same->owner(testing::owner(1)));
  EXPECT_EQ(one->reply_secret("x"), same->reply_secret("x"));
  EXPECT_EQ(*same->open(as_bytes("a"), one->seal(as_bytes("a"), as_bytes("text"))), "text");
  EXPECT_NE(one->newest(), other->newest());
  EXPECT_NE(one->place("x"), other->place("x"));
  EXPECT_NE(one->name("x", {}), other->name("x", {}));
  EXPECT_NE(one->owner(testing::owner(1)), other->owner(testing::owner(1)));
  EXPECT_NE(one->reply_secret("x"), other->reply_secret("x"));
  EXPECT_FALSE(*other->open(as_bytes("a"), one->seal(as_bytes("a"), as_bytes("text")))) << "of a key that is not there";
}

TEST(StoreKeys, EveryEpochOpensThoseBefore) {
  const std::string first = keys(0, 1)->seal({}, as_bytes("1")), third = keys(0, 3)->seal({}, as_bytes("3"));
  EXPECT_EQ(*keys(0, 3)->open({}, first), "1");
  EXPECT_EQ(*keys(0, 3)->open({}, third), "3");
  EXPECT_FALSE(*keys(0, 2)->open({}, third));
  EXPECT_EQ(keys(0, 3)->place("x"), keys(0, 1)->place("x")) << "digests have no epochs";
  const auto none = [](std::string_view) -> Result<SecretBytes> { return SecretBytes(); };
  EXPECT_FALSE(StoreKeys::make(none, 1, true));
  EXPECT_FALSE(StoreKeys::make(none, 0, true));
  EXPECT_FALSE(StoreKeys::make(none, StoreKeys::kMostEpochs + 1, true));
}

TEST(StoreKeys, PlacesLieInTheOrderOfTime) {
  Place last{};
  for (std::int64_t ms = 1'800'000'000'000; ms < 1'800'000'000'050; ++ms) {
    const std::string id = new_receipt_id(ms);
    const Place place = keys()->place(id);
    EXPECT_GT(place, last);
    EXPECT_EQ(to_hex(place).substr(0, 12), id.substr(5, 12));
    EXPECT_NE(to_hex(place).substr(12), id.substr(17)) << "nothing of what is random";
    last = place;
  }
  EXPECT_NE(to_hex(keys()->place("rcpt-0000")).substr(0, 4), "0000");
}

// Trying out names without the key finds none, and two names of one owner do not reveal the owner.
TEST(StoreKeys, NamesSayNothing) {
  const Name one = keys()->name("a", testing::owner(1)), same_owner = keys()->name("b", testing::owner(1));
  EXPECT_NE(one.owner, same_owner.owner);
  EXPECT_EQ(keys()->name("a", testing::owner(2)).id, one.id) << "an id is found whoever's it is";
  EXPECT_NE(keys()->name("a", testing::owner(2)).owner, one.owner);
  EXPECT_GE(one.owner, 0);
  EXPECT_LT(one.owner, 1 << 16);
  EXPECT_EQ(keys()->owner(Owner{}), Owner{}) << "nobody stays nobody";
}

TEST(SealedRecord, ComesBackAsItWas) {
  for (int i = 0; i < 24; ++i) {
    const ReceiptRecord whole = record(i);
    const SealedRecord sealed = seal_record(whole, *keys());
    auto opened = open_record(*keys(), as_text(sealed.place), sealed.served_at, sealed.text);
    ASSERT_TRUE(opened) << opened.error().to_string();
    ASSERT_TRUE(*opened);
    if (!sealed.event_hashes.empty()) {
      (*opened)->event_hashes =
          *open_event_hashes(*keys(), as_text(sealed.place), sealed.served_at, sealed.event_hashes);
    }
    EXPECT_EQ(**opened, whole);
    EXPECT_EQ(sealed.names.size(), whole.reply_ids.size());
    EXPECT_EQ(unpack_names(pack_names(sealed.names)), sealed.names);
    EXPECT_EQ(sealed.text.find("padding"), std::string::npos);
    EXPECT_NE(seal_record(whole, *keys()).text, sealed.text) << "never the same twice";
  }
}

TEST(SealedRecord, IsOfItsPlaceAndTimeAlone) {
  const SealedRecord sealed = seal_record(record(4), *keys()), other = seal_record(record(8), *keys());
  EXPECT_EQ(open_record(*keys(), as_text(other.place), sealed.served_at, sealed.text).error().code,
            ErrorCode::kStoreDamaged);
  EXPECT_FALSE(open_record(*keys(), as_text(sealed.place), sealed.served_at + 1, sealed.text));
  EXPECT_FALSE(open_record(*keys(), as_text(sealed.place), sealed.served_at, sealed.event_hashes));
  EXPECT_FALSE(open_event_hashes(*keys(), as_text(sealed.place), sealed.served_at, other.event_hashes));
  EXPECT_FALSE(open_event_hashes(*keys(), as_text(sealed.place), sealed.served_at, sealed.text));
  EXPECT_FALSE(open_record(*keys(), "", sealed.served_at, sealed.text));
  EXPECT_FALSE(*open_record(*keys(1), as_text(sealed.place), sealed.served_at, sealed.text))
      << "another key: not there";
  for (std::size_t size = 0; size < 60; ++size)
    EXPECT_FALSE(open_record(*keys(), as_text(sealed.place), sealed.served_at, sealed.text.substr(0, size)));
}

TEST(SealedRecord, ReadsNoDamagedNames) {
  EXPECT_TRUE(unpack_names("").empty());
  EXPECT_TRUE(unpack_names("123456789").empty());
  EXPECT_TRUE(unpack_names(std::string(50, 'x')).empty());
  EXPECT_EQ(unpack_names(std::string(40, 'x')).size(), 4u);
}

}  // namespace
}  // namespace cloister::store
