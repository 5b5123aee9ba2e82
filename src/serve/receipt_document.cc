#include "serve/receipt_document.h"

#include <utility>

#include "base/encoding.h"
#include "codec/jcs.h"
#include "evidence/aci/receipt.h"
#include "evidence/json_reader.h"

namespace cloister::serve {
namespace {

using evidence::digest_text;

constexpr std::size_t kLongestModel = 1024;

Json hashed(std::string_view type, const ByteArray<32>& body) {
  return {{"type", type}, {"body_hash", digest_text(body)}};
}

// Which model answered, and how its text was drawn. Flat, as ACI's events are.
Json model_served(const ReplyFacts& facts) {
  const auto& digest = facts.epoch->model_digest;
  Json event = {{"type", evidence::kModelServed},
                {"engine", facts.engine},
                {"model_id", facts.served_model},
                {"model_digest", digest ? Json(digest_text(*digest)) : Json()}};
  if (!facts.outcome || !facts.outcome->sampling.is_object()) return event;
  for (const auto& [name, value] : facts.outcome->sampling.items()) {
    if (!event.contains(name)) event[name] = value;
  }
  return event;
}

// ACI section 7.5: what an aggregator has to say of whom it asked.
Json upstream_not_verified(const ReplyFacts& facts) {
  return {{"type", evidence::kUpstreamVerified},
          {"result", "failed"},
          {"required", false},
          {"model_id", facts.served_model},
          {"reason", "the engine is outside of this TEE and was not verified"}};
}

Json usage_metered(const engine::Outcome& outcome) {
  return {{"type", evidence::kUsageMetered},
          {"prompt_tokens", outcome.usage.prompt_tokens},
          {"cached_tokens", outcome.usage.cached_tokens},
          {"completion_tokens", outcome.usage.completion_tokens},
          {"finish_reason", outcome.finish_reason}};
}

Json events_returned(const ReplyFacts& facts) {
  return {{"type", evidence::kEventsReturned},
          {"count", facts.events.size()},
          {"root", digest_text(evidence::merkle_root(facts.events))}};
}

Json response_aborted(const ReplyFacts& facts) {
  return {{"type", evidence::kResponseAborted},
          {"bytes", facts.response_bytes},
          {"events", facts.events.size()},
          {"reason", facts.error.empty() ? "connection_ended" : facts.error}};
}

Json event_log(const ReplyFacts& facts) {
  Json log = Json::array();
  log.push_back(hashed(evidence::kRequestReceived, facts.request_sha256));
  if (facts.forwarded_sha256) {
    log.push_back(hashed(evidence::kRequestForwarded, *facts.forwarded_sha256));
    if (!facts.served_here) log.push_back(upstream_not_verified(facts));
    log.push_back(model_served(facts));
  }
  if (facts.outcome && facts.outcome->metered()) log.push_back(usage_metered(*facts.outcome));
  if (!facts.error.empty() && !facts.cut) {
    log.push_back({{"type", evidence::kRequestFailed}, {"code", facts.error}, {"status", facts.status}});
  }
  log.push_back(hashed(evidence::kResponseReturned, facts.response_sha256));
  if (facts.event_stream && !facts.too_many_events) log.push_back(events_returned(facts));
  if (facts.cut) log.push_back(response_aborted(facts));
  return log;
}

Json optional_text(const std::string& text) { return text.empty() ? Json() : Json(text); }

// A name so long is no model's.
Json asked_model(const ReplyFacts& facts) {
  return facts.model && facts.model->size() <= kLongestModel ? Json(*facts.model) : Json();
}

Json document(const ReplyFacts& facts, UnixSeconds served_at) {
  return {{"api_version", evidence::kAciVersion},
          {"receipt_id", facts.receipt_id},
          {"chat_id", optional_text(facts.reply_id)},
          {"model", asked_model(facts)},
          {"workload_keyset_digest", facts.epoch->keyset_digest_text},
          {"endpoint", facts.endpoint},
          {"method", "POST"},
          {"served_at", served_at},
          {"event_log", event_log(facts)},
          {"key_id", facts.epoch->receipt_key_id}};
}

store::LegacySignature legacy_signature(const ReplyFacts& facts, const Keyring& keyring) {
  store::LegacySignature out;
  out.request_sha256 = facts.request_sha256;
  out.response_sha256 = facts.response_sha256;
  out.ecdsa = keyring.sign_ecdsa(evidence::signed_text(facts.request_sha256, facts.response_sha256));
  return out;
}

std::string concatenated(const std::vector<evidence::MerkleHash>& hashes) {
  std::string out;
  out.reserve(hashes.size() * 32);
  for (const evidence::MerkleHash& hash : hashes) out.append(as_text(hash));
  return out;
}

// The signature's place in the canonical form is before the last member. Inside of texts a quote is escaped, so nothing a
// client wrote looks like that member.
std::string with_signature(const std::string& canonical, const ByteArray<64>& signature) {
  constexpr std::string_view kLast = ",\"workload_keyset_digest\":";
  const std::size_t at = canonical.rfind(kLast);
  std::string out;
  out.reserve(canonical.size() + 144);
  out.append(canonical, 0, at).append(",\"signature\":\"").append(to_hex(signature)).append("\"").append(canonical, at);
  return out;
}

}  // namespace

Result<store::ReceiptRecord> make_receipt(const ReplyFacts& facts, const Keyring& keyring, UnixSeconds served_at) {
  TRY(canonical, codec::write_jcs(document(facts, served_at)));
  std::string text = with_signature(canonical, keyring.sign_receipt(canonical));
  store::ReceiptRecord record;
  record.receipt_id = facts.receipt_id;
  record.reply_ids.push_back(facts.request_id);
  if (!facts.reply_id.empty() && facts.reply_id != facts.request_id) record.reply_ids.push_back(facts.reply_id);
  record.owner = facts.owner;
  record.served_at = served_at;
  record.receipt = std::move(text);
  if (!facts.too_many_events) record.event_hashes = concatenated(facts.events);
  if (!facts.cut && facts.error.empty() && facts.status < 400) record.legacy = legacy_signature(facts, keyring);
  return record;
}

}  // namespace cloister::serve
