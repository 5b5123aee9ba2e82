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

TEST(FairQueue, ALimitOfZeroTakesNothing) {
  FairQueue<int> queue(0);
  EXPECT_EQ(queue.push("a", 1), 1);
  EXPECT_FALSE(queue.pop());
}

}  // namespace
}  // namespace cloister
