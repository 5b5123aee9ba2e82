#include "base/fair_queue.h"

#include <gtest/gtest.h>

#include <vector>

namespace cloister {
namespace {

std::vector<int> drain(FairQueue<int>& queue) {
  std::vector<int> out;
  while (auto item = queue.pop()) out.push_back(*item);
  return out;
}

TEST(FairQueue, ClientsTakeTurns) {
  FairQueue<int> queue(10);
  for (int i : {1, 2, 3}) EXPECT_FALSE(queue.push("a", i));
  for (int i : {11, 12}) EXPECT_FALSE(queue.push("b", i));
  EXPECT_FALSE(queue.push("c", 21));
  EXPECT_EQ(queue.size(), 6u);
  EXPECT_EQ(drain(queue), (std::vector{1, 11, 21, 2, 12, 3}));
  EXPECT_EQ(queue.size(), 0u);
}

TEST(FairQueue, WhenFullTheNewestOfTheGreediestIsGivenUp) {
  FairQueue<int> queue(4);
  for (int i : {1, 2, 3, 4}) EXPECT_FALSE(queue.push("a", i));
  EXPECT_EQ(queue.push("a", 5), 5) << "its own";
  EXPECT_EQ(queue.push("b", 11), 4);
  EXPECT_EQ(queue.push("b", 12), 3);
  EXPECT_EQ(queue.push("b", 13), 13) << "equal shares";
  EXPECT_EQ(queue.push("c", 21), 2) << "of two that are equal the one whose turn is first";
  EXPECT_EQ(drain(queue), (std::vector{1, 11, 21, 12}));
}

TEST(FairQueue, AFullHouseOfSingleItemsTakesNoOneMore) {
  FairQueue<int> queue(2);
  EXPECT_FALSE(queue.push("a", 1));
  EXPECT_FALSE(queue.push("b", 2));
  EXPECT_EQ(queue.push("c", 3), 3);
  EXPECT_EQ(drain(queue), (std::vector{1, 2}));
}

TEST(FairQueue, WhoIsHeldBackKeepsItsTurn) {
  FairQueue<int> queue(10);
  for (int i : {1, 2}) EXPECT_FALSE(queue.push("a", i));
  for (int i : {11, 12}) EXPECT_FALSE(queue.push("b", i));
  const auto not_a = [](const std::string& client, int&) { return client != "a"; };
  EXPECT_EQ(queue.pop_if(not_a), 11);
  EXPECT_EQ(queue.pop_if(not_a), 12);
  EXPECT_FALSE(queue.pop_if(not_a));
  EXPECT_EQ(queue.size_of("a"), 2u);
  queue.erase_if([](int item) { return item == 1; });
  EXPECT_EQ(drain(queue), (std::vector{2}));
}

TEST(FairQueue, WhoAsksForMuchAtOnceWaitsLonger) {
  FairQueue<int> queue(20);
  for (int i : {1, 2, 3}) EXPECT_FALSE(queue.push("long", i, 1000));
  for (int i : {11, 12, 13}) EXPECT_FALSE(queue.push("short", i, 10));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), 11);
  EXPECT_FALSE(queue.push("new", 21, 10));
  EXPECT_EQ(drain(queue), (std::vector{21, 12, 13, 2, 3})) << "who is new waits for no round of the others";
}

TEST(FairQueue, WhoLeavesAndComesBackIsNotNew) {
  FairQueue<int> queue(20);
  for (int i : {1, 2, 3}) EXPECT_FALSE(queue.push("patient", i, 100));
  std::vector<int> order;
  EXPECT_FALSE(queue.push("again", 11, 100));
  for (int i = 0; i < 5; ++i) {
    order.push_back(*queue.pop());
    if (queue.size_of("again") > 0) continue;
    EXPECT_FALSE(queue.push("again", 12 + i, 100));
  }
  EXPECT_EQ(order, (std::vector{1, 11, 2, 13, 3}));
}

TEST(FairQueue, WhoIsHeldBackSavesUpNothing) {
  FairQueue<int> queue(100);
  for (int i = 0; i < 9; ++i) EXPECT_FALSE(queue.push("held", i));
  for (int i = 10; i < 20; ++i) EXPECT_FALSE(queue.push("other", i));
  for (int i = 0; i < 6; ++i)
    EXPECT_TRUE(queue.pop_if([](const std::string& client, int&) { return client != "held"; }));
  EXPECT_EQ(queue.pop(), 0);
  EXPECT_EQ(queue.pop(), 16);
  EXPECT_EQ(queue.pop(), 1);
}

TEST(FairQueue, ALimitOfZeroTakesNothing) {
  FairQueue<int> queue(0);
  EXPECT_EQ(queue.push("a", 1), 1);
  EXPECT_FALSE(queue.pop());
}

}  // namespace
}  // namespace cloister
