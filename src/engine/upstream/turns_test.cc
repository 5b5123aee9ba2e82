#include "engine/upstream/turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace cloister::engine::upstream {
namespace {

struct Taker final : TurnTaker {
  bool on_turn() override {
    ++turns;
    return wants;
  }
  void on_no_turn() override { ++refusals; }
  std::atomic<int> turns{0}, refusals{0};
  bool wants = true;
};

using Entry = Turns::Entry;

std::shared_ptr<Taker> enter(Turns& turns, const std::string& client, Entry expected) {
  auto taker = std::make_shared<Taker>();
  EXPECT_EQ(turns.enter(taker, client), expected) << client;
  return taker;
}

TEST(Turns, ClientsTakeTurnsForPlaces) {
  Turns turns(4, 100);
  for (int i = 0; i < 3; ++i) enter(turns, "a", Entry::kPlace);
  std::vector<std::shared_ptr<Taker>> of_a;
  for (int i = 0; i < 50; ++i) of_a.push_back(enter(turns, "a", Entry::kWaits));
  enter(turns, "b", Entry::kPlace);  // one stays free
  const auto of_b = enter(turns, "b", Entry::kWaits), of_c = enter(turns, "c", Entry::kWaits);
  EXPECT_EQ(turns.under_way(), 4u);
  EXPECT_EQ(turns.waiting(), 52u);
  turns.leave("a");
  turns.leave("a");
  turns.leave("a");
  EXPECT_EQ(of_b->turns, 1);
  EXPECT_EQ(of_c->turns, 1) << "not behind fifty of another";
  EXPECT_EQ(of_a[0]->turns + of_a[1]->turns, 1);
  EXPECT_EQ(turns.under_way(), 4u);
}

TEST(Turns, OneClientAloneHasAllButOneAndThisMachineAll) {
  Turns turns(8, 100);
  for (int i = 0; i < 7; ++i) enter(turns, "a", Entry::kPlace);
  enter(turns, "a", Entry::kWaits);
  Turns local(8, 100);
  for (int i = 0; i < 8; ++i) enter(local, "", Entry::kPlace);
  const auto next = enter(local, "", Entry::kWaits);
  local.leave("");
  EXPECT_EQ(next->turns, 1);
  Turns one(1, 100);
  enter(one, "a", Entry::kPlace);
  enter(one, "b", Entry::kWaits);
}

TEST(Turns, AreBoundedAndTheGreatestGivesWay) {
  Turns turns(1, 4);
  enter(turns, "a", Entry::kPlace);
  std::vector<std::shared_ptr<Taker>> of_a;
  for (int i = 0; i < 4; ++i) of_a.push_back(enter(turns, "a", Entry::kWaits));
  enter(turns, "a", Entry::kFull);
  const auto of_b = enter(turns, "b", Entry::kWaits);
  EXPECT_EQ(of_a[3]->refusals, 1) << "the newest of who has most";
  EXPECT_EQ(turns.waiting(), 4u);
  turns.leave("a");
  turns.leave("a");
  EXPECT_EQ(of_b->turns, 1);
}

TEST(Turns, WhoeverIsGoneTakesNoPlace) {
  Turns turns(1, 100);
  enter(turns, "a", Entry::kPlace);
  const auto forgotten = enter(turns, "b", Entry::kWaits), unwilling = enter(turns, "c", Entry::kWaits),
             last = enter(turns, "d", Entry::kWaits);
  turns.forget(*forgotten);
  unwilling->wants = false;
  turns.leave("a");
  EXPECT_EQ(forgotten->turns, 0);
  EXPECT_EQ(unwilling->turns, 1);
  EXPECT_EQ(last->turns, 1);
  EXPECT_EQ(turns.under_way(), 1u);
  turns.leave("d");
  EXPECT_EQ(turns.under_way(), 0u);
  EXPECT_EQ(turns.waiting(), 0u);
}

// Each place is given to one, whoever gives it.
TEST(Turns, CountUnderManyThreads) {
  Turns turns(3, 1'000'000);
  std::vector<std::thread> threads;
  std::atomic<int> given{0};
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, client = std::string(1, static_cast<char>('a' + t))] {
      for (int i = 0; i < 2000; ++i) {
        auto taker = std::make_shared<Taker>();
        if (turns.enter(taker, client) == Entry::kWaits) {
          while (taker->turns == 0) std::this_thread::yield();
        }
        ++given;
        turns.leave(client);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(given, 8000);
  EXPECT_EQ(turns.under_way(), 0u);
  EXPECT_EQ(turns.waiting(), 0u);
}

}  // namespace
}  // namespace cloister::engine::upstream
