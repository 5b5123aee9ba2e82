#include "verify/receipt/named_digests.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "evidence/json_reader.h"
#include "evidence/native_report.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

using evidence::Receipt;
using evidence::ReceiptEvent;

bool lists(const std::set<Bytes>& accepted, const std::string& digest) {
  const auto parsed = evidence::parse_digest(digest);
  return parsed && accepted.contains(to_bytes(*parsed));
}

std::string count_of(const std::set<Bytes>& accepted) { return "one of " + std::to_string(accepted.size()); }

// Absent where the policy has no manifest.
std::optional<std::string> digest_of_manifest(const Policy& policy) {
  if (!policy.service.model_manifest) return std::nullopt;
  const auto digest = evidence::document_digest(evidence::to_json(*policy.service.model_manifest));
  return digest ? evidence::digest_text(*digest) : "none";
}

Check check_model(const Receipt& receipt, const Established& established, const Policy& policy) {
  const std::string id = "receipt.model_digest";
  const std::set<Bytes>& accepted = policy.service.model_digests;
  const std::optional<std::string> manifest = digest_of_manifest(policy);
  const bool asked = !accepted.empty() || manifest;
  if (!established.model_digest && !asked) return not_applicable(id, "no quote that is known here names a model");
  const ReceiptEvent* served = find_event(receipt, evidence::kModelServed);
  if (served == nullptr) {
    if (!asked && find_event(receipt, evidence::kRequestForwarded) == nullptr)
      return not_applicable(id, "no model answered");
    return skipped(id, "the receipt does not say which model answered");
  }
  if (tells_no_model(served->fields)) return skipped(id, "another server answered, and its reply names no model");
  const std::string actual = event_text(served->fields, "model_digest");
  if (established.model_digest && actual != evidence::digest_text(*established.model_digest)) {
    return failed(id, "another model answered than the one that the quote names",
                  evidence::digest_text(*established.model_digest), actual);
  }
  if (!accepted.empty() && !lists(accepted, actual)) {
    return failed(id, "another model answered than those that the policy names", count_of(accepted), actual);
  }
  // With a report that names the model, model.document and the related checks compare what the digest stands for.
  if (manifest && !established.model_digest && actual != *manifest) {
    return skipped(
        id, "the receipt names a model by a digest that is not the manifest's, and nothing here shows what it is");
  }
  return passed(id, actual);
}

Check check_policy(const Receipt& receipt, const Established& established, const Policy& policy) {
  const std::string id = "receipt.policy_digest";
  const std::set<Bytes>& accepted = policy.service.policy_digests;
  const ReceiptEvent* named = find_event(receipt, evidence::kPolicyInForce);
  if (named == nullptr) {
    // The measured code writes the event whenever it has a configuration; code that writes none is no code that a policy names.
    if (accepted.empty()) return not_applicable(id, "the receipt names no configuration");
    return skipped(id, "the receipt does not say which configuration was in force when it was made");
  }
  const std::string actual = event_text(named->fields, "policy_digest");
  if (!accepted.empty()) {
    return lists(accepted, actual)
               ? passed(id, actual)
               : failed(id, "the reply was made under another configuration than those that the policy names",
                        count_of(accepted), actual);
  }
  if (!established.policy_digest)
    return skipped(id, "no expected digest was given; the receipt names " + actual, false);
  const std::string reported = evidence::digest_text(*established.policy_digest);
  if (actual == reported) return passed(id, actual);
  Check check = skipped(
      id,
      "the reply was made under another configuration than the one that the report shows; ask for a report of that time, "
      "or list the digest under service.policy_digests if you know what it stands for");
  check.expected = reported;
  check.actual = actual;
  return check;
}

}  // namespace

const ReceiptEvent* find_event(const Receipt& receipt, std::string_view type) {
  const auto found = std::find_if(receipt.events.begin(), receipt.events.end(),
                                  [&](const ReceiptEvent& event) { return event.type == type; });
  return found == receipt.events.end() ? nullptr : &*found;
}

std::string event_text(const Json& fields, const char* name) {
  const auto found = fields.find(name);
  return found != fields.end() && found->is_string() ? found->get<std::string>() : "none";
}

bool tells_no_model(const Json& served) {
  const auto name = served.find("model_id");
  return event_text(served, "model_id_source") == evidence::kToldByReply && name != served.end() && name->is_null();
}

void check_named_digests(const Receipt& receipt, const Established& established, const Policy& policy,
                         Verdict& verdict) {
  verdict.add(check_model(receipt, established, policy));
  verdict.add(check_policy(receipt, established, policy));
}

}  // namespace cloister::verify
