#include "serve/preparation.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

namespace cloister::serve {
namespace {

TEST(Preparation, OneClientsLongWorkLeavesAThreadForOthers) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::promise<void> done;
  std::atomic<int> of_greedy{0};
  Preparation preparation(2, 16);
  for (int i = 0; i < 4; ++i) {
    preparation.submit("greedy", {[&, released] {
                                    ++of_greedy;
                                    released.wait();
                                  },
                                  [] {}});
  }
  preparation.submit("other", {[&] { done.set_value(); }, [] {}});
  EXPECT_EQ(done.get_future().wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_LE(of_greedy, 1);
  release.set_value();
}

TEST(Preparation, WhenFullTheGreediestGivesUp) {
  std::promise<void> release;
  std::shared_future<void> released = release.get_future().share();
  std::promise<void> begun;
  std::atomic<int> given_up{0};
  Preparation preparation(2, 2);
  preparation.submit("greedy", {[&, released] {
                                  begun.set_value();
                                  released.wait();
                                },
                                [] {}});
  begun.get_future().wait();
  for (int i = 0; i < 5; ++i) preparation.submit("greedy", {[released] { released.wait(); }, [&] { ++given_up; }});
  EXPECT_EQ(given_up, 3);
  release.set_value();
}

}  // namespace
}  // namespace cloister::serve
