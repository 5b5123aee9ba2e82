#include "evidence/prefix_proof.h"

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/sse_events.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReceipt;
constexpr std::size_t kMostHashes = 64;
constexpr std::size_t kMostBytes = 64u << 10;

}  // namespace

PrefixProof prove_prefix(std::string receipt_id, const std::vector<MerkleHash>& leaves, std::size_t count) {
  return {std::move(receipt_id), count, leaves.size(), merkle_consistency_proof(leaves, count)};
}

Json to_json(const PrefixProof& proof) {
  Json hashes = Json::array();
  for (const MerkleHash& hash : proof.consistency) hashes.push_back(to_hex(hash));
  return {{"proof", kPrefixVersion},
          {"receipt_id", proof.receipt_id},
          {"events", proof.events},
          {"total", proof.total},
          {"consistency", std::move(hashes)}};
}

Result<PrefixProof> parse_prefix_proof(std::string_view json_text) {
  Result<Json> json = codec::parse_json(json_text, {.max_bytes = kMostBytes, .max_depth = 4});
  if (!json) return fail(kCode, json.error().message);
  const JsonReader reader(*json, kCode);
  TRY_VOID(reader.only({"proof", "receipt_id", "events", "total", "consistency"}));
  TRY(version, reader.text("proof"));
  if (version != kPrefixVersion) return reader.bad("proof", "expected " + std::string(kPrefixVersion));
  PrefixProof out;
  TRY(receipt_id, reader.text("receipt_id"));
  out.receipt_id = std::move(receipt_id);
  TRY(events, reader.whole_number("events"));
  TRY(total, reader.whole_number("total"));
  if (events < 1 || total < events) return reader.bad("events", "expected 1 to total");
  out.events = static_cast<std::size_t>(events);
  out.total = static_cast<std::size_t>(total);
  TRY(hashes, reader.array("consistency", kMostHashes));
  for (const Json& element : *hashes) {
    const Result<MerkleHash> hash = element.is_string() ? from_hex_exactly<32>(element.get_ref<const std::string&>())
                                                        : Result<MerkleHash>(fail(kCode, "no text"));
    if (!hash) return reader.bad("consistency", "expected 64 hex characters in each element");
    out.consistency.push_back(*hash);
  }
  return out;
}

std::vector<MerkleHash> event_leaves(std::string_view bytes) {
  std::vector<MerkleHash> out;
  for (const std::string_view event : codec::split_events(bytes).events) out.push_back(merkle_leaf(as_bytes(event)));
  return out;
}

}  // namespace cloister::evidence
