#include "evidence/event_salts.h"

#include <algorithm>

#include "crypto/hash.h"

namespace cloister::evidence {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::uint8_t kLeafPrefix = 0x00;  // the same as in evidence/merkle_tree.cc
constexpr std::uint8_t kSeedPrefix = 0x02;

// Each seed has 16 below it, on five levels: room for 16^5 events.
constexpr std::size_t kLevels = 5;
constexpr std::size_t kChildren = 16;

// Which of the 16 seeds, at this level from the top, leads to that event.
std::size_t digit(std::size_t event, std::size_t level) {
  return event >> (4 * (kLevels - 1 - level)) & (kChildren - 1);
}

// Costs one block of SHA-256.
SaltSeed child(const SaltSeed& seed, std::size_t number) {
  ByteArray<34> bytes;
  bytes[0] = kSeedPrefix;
  bytes[1] = static_cast<std::uint8_t>(number);
  std::copy(seed.begin(), seed.end(), bytes.begin() + 2);
  return crypto::sha256(bytes);
}

// Calls `leaf` with the seeds of the first `count` events below `seed`, which is `level` levels below the top.
template <typename Leaf>
void walk(const SaltSeed& seed, std::size_t level, std::size_t& count, Leaf& leaf) {
  if (level == kLevels) {
    leaf(seed);
    --count;
    return;
  }
  for (std::size_t number = 0; number < kChildren && count > 0; ++number)
    walk(child(seed, number), level + 1, count, leaf);
}

}  // namespace

// This also costs one block of SHA-256.
MerkleHash salted_leaf(const SaltSeed& seed, const EventHash& event) {
  ByteArray<1 + kSaltBytes + 32> bytes;
  bytes[0] = kLeafPrefix;
  std::copy_n(seed.begin(), kSaltBytes, bytes.begin() + 1);
  std::copy(event.begin(), event.end(), bytes.begin() + 1 + kSaltBytes);
  return crypto::sha256(bytes);
}

std::vector<MerkleHash> salted_leaves(const SaltSeed& secret, const std::vector<EventHash>& events) {
  std::vector<MerkleHash> out;
  out.reserve(events.size());
  std::size_t left = events.size();
  auto leaf = [&](const SaltSeed& seed) { out.push_back(salted_leaf(seed, events[out.size()])); };
  walk(secret, 0, left, leaf);
  return out;
}

std::vector<SaltSeed> salts_of_first(const SaltSeed& secret, std::size_t count) {
  std::vector<SaltSeed> out;
  SaltSeed seed = secret;
  for (std::size_t level = 0; level < kLevels; ++level) {
    const std::size_t whole = digit(count, level);
    for (std::size_t number = 0; number < whole; ++number) out.push_back(child(seed, number));
    seed = child(seed, whole);
  }
  return out;
}

Result<std::vector<MerkleHash>> leaves_of_first(const std::vector<SaltSeed>& seeds,
                                                const std::vector<EventHash>& events) {
  const std::size_t count = events.size();
  if (count > kMostEvents) return fail(ErrorCode::kBadReceipt, "there are more events than a receipt can name");
  std::size_t needed = 0;
  for (std::size_t level = 0; level < kLevels; ++level) needed += digit(count, level);
  if (seeds.size() != needed) {
    return fail(ErrorCode::kBadReceipt, "the salts of " + std::to_string(count) + " events come from " +
                                            std::to_string(needed) + " seeds, and the proof has " +
                                            std::to_string(seeds.size()));
  }
  std::vector<MerkleHash> out;
  out.reserve(count);
  auto leaf = [&](const SaltSeed& seed) { out.push_back(salted_leaf(seed, events[out.size()])); };
  auto next = seeds.begin();
  for (std::size_t level = 0; level < kLevels; ++level) {
    for (std::size_t whole = digit(count, level); whole > 0; --whole) {
      std::size_t below = kMostEvents * 4;  // all leaves of the subtree
      walk(*next++, level + 1, below, leaf);
    }
  }
  return out;
}

}  // namespace cloister::evidence
