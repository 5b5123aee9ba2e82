// What the tests of the shared library share: a verifier for simulated evidence, and that evidence as text.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/encoding.h"
#include "cloister/verifier.h"
#include "codec/json.h"
#include "evidence/model_identity.h"
#include "evidence/native_report.h"
#include "tests/simulator/simulated_node.h"
#include "tests/simulator/simulated_service.h"

namespace cloister::testing {

// The simulated node of these tests shows no policy document.
inline constexpr std::size_t kMiB = 1u << 20;
inline constexpr const char* kAcceptSimulator = "accept_simulator = true\n[service]\naccept_no_node_policy = true";

inline VerifierHandle simulator_verifier(const char* policy = kAcceptSimulator) {
  VerifierHandle out;
  out.set_policy(policy);
  out.set_time(kJudgedAt);
  return out;
}

// The legacy report of the simulated node, for test_nonce().
inline const std::string& legacy_report() {
  static const std::string text = codec::write_json(node().report(test_ask()));
  return text;
}

inline cloister_report_input report_input() {
  static const evidence::Nonce nonce = test_nonce();
  auto in = input<cloister_report_input>();
  in.report = bytes(legacy_report());
  in.nonce = bytes(nonce);
  return in;
}

// What a publisher says of a model.
inline evidence::ModelIdentity model_manifest(const std::string& id = "demo") {
  evidence::ModelIdentity model;
  model.id = id;
  model.engine = {"llama.cpp", "0.1.0", "de3ff815", "cpu", "x86-64-v3"};
  model.architecture = "llama";
  model.quantization = "Q4_1";
  model.context_length = 4096;
  return model;
}

// A genuine report of a simulated node that serves this model, for test_nonce().
inline std::string report_with_model(const evidence::ModelIdentity& model) {
  const Json document = to_json(model);
  evidence::NativeStatement statement = service().statement(test_nonce(), std::nullopt);
  statement.model_digest = *evidence::document_digest(document);
  Json report = service().native_report_around(statement, std::nullopt);
  report["model"] = document;
  return codec::write_json(report);
}

inline Json parsed(const VerdictHandle& verdict) { return codec::parse_json(verdict.json()).value_or(Json()); }

// The state of the check of this id; CLOISTER_NO_STATE where there is none.
inline cloister_state state_of(const VerdictHandle& verdict, const std::string& id) {
  const auto check = verdict.find(id);
  return check ? check->state : CLOISTER_NO_STATE;
}

inline void expect_refused(const VerdictHandle& verdict, cloister_status status, std::string_view word = {}) {
  EXPECT_EQ(verdict.outcome(), CLOISTER_UNREADABLE);
  EXPECT_EQ(verdict.refusal(), status) << verdict.error();
  EXPECT_FALSE(verdict.accepted());
  EXPECT_FALSE(verdict.error().empty());
  EXPECT_NE(verdict.error().find(word), std::string_view::npos) << verdict.error() << " lacks " << word;
  EXPECT_EQ(verdict.checks().size(), 0u);
  EXPECT_EQ(parsed(verdict)["verdict"], "unreadable");
}

}  // namespace cloister::testing
