// The proof that the first events of a streamed reply are a true beginning of it, `cloister.prefix.v2`
// (docs/spec/receipt.md). Nobody signs it: it leads from the events to the root that the signed receipt names. Version
// 1 is for older receipts, whose events have no salts.
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
  std::size_t events = 0;               // number of proven events, from the first on
  std::size_t total = 0;                // number of events that the reply had
  std::vector<MerkleHash> consistency;  // RFC 9162 section 2.1.4; empty when events == total
  bool salted = true;                   // false: version 1
  std::vector<SaltSeed> salts;          // salts_of_first(events); none in version 1
};

// `count` is 1 to leaves.size(). `secret` is the reply's; without one the proof is of version 1.
PrefixProof prove_prefix(std::string receipt_id, const std::vector<MerkleHash>& leaves, std::size_t count,
                         const std::optional<SaltSeed>& secret);

Json to_json(const PrefixProof& proof);
// Errors are kBadReceipt and name the member; an additional member is one. At most 64 hashes and 75 seeds.
Result<PrefixProof> parse_prefix_proof(std::string_view json_text);

// The leaf hashes of the complete server-sent events in these bytes (codec/sse_events.h). Bytes after the last event
// have no leaf: whoever compares the bytes with a tree has to refuse such bytes (verify/receipt/prefix_check.cc).
std::vector<MerkleHash> event_leaves(std::string_view bytes);
// The SHA-256 of each of these events, from which salted leaves are made.
std::vector<EventHash> event_hashes(std::string_view bytes);

}  // namespace cloister::evidence
