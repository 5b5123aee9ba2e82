#include "evidence/merkle_tree.h"

#include <bit>
#include <span>

#include "crypto/hash.h"

namespace cloister::evidence {
namespace {

using Leaves = std::span<const MerkleHash>;

constexpr std::uint8_t kLeafPrefix = 0x00;
constexpr std::uint8_t kNodePrefix = 0x01;

MerkleHash node(const MerkleHash& left, const MerkleHash& right) {
  ByteArray<65> bytes;
  bytes[0] = kNodePrefix;
  std::copy(left.begin(), left.end(), bytes.begin() + 1);
  std::copy(right.begin(), right.end(), bytes.begin() + 33);
  return crypto::sha256(bytes);
}

// The largest power of two below `count`, which is at least 2.
std::size_t split(std::size_t count) { return std::bit_floor(count - 1); }

MerkleHash root_of(Leaves leaves) {
  if (leaves.size() == 1) return leaves.front();
  const std::size_t k = split(leaves.size());
  return node(root_of(leaves.first(k)), root_of(leaves.subspan(k)));
}

// SUBPROOF(m, D[n], b) of RFC 9162, section 2.1.4.1.
void append_subproof(Leaves leaves, std::size_t size, bool known, std::vector<MerkleHash>& out) {
  if (size == leaves.size()) {
    if (!known) out.push_back(root_of(leaves));
    return;
  }
  const std::size_t k = split(leaves.size());
  if (size <= k) {
    append_subproof(leaves.first(k), size, known, out);
    out.push_back(root_of(leaves.subspan(k)));
  } else {
    append_subproof(leaves.subspan(k), size - k, false, out);
    out.push_back(root_of(leaves.first(k)));
  }
}

Error inconsistent(const char* why) { return fail(ErrorCode::kBadReceipt, why); }

}  // namespace

MerkleHash merkle_leaf(ByteView entry) {
  thread_local crypto::Sha256 hash;
  hash.update(ByteView(&kLeafPrefix, 1));
  hash.update(entry);
  return hash.finish();
}

MerkleHash merkle_root(const std::vector<MerkleHash>& leaves) {
  return leaves.empty() ? crypto::sha256({}) : root_of(leaves);
}

std::vector<MerkleHash> merkle_consistency_proof(const std::vector<MerkleHash>& leaves, std::size_t size) {
  std::vector<MerkleHash> proof;
  if (size > 0 && size < leaves.size()) append_subproof(leaves, size, true, proof);
  return proof;
}

Result<void> verify_merkle_consistency(std::size_t size, const MerkleHash& root, std::size_t total,
                                       const MerkleHash& total_root, const std::vector<MerkleHash>& proof) {
  if (size == 0 || size > total) return inconsistent("the tree has fewer entries than are to be proven");
  if (size == total) {
    if (!proof.empty()) return inconsistent("a proof is given where none is needed");
    return root == total_root ? Result<void>() : inconsistent("the entries are not those of the tree");
  }
  if (proof.empty()) return inconsistent("the proof is empty");
  auto next = proof.begin();
  std::size_t first = size - 1, second = total - 1;
  while ((first & 1) == 1) {
    first >>= 1;
    second >>= 1;
  }
  // When the known tree is one whole subtree of the other, the proof begins with its root.
  MerkleHash old_root = std::has_single_bit(size) ? root : *next++;
  MerkleHash new_root = old_root;
  for (; next != proof.end(); ++next) {
    if (second == 0) return inconsistent("the proof is longer than the tree is high");
    if ((first & 1) == 1 || first == second) {
      old_root = node(*next, old_root);
      new_root = node(*next, new_root);
      while ((first & 1) == 0 && first != 0) {
        first >>= 1;
        second >>= 1;
      }
    } else {
      new_root = node(new_root, *next);
    }
    first >>= 1;
    second >>= 1;
  }
  if (second != 0) return inconsistent("the proof is shorter than the tree is high");
  if (old_root != root) return inconsistent("the entries are not those of the tree");
  if (new_root != total_root) return inconsistent("the proof leads to another root");
  return {};
}

}  // namespace cloister::evidence
