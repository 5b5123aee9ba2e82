#include "engine/llama/sampling_share.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace cloister::engine::llama {
namespace {

// The calls of a scheduler with some sequences, whose samplers are nothing but addresses.
class Scheduler {
 public:
  ~Scheduler() {
    for (const std::unique_ptr<char>& each : samplers_) shares().on_freed(as_sampler(each.get()));
  }
  // As the scheduler gives a task a sequence.
  void start(int sequence, const SamplingShares::Share& share) {
    SamplingShares::Sampler mark;
    mark.share = share.number();
    samplers_.push_back(std::make_unique<char>());
    shares().on_made(as_sampler(samplers_.back().get()), mark);
    shares().on_sequence(context(), sequence);
    at_.resize(std::max(at_.size(), static_cast<std::size_t>(sequence) + 1));
    at_[static_cast<std::size_t>(sequence)] = samplers_.back().get();
  }
  void draw(int sequence) {
    shares().on_accepted(*shares().find(as_sampler(at_.at(static_cast<std::size_t>(sequence)))));
  }
  void end(int sequence) { shares().on_sequence(context(), sequence); }
  Turns turns() { return shares().turns(context()); }

 private:
  static SamplingShares& shares() { return SamplingShares::instance(); }
  static const common_sampler* as_sampler(const char* place) { return reinterpret_cast<const common_sampler*>(place); }
  const llama_context* context() const { return reinterpret_cast<const llama_context*>(this); }

  std::vector<std::unique_ptr<char>> samplers_;
  std::vector<char*> at_;
};

std::unique_ptr<SamplingShares::Share> reply_of(const char* client) {
  return std::make_unique<SamplingShares::Share>(
      client, [](int) {}, [] {});
}

TEST(SamplingShares, TurnsAreSharedWhileOneDecodesAndAnotherReads) {
  const auto a = reply_of("a"), b = reply_of("b");
  Scheduler scheduler;
  EXPECT_FALSE(scheduler.turns().is_shared);
  scheduler.start(0, *a);
  scheduler.start(2, *b);
  EXPECT_FALSE(scheduler.turns().is_shared) << "both read";
  EXPECT_EQ(scheduler.turns().reading_clients, 2u);
  scheduler.draw(0);
  EXPECT_TRUE(scheduler.turns().is_shared);
  EXPECT_EQ(scheduler.turns().decoding_sequences, 1u);
  EXPECT_EQ(scheduler.turns().reading_clients, 1u);
  scheduler.draw(2);
  EXPECT_FALSE(scheduler.turns().is_shared) << "both decode";
  EXPECT_EQ(scheduler.turns().decoding_sequences, 2u);
  EXPECT_EQ(scheduler.turns().decoding_clients, 2u);
  scheduler.end(2);
  EXPECT_EQ(scheduler.turns().decoding_sequences, 1u);
  scheduler.start(2, *b);
  EXPECT_TRUE(scheduler.turns().is_shared) << "the next one in the same sequence";
  scheduler.end(0);
  EXPECT_FALSE(scheduler.turns().is_shared) << "nobody decodes any more";
  EXPECT_EQ(scheduler.turns().decoding_sequences, 0u);
}

TEST(SamplingShares, AClientSharesNoTurnsWithItself) {
  const auto one = reply_of("a"), two = reply_of("a"), other = reply_of("b");
  Scheduler scheduler;
  scheduler.start(0, *one);
  scheduler.draw(0);
  scheduler.start(1, *two);
  EXPECT_FALSE(scheduler.turns().is_shared);
  EXPECT_EQ(scheduler.turns().reading_clients, 0u);
  scheduler.start(2, *other);
  EXPECT_TRUE(scheduler.turns().is_shared) << "the prompts of both are another client's for one of them";
  scheduler.end(2);
  EXPECT_FALSE(scheduler.turns().is_shared) << "ended before its prompt was computed";
}

TEST(SamplingShares, TheClientIsKnownWhenItsReplyIsGone) {
  auto a = reply_of("a");
  const auto b = reply_of("b");
  Scheduler scheduler, another;
  scheduler.start(0, *a);
  scheduler.draw(0);
  a.reset();
  scheduler.start(1, *b);
  EXPECT_TRUE(scheduler.turns().is_shared);
  EXPECT_FALSE(another.turns().is_shared) << "of another context";
}

}  // namespace
}  // namespace cloister::engine::llama
