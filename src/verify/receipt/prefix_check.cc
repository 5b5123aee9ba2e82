#include "verify/receipt/prefix_check.h"

#include <algorithm>
#include <optional>

#include "codec/sse_events.h"
#include "evidence/json_reader.h"
#include "evidence/prefix_proof.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

using evidence::MerkleHash;

constexpr const char* kId = "receipt.prefix";

struct Tree {
  std::size_t count = 0;
  MerkleHash root{};
  bool salted = false;
};

Result<Tree> tree_of(const evidence::Receipt& receipt) {
  const evidence::ReceiptEvent* named = nullptr;
  for (const evidence::ReceiptEvent& event : receipt.events) {
    if (event.type != evidence::kEventsReturned) continue;
    if (named != nullptr) return fail(ErrorCode::kBadReceipt, "the receipt names the events of its reply twice");
    named = &event;
  }
  if (named == nullptr) return fail(ErrorCode::kBadReceipt, "the receipt does not name the events of its reply");
  const evidence::JsonReader reader(named->fields, ErrorCode::kBadReceipt, "response.events.");
  TRY(count, reader.whole_number("count"));
  TRY(root, reader.digest("root"));
  TRY(form, reader.optional_text("tree"));
  if (form && *form != evidence::kEventTree) return reader.bad("tree", "expected " + std::string(evidence::kEventTree));
  return Tree{static_cast<std::size_t>(count), root, form.has_value()};
}

Result<void> check_count(const evidence::PrefixProof& proof, std::size_t held) {
  if (held == proof.events) return {};
  return fail(ErrorCode::kBadReceipt, "the proof is for another number of events than are at hand: expected " +
                                          std::to_string(held) + ", found " + std::to_string(proof.events));
}

// The Merkle leaves of the events that the verifier has.
Result<std::vector<MerkleHash>> leaves_of(const evidence::PrefixProof& proof, ByteView held) {
  if (!proof.salted) {
    std::vector<MerkleHash> leaves = evidence::event_leaves(as_text(held));
    TRY_VOID(check_count(proof, leaves.size()));
    return leaves;
  }
  const std::vector<evidence::EventHash> events = evidence::event_hashes(as_text(held));
  TRY_VOID(check_count(proof, events.size()));
  return evidence::leaves_of_first(proof.salts, events);
}

Check judge(const evidence::Receipt& receipt, const evidence::PrefixProof& proof, ByteView held) {
  const Result<Tree> tree = tree_of(receipt);
  if (!tree) return failed(kId, tree.error().message);
  if (proof.receipt_id != receipt.receipt_id) {
    return failed(kId, "the proof is about another receipt", receipt.receipt_id, proof.receipt_id);
  }
  if (proof.total != tree->count) {
    return failed(kId, "the proof is about a reply of another length", std::to_string(tree->count),
                  std::to_string(proof.total));
  }
  if (const std::string_view rest = codec::split_events(as_text(held)).rest; !rest.empty()) {
    return failed(
        kId, "bytes follow the last complete event, and no proof covers them: cut the file after its last empty line",
        "0 bytes", std::to_string(rest.size()) + " bytes");
  }
  if (proof.salted != tree->salted) {
    return failed(kId, "the proof is of another version than the receipt",
                  tree->salted ? "with salts" : "without salts", proof.salted ? "with salts" : "without salts");
  }
  const Result<std::vector<MerkleHash>> made = leaves_of(proof, held);
  if (!made) return failed(kId, made.error().message);
  const std::vector<MerkleHash>& leaves = *made;
  const Result<void> fits = evidence::verify_merkle_consistency(leaves.size(), evidence::merkle_root(leaves),
                                                                tree->count, tree->root, proof.consistency);
  if (!fits) return failed(kId, fits.error().message);
  return passed(kId, "the first " + std::to_string(leaves.size()) + " of " + std::to_string(tree->count) + " events");
}

}  // namespace

void check_prefix(const evidence::Receipt& receipt, const ReceiptEvidence& evidence, Verdict& verdict) {
  if (!evidence.prefix_proof) return;
  if (!evidence.response) {
    verdict.add(skipped(kId, "the beginning of the reply is not known here"));
    return;
  }
  const Result<evidence::PrefixProof> proof = evidence::parse_prefix_proof(*evidence.prefix_proof);
  if (!proof) {
    verdict.add(failed(kId, proof.error().message));
    return;
  }
  verdict.facts["prefix_events"] = proof->events;
  verdict.facts["total_events"] = proof->total;
  verdict.add(judge(receipt, *proof, *evidence.response));
  if (proof->events < proof->total) {
    verdict.facts[kPartialReply] = "only the first " + std::to_string(proof->events) + " of " +
                                   std::to_string(proof->total) + " events of the reply";
  }
}

}  // namespace cloister::verify
