#include "base/fair_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <string>

namespace cloister {
namespace {

constexpr std::chrono::seconds kLongEnough{30};

// Work that has no end before release().
class Gate {
 public:
  void release() {
    if (!released_once_.exchange(true)) promise_.set_value();
  }
  ~Gate() { release(); }
  FairPool::Job job(bool is_long = false) {
    return {[this] {
              ++begun_;
              released_.wait();
            },
            [this] { ++given_up_; }, is_long};
  }
  // False when not so many jobs have begun within half a minute.
  bool wait_for(int count) {
    for (int i = 0; i < 30'000 && begun_ < count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return begun_ == count;
  }
  int begun() const { return begun_; }
  int given_up() const { return given_up_; }

 private:
  std::promise<void> promise_;
  std::shared_future<void> released_ = promise_.get_future().share();
  std::atomic<bool> released_once_{false};
  std::atomic<int> begun_{0}, given_up_{0};
};

// Waits until work of this client has run.
bool runs(FairPool& pool, const std::string& client) {
  auto done = std::make_shared<std::promise<void>>();
  pool.submit(client, {[done] { done->set_value(); }, [] {}});
  return done->get_future().wait_for(kLongEnough) == std::future_status::ready;
}

TEST(FairPool, OneClientsLongWorkLeavesAThreadForOthers) {
  Gate gate;
  FairPool pool(2, {.waiting = 16});
  for (int i = 0; i < 4; ++i) pool.submit("greedy", gate.job());
  EXPECT_TRUE(runs(pool, "other"));
  EXPECT_LE(gate.begun(), 1);
  gate.release();
}

TEST(FairPool, WhenFullTheGreediestGivesUp) {
  Gate gate;
  FairPool pool(2, {.waiting = 2});
  pool.submit("greedy", gate.job());
  ASSERT_TRUE(gate.wait_for(1));
  for (int i = 0; i < 5; ++i) pool.submit("greedy", gate.job());
  EXPECT_EQ(gate.given_up(), 3);
  gate.release();
}

TEST(FairPool, OneClientMayHaveSoManyWaiting) {
  Gate gate;
  FairPool pool(2, {.waiting = 100, .waiting_of_client = 3});
  pool.submit("greedy", gate.job());
  ASSERT_TRUE(gate.wait_for(1));
  for (int i = 0; i < 10; ++i) pool.submit("greedy", gate.job());
  EXPECT_EQ(gate.given_up(), 7);
  EXPECT_EQ(pool.waiting(), 3u);
  EXPECT_TRUE(runs(pool, "other"));
  gate.release();
}

TEST(FairPool, LongWorkOfManyLeavesAThreadForTheRest) {
  Gate gate;
  FairPool pool(3, {});
  for (int i = 0; i < 8; ++i) pool.submit("client " + std::to_string(i), gate.job(true));
  ASSERT_TRUE(gate.wait_for(2));
  EXPECT_TRUE(runs(pool, "other"));
  EXPECT_EQ(gate.begun(), 2);
  gate.release();
  EXPECT_TRUE(gate.wait_for(8)) << "long work goes on when other long work has ended";
}

TEST(FairPool, WorkThatIsCancelledLeavesTheQueue) {
  Gate gate;
  FairPool pool(2, {.waiting = 100, .waiting_of_client = 2});
  const FairPool::Ticket running = pool.submit("a", gate.job(true));
  ASSERT_TRUE(gate.wait_for(1));
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> alive = held;
  const FairPool::Ticket first = pool.submit("b", {[held] {}, [held] {}, true});
  held.reset();
  std::promise<void> done;
  pool.submit("b", {[&] { done.set_value(); }, [] {}});
  EXPECT_EQ(pool.waiting(), 2u);
  pool.cancel(first);
  EXPECT_TRUE(alive.expired());
  EXPECT_EQ(done.get_future().wait_for(kLongEnough), std::future_status::ready) << "nothing holds it back now";
  pool.cancel(first);
  pool.cancel(0);
  pool.cancel(running);
  EXPECT_EQ(gate.given_up(), 0);
  gate.release();
}

TEST(FairPool, LongWorkGivesUpAtTheEnd) {
  Gate gate;
  FairPool pool(2, {});
  pool.submit("a", gate.job(true));
  ASSERT_TRUE(gate.wait_for(1));
  for (int i = 0; i < 3; ++i) pool.submit("b", gate.job(true));
  pool.give_up_long();
  EXPECT_EQ(gate.given_up(), 3);
  pool.submit("c", gate.job(true));
  EXPECT_EQ(gate.given_up(), 4);
  EXPECT_TRUE(runs(pool, "b"));
  gate.release();
}

}  // namespace
}  // namespace cloister
