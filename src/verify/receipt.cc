#include "verify/receipt.h"

#include <utility>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/ed25519.h"
#include "evidence/aci/receipt.h"
#include "evidence/json_reader.h"
#include "verify/aci/keyset_checks.h"
#include "verify/check.h"
#include "verify/policy/rules.h"
#include "verify/receipt/established.h"
#include "verify/receipt/event_checks.h"
#include "verify/report/known_answers.h"
#include "verify/session.h"

namespace cloister::verify {
namespace {

using evidence::KeysetKey;
using evidence::Receipt;

constexpr std::int64_t kClockSkew = 300;

// The receipt key that the receipt names; absent when it names another key, and then the check has failed.
std::optional<Bytes> check_key(const Receipt& receipt, const evidence::Keyset& keyset, Verdict& verdict) {
  const std::string id = "receipt.key";
  const KeysetKey* found = nullptr;
  for (const KeysetKey& key : keyset.receipt_signing_keys) {
    if (key.key_id != receipt.key_id) continue;
    if (found != nullptr) {
      verdict.add(failed(id, "two keys of the keyset have the id " + receipt.key_id));
      return std::nullopt;
    }
    found = &key;
  }
  if (found == nullptr) {
    bool other_role = false;
    for (const KeysetKey& key : keyset.e2ee_public_keys) other_role |= key.key_id == receipt.key_id;
    verdict.add(failed(
        id,
        other_role ? "the key that signed is one for encryption, not for receipts" : "no key for receipts has this id",
        "one of the keyset", receipt.key_id));
    return std::nullopt;
  }
  // The attested entry decides the algorithm, never the receipt.
  if (found->algo != evidence::kReceiptAlgo) {
    verdict.add(
        failed(id, "receipts are not signed with this algorithm", std::string(evidence::kReceiptAlgo), found->algo));
    return std::nullopt;
  }
  const auto bytes = from_hex_exactly<32>(found->public_key);
  if (!bytes) {
    verdict.add(failed(id, bytes.error().message));
    return std::nullopt;
  }
  verdict.add(passed(id, found->key_id));
  return to_bytes(*bytes);
}

Check check_signature(const Receipt& receipt, ByteView key) {
  const std::string id = "receipt.signature";
  const auto valid = crypto::verify_ed25519(key, as_bytes(receipt.signing_input), receipt.signature);
  return valid ? passed(id) : failed(id, valid.error().message);
}

Check check_served_at(const Receipt& receipt, const evidence::Keyset& keyset, UnixSeconds now) {
  const std::string id = "receipt.served_at";
  const std::string actual = to_rfc3339(receipt.served_at);
  if (receipt.served_at > now + kClockSkew) {
    return failed(id, "the receipt is of the future", "at most " + to_rfc3339(now), actual);
  }
  if (receipt.served_at >= keyset.not_after) {
    return failed(id, "the keyset had expired", "before " + to_rfc3339(keyset.not_after), actual);
  }
  return passed(id, actual, "the service's own claim");
}

void check_keys(const Receipt& receipt, const Established& established, const Context& context, Verdict& verdict) {
  if (!established.keyset) {
    skip_all(verdict,
             {"receipt.keyset", "receipt.keyset_attested", "receipt.key", "receipt.signature", "receipt.served_at"},
             established.reason);
    return;
  }
  const evidence::Keyset& keyset = *established.keyset;
  verdict.add(compared("receipt.keyset", evidence::digest_text(keyset.digest),
                       evidence::digest_text(receipt.keyset_digest), "the receipt names another keyset"));
  verdict.add(established.attested ? passed("receipt.keyset_attested", evidence::digest_text(keyset.digest))
                                   : skipped("receipt.keyset_attested", established.reason));
  if (const std::optional<Bytes> key = check_key(receipt, keyset, verdict)) {
    verdict.add(check_signature(receipt, *key));
  } else {
    verdict.add(skipped("receipt.signature", "no key to check it with"));
  }
  verdict.add(check_served_at(receipt, keyset, context.time));
}

Check check_id(const Receipt& receipt, const std::optional<std::string>& expected) {
  const std::string id = "receipt.id";
  if (!expected) return skipped(id, "no id of the reply is known here", false);
  if (*expected == receipt.receipt_id || *expected == receipt.chat_id) return passed(id, *expected);
  return failed(id, "the receipt is of another reply", *expected,
                receipt.receipt_id + ", " + receipt.chat_id.value_or("null"));
}

Check check_model(const Receipt& receipt, const std::optional<std::string>& expected) {
  const std::string id = "receipt.model";
  if (!expected) return skipped(id, "the model that was asked for is not known here", false);
  return compared(id, *expected, receipt.model.value_or("null"), "the receipt is about another model");
}

void add_facts(const Receipt& receipt, Json& facts) {
  facts["receipt_id"] = receipt.receipt_id;
  facts["chat_id"] = receipt.chat_id ? Json(*receipt.chat_id) : Json();
  facts["receipt_model"] = receipt.model ? Json(*receipt.model) : Json();
  facts["endpoint"] = receipt.method + " " + receipt.endpoint;
  facts["served_at"] = to_rfc3339(receipt.served_at);
}

// Verifies the upstream that answered, by the gateway's record of it.
void judge_session(const ReceiptEvidence& evidence, const Context& context, Verdict& verdict) {
  if (!evidence.session) return;
  Verdict session = verify_session({*evidence.session, std::nullopt, evidence.receipt, true}, context);
  Json facts = std::exchange(session.facts, Json::object());
  verdict.append(std::move(session));
  verdict.facts["session"] = std::move(facts);
}

}  // namespace

Verdict verify_receipt(const ReceiptEvidence& evidence, const Context& context) {
  Verdict verdict;
  verdict.subject = "receipt";
  const Result<Receipt> receipt = evidence::parse_receipt(evidence.receipt);
  const Established established = establish_keyset(evidence, context, verdict);
  // For a report the rules of the policy have been applied; a bare keyset can satisfy few of them.
  if (!evidence.report) require_rules(context.policy, verdict);
  if (!receipt) {
    verdict.add(failed("receipt.form", receipt.error().message));
    skip_all(verdict,
             {"receipt.events", "receipt.keyset", "receipt.keyset_attested", "receipt.key", "receipt.signature",
              "receipt.served_at", "receipt.id", "receipt.model", "receipt.request_hash", "receipt.response_hash",
              "receipt.rewrite", "receipt.upstream", "receipt.model_digest", "receipt.policy_digest",
              "receipt.served_model"},
             "the receipt could not be read");
    verdict.add(skipped("receipt.known_answers", "the receipt could not be read", demands_of(context.policy).required));
    return verdict;
  }
  verdict.add(passed("receipt.form"));
  check_keys(*receipt, established, context, verdict);
  verdict.add(check_id(*receipt, evidence.id));
  verdict.add(check_model(*receipt, evidence.model));
  check_events(*receipt, evidence, established, context.policy, verdict);
  judge_session(evidence, context, verdict);
  add_facts(*receipt, verdict.facts);
  return verdict;
}

}  // namespace cloister::verify
