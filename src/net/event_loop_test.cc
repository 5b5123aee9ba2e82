#include "net/event_loop.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "net/watch.h"

namespace cloister::net {
namespace {

using std::chrono::milliseconds;

// The loop watches one end, the test uses the other.
class Peer final : private Watch::Owner {
 public:
  explicit Peer(EventLoop& loop) : Peer(loop, pair()) {}
  ~Peer() {
    if (other_ >= 0) ::close(other_);
  }

  Watch& watch() { return watch_; }
  void say(std::string_view text) { EXPECT_EQ(::send(other_, text.data(), text.size(), 0), std::ssize(text)); }
  void hang_up() { ::close(std::exchange(other_, -1)); }
  std::string read() {
    char text[64];
    const ssize_t got = ::recv(watch_.descriptor(), text, sizeof(text), 0);
    return got > 0 ? std::string(text, static_cast<std::size_t>(got)) : std::string();
  }
  // Writes until it would block.
  void fill() {
    const std::string block(1 << 16, 'x');
    while (::send(watch_.descriptor(), block.data(), block.size(), MSG_NOSIGNAL) > 0) {
    }
  }
  void drain() {
    std::string block(1 << 16, 'x');
    while (::recv(other_, block.data(), block.size(), MSG_DONTWAIT) > 0) {
    }
  }

  std::function<void(bool readable, bool writable)> told;

 private:
  static std::pair<int, int> pair() {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    return {ends[0], ends[1]};
  }
  Peer(EventLoop& loop, std::pair<int, int> ends) : watch_(loop, ends.first, *this), other_(ends.second) {}
  void on_ready(bool readable, bool writable) override {
    if (told) told(readable, writable);
  }

