#include "receipts/receipt_document.h"

#include <utility>

#include "base/encoding.h"
#include "codec/jcs_writer.h"
#include "evidence/aci/receipt.h"
#include "evidence/json_reader.h"

namespace cloister::receipts {
namespace {

using codec::JcsWriter;
using Leaves = std::vector<evidence::MerkleHash>;

constexpr std::size_t kLongestModel = 1024;
constexpr std::size_t kUsualBytes = 2048;

// All functions here write members in the order of their names, since this text is signed.

JcsWriter& digest(JcsWriter& out, const ByteArray<32>& sha256) { return out.hex("sha256:", sha256); }

JcsWriter& text_or_null(JcsWriter& out, const std::string& text) { return text.empty() ? out.null() : out.text(text); }

void hashed(JcsWriter& out, std::string_view type, const ByteArray<32>& body) {
  digest(out.open_object().name("body_hash"), body).name("type").text(type).close_object();
}

// How an engine of this node sampled the text, flat next to the members that always exist, as in ACI's events.
Json model_served_with(const ReplyFacts& facts, const Json& sampling) {
  const auto& sha256 = facts.epoch->model_digest;
  Json event = {{"type", evidence::kModelServed},
                {"engine", facts.engine},
                {"model_id", facts.served_model},
                {"model_digest", sha256 ? Json(evidence::digest_text(*sha256)) : Json()}};
  if (facts.known_answers != nullptr)
    event[std::string(evidence::kKnownAnswersMember)] = evidence::to_json(*facts.known_answers);
  for (const auto& [name, value] : sampling.items()) {
    if (!event.contains(name)) event[name] = value;
  }
  return event;
}

// Whether the model was known to compute correctly. Left out where it is not tested.
void known_answers(JcsWriter& out, const ReplyFacts& facts) {
  if (facts.known_answers != nullptr)
    out.name(evidence::kKnownAnswersMember).value_of(evidence::to_json(*facts.known_answers));
}

// Another server answered: only its reply says which model did.
void model_told(JcsWriter& out, const ReplyFacts& facts) {
  const auto& sha256 = facts.served_model_digest;
  out.open_object().name("engine").text(facts.engine);
  known_answers(out, facts);
  (sha256 ? digest(out.name("model_digest"), *sha256) : out.name("model_digest").null()).name("model_id");
  text_or_null(out, facts.served_model).name("model_id_source").text(evidence::kToldByReply);
  out.name("type").text(evidence::kModelServed).close_object();
}

// Which model answered.
void model_served(JcsWriter& out, const ReplyFacts& facts) {
  if (facts.model_told_by_reply) return model_told(out, facts);
  if (facts.outcome && facts.outcome->sampling.is_object()) {
    out.value_of(model_served_with(facts, facts.outcome->sampling));
    return;
  }
  const auto& sha256 = facts.epoch->model_digest;
  out.open_object().name("engine").text(facts.engine);
  known_answers(out, facts);
  (sha256 ? digest(out.name("model_digest"), *sha256) : out.name("model_digest").null())
      .name("model_id")
      .text(facts.served_model);
  out.name("type").text(evidence::kModelServed).close_object();
}

// The configuration in force: a verifier that pins one compares it.
void policy_in_force(JcsWriter& out, const ByteArray<32>& policy) {
  digest(out.open_object().name("policy_digest"), policy).name("type").text(evidence::kPolicyInForce).close_object();
}

// ACI section 7.5: what an aggregator has to say about the server that it asked.
void upstream_not_verified(JcsWriter& out, const ReplyFacts& facts) {
  // The model that was asked for (ACI, section 7.5).
  out.open_object().name("model_id").text(facts.model.value_or(""));
  out.name("reason").text("the engine is outside of this TEE and was not verified");
  out.name("required").boolean(false).name("result").text("failed");
  out.name("type").text(evidence::kUpstreamVerified).close_object();
}

void usage_metered(JcsWriter& out, const evidence::ReplyOutcome& outcome) {
  out.open_object().name("cached_tokens").number(outcome.usage.cached_tokens);
  out.name("completion_tokens").number(outcome.usage.completion_tokens);
  out.name("finish_reason").text(outcome.finish_reason);
  out.name("prompt_tokens").number(outcome.usage.prompt_tokens);
  out.name("type").text(evidence::kUsageMetered).close_object();
}

void request_failed(JcsWriter& out, const ReplyFacts& facts) {
  out.open_object().name("code").text(facts.error).name("status").number(facts.status);
  out.name("type").text(evidence::kRequestFailed).close_object();
}

void events_returned(JcsWriter& out, const Leaves& leaves) {
  digest(out.open_object().name("count").number(leaves.size()).name("root"), evidence::merkle_root(leaves));
  out.name("tree").text(evidence::kEventTree);
  out.name("type").text(evidence::kEventsReturned).close_object();
}

void response_aborted(JcsWriter& out, const ReplyFacts& facts) {
  out.open_object().name("bytes").number(facts.response_bytes).name("events").number(facts.events.size());
  out.name("reason").text(facts.error.empty() ? "connection_ended" : facts.error);
  out.name("type").text(evidence::kResponseAborted).close_object();
}

void event_log(JcsWriter& out, const ReplyFacts& facts, const Leaves& leaves) {
  out.open_array();
  hashed(out, evidence::kRequestReceived, facts.request_sha256);
  if (facts.epoch->policy_digest) policy_in_force(out, *facts.epoch->policy_digest);
  if (facts.forwarded_sha256) {
    hashed(out, evidence::kRequestForwarded, *facts.forwarded_sha256);
    if (!facts.served_here) upstream_not_verified(out, facts);
    model_served(out, facts);
  }
  if (facts.outcome && facts.outcome->metered()) usage_metered(out, *facts.outcome);
  if (!facts.error.empty() && !facts.cut) request_failed(out, facts);
  hashed(out, evidence::kResponseReturned, facts.response_sha256);
  if (facts.event_stream && !facts.too_many_events) events_returned(out, leaves);
  if (facts.cut) response_aborted(out, facts);
  out.close_array();
}

// No model has a name of this length.
void asked_model(JcsWriter& out, const ReplyFacts& facts) {
  facts.model&& facts.model->size() <= kLongestModel ? out.text(*facts.model) : out.null();
}

Result<std::string> document(const ReplyFacts& facts, const Leaves& leaves, UnixSeconds served_at) {
  JcsWriter out(kUsualBytes);
  out.open_object().name("api_version").text(evidence::kAciVersion);
  text_or_null(out.name("chat_id"), facts.reply_id).name("endpoint").text(facts.endpoint);
  event_log(out.name("event_log"), facts, leaves);
  out.name("key_id").text(facts.epoch->receipt_key_id).name("method").text("POST");
  asked_model(out.name("model"), facts);
  out.name("receipt_id").text(facts.receipt_id).name("served_at").number(served_at);
  out.name("workload_keyset_digest").text(facts.epoch->keyset_digest_text).close_object();
  return std::move(out).finish();
}

store::LegacySignature legacy_signature(const ReplyFacts& facts, const identity::Keyring& keyring) {
  store::LegacySignature out;
  out.request_sha256 = facts.request_sha256;
  out.response_sha256 = facts.response_sha256;
  out.ecdsa = keyring.sign_ecdsa(evidence::signed_text(facts.request_sha256, facts.response_sha256));
  return out;
}

std::string concatenated(const Leaves& hashes) {
  std::string out;
  out.reserve(hashes.size() * 32);
  for (const evidence::MerkleHash& hash : hashes) out.append(as_text(hash));
  return out;
}

// In the canonical form the signature comes before the last member. Inside texts a quote is escaped, so nothing that a
// client wrote looks like that member.
std::string with_signature(const std::string& canonical, const ByteArray<64>& signature) {
  constexpr std::string_view kLast = ",\"workload_keyset_digest\":";
  const std::size_t at = canonical.rfind(kLast);
  std::string out;
  out.reserve(canonical.size() + 144);
  out.append(canonical, 0, at).append(",\"signature\":\"");
  append_hex(out, signature);
  out.append("\"").append(canonical, at);
  return out;
}

}  // namespace

Result<store::ReceiptRecord> make_receipt(const ReplyFacts& facts, const identity::Keyring& keyring,
                                          UnixSeconds served_at) {
  Leaves leaves;
  if (!facts.too_many_events) leaves = evidence::salted_leaves(facts.reply_secret, facts.events);
  TRY(canonical, document(facts, leaves, served_at));
  std::string text = with_signature(canonical, keyring.sign_receipt(canonical));
  store::ReceiptRecord record;
  record.receipt_id = facts.receipt_id;
  record.reply_ids.push_back(facts.request_id);
  if (!facts.reply_id.empty() && facts.reply_id != facts.request_id) record.reply_ids.push_back(facts.reply_id);
  record.owner = facts.owner;
  record.served_at = served_at;
  record.receipt = std::move(text);
  record.event_hashes = concatenated(leaves);
  if (!facts.cut && facts.error.empty() && facts.status < 400) record.legacy = legacy_signature(facts, keyring);
  return record;
}

}  // namespace cloister::receipts
