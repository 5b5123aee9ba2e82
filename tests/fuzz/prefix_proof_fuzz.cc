// Proofs of a stream's beginning. Any text is parsed or refused, and a parsed proof is written again unchanged. No
// proof leads to a root of zeros. Every beginning of a stream can be proven.
#include "codec/json.h"
#include "codec/sse_events.h"
#include "evidence/prefix_proof.h"
#include "fuzz.h"

FUZZ_TARGET(input) {
  using namespace cloister;
  const std::string_view text = as_text(input);
  if (const auto proof = evidence::parse_prefix_proof(text)) {
    const auto again = evidence::parse_prefix_proof(codec::write_json(evidence::to_json(*proof)));
    FUZZ_CHECK(again.has_value());
    FUZZ_CHECK(again->consistency == proof->consistency && again->events == proof->events &&
               again->total == proof->total);
    FUZZ_CHECK(again->salted == proof->salted && again->salts == proof->salts);
    const evidence::MerkleHash other{};
    FUZZ_CHECK(!evidence::verify_merkle_consistency(proof->events, other, proof->total, other, proof->consistency) ||
               proof->events == proof->total);
  }
  // Every byte belongs to one event or to the rest.
  const auto split = codec::split_events(text);
  std::size_t sum = split.rest.size();
  for (const std::string_view event : split.events) sum += event.size();
  FUZZ_CHECK(sum == text.size());
  FUZZ_CHECK(codec::split_events(split.rest).events.empty());
  // The events of a stream do not depend on the pieces in which it came, and every beginning of the stream can be
  // proven.
  const auto events = evidence::event_hashes(text);
  if (events.empty() || events.size() > 64) return;
  const evidence::SaltSeed secret{7};
  const auto leaves = evidence::salted_leaves(secret, events);
  const evidence::MerkleHash root = evidence::merkle_root(leaves);
  for (std::size_t k = 1; k <= leaves.size(); ++k) {
    const auto proof = evidence::prove_prefix("rcpt-1", leaves, k, secret);
    const auto first =
        evidence::leaves_of_first(proof.salts, {events.begin(), events.begin() + static_cast<std::ptrdiff_t>(k)});
    FUZZ_CHECK(first.has_value());
    FUZZ_CHECK(
        evidence::verify_merkle_consistency(k, evidence::merkle_root(*first), leaves.size(), root, proof.consistency));
  }
}
