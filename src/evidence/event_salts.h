// The salts of a streamed reply's events, `cloister.events.v2` (docs/spec/receipt.md): without them nobody who holds
// the leaves of the tree can try out what an event said. They are the leaves of a tree of seeds that grows from one
// secret of the reply (Goldreich, Goldwasser and Micali, 1986), so a few seeds show the salts of the first events, and
// say nothing about those that follow. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "evidence/merkle_tree.h"

namespace cloister::evidence {

// The `tree` that the event `response.events` of a receipt names; without that member the tree is of version 1, unsalted.
inline constexpr std::string_view kEventTree = "cloister.events.v2";
// A reply with more events has no tree.
inline constexpr std::size_t kMostEvents = std::size_t{1} << 18;

using SaltSeed = ByteArray<32>;   // seed of a subtree; the reply's secret is the seed of the whole tree
using EventHash = ByteArray<32>;  // SHA-256 of the bytes of one event

// SHA-256(0x00 || the first 16 bytes of the event's seed || event).
MerkleHash salted_leaf(const SaltSeed& seed, const EventHash& event);

// Accepts at most kMostEvents events.
std::vector<MerkleHash> salted_leaves(const SaltSeed& secret, const std::vector<EventHash>& events);

// The fewest seeds that give the salts of the first `count` events, and no other salts, from left to right; at most 75.
// `count` is at most kMostEvents.
std::vector<SaltSeed> salts_of_first(const SaltSeed& secret, std::size_t count);

// The leaves of `events`, which are the first ones, with the seeds that salts_of_first() gave for that many.
// kBadReceipt when the number of seeds does not match, or there are more events than kMostEvents.
Result<std::vector<MerkleHash>> leaves_of_first(const std::vector<SaltSeed>& seeds,
                                                const std::vector<EventHash>& events);

}  // namespace cloister::evidence
