// The other documents that a node on the simulated TEE serves, for tests: a keyset, the ACI report, Cloister's own
// report and receipts. It also makes the answers of a gateway in front of the node.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "crypto/ed25519.h"
#include "evidence/known_answers_result.h"
#include "evidence/statement.h"
#include "tests/simulator/simulated_node.h"
#include "verify/receipt.h"

namespace cloister::testing {

constexpr UnixSeconds kNotAfter = kJudgedAt + 90 * 86400;
constexpr std::string_view kReceiptRequest = R"({"messages":[{"content":"hi","role":"user"}],"model":"demo"})";
constexpr std::string_view kReceiptResponse = R"({"choices":[],"id":"chatcmpl-1"})";

class SimulatedService {
 public:
  explicit SimulatedService(const SimulatedNode& node);

  Json keyset() const;
  Json model() const;
  Json policy() const;
  Json aci_report(const std::optional<evidence::Nonce>& nonce) const;
  Json native_report(const evidence::Nonce& nonce, bool gpu = true) const;
  // A signed receipt, over kReceiptRequest and kReceiptResponse.
  Json receipt() const;

  // Measures the document into the register, under the name of one of Cloister's events.
  void measure(std::string_view event, const Json& document) const;

  // Return the same documents with contents of the attacker's choice, because the keys of the simulator are public.
  Json aci_report_around(const Json& keyset, const evidence::ReportData& report_data) const;
  Json native_report_around(const evidence::NativeStatement& statement,
                            const std::optional<std::string>& payload) const;
  Json sign(Json receipt) const;
  // Returns the node's statement about its known-answer tests.
  Json sign_known_answers(const std::vector<evidence::KnownAnswersResult>& results,
                          const std::string& key_id = "receipt-1") const;

  evidence::NativeStatement statement(const evidence::Nonce& nonce, const std::optional<std::string>& payload) const;
  std::string payload(const evidence::Nonce& gpu_nonce) const;

 private:
  const SimulatedNode& node_;
  crypto::Ed25519Key receipt_key_;
};

const SimulatedService& service();

// A report or receipt under verification: the served documents, the known facts and the policy.
struct ServiceCase {
  Json report;
  Json receipt;
  verify::Expected expected;
  std::string request{kReceiptRequest};
  std::string response{kReceiptResponse};
  std::optional<std::string> id = "chatcmpl-1";
  std::optional<std::string> model = "demo";
  verify::Policy policy;
  UnixSeconds time = kJudgedAt;

  verify::Verdict judge_report() const;
  verify::Verdict judge_receipt() const;
};
ServiceCase aci_case();
ServiceCase native_case();

// Returns a gateway's answer, which holds the gateway's own report and one report for each model.
Json wrapped_report(const Json& gateway, const Json& models);

}  // namespace cloister::testing
