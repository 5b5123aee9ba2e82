// Tampered report members and bindings.
#include <gtest/gtest.h>

#include "base/encoding.h"
#include "tests/simulator/expect_failing.h"
#include "tests/simulator/forgery.h"

namespace cloister::testing {
namespace {

using evidence::SigningAlgo;

std::string flip_hex(std::string text, std::size_t at) {
  text[at] = text[at] == '1' ? '2' : '1';
  return text;
}

void flip_member(Json& report, const std::string& name, std::size_t at) {
  set_member(report, name, flip_hex(report[name].get<std::string>(), at));
}

Tampering form(std::string name, std::function<void(Case&)> change) {
  return {std::move(name), std::move(change), {"report.form"}};
}

TEST(RejectReport, WrongForm) {
  std::vector<Tampering> table;
  for (const char* name : {"signing_address", "signing_algo", "request_nonce", "intel_quote"}) {
    table.push_back(form(std::string("no ") + name, [=](Case& c) { remove_member(c.report, name); }));
    table.push_back(form(std::string("null ") + name, [=](Case& c) { set_member(c.report, name, nullptr); }));
    table.push_back(form(std::string("number ") + name, [=](Case& c) { set_member(c.report, name, 1); }));
  }
  for (const char* name : {"event_log", "info", "vm_config", "nvidia_payload", "tee_type", "signing_public_key",
                           "tls_cert_fingerprint", "quote"}) {
    table.push_back(form(std::string("number ") + name, [=](Case& c) { set_member(c.report, name, 1); }));
  }
  const std::vector<std::pair<const char*, std::string>> wrong_values = {
      {"signing_algo", "rsa"},
      {"request_nonce", std::string(62, 'a')},
      {"request_nonce", std::string(64, 'x')},
      {"intel_quote", "0x0400"},
      {"intel_quote", "040"},
      {"intel_quote", "BAAC"},
      {"quote", "0400"},
      {"tls_cert_fingerprint", "aa"},
  };
  for (const auto& [name, value] : wrong_values) {
    table.push_back(form(std::string(name) + " = " + value,
                         [name = name, value = value](Case& c) { set_member(c.report, name, value); }));
  }
  expect_failing(table);
}

TEST(RejectReport, Members) {
  expect_failing({
      {"list without this report",
       [](Case& c) { c.report["all_attestations"][0]["request_nonce"] = std::string(64, 'a'); },
       {"report.all_attestations", "instance.0.report.nonce"}},
      {"empty list", [](Case& c) { c.report["all_attestations"] = Json::array(); }, {"report.all_attestations"}},
      {"list of something else", [](Case& c) { c.report["all_attestations"] = "x"; }, {"report.all_attestations"}},
      {"broken element",
       [](Case& c) { c.report["all_attestations"].push_back(Json::object()); },
       {"instance.1.report.form"}},
      {"element without address",
       [](Case& c) {
         Json element = c.report["all_attestations"][0];
         element["signing_address"] = "0x12";
         c.report["all_attestations"].push_back(element);
       },
       {"instance.1.report.signing_address"}},
      {"public key", [](Case& c) { flip_member(c.report, "signing_public_key", 20); }, {"report.signing_address"}},
      {"short public key",
       [](Case& c) { set_member(c.report, "signing_public_key", "04"); },
       {"report.signing_address"}},
      {"malformed address",
       [](Case& c) { c.report.erase("all_attestations"), c.report["signing_address"] = "0x12"; },
       {"report.signing_address"}},
      {"nonce", [](Case& c) { flip_member(c.report, "request_nonce", 0); }, {"report.nonce"}},
      {"named as real", [](Case& c) { set_member(c.report, "tee_type", "tdx"); }, {"report.tee_type"}},
      {"not named", [](Case& c) { remove_member(c.report, "tee_type"); }, {"report.tee_type"}},
      {"not accepted", [](Case& c) { c.policy.accept_simulator = false; }, {"tee.simulator"}},
      {"not accepted and named as real",
       [](Case& c) { c.policy.accept_simulator = false, set_member(c.report, "tee_type", "tdx"); },
       {"tee.simulator", "report.tee_type"}},
  });
}

// The attacker's key stands next to a genuine quote, and the genuine key next to the attacker's quote.
TEST(RejectReport, Identity) {
  const SimulatedNode attacker(9, 1);
  expect_failing({
      {"address of another",
       [&](Case& c) {
         set_member(c.report, "signing_address", attacker.address(SigningAlgo::kEcdsa));
         remove_member(c.report, "signing_public_key");
       },
       {"report_data.identity"}},
      {"quote for another",
       [&](Case& c) {
         const auto data = evidence::report_data_l1(attacker.identity(SigningAlgo::kEcdsa), test_nonce());
         set_quote(c.report, *node().tee().quote(data));
       },
       {"report_data.identity"}},
      {"other algorithm",
       [&](Case& c) {
         set_member(c.report, "signing_algo", "ed25519");
         set_member(c.report, "signing_address", node().address(SigningAlgo::kEd25519));
         remove_member(c.report, "signing_public_key");
       },
       {"report_data.identity"}},
      {"bytes behind the address",
       [&](Case& c) {
         resign_td_report(c.report, node().seed(), [](codec::TdReport& report) { report.report_data[31] = 1; });
       },
       {"report_data.identity"}},
      {"quote for another nonce",
       [&](Case& c) {
         const auto data = evidence::report_data_l1(node().identity(SigningAlgo::kEcdsa), {});
         set_quote(c.report, *node().tee().quote(data));
       },
       {"report_data.nonce"}},
  });
}

TEST(RejectReport, AReplayedReportFailsOnEveryNonce) {
  Ask yesterday = test_ask();
  yesterday.nonce.fill(0x77);
  Case replayed = genuine_case(yesterday);
  replayed.expected.nonce = test_nonce();
  EXPECT_EQ(
      ids_in(replayed.judge(), verify::State::kFail),
      (Ids{"report.nonce", "report_data.nonce", "nvidia.payload.nonce", "nvidia.gpu.0.nonce", "nvidia.gpu.1.nonce"}));
}

TEST(RejectReport, TlsWhenBound) {
  Ask ask = test_ask();
  ask.tls_spki_sha256.emplace().fill(0x11);
  expect_failing(
      {
          {"another certificate on the wire",
           [](Case& c) { c.expected.tls_spki_sha256->fill(0x22); },
           {"report_data.tls"}},
          {"another certificate in the report",
           [](Case& c) {
             set_member(c.report, "tls_cert_fingerprint", std::string(64, '2'));
             c.expected.tls_spki_sha256.reset();
           },
           {"report_data.identity"}},
          {"bound without the key",
           [](Case& c) {
             const auto data = evidence::report_data_l1(node().identity(SigningAlgo::kEcdsa), test_nonce());
             set_quote(c.report, *node().tee().quote(data));
           },
           {"report_data.tls"}},
          {"shown but not bound, judged later",
           [](Case& c) {
             const auto data = evidence::report_data_l1(node().identity(SigningAlgo::kEcdsa), test_nonce());
             set_quote(c.report, *node().tee().quote(data));
             c.expected.tls_spki_sha256.reset();
           },
           {"report_data.tls"}},
      },
      ask);
}

TEST(RejectReport, TlsAskedForButNotBound) {
  expect_failing({
      {"no TLS key in the report",
       [](Case& c) { c.expected.tls_spki_sha256.emplace().fill(0x11); },
       {"report_data.tls"}},
  });
}

}  // namespace
}  // namespace cloister::testing
