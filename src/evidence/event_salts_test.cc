#include "evidence/event_salts.h"

#include <gtest/gtest.h>

#include <set>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "crypto/hash.h"

namespace cloister::evidence {
namespace {

const SaltSeed kSecret = crypto::sha256(as_bytes("a secret of the reply"));

std::vector<EventHash> events_of(std::size_t count) {
  std::vector<EventHash> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(crypto::sha256(as_bytes("data: " + std::to_string(i) + "\n\n")));
  return out;
}

// An independent implementation that follows the specification.
SaltSeed seed_of_event(std::size_t event) {
  SaltSeed seed = kSecret;
  for (int shift = 16; shift >= 0; shift -= 4) {
    Bytes bytes = {0x02, static_cast<std::uint8_t>(event >> shift & 15)};
    append(bytes, seed);
    seed = crypto::sha256(bytes);
  }
  return seed;
}

TEST(EventSalts, AreThoseOfTheSpecification) {
  const auto events = events_of(300);
  const auto leaves = salted_leaves(kSecret, events);
  ASSERT_EQ(leaves.size(), 300u);
  for (const std::size_t i : {0u, 1u, 15u, 16u, 17u, 255u, 256u, 299u}) {
    Bytes bytes = {0x00};
    append(bytes, ByteView(seed_of_event(i)).first(16));
    append(bytes, events[i]);
    EXPECT_EQ(leaves[i], crypto::sha256(bytes)) << i;
  }
  EXPECT_TRUE(salted_leaves(kSecret, {}).empty());
}

TEST(EventSalts, TheFirstAreShownInFewSeeds) {
  const auto events = events_of(600);
  const auto leaves = salted_leaves(kSecret, events);
  for (std::size_t count = 1; count <= events.size(); ++count) {
    const auto seeds = salts_of_first(kSecret, count);
    EXPECT_LE(seeds.size(), 75u);
    const std::vector<EventHash> first(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(count));
    const auto shown = leaves_of_first(seeds, first);
    ASSERT_TRUE(shown) << count;
    EXPECT_EQ(*shown, std::vector<MerkleHash>(leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(count)));
  }
  EXPECT_EQ(salts_of_first(kSecret, kMostEvents).size(), 4u);
}

// Computes everything that follows from the seeds of the first events: no seed of a later event is among it.
TEST(EventSalts, TheFirstSayNothingOfTheRest) {
  for (const std::size_t count : {1u, 15u, 16u, 17u, 31u, 256u, 300u}) {
    std::set<SaltSeed> known;
    std::vector<SaltSeed> level = salts_of_first(kSecret, count);
    for (int depth = 0; depth < 3; ++depth) {
      std::vector<SaltSeed> below;
      for (const SaltSeed& seed : level) {
        known.insert(seed);
        for (std::uint8_t number = 0; number < 16; ++number) {
          Bytes bytes = {0x02, number};
          append(bytes, seed);
          below.push_back(crypto::sha256(bytes));
        }
      }
      level = std::move(below);
    }
    for (std::size_t event = count; event < count + 300; ++event) EXPECT_FALSE(known.contains(seed_of_event(event)));
    EXPECT_FALSE(known.contains(kSecret));
  }
}

TEST(EventSalts, OtherSeedsAreRefused) {
  const auto events = events_of(37);
  auto seeds = salts_of_first(kSecret, 37);
  const auto leaves = leaves_of_first(seeds, events).value();
  EXPECT_REFUSED(leaves_of_first({}, events), "the salts of 37 events come from 7 seeds, and the proof has 0");
  seeds.push_back(seeds.back());
  EXPECT_REFUSED(leaves_of_first(seeds, events), "the salts of 37 events come from 7 seeds, and the proof has 8");
  seeds.pop_back();
  EXPECT_REFUSED(leaves_of_first(seeds, events_of(36)),
                 "the salts of 36 events come from 6 seeds, and the proof has 7");
  seeds[0][31] ^= 1;
  EXPECT_NE(leaves_of_first(seeds, events).value(), leaves);
  EXPECT_REFUSED(leaves_of_first({}, events_of(kMostEvents + 1)), "there are more events than a receipt can name");
}

}  // namespace
}  // namespace cloister::evidence
