#include "verify/session.h"

#include <algorithm>
#include <string>

#include "base/encoding.h"
#include "codec/json.h"
#include "crypto/hash.h"
#include "evidence/aci/receipt.h"
#include "evidence/aci/session.h"
#include "evidence/json_reader.h"
#include "verify/check.h"
#include "verify/policy/rules.h"
#include "verify/quote.h"
#include "verify/report.h"
#include "verify/report/judges.h"
#include "verify/session/channel.h"

namespace cloister::verify {
namespace {

using evidence::Receipt;
using evidence::Session;

std::string text_member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : "none";
}

// The sessions that answered, according to the receipt.
std::vector<std::string> cited_ids(const Receipt& receipt) {
  std::vector<std::string> out;
  for (const evidence::ReceiptEvent& event : receipt.events) {
    if (event.type != evidence::kUpstreamVerified || text_member(event.fields, "result") != "verified") continue;
    out.push_back(text_member(event.fields, "session_id"));
  }
  return out;
}

Check check_id(const Session& session, const std::optional<ByteArray<32>>& named,
               const std::optional<Receipt>& receipt) {
  const std::string id = "session.id";
  const std::string actual = to_hex(session.id);
  if (!named && !receipt) {
    return skipped(id, "no session was named: any gateway could have written this one. Its id is " + actual);
  }
  if (named && *named != session.id)
    return failed(id, "another session than the one that was named", to_hex(*named), actual);
  if (!receipt) return passed(id, actual);
  const std::vector<std::string> cited = cited_ids(*receipt);
  if (std::ranges::find(cited, actual) != cited.end()) return passed(id, actual, "the receipt names it");
  return failed(id, "the receipt does not name this session", cited.empty() ? "none" : cited.front(), actual);
}

// The time of the reply counts, where a receipt states it.
Check check_window(const Session& session, const std::optional<Receipt>& receipt, bool receipt_verified,
                   UnixSeconds now) {
  const std::string id = "session.window";
  const UnixSeconds time = receipt ? receipt->served_at : now;
  const auto in_force = [&session](UnixSeconds at) { return session.established_at <= at && at < session.expires_at; };
  if (in_force(time)) {
    if (!receipt || in_force(now)) return passed(id, to_rfc3339(receipt ? time : now));
    if (receipt_verified) return passed(id, to_rfc3339(time), "when the reply was served, by the gateway's own claim");
    return skipped(id, "the session is not in force at " + to_rfc3339(now) +
                           "; that the reply was served while it was, only a receipt says that "
                           "was not verified here: cloister verify receipt --session");
  }
  return failed(id, receipt ? "the reply was served outside of the session" : "the session is not in force",
                to_rfc3339(session.established_at) + " to " + to_rfc3339(session.expires_at), to_rfc3339(time));
}

Check check_digest(const Session& session) {
  const std::string id = "session.evidence_digest";
  if (!session.evidence) return skipped(id, "the session holds no evidence");
  return compared(id, evidence::digest_text(session.evidence->digest),
                  evidence::digest_text(crypto::sha256(session.evidence->data)),
                  "the evidence is not the one that the session names");
}

// The gateway's own claim is no proof; a claim that the gateway itself refutes is one.
Check check_claims(const Session& session) {
  const std::string id = "session.claims";
  for (const auto& [name, claim] : session.claims.items()) {
    if (name == "extra" || !claim.is_object() || text_member(claim, "status") != "refuted") continue;
    return failed(id, "the gateway itself says that this does not hold: " + text_member(claim, "reason"),
                  name + " not refuted", "refuted");
  }
  return not_applicable(id, "the gateway's own claim; what the evidence shows is verified as upstream.*");
}

struct Upstream {
  std::optional<Verdict> verdict;
  Expected asked;
};

// JSON without the marks of a known form is evidence of another kind.
bool is_report(const Json& object) {
  const Result<ReportShape> shape = find_shape(object);
  return shape || shape.error().code != ErrorCode::kUnsupported;
}

// The gateway made the nonce: where its statements about others are accepted, so is its statement that the evidence was fresh.
Policy policy_of_upstream(const Policy& policy) {
  Policy out = policy;
  out.require_nonce = policy.require_nonce && !policy.service.accept_upstream_claims;
  return out;
}

// Verifies the evidence as a report, or as a bare quote, if it is one of them.
Upstream judge_upstream(const Session::Evidence& evidence, const Session& session, const Context& context) {
  Upstream out;
  const Policy policy = policy_of_upstream(context.policy);
  const Context own{policy, context.collateral, context.time, context.tdx_cache};
  const std::string_view text = as_text(evidence.data);
  if (const Result<Json> json = codec::parse_json(text); json && is_report(*json)) {
    out.asked = expected_of_channel(session, *json);
    out.verdict = judge_report(*json, text, out.asked, own);
  } else if (const Result<Bytes> quote = read_quote_text(text)) {
    out.verdict = verify_quote(*quote, own);
  }
  return out;
}

Upstream check_evidence(const Session& session, const Context& context, Verdict& verdict) {
  const std::string id = "session.evidence";
  if (!session.evidence) {
    verdict.add(skipped(id, "the session holds no evidence: there is only the gateway's claim"));
    return {};
  }
  Upstream upstream = judge_upstream(*session.evidence, session, context);
  verdict.add(upstream.verdict
                  ? passed(id, std::to_string(session.evidence->data.size()) + " bytes", "judged as upstream.*")
                  : skipped(id, "evidence of a form that is not supported: " + session.evidence->media_type));
  return upstream;
}

void add_facts(const Session& session, UnixSeconds time, Json& facts) {
  facts["session_id"] = to_hex(session.id);
  facts["upstream_name"] = session.upstream_name;
  facts["endpoint"] = session.endpoint ? Json(*session.endpoint) : Json();
  facts["verifier_id"] = session.verifier_id;
  facts["established_at"] = to_rfc3339(session.established_at);
  facts["expires_at"] = to_rfc3339(session.expires_at);
  facts["claims"] = session.claims;
  facts["judged_at"] = to_rfc3339(time);
}

constexpr std::string_view kAfterForm[] = {"session.id",     "session.window",   "session.evidence_digest",
                                           "session.claims", "session.evidence", "session.channel"};

void judge_parsed(const Session& session, const SessionEvidence& evidence, const std::optional<Receipt>& receipt,
                  const Context& context, Verdict& verdict) {
  verdict.add(check_id(session, evidence.id, receipt));
  verdict.add(check_window(session, receipt, evidence.receipt_verified, context.time));
  verdict.add(check_digest(session));
  verdict.add(check_claims(session));
  Upstream upstream = check_evidence(session, context, verdict);
  verdict.add(check_session_channel(session, upstream.asked, upstream.verdict ? &*upstream.verdict : nullptr));
  add_facts(session, context.time, verdict.facts);
  // The rules of the policy have been applied to the evidence of the upstream.
  if (!upstream.verdict) return require_rules(context.policy, verdict);
  Json facts = verdict.append_under("upstream", *std::move(upstream.verdict));
  verdict.facts["tee_type"] = facts.value("tee_type", "unknown");
  verdict.facts["upstream"] = std::move(facts);
}

}  // namespace

Verdict verify_session(const SessionEvidence& evidence, const Context& context) {
  Verdict verdict;
  verdict.subject = "session";
  const Result<Session> session = evidence::parse_session(evidence.session);
  std::optional<Receipt> receipt;
  std::string problem = session ? std::string() : session.error().message;
  if (evidence.receipt) {
    Result<Receipt> read = evidence::parse_receipt(*evidence.receipt);
    if (read) {
      receipt = *std::move(read);
    } else if (problem.empty()) {
      problem = "the receipt: " + read.error().message;
    }
  }
  if (!problem.empty()) {
    verdict.add(failed("session.form", problem));
    for (const std::string_view id : kAfterForm) verdict.add(skipped(std::string(id), "the session could not be read"));
    return verdict;
  }
  verdict.add(passed("session.form"));
  judge_parsed(*session, evidence, receipt, context, verdict);
  return verdict;
}

}  // namespace cloister::verify
