// Merkle trees over a sequence of entries (RFC 9162 section 2.1, with SHA-256): one root for all of them, and short
// proofs that somebody's entries are the first m entries of a longer sequence. Pure functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::evidence {

using MerkleHash = ByteArray<32>;

// SHA-256(0x00 || entry).
MerkleHash merkle_leaf(ByteView entry);
// The root of no leaves is SHA-256 of nothing.
MerkleHash merkle_root(const std::vector<MerkleHash>& leaves);

// Consistency of the first `size` leaves with all of them (RFC 9162 section 2.1.4.1): at most 2 * log2(n) + 2 hashes.
// Empty when `size` is 0, not less than the number of leaves, or larger.
std::vector<MerkleHash> merkle_consistency_proof(const std::vector<MerkleHash>& leaves, std::size_t size);

// Verifies that the tree of `size` leaves with `root` is the beginning of the one of `total` with `total_root` (RFC
// 9162 section 2.1.4.2). An error (kBadReceipt) says what does not fit. `size` is at least 1 and at most `total`.
Result<void> verify_merkle_consistency(std::size_t size, const MerkleHash& root, std::size_t total,
                                       const MerkleHash& total_root, const std::vector<MerkleHash>& proof);

}  // namespace cloister::evidence
