#include "verify/receipt/event_checks.h"

#include <algorithm>
#include <string_view>

#include "base/encoding.h"
#include "crypto/hash.h"
#include "evidence/json_reader.h"
#include "evidence/known_answers_result.h"
#include "verify/check.h"
#include "verify/receipt/named_digests.h"
#include "verify/receipt/prefix_check.h"
#include "verify/report/known_answers.h"

namespace cloister::verify {
namespace {

using evidence::Receipt;
using evidence::ReceiptEvent;

std::size_t count(const Receipt& receipt, std::string_view type) {
  return static_cast<std::size_t>(std::count_if(receipt.events.begin(), receipt.events.end(),
                                                [&](const ReceiptEvent& event) { return event.type == type; }));
}

// With a second event of one of these types it would be unclear which one is meant.
Check check_order(const Receipt& receipt) {
  const std::string id = "receipt.events";
  if (receipt.events.empty() || receipt.events.front().type != evidence::kRequestReceived) {
    return failed(id, "the first event is not the request", std::string(evidence::kRequestReceived),
                  receipt.events.empty() ? "none" : receipt.events.front().type);
  }
  for (const std::string_view once : {evidence::kRequestReceived, evidence::kResponseReturned}) {
    if (const std::size_t times = count(receipt, once); times != 1) {
      return failed(id, std::string(once) + " is not there once", "1", std::to_string(times));
    }
  }
  if (count(receipt, evidence::kRequestForwarded) > 1) return failed(id, "the request was forwarded twice");
  for (const std::string_view never_twice : {evidence::kModelServed, evidence::kPolicyInForce}) {
    if (count(receipt, never_twice) > 1) return failed(id, std::string(never_twice) + " is there twice");
  }
  const ReceiptEvent* forwarded = find_event(receipt, evidence::kRequestForwarded);
  if (forwarded != nullptr && forwarded > find_event(receipt, evidence::kResponseReturned)) {
    return failed(id, "the request was forwarded after the reply");
  }
  return passed(id, std::to_string(receipt.events.size()) + " events",
                find_event(receipt, evidence::kResponseAborted) == nullptr ? "" : "the reply was broken off");
}

Check check_hash(std::string id, const ReceiptEvent* event, const std::optional<ByteView>& body, const char* what) {
  if (event == nullptr) return skipped(std::move(id), std::string("the receipt has no ") + what);
  if (!body) return skipped(std::move(id), std::string("the ") + what + "'s bytes are not known here");
  return compared(std::move(id), evidence::digest_text(*event->body_hash), evidence::digest_text(crypto::sha256(*body)),
                  std::string("the receipt is about another ") + what);
}

// The receipt cannot say whether a change is wanted; it can say that there was one.
Check check_rewrite(const Receipt& receipt) {
  const std::string id = "receipt.rewrite";
  const ReceiptEvent* received = find_event(receipt, evidence::kRequestReceived);
  const ReceiptEvent* forwarded = find_event(receipt, evidence::kRequestForwarded);
  if (received == nullptr || forwarded == nullptr) return not_applicable(id, "the request was not passed on");
  if (received->body_hash == forwarded->body_hash) return passed(id, "unchanged");
  return skipped(
      id, "the service changed the request before the model saw it: " + evidence::digest_text(*forwarded->body_hash),
      false);
}

bool is_verified(const Json& fields) {
  const auto required = fields.find("required");
  return event_text(fields, "result") == "verified" && required != fields.end() && required->is_boolean() &&
         required->get<bool>();
}

// A gateway's word about other services never passes; at best the check says that it is only the gateway's word.
Check check_upstream(const Receipt& receipt, const Established& established, const Policy& policy) {
  const std::string id = "receipt.upstream";
  const bool answered = find_event(receipt, evidence::kRequestForwarded) != nullptr;
  const ReceiptEvent* last = nullptr;
  for (const ReceiptEvent& event : receipt.events) {
    if (event.type == evidence::kUpstreamVerified) last = &event;
  }
  if (last == nullptr) {
    if (!established.aggregator) return not_applicable(id, "the receipt names no other server that answered");
    if (!answered) return not_applicable(id, "the request was not passed on");
    return failed(id, "this service passes requests on, and the receipt does not say to whom", "upstream.verified",
                  "none");
  }
  if (!is_verified(last->fields)) {
    if (!answered) return not_applicable(id, "the request was refused and not passed on");
    return failed(id,
                  "the service itself says that the server that answered did not have to be verified, or could not be",
                  "verified, required", event_text(last->fields, "result"));
  }
  return skipped(id,
                 "the service's own claim: model " + event_text(last->fields, "model_id") + ", session " +
                     event_text(last->fields, "session_id"),
                 !policy.service.accept_upstream_claims);
}

bool is_pinned(const Json& served, const Established& established, const Policy& policy) {
  const auto& digest = established.model_digest;
  return digest && event_text(served, "model_digest") == evidence::digest_text(*digest) &&
         policy.service.model_digests.contains(to_bytes(*digest));
}

// The name that the client used says nothing about who answered. A name in another server's reply is that server's
// statement: it never passes, unless the relying party itself has named the digest of the model.
Check check_served_model(const Receipt& receipt, const std::optional<std::string>& expected,
                         const Established& established, const Policy& policy) {
  const std::string id = "receipt.served_model";
  if (!expected) return skipped(id, "the model that was asked for is not known here", false);
  const ReceiptEvent* served = find_event(receipt, evidence::kModelServed);
  if (served == nullptr) {
    if (find_event(receipt, evidence::kRequestForwarded) == nullptr) return not_applicable(id, "no model answered");
    return skipped(id, "the receipt does not say which model answered", !policy.service.accept_upstream_claims);
  }
  const std::string actual = event_text(served->fields, "model_id");
  const bool told = event_text(served->fields, "model_id_source") == evidence::kToldByReply;
  // A policy that accepts another server's word has none here to accept.
  if (tells_no_model(served->fields)) {
    return skipped(id, "another server answered, and its reply names no model, or can be read in two ways", true);
  }
  if (actual != *expected)
    return failed(id, "another model answered than the one that was asked for", *expected, actual);
  if (!told) return passed(id, actual);
  if (is_pinned(served->fields, established, policy))
    return passed(id, actual, "the model's digest is one of the policy's");
  Check check =
      skipped(id,
              "only the server that answered claims this name, and nothing proves it (a policy accepts that claim "
              "with service.accept_upstream_claims)",
              !policy.service.accept_upstream_claims);
  check.actual = actual;
  return check;
}

// The receipt's signature covers the result. Its time is the reply's: a test that was old by then does not prove the model right.
Check check_known_answers(const Receipt& receipt, const Policy& policy) {
  const std::string id = "receipt.known_answers";
  const KnownAnswersDemands demands = demands_of(policy);
  const ReceiptEvent* served = find_event(receipt, evidence::kModelServed);
  if (served == nullptr && find_event(receipt, evidence::kRequestForwarded) == nullptr)
    return not_applicable(id, "no model answered");
  const auto member = served == nullptr ? Json::const_iterator() : served->fields.find(evidence::kKnownAnswersMember);
  if (served == nullptr || member == served->fields.end()) {
    return skipped(id, "the receipt names no known-answer test of the model that answered", demands.required);
  }
  const auto result = evidence::parse_known_answers_result(*member, "known_answers.");
  if (!result) return failed(id, result.error().message);
  const std::string tested = result->model_digest ? evidence::digest_text(*result->model_digest) : "none";
  if (const std::string answered = event_text(served->fields, "model_digest"); tested != answered) {
    return failed(id, "another model was tested than the one that answered", answered, tested);
  }
  bool is_old = false;
  const std::string objection = known_answers_objection(*result, demands, receipt.served_at, is_old);
  if (objection.empty())
    return passed(id,
                  std::to_string(receipt.served_at - result->passed_at) + " s before, deviation " + result->deviation);
  if (is_old && !demands.required) return skipped(id, objection, false);
  return failed(id, objection);
}

// What nobody has verified, for people to read: all events except the three that hold hashes.
Json claims_of(const Receipt& receipt) {
  Json out = Json::array();
  for (const ReceiptEvent& event : receipt.events) {
    if (!event.body_hash) out.push_back(event.fields);
  }
  return out;
}

}  // namespace

void check_events(const Receipt& receipt, const ReceiptEvidence& evidence, const Established& established,
                  const Policy& policy, Verdict& verdict) {
  verdict.add(check_order(receipt));
  verdict.add(
      check_hash("receipt.request_hash", find_event(receipt, evidence::kRequestReceived), evidence.request, "request"));
  if (evidence.prefix_proof) {
    verdict.add(not_applicable("receipt.response_hash", "only the beginning of the reply is at hand: receipt.prefix"));
  } else {
    verdict.add(check_hash("receipt.response_hash", find_event(receipt, evidence::kResponseReturned), evidence.response,
                           "reply"));
  }
  check_prefix(receipt, evidence, verdict);
  verdict.add(check_rewrite(receipt));
  verdict.add(check_upstream(receipt, established, policy));
  check_named_digests(receipt, established, policy, verdict);
  verdict.add(check_served_model(receipt, evidence.model, established, policy));
  verdict.add(check_known_answers(receipt, policy));
  if (find_event(receipt, evidence::kResponseAborted) != nullptr && !verdict.facts.contains(kPartialReply)) {
    verdict.facts[kPartialReply] = "the reply was broken off";
  }
  if (const ReceiptEvent* refused = find_event(receipt, evidence::kRequestFailed);
      refused != nullptr && !verdict.facts.contains(kPartialReply)) {
    const auto status = refused->fields.find("status");
    const std::string number =
        status != refused->fields.end() && status->is_number_unsigned() ? status->dump() + " " : "";
    verdict.facts[kPartialReply] = "the reply is an error: " + number + event_text(refused->fields, "code");
  }
  if (Json claims = claims_of(receipt); !claims.empty()) verdict.facts["claims"]["events"] = std::move(claims);
}

}  // namespace cloister::verify