  Watch watch_;
  int other_;
};

// Runs a loop for this long; a loop runs only once.
void turn(EventLoop& loop, milliseconds time = milliseconds(30)) {
  loop.at(EventLoop::Clock::now() + time, [&loop] { loop.stop(); });
  loop.run();
}

TEST(EventLoop, TellsOnceForEachWish) {
  EventLoop loop;
  Peer peer(loop);
  int reads = 0;
  peer.told = [&](bool readable, bool writable) {
    EXPECT_TRUE(readable);
    EXPECT_FALSE(writable);
    ++reads;
  };
  peer.watch().want_read();
  peer.watch().want_read();
  peer.say("nobody takes this");
  turn(loop);
  EXPECT_EQ(reads, 1);
}

TEST(EventLoop, SaysNothingUnasked) {
  EventLoop loop;
  Peer peer(loop);
  peer.told = [&](bool, bool) { FAIL(); };
  peer.say("x");
  peer.hang_up();
  turn(loop);
}

TEST(EventLoop, WhatIsLeftIsToldAgain) {
  EventLoop loop;
  Peer peer(loop);
  std::vector<std::string> pieces;
  peer.told = [&](bool, bool) {
    char one = 0;
    if (::recv(peer.watch().descriptor(), &one, 1, 0) == 1) pieces.emplace_back(1, one);
    if (pieces.size() < 3) peer.watch().want_read();
  };
  peer.say("abc");
  peer.watch().want_read();
  turn(loop);
  EXPECT_EQ(pieces, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(EventLoop, AWishMadeLaterFindsWhatCameBefore) {
  EventLoop loop;
  Peer peer(loop);
  std::string got;
  peer.told = [&](bool, bool) { got = peer.read(); };
  peer.say("early");
  // By then the event has arrived, there was nobody to deliver it to, and the loop no longer listens for it.
  loop.at(EventLoop::Clock::now() + milliseconds(10), [&] { peer.watch().want_read(); });
  turn(loop);
  EXPECT_EQ(got, "early");
}

TEST(EventLoop, AHangUpThatNobodyAskedForIsToldToWhoAsksLater) {
  EventLoop loop;
  Peer peer(loop);
  int told = 0;
  peer.told = [&](bool readable, bool) {
    EXPECT_TRUE(readable);
    EXPECT_EQ(peer.read(), "");
    ++told;
  };
  peer.hang_up();
  loop.at(EventLoop::Clock::now() + milliseconds(10), [&] { peer.watch().want_read(); });
  turn(loop);
  EXPECT_EQ(told, 1);
}

TEST(EventLoop, WritableOnceThereIsRoom) {
  EventLoop loop;
  Peer peer(loop);
  peer.fill();
  bool roomy = false;
  peer.told = [&](bool readable, bool writable) {
    EXPECT_FALSE(readable);
    EXPECT_TRUE(writable);
    EXPECT_TRUE(roomy);
  };
  peer.watch().want_write();
  loop.at(EventLoop::Clock::now() + milliseconds(10), [&] {
    roomy = true;
    peer.drain();
  });
  turn(loop);
  EXPECT_TRUE(roomy);
}

// All are ready in one round; the first one that is called ends the others.
TEST(EventLoop, NothingComesOfAWatchThatIsGone) {
  EventLoop loop;
  std::vector<std::unique_ptr<Peer>> peers;
  int told = 0;
  for (int i = 0; i < 3; ++i) {
    peers.push_back(std::make_unique<Peer>(loop));
    peers.back()->told = [&, self = peers.back().get()](bool, bool) {
      ++told;
      for (auto& peer : peers) {
        if (peer.get() != self) peer.reset();
      }
    };
    peers.back()->say("x");
    peers.back()->watch().want_read();
  }
  turn(loop);
  EXPECT_EQ(told, 1);
}

TEST(EventLoop, IdleItSleeps) {
  EventLoop loop;
  Peer peer(loop);
  peer.say("unread");
  peer.hang_up();
  timespec before{};
  timespec after{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
  turn(loop, milliseconds(300));
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
  const auto used_ms = (after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1'000'000;
  EXPECT_LT(used_ms, 100);
}

TEST(EventLoop, JobsOfManyThreadsInTheOrderOfEach) {
  EventLoop loop;
  std::vector<int> last(4, -1);
  std::atomic<int> done{0};
  std::vector<std::thread> threads;
  constexpr int kEach = 5000;
  for (std::size_t i = 0; i < last.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < kEach; ++n) {
        loop.post([&, i, n] {
          EXPECT_EQ(last[i], n - 1);
          last[i] = n;
          if (++done == kEach * static_cast<int>(last.size())) loop.stop();
        });
        if (n % 64 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));  // lets the loop fall asleep
      }
    });
  }
  loop.run();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(done, kEach * static_cast<int>(last.size()));
}

TEST(EventLoop, PointsInTimeInTheirOrder) {
  EventLoop loop;
  std::string order;
  const auto now = EventLoop::Clock::now();
  loop.at(now + milliseconds(20), [&] { order += "c"; });
  loop.at(now + milliseconds(10), [&] {
    order += "b";
    EXPECT_GE(EventLoop::Clock::now(), now + milliseconds(10));
  });
  loop.at(now, [&] { order += "a"; });
  turn(loop, milliseconds(40));
  EXPECT_EQ(order, "abc");
}

TEST(EventLoop, WorkHandedOverBeforeTheEndIsDone) {
  EventLoop loop;
  bool done = false;
  loop.post([&] {
    loop.stop();
    loop.post([&] { done = true; });
  });
  loop.run();
  EXPECT_TRUE(done);
}

TEST(EventLoop, WorkForALoopThatHasEndedIsDropped) {
  const auto owned = std::make_shared<int>(1);
  {
    EventLoop loop;
    loop.post([&loop] { loop.stop(); });
    loop.run();
    loop.post([owned] { FAIL(); });
    EXPECT_EQ(owned.use_count(), 2);
  }
  EXPECT_EQ(owned.use_count(), 1);
}

class CountedTurn final : public EventLoop::Turn {
 public:
  CountedTurn(EventLoop& loop, int turns, std::function<void()> job)
      : loop_(loop), left_(turns), job_(std::move(job)) {}
  void on_turn() override {
    job_();
    if (--left_ > 0) loop_.queue(*this);
  }

 private:
  EventLoop& loop_;
  int left_;
  std::function<void()> job_;
};

TEST(EventLoop, TakesTurnsInOrderAndLooksForEventsBetweenThem) {
  EventLoop loop;
  Peer peer(loop);
  std::string order;
  CountedTurn a(loop, 3, [&] { order += 'a'; });
  CountedTurn b(loop, 2, [&] {
    order += 'b';
    if (order == "ab") peer.say("x");
  });
  std::optional<CountedTurn> dropped(std::in_place, loop, 1, [&] { order += '?'; });
  CountedTurn last(loop, 5, [&, left = 5]() mutable {
    order += '.';
    if (--left == 0) loop.stop();
  });
  peer.told = [&](bool, bool) { order += peer.read(); };
  peer.watch().want_read();
  loop.post([&] {
    loop.queue(a);
    loop.queue(b);
    loop.queue(*dropped);
    loop.queue(a);
    loop.queue(last);
    dropped.reset();
  });
  loop.run();
  EXPECT_EQ(order, "ab.xab.a...");
}

}  // namespace
}  // namespace cloister::net
