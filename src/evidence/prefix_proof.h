// The proof that somebody who holds the first events of a streamed reply holds a true beginning of it, `cloister.prefix.v2`
// (docs/spec/receipt.md). Nobody signs it: it leads from the events to the root that the signed receipt names. Version 1 is
// for receipts of before, whose events have no salts.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "evidence/event_salts.h"
#include "evidence/merkle_tree.h"

namespace cloister::evidence {

inline constexpr std::string_view kPrefixVersion = "cloister.prefix.v2";
inline constexpr std::string_view kPrefixVersion1 = "cloister.prefix.v1";

struct PrefixProof {
  std::string receipt_id;
  std::size_t events = 0;               // that are proven, from the first on
  std::size_t total = 0;                // that the reply had
  std::vector<MerkleHash> consistency;  // RFC 9162 section 2.1.4; empty when events == total
  bool salted = true;                   // false: of version 1
  std::vector<SaltSeed> salts;          // salts_of_first(events); of version 1 none
};

// `count` is 1 to leaves.size(). `secret` is the reply's; without one the proof is of version 1.
PrefixProof prove_prefix(std::string receipt_id, const std::vector<MerkleHash>& leaves, std::size_t count,
                         const std::optional<SaltSeed>& secret);

Json to_json(const PrefixProof& proof);
// Errors are kBadReceipt and name the member; a member too many is one. At most 64 hashes and 75 seeds.
Result<PrefixProof> parse_prefix_proof(std::string_view json_text);

// The leaf hashes of the complete server-sent events in these bytes (codec/sse_events.h). Bytes after the last of them have no leaf:
// whoever compares what is at hand with a tree has to refuse them (verify/receipt/prefix_check.cc).
std::vector<MerkleHash> event_leaves(std::string_view bytes);
// The SHA-256 of each of the same events, as salted leaves are made of.
std::vector<EventHash> event_hashes(std::string_view bytes);

}  // namespace cloister::evidence
