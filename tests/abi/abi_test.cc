// The tests use the shared library as another program does.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "base/encoding.h"
#include "base/file.h"
#include "cloister/verifier.h"
#include "codec/json.h"
#include "tests/simulator/simulated_node.h"
#include "tests/simulator/simulated_service.h"

namespace cloister {
namespace {

// The simulated node of these tests shows no policy document.
constexpr const char* kAcceptSimulator = "accept_simulator = true\n[service]\naccept_no_node_policy = true";

const std::string& report() {
  static const std::string text = codec::write_json(testing::node().report(testing::test_ask()));
  return text;
}

VerifierHandle verifier(const char* policy = kAcceptSimulator) {
  VerifierHandle out;
  out.set_policy(policy);
  out.set_time(testing::kJudgedAt);
  return out;
}

Json parsed(const VerdictHandle& verdict) { return codec::parse_json(verdict.json()).value_or(Json()); }

TEST(Abi, AcceptsWhatTheProgramAccepts) {
  const VerdictHandle verdict = verifier().report(report(), testing::test_nonce());
  EXPECT_TRUE(verdict.accepted()) << verdict.text();
  EXPECT_EQ(parsed(verdict)["verdict"], "accepted");
  EXPECT_EQ(parsed(verdict)["facts"]["tee_type"], "insecure_simulator");
  EXPECT_NE(verdict.text().find("SIMULATED"), std::string::npos);
}

TEST(Abi, TheDefaultPolicyRefusesTheSimulator) {
  EXPECT_EQ(verifier("").report(report(), testing::test_nonce()).outcome(), CLOISTER_REJECTED);
}

TEST(Abi, WithoutATimeNothingIsValid) {
  VerifierHandle timeless;
  timeless.set_policy(kAcceptSimulator);
  EXPECT_EQ(timeless.report(report(), testing::test_nonce()).outcome(), CLOISTER_REJECTED);
}

TEST(Abi, TellsTheFourOutcomesApart) {
  EXPECT_EQ(verifier().report(report(), std::nullopt).outcome(), CLOISTER_UNDETERMINED) << "no nonce: may be old";
  EXPECT_EQ(verifier().report(report(), VerifierHandle::Digest{1}).outcome(), CLOISTER_REJECTED);
  const VerdictHandle unreadable = verifier().quote("no quote at all");
  EXPECT_EQ(unreadable.outcome(), CLOISTER_UNREADABLE);
  EXPECT_EQ(parsed(unreadable)["verdict"], "unreadable");
  EXPECT_FALSE(unreadable.accepted());
}

TEST(Abi, JudgesQuotesAndGpuEvidenceAlone) {
  const Json served = testing::node().report(testing::test_ask());
  const auto quote = served["intel_quote"].get<std::string>();
  VerifierHandle judge = verifier();
  EXPECT_EQ(judge.quote(quote).outcome(), CLOISTER_UNDETERMINED) << "nobody named report data: it may be old";
  constexpr std::size_t kReportDataDigits = 2 * 568;
  judge.set_policy("report_data = [\"" + quote.substr(kReportDataDigits, 128) + "\"]\n" + kAcceptSimulator);
  const VerdictHandle named = judge.quote(quote);
  EXPECT_TRUE(named.accepted()) << named.text();
  const VerdictHandle gpu = verifier().gpu(served["nvidia_payload"].get<std::string>(), testing::test_nonce());
  EXPECT_TRUE(gpu.accepted()) << gpu.text();
}

TEST(Abi, JudgesReceiptsWithTheirReportAndBodies) {
  const testing::ServiceCase good = testing::native_case();
  const std::string receipt = codec::write_json(good.receipt), served = codec::write_json(good.report);
  const VerifierHandle judge = verifier();
  const VerdictHandle all = judge.receipt(receipt, served, *good.expected.nonce, good.request, good.response);
  EXPECT_TRUE(all.accepted()) << all.text();
  EXPECT_EQ(judge.receipt(receipt, served, *good.expected.nonce, "other", good.response).outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(judge.receipt(receipt, std::nullopt, std::nullopt, good.request, good.response).outcome(),
            CLOISTER_UNDETERMINED);
  EXPECT_EQ(judge.receipt(receipt, served, *good.expected.nonce, std::nullopt, good.response).outcome(),
            CLOISTER_UNDETERMINED);
}

TEST(Abi, JudgesWhatIsNoReportOfSnpAndNoSession) {
  EXPECT_EQ(verifier().snp("no report").outcome(), CLOISTER_REJECTED);
  const VerdictHandle session = verifier().session("{}", VerifierHandle::Digest{1});
  EXPECT_EQ(session.outcome(), CLOISTER_REJECTED);
  EXPECT_EQ(parsed(session)["checks"][0]["id"], "session.form");
}

TEST(Abi, ABadPolicyChangesNothing) {
  VerifierHandle judge = verifier();
  EXPECT_THROW(judge.set_policy("accept_simulator = 1"), std::invalid_argument);
  EXPECT_THROW(judge.add_collateral("{}"), std::invalid_argument);
  EXPECT_THROW(judge.add_rim("../passwd", "<a/>"), std::invalid_argument);
  EXPECT_TRUE(judge.report(report(), testing::test_nonce()).accepted());
}

TEST(Abi, ThePrintedDefaultPolicyIsTheDefaultPolicy) {
  VerifierHandle judge;
  EXPECT_NO_THROW(judge.set_policy(cloister_default_policy()));
}

TEST(Abi, NullIsRefusedAndNeverFollowed) {
  EXPECT_EQ(cloister_verifier_set_policy(nullptr, "", 0), CLOISTER_UNREADABLE);
  EXPECT_EQ(cloister_verify_report(nullptr, "", 0, nullptr, nullptr), nullptr);
  EXPECT_EQ(cloister_verify_receipt(nullptr, "", 0, nullptr, 0, nullptr, nullptr, 0, nullptr, 0), nullptr);
  EXPECT_EQ(cloister_verdict_outcome(nullptr), CLOISTER_UNREADABLE);
  EXPECT_STREQ(cloister_verdict_json(nullptr), "");
  EXPECT_STREQ(cloister_verdict_text(nullptr), "");
  cloister_verdict_free(nullptr);
  cloister_verifier_free(nullptr);
  cloister_verifier* raw = cloister_verifier_new();
  EXPECT_EQ(cloister_verifier_set_policy(raw, nullptr, 10), CLOISTER_UNREADABLE);
  cloister_verdict* verdict = cloister_verify_report(raw, nullptr, 10, nullptr, nullptr);
  EXPECT_EQ(cloister_verdict_outcome(verdict), CLOISTER_UNREADABLE);
  cloister_verdict_free(verdict);
  cloister_verifier_free(raw);
}

// Runs the C example on the same report.
int run_example(const std::string& nonce_hex) {
  const std::string path = (std::filesystem::temp_directory_path() / "cloister_abi_test.report.json").string();
  const std::string policy = (std::filesystem::temp_directory_path() / "cloister_abi_test.policy.toml").string();
  EXPECT_TRUE(write_file_atomically(path, report(), 0600).has_value());
  EXPECT_TRUE(write_file_atomically(policy, kAcceptSimulator, 0600).has_value());
  const std::string command = std::string(CLOISTER_EXAMPLE) + " " + path + " - " + nonce_hex + " " +
                              std::to_string(testing::kJudgedAt) + " " + policy + " > /dev/null 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Abi, TheExampleInCSaysTheSame) {
  EXPECT_EQ(run_example(to_hex(testing::test_nonce())), CLOISTER_ACCEPTED);
  EXPECT_EQ(run_example(std::string(64, '0')), CLOISTER_REJECTED);
  EXPECT_EQ(run_example("-"), CLOISTER_UNDETERMINED);
  EXPECT_EQ(run_example("zz"), CLOISTER_UNREADABLE);
}

// Any other symbol that the library exports could clash with the host program's own copies.
TEST(Abi, TheLibraryShowsItsInterfaceAndNothingElse) {
  FILE* pipe = ::popen("nm -D --defined-only --format=posix " CLOISTER_ABI_LIBRARY, "r");
  ASSERT_NE(pipe, nullptr);
  char line[1024];
  int shown = 0;
  while (std::fgets(line, sizeof line, pipe) != nullptr) {
    ++shown;
    EXPECT_EQ(std::string(line).rfind("cloister_", 0), 0u) << line;
  }
  ::pclose(pipe);
  EXPECT_EQ(shown, 21);
}

}  // namespace
}  // namespace cloister
