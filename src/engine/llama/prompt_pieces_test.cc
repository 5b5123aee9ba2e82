#include "engine/llama/prompt_pieces.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace cloister::engine::llama {
namespace {

constexpr std::size_t kBatch = 512;

// A machine that computes in a time of its own, by a clock of its own.
struct Machine {
  double batch_s = 0;  // whatever is in it
  double prompt_token_s = 0;
  double decoded_token_s = 0;
  PromptPieces pieces{kBatch};
  PromptPieces::Clock::time_point now{};
  double decoding_s = 0;  // in batches without a prompt
  double reading_s = 0;
  double longest_s = 0;
  std::size_t read = 0;

  void compute(const Turns& turns, std::size_t prompt_tokens, double slowness = 1) {
    const std::size_t tokens = turns.decoding_sequences + prompt_tokens;
    const double took = slowness * (batch_s + static_cast<double>(prompt_tokens) * prompt_token_s +
                                    static_cast<double>(turns.decoding_sequences) * decoded_token_s);
    pieces.on_begun(now);
    now += std::chrono::duration_cast<PromptPieces::Clock::duration>(PromptPieces::Seconds{took});
    pieces.on_computed(turns, tokens, now);
    (prompt_tokens == 0 ? decoding_s : reading_s) += took;
    longest_s = std::max(longest_s, took);
    read += prompt_tokens;
  }
  // As the scheduler: all that the limit leaves is filled with prompts.
  void round(const Turns& turns, double slowness = 1) {
    compute(turns, pieces.limit(turns) - turns.decoding_sequences, slowness);
  }
  void rounds(int count, const Turns& turns) {
    for (int i = 0; i < count; ++i) round(turns);
    decoding_s = reading_s = longest_s = 0;
    read = 0;
    for (int i = 0; i < count; ++i) round(turns);
  }
};

Turns shared(std::size_t decoding_clients = 1, std::size_t reading_clients = 1) {
  return {decoding_clients, decoding_clients, reading_clients, true};
}

TEST(PromptPieces, NobodyElseDecodesAndNothingChanges) {
  Machine cpu{0.01, 0.005, 0.005};
  EXPECT_EQ(cpu.pieces.limit({}), kBatch);
  for (int i = 0; i < 10; ++i) cpu.compute({0, 0, 1, false}, kBatch);
  EXPECT_EQ(cpu.pieces.limit({0, 0, 1, false}), kBatch);
  EXPECT_EQ(cpu.pieces.limit({3, 1, 0, false}), kBatch) << "a client's own tokens wait for its own prompt";
}

TEST(PromptPieces, ThePieceIsChosenByTime) {
  Machine cpu{0.01, 0.001, 0.005};
  cpu.rounds(200, shared());
  EXPECT_LT(cpu.longest_s, 0.12);
  EXPECT_GT(cpu.longest_s, 0.08);
}

TEST(PromptPieces, FirstAndOnSlowMachinesThePieceIsTheLeast) {
  Machine slow{0.1, 0.05, 0.1};
  EXPECT_EQ(slow.pieces.limit(shared()), 1 + PromptPieces::kLeast);
  slow.compute({0, 0, 1, false}, kBatch);
  EXPECT_EQ(slow.pieces.limit(shared()), 1 + PromptPieces::kLeast);
}

TEST(PromptPieces, WhereAWholeBatchIsShortNothingChanges) {
  Machine gpu{0.015, 0.00005, 0.0002};
  gpu.compute({0, 0, 1, false}, kBatch);
  gpu.rounds(50, shared());
  EXPECT_EQ(gpu.decoding_s, 0);
  EXPECT_EQ(gpu.read, 50 * (kBatch - 1));
}

TEST(PromptPieces, PiecesGrowUntilThatIsKnown) {
  Machine gpu{0.015, 0.00005, 0.0002};
  for (int i = 0; i < 40; ++i) gpu.round(shared(12));
  EXPECT_EQ(gpu.pieces.limit(shared(12)), kBatch);
  // The last tokens of a prompt are few, and seem slow each.
  for (int i = 0; i < 40; ++i) gpu.compute(shared(12), 3);
  EXPECT_EQ(gpu.pieces.limit(shared(12)), kBatch);
}

TEST(PromptPieces, EitherSideHasHalfOfTheTime) {
  for (const double token : {0.0005, 0.002, 0.006, 0.05}) {
    Machine cpu{0.01, token, 0.005};
    cpu.rounds(2000, shared());
    EXPECT_NEAR(cpu.reading_s / (cpu.reading_s + cpu.decoding_s), 0.5, 0.05) << token;
  }
}

TEST(PromptPieces, PromptsOfMoreClientsHaveMoreAndNeverLessThanHalf) {
  Machine cpu{0.01, 0.005, 0.005};
  cpu.rounds(2000, shared(1, 3));
  EXPECT_NEAR(cpu.reading_s / (cpu.reading_s + cpu.decoding_s), 0.75, 0.05);
  Machine crowd{0.01, 0.005, 0.005};
  crowd.rounds(2000, shared(8, 1));
  EXPECT_NEAR(crowd.reading_s / (crowd.reading_s + crowd.decoding_s), 0.5, 0.05);
}

TEST(PromptPieces, ABatchWithoutAPromptHoldsAllThatDecode) {
  Machine cpu{0.01, 0.005, 0.005};
  const Turns turns{7, 2, 1, true};
  cpu.round(turns);
  EXPECT_EQ(cpu.pieces.limit(turns), 7u);
  EXPECT_EQ(cpu.pieces.limit({0, 1, 1, true}), 1u) << "a batch without a token would be computed again and again";
}

TEST(PromptPieces, OneVerySlowBatchIsForgotten) {
  Machine cpu{0.01, 0.005, 0.005};
  cpu.rounds(100, shared());
  while (cpu.pieces.limit(shared()) == 1) cpu.round(shared());
  cpu.round(shared(), 1000);
  int without = 0;
  for (; cpu.pieces.limit(shared()) == 1; ++without) cpu.round(shared());
  // At most two of the pieces that it now takes to be usual, which the slow one has made long.
  EXPECT_LT(without * 0.015, 60);
  cpu.rounds(200, shared());
  EXPECT_LT(cpu.longest_s, 0.15);
}

TEST(PromptPieces, WhatWasOwedEndsWithTheRepliesOfOthers) {
  Machine cpu{0.01, 0.005, 0.005};
  cpu.round(shared());
  EXPECT_EQ(cpu.pieces.limit(shared()), 1u);
  cpu.compute({0, 0, 1, false}, 100);
  EXPECT_GT(cpu.pieces.limit(shared()), PromptPieces::kLeast);
}

TEST(PromptPieces, ABatchThatNobodyWaitedForIsNoMeasure) {
  Machine cpu{0.01, 0.001, 0.005};
  for (int i = 0; i < 50; ++i) cpu.round(shared());
  while (cpu.pieces.limit(shared()) == 1) cpu.round(shared());
  const std::size_t before = cpu.pieces.limit(shared());
  cpu.pieces.on_queued();
  cpu.compute(shared(), before - 1, 100);
  EXPECT_EQ(cpu.pieces.limit(shared()), before);
}

TEST(PromptPieces, OtherContextsAreNotWatched) {
  char place[2];
  const auto* mine = reinterpret_cast<const llama_context*>(&place[0]);
  {
    PromptPieces pieces(kBatch);
    pieces.watch(mine);
    EXPECT_EQ(PromptPieces::of(mine), &pieces);
    EXPECT_EQ(PromptPieces::of(reinterpret_cast<const llama_context*>(&place[1])), nullptr);
  }
  EXPECT_EQ(PromptPieces::of(mine), nullptr);
}

}  // namespace
}  // namespace cloister::engine::llama
