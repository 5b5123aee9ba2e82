#include "evidence/prefix_proof.h"

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/sse_events.h"
#include "crypto/hash.h"
#include "evidence/json_reader.h"

namespace cloister::evidence {
namespace {

constexpr ErrorCode kCode = ErrorCode::kBadReceipt;
constexpr std::size_t kMostHashes = 64;
constexpr std::size_t kMostSeeds = 75;
constexpr std::size_t kMostBytes = 64u << 10;

Json hex_list(const std::vector<ByteArray<32>>& values) {
  Json out = Json::array();
  for (const ByteArray<32>& value : values) out.push_back(to_hex(value));
  return out;
}

Result<std::vector<ByteArray<32>>> read_hex_list(const JsonReader& reader, const char* name, std::size_t most) {
  TRY(list, reader.array(name, most));
  std::vector<ByteArray<32>> out;
  for (const Json& element : *list) {
    const Result<ByteArray<32>> value = element.is_string()
                                            ? from_hex_exactly<32>(element.get_ref<const std::string&>())
                                            : Result<ByteArray<32>>(fail(kCode, "no text"));
    if (!value) return reader.bad(name, "expected 64 hex characters in each element");
    out.push_back(*value);
  }
  return out;
}

}  // namespace

PrefixProof prove_prefix(std::string receipt_id, const std::vector<MerkleHash>& leaves, std::size_t count,
                         const std::optional<SaltSeed>& secret) {
  PrefixProof out{std::move(receipt_id), count, leaves.size(), merkle_consistency_proof(leaves, count),
                  secret.has_value(),    {}};
  if (secret) out.salts = salts_of_first(*secret, count);
  return out;
}

Json to_json(const PrefixProof& proof) {
  Json out = {{"proof", proof.salted ? kPrefixVersion : kPrefixVersion1},
              {"receipt_id", proof.receipt_id},
              {"events", proof.events},
              {"total", proof.total},
              {"consistency", hex_list(proof.consistency)}};
  if (proof.salted) out["salts"] = hex_list(proof.salts);
  return out;
}

Result<PrefixProof> parse_prefix_proof(std::string_view json_text) {
  Result<Json> json = codec::parse_json(json_text, {.max_bytes = kMostBytes, .max_depth = 4});
  if (!json) return fail(kCode, json.error().message);
  const JsonReader reader(*json, kCode);
  TRY_VOID(reader.is_object());
  TRY(version, reader.text("proof"));
  PrefixProof out;
  out.salted = version == kPrefixVersion;
  if (out.salted) {
    TRY_VOID(reader.only({"proof", "receipt_id", "events", "total", "consistency", "salts"}));
  } else if (version == kPrefixVersion1) {
    TRY_VOID(reader.only({"proof", "receipt_id", "events", "total", "consistency"}));
  } else {
    return reader.bad("proof", "expected " + std::string(kPrefixVersion));
  }
  TRY(receipt_id, reader.text("receipt_id"));
  out.receipt_id = std::move(receipt_id);
  TRY(events, reader.whole_number("events"));
  TRY(total, reader.whole_number("total"));
  if (events < 1 || total < events) return reader.bad("events", "expected 1 to total");
  out.events = static_cast<std::size_t>(events);
  out.total = static_cast<std::size_t>(total);
  TRY(hashes, read_hex_list(reader, "consistency", kMostHashes));
  out.consistency = std::move(hashes);
  if (out.salted) {
    TRY(salts, read_hex_list(reader, "salts", kMostSeeds));
    out.salts = std::move(salts);
  }
  return out;
}

std::vector<EventHash> event_hashes(std::string_view bytes) {
  std::vector<EventHash> out;
  for (const std::string_view event : codec::split_events(bytes).events) out.push_back(crypto::sha256(as_bytes(event)));
  return out;
}

std::vector<MerkleHash> event_leaves(std::string_view bytes) {
  std::vector<MerkleHash> out;
  for (const std::string_view event : codec::split_events(bytes).events) out.push_back(merkle_leaf(as_bytes(event)));
  return out;
}

}  // namespace cloister::evidence
