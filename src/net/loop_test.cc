#include "net/loop.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "net/later.h"

namespace cloister::net {
namespace {

class Notes final : public LoopGuest {
 public:
  Notes(std::string& text, char name) : text_(text), name_(name) {}
  void on_tick() override { text_ += name_; }
  void on_end() override { text_ += static_cast<char>(name_ - 'a' + 'A'); }

 private:
  std::string& text_;
  const char name_;
};

class Other final : public LoopGuest {
 public:
  void on_tick() override {}
  void on_end() override {}
};

TEST(Loop, RunsOnAThreadOfItsOwnWithoutAServer) {
  Loop loop;
  loop.start_thread();
  std::promise<bool> here;
  loop.run([&] { here.set_value(loop.is_here()); });
  EXPECT_TRUE(here.get_future().get());
  EXPECT_FALSE(loop.is_here());
  loop.stop();
}

TEST(Loop, RunsOnTheCallingThreadUntilItsEnd) {
  Loop loop;
  bool here = false;
  loop.run([&] {
    here = loop.is_here();
    run_later(loop, std::chrono::milliseconds(10), [&] { loop.end(); });
  });
  loop.run_here();
  EXPECT_TRUE(here);
}

TEST(Loop, WithoutAThreadNobodyIsThere) {
  const Loop loop;
  EXPECT_FALSE(loop.is_here());
}

TEST(Loop, StopsItsThreadWhenItIsDestroyed) {
  std::string text;
  {
    Loop loop;
    loop.add(std::make_unique<Notes>(text, 'a'));
    loop.start_thread();
  }
  EXPECT_TRUE(text.ends_with('A')) << text;
}

TEST(Loop, TellsItsGuestsOfTheTickAndTheEndInTheirOrder) {
  Loop loop;
  std::string text;
  loop.add(std::make_unique<Notes>(text, 'a'));
  loop.add(std::make_unique<Notes>(text, 'b'));
  const std::int64_t before = loop.now_s();
  std::int64_t after = 0;
  loop.run([&] {
    run_later(loop, std::chrono::milliseconds(1500), [&] {
      after = loop.now_s();
      loop.end();
    });
  });
  loop.run_here();
  EXPECT_EQ(text, "abAB");
  EXPECT_GT(after, before);
}

TEST(Loop, FindsAGuestByItsType) {
  Loop loop;
  EXPECT_EQ(loop.find<Other>(), nullptr);
  std::string text;
  loop.add(std::make_unique<Notes>(text, 'a'));
  EXPECT_EQ(loop.find<Other>(), nullptr);
  auto other = std::make_unique<Other>();
  Other* const added = other.get();
  loop.add(std::move(other));
  EXPECT_EQ(loop.find<Other>(), added);
}

// OpenSSL writes without MSG_NOSIGNAL. The default action of the signal would end the test.
TEST(Loop, ABrokenPipeRaisesNoSignalOnTheCallingThread) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ::close(ends[0]);
  const auto before = ::signal(SIGPIPE, SIG_DFL);
  Loop loop;
  ssize_t wrote = 0;
  loop.run([&] {
    wrote = ::write(ends[1], "x", 1);
    loop.end();
  });
  loop.run_here();
  ::signal(SIGPIPE, before);
  EXPECT_EQ(wrote, -1);
  ::close(ends[1]);
}

}  // namespace
}  // namespace cloister::net
