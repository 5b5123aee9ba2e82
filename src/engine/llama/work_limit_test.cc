#include "engine/llama/work_limit.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <stdexcept>
#include <vector>

namespace cloister::engine::llama {
namespace {

// Allocates memory again and again, as the library does.
void make_states(std::size_t count) {
  std::set<std::vector<std::size_t>> states;
  for (std::size_t i = 0; i < count; ++i) {
    states.insert({i, i});
    if (states.size() > 1000) states.clear();
  }
}

TEST(WorkLimit, EndsWorkInTheMiddleAndGivesBackWhatItHeld) {
  struct Noticed {
    bool& gone;
    ~Noticed() { gone = true; }
  };
  bool gone = false;
  bool came_back = false;
  const double begun = thread_seconds();
  EXPECT_FALSE(run_within(0.05, [&] {
    const Noticed noticed{gone};
    make_states(SIZE_MAX);
    came_back = true;
  }));
  EXPECT_TRUE(gone);
  EXPECT_FALSE(came_back);
  EXPECT_LT(thread_seconds() - begun, 5);
  make_states(50'000);  // no limit is left in force
}

TEST(WorkLimit, LetsWorkThatEndsInTimeAlone) {
  bool came_back = false;
  EXPECT_TRUE(run_within(1000, [&] {
    make_states(10'000);
    came_back = true;
  }));
  EXPECT_TRUE(came_back);
  EXPECT_THROW(run_within(0.001, [] { throw std::runtime_error("of the library"); }), std::runtime_error);
  make_states(50'000);
}

}  // namespace
}  // namespace cloister::engine::llama
