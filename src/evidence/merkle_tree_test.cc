// Known answers of RFC 9162's construction, and proofs in both directions for every pair of sizes up to 40.
#include "evidence/merkle_tree.h"

#include <gtest/gtest.h>

#include "base/encoding.h"
#include "base/result_testing.h"
#include "crypto/hash.h"

namespace cloister::evidence {
namespace {

std::vector<MerkleHash> leaves_of(std::size_t count) {
  std::vector<MerkleHash> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(merkle_leaf(as_bytes("event " + std::to_string(i))));
  return out;
}

std::vector<MerkleHash> first(const std::vector<MerkleHash>& leaves, std::size_t count) {
  return {leaves.begin(), leaves.begin() + static_cast<std::ptrdiff_t>(count)};
}

// The entries and roots with which Certificate Transparency's implementations test the same construction.
TEST(MerkleTree, HasTheRootsOfKnownSequences) {
  const std::vector<std::string> entries = {
      "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
  const std::vector<std::string> roots = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                          "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                          "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                          "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                          "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                          "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                          "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                          "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  EXPECT_EQ(to_hex(merkle_root({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  std::vector<MerkleHash> leaves;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    leaves.push_back(merkle_leaf(from_hex(entries[i]).value()));
    EXPECT_EQ(to_hex(merkle_root(leaves)), roots[i]) << i + 1;
  }
}

TEST(MerkleTree, ProvesEveryBeginning) {
  for (std::size_t total = 1; total <= 40; ++total) {
    const auto leaves = leaves_of(total);
    const MerkleHash root = merkle_root(leaves);
    for (std::size_t size = 1; size <= total; ++size) {
      const MerkleHash begin = merkle_root(first(leaves, size));
      const auto proof = merkle_consistency_proof(leaves, size);
      EXPECT_TRUE(verify_merkle_consistency(size, begin, total, root, proof)) << size << " of " << total;
    }
  }
}

TEST(MerkleTree, RefusesWhatIsNotTheBeginning) {
  for (std::size_t total = 2; total <= 20; ++total) {
    const auto leaves = leaves_of(total);
    const MerkleHash root = merkle_root(leaves);
    for (std::size_t size = 1; size < total; ++size) {
      auto invented = first(leaves, size);
      invented.back()[7] ^= 1;
      const auto proof = merkle_consistency_proof(leaves, size);
      const MerkleHash begin = merkle_root(first(leaves, size));
      EXPECT_FALSE(verify_merkle_consistency(size, merkle_root(invented), total, root, proof));
      EXPECT_FALSE(verify_merkle_consistency(size + 1, begin, total, root, proof));
      MerkleHash other = root;
      other[0] ^= 1;
      EXPECT_REFUSED(verify_merkle_consistency(size, begin, total, other, proof), "the proof leads to another root");
      for (std::size_t i = 0; i < proof.size(); ++i) {
        auto changed = proof;
        changed[i][31] ^= 1;
        EXPECT_FALSE(verify_merkle_consistency(size, begin, total, root, changed)) << size << " of " << total;
      }
      auto longer = proof;
      longer.push_back(root);
      EXPECT_REFUSED(verify_merkle_consistency(size, begin, total, root, longer),
                     "the proof is longer than the tree is high");
      auto shorter = proof;
      shorter.pop_back();
      EXPECT_FALSE(verify_merkle_consistency(size, begin, total, root, shorter));
    }
  }
}

TEST(MerkleTree, HasNoProofOfNothing) {
  const auto leaves = leaves_of(3);
  EXPECT_TRUE(merkle_consistency_proof(leaves, 0).empty());
  EXPECT_TRUE(merkle_consistency_proof(leaves, 3).empty());
  EXPECT_REFUSED(verify_merkle_consistency(0, merkle_root({}), 3, merkle_root(leaves), {}),
                 "the tree has fewer entries than are to be proven");
  EXPECT_REFUSED(verify_merkle_consistency(4, merkle_root(leaves), 3, merkle_root(leaves), {}),
                 "the tree has fewer entries than are to be proven");
}

}  // namespace
}  // namespace cloister::evidence
