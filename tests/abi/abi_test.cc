// The shared library as a stranger's program uses it: its handles, its setters, and how a verdict is read.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/clock.h"
#include "base/file.h"
#include "base/testing/vectors.h"
#include "evidence/chat_signature.h"
#include "tests/abi/abi_test_util.h"

namespace cloister::testing {
namespace {

// ---- yes and no ----

TEST(Abi, OnlyAcceptedIsAYes) {
  const std::set<int> others = {CLOISTER_OK,
                                CLOISTER_ERROR_NULL,
                                CLOISTER_ERROR_STRUCT_SIZE,
                                CLOISTER_ERROR_FLAGS,
                                CLOISTER_ERROR_SIZE,
                                CLOISTER_ERROR_TOO_LARGE,
                                CLOISTER_ERROR_MALFORMED,
                                CLOISTER_ERROR_COMPARISON,
                                CLOISTER_ERROR_TIME,
                                CLOISTER_ERROR_NOT_FOUND,
                                CLOISTER_ERROR_MEMORY,
                                CLOISTER_ERROR_SETTER,
                                CLOISTER_REJECTED,
                                CLOISTER_UNREADABLE,
                                CLOISTER_UNDETERMINED,
                                CLOISTER_FAILED,
                                CLOISTER_SKIPPED,
                                CLOISTER_NOT_APPLICABLE,
                                CLOISTER_PASSED};
  EXPECT_EQ(others.size(), 19u) << "two enumerators have the same value";
  EXPECT_FALSE(others.contains(CLOISTER_ACCEPTED));
  // Neither zero, nor true, nor zero after it was cut to an exit status or to a short.
  EXPECT_NE(CLOISTER_ACCEPTED, 1);
  for (const int outcome : {CLOISTER_ACCEPTED, CLOISTER_REJECTED, CLOISTER_UNREADABLE, CLOISTER_UNDETERMINED}) {
    EXPECT_NE(static_cast<std::uint8_t>(outcome), 0);
    EXPECT_NE(static_cast<std::uint16_t>(outcome), 0);
  }
  EXPECT_EQ(CLOISTER_NO_OUTCOME, 0);
  EXPECT_EQ(CLOISTER_NO_STATE, 0);
  cloister_check zeroed;
  std::memset(&zeroed, 0, sizeof zeroed);
  EXPECT_NE(zeroed.state, CLOISTER_PASSED);
}

TEST(Abi, TheLastDigitOfAnOutcomeIsTheProgramsExitStatus) {
  EXPECT_EQ(CLOISTER_ACCEPTED % 10, 0);
  EXPECT_EQ(CLOISTER_REJECTED % 10, 1);
  EXPECT_EQ(CLOISTER_UNREADABLE % 10, 2);
  EXPECT_EQ(CLOISTER_UNDETERMINED % 10, 3);
}

TEST(Abi, HasTheVersionOfItsHeaderAndOfItsFile) {
  EXPECT_EQ(cloister_abi_version(), 3u);
  EXPECT_EQ(CLOISTER_ABI_VERSION, 3);
  EXPECT_TRUE(
      std::filesystem::exists(std::filesystem::path(CLOISTER_ABI_LIBRARY).parent_path() / "libcloister_verify.so.3"));
}

// A structure that grows needs its former size in kPublishedSizes (src/abi/sized_struct.h).
TEST(Abi, TheStructuresHaveTheirPublishedSizes) {
  if (sizeof(void*) != 8) GTEST_SKIP() << "the sizes of machines with 64 bits";
  EXPECT_EQ(sizeof(cloister_report_input), 8u + 7 * 16);
  EXPECT_EQ(sizeof(cloister_quote_input), 8u + 6 * 16);
  EXPECT_EQ(sizeof(cloister_gpu_input), 8u + 3 * 16);
  EXPECT_EQ(sizeof(cloister_snp_input), 8u + 2 * 16);
  EXPECT_EQ(sizeof(cloister_receipt_input), 8u + 11 * 16);
  EXPECT_EQ(sizeof(cloister_session_input), 8u + 4 * 16);
  EXPECT_EQ(sizeof(cloister_signature_input), 8u + 4 * 16);
  EXPECT_EQ(sizeof(cloister_file_input), 8u + 9 * 16);
  EXPECT_EQ(sizeof(cloister_check), 16u + 6 * 16);
}

TEST(Abi, SaysItsValuesInWords) {
  EXPECT_STREQ(cloister_outcome_text(CLOISTER_ACCEPTED), "accepted");
  EXPECT_STREQ(cloister_outcome_text(CLOISTER_REJECTED), "rejected");
  EXPECT_STREQ(cloister_outcome_text(CLOISTER_UNREADABLE), "unreadable");
  EXPECT_STREQ(cloister_outcome_text(CLOISTER_UNDETERMINED), "undetermined");
  EXPECT_STREQ(cloister_outcome_text(CLOISTER_NO_OUTCOME), "none");
  EXPECT_STREQ(cloister_state_text(CLOISTER_PASSED), "pass");
  EXPECT_STREQ(cloister_state_text(CLOISTER_FAILED), "fail");
  EXPECT_STREQ(cloister_state_text(CLOISTER_SKIPPED), "skipped");
  EXPECT_STREQ(cloister_state_text(CLOISTER_NOT_APPLICABLE), "n/a");
  EXPECT_STREQ(cloister_state_text(CLOISTER_NO_STATE), "none");
  std::set<std::string> words;
  for (int status = CLOISTER_OK; status <= CLOISTER_ERROR_SETTER; ++status) words.insert(cloister_status_text(status));
  EXPECT_EQ(words.size(), 12u);
  EXPECT_FALSE(words.contains("unknown"));
  EXPECT_STREQ(cloister_status_text(CLOISTER_ACCEPTED), "unknown");
  EXPECT_STREQ(cloister_outcome_text(CLOISTER_OK + 1), "unknown");
  EXPECT_STREQ(cloister_state_text(-1), "unknown");
}

// ---- setters ----

class Setters : public ::testing::Test {
 protected:
  ~Setters() override { cloister_verifier_free(raw_); }
  // The setter did its work, and left no message.
  void expect_done(cloister_status status) const {
    EXPECT_EQ(status, CLOISTER_OK) << cloister_verifier_error(raw_);
    EXPECT_STREQ(cloister_verifier_error(raw_), "");
  }
  void expect_not_done(cloister_status status, cloister_status expected) const {
    EXPECT_EQ(status, expected);
    EXPECT_STRNE(cloister_verifier_error(raw_), "");
  }
  cloister_outcome judge() const {
    const cloister_report_input in = report_input();
    return cloister_verify_report(raw_, &in, nullptr);
  }

  cloister_verifier* raw_ = cloister_verifier_new();
};

TEST_F(Setters, TimeIsBoundedByTheYear9999) {
  expect_done(cloister_verifier_set_time(raw_, 0));
  expect_done(cloister_verifier_set_time(raw_, 253402300799));
  expect_not_done(cloister_verifier_set_time(raw_, 253402300800), CLOISTER_ERROR_TIME);
  expect_not_done(cloister_verifier_set_time(raw_, -1), CLOISTER_ERROR_TIME);
  expect_not_done(cloister_verifier_set_time(raw_, INT64_MAX), CLOISTER_ERROR_TIME);
  EXPECT_EQ(cloister_verifier_set_time(nullptr, 1), CLOISTER_ERROR_NULL);
}

// A program that does not look at the status of a setter must not get a verdict by what was set before.
TEST_F(Setters, AFailureHoldsUntilTheSameSetterSucceeds) {
  const auto set_policy = [this](std::string_view text) {
    return cloister_verifier_set_policy(raw_, text.data(), text.size());
  };
  const auto expect_no_verdict = [this](const char* name, const char* why) {
    cloister_verdict* verdict = nullptr;
    const cloister_report_input in = report_input();
    EXPECT_EQ(cloister_verify_report(raw_, &in, &verdict), CLOISTER_UNREADABLE);
    const VerdictHandle handle(CLOISTER_UNREADABLE, verdict);
    expect_refused(handle, CLOISTER_ERROR_SETTER, name);
    EXPECT_NE(handle.error().find(why), std::string_view::npos) << handle.error();
  };
  expect_done(set_policy(kAcceptSimulator));
  expect_done(cloister_verifier_set_time(raw_, kJudgedAt));
  EXPECT_EQ(judge(), CLOISTER_ACCEPTED);

  expect_not_done(set_policy("[service]\nmodel_digests = [\"00\"]"), CLOISTER_ERROR_MALFORMED);
  expect_no_verdict("cloister_verifier_set_policy", "service.model_digests");
  expect_done(cloister_verifier_set_time(raw_, kJudgedAt));
  expect_no_verdict("cloister_verifier_set_policy", "service.model_digests");
  expect_done(set_policy(kAcceptSimulator));
  EXPECT_EQ(judge(), CLOISTER_ACCEPTED);

  expect_not_done(cloister_verifier_set_time(raw_, -1), CLOISTER_ERROR_TIME);
  expect_no_verdict("cloister_verifier_set_time", "1970 to 9999");
  expect_done(cloister_verifier_set_time(raw_, kJudgedAt));
  expect_not_done(cloister_verifier_add_collateral(raw_, "{}", 2), CLOISTER_ERROR_MALFORMED);
  expect_no_verdict("cloister_verifier_add_collateral", "");
  const std::string_view bundle = R"({"collateral":"cloister.collateral.v1"})";
  expect_done(cloister_verifier_add_collateral(raw_, bundle.data(), bundle.size()));
  expect_not_done(cloister_verifier_add_rim(raw_, "../passwd", "<a/>", 4), CLOISTER_ERROR_MALFORMED);
  expect_no_verdict("cloister_verifier_add_rim", "");
  expect_done(cloister_verifier_add_rim(raw_, "a", "<a/>", 4));
  EXPECT_EQ(judge(), CLOISTER_ACCEPTED);
}

// A file that read as empty must not become the default policy.
TEST_F(Setters, APolicyThatSetsNothingIsRefused) {
  expect_done(cloister_verifier_set_time(raw_, kJudgedAt));
  expect_done(cloister_verifier_set_policy(raw_, kAcceptSimulator, std::strlen(kAcceptSimulator)));
  expect_not_done(cloister_verifier_set_policy(raw_, nullptr, 0), CLOISTER_ERROR_MALFORMED);
  EXPECT_EQ(judge(), CLOISTER_UNREADABLE);
  for (const std::string_view empty : {"", "\n", "# accept_simulator = true\n", "[boot]\n"}) {
    expect_not_done(cloister_verifier_set_policy(raw_, empty.data(), empty.size()), CLOISTER_ERROR_MALFORMED);
    EXPECT_EQ(judge(), CLOISTER_UNREADABLE);
  }
  const std::string_view standard = cloister_default_policy();
  expect_done(cloister_verifier_set_policy(raw_, standard.data(), standard.size()));
  EXPECT_EQ(judge(), CLOISTER_REJECTED) << "the default policy refuses the simulator";
}

TEST_F(Setters, TheClockIsReadForEachVerdict) {
  expect_done(cloister_verifier_set_policy(raw_, kAcceptSimulator, std::strlen(kAcceptSimulator)));
  expect_done(cloister_verifier_set_time(raw_, 0));
  expect_done(cloister_verifier_follow_clock(raw_));
  const auto judged_at = [this] {
    cloister_verdict* verdict = nullptr;
    const cloister_report_input in = report_input();
    const cloister_outcome outcome = cloister_verify_report(raw_, &in, &verdict);
    return *from_rfc3339(parsed(VerdictHandle(outcome, verdict))["facts"]["judged_at"].get<std::string>());
  };
  const UnixSeconds before = system_clock().now(), judged = judged_at(), after = system_clock().now();
  EXPECT_TRUE(before <= judged && judged <= after);
  expect_done(cloister_verifier_set_time(raw_, kJudgedAt));
  EXPECT_EQ(judged_at(), kJudgedAt) << "the last call counts";
  EXPECT_EQ(cloister_verifier_follow_clock(nullptr), CLOISTER_ERROR_NULL);
}

TEST_F(Setters, PolicyIsReadOrRefused) {
  const auto set = [this](std::string_view text) {
    return cloister_verifier_set_policy(raw_, text.data(), text.size());
  };
  expect_done(set(kAcceptSimulator));
  expect_done(cloister_verifier_set_time(raw_, kJudgedAt));
  expect_not_done(set("accept_simulator = 1"), CLOISTER_ERROR_MALFORMED);
  expect_not_done(set("[unknown]\n"), CLOISTER_ERROR_MALFORMED);
  expect_not_done(set(std::string((1u << 20) + 1, '\n')), CLOISTER_ERROR_TOO_LARGE);
  expect_not_done(cloister_verifier_set_policy(raw_, nullptr, 10), CLOISTER_ERROR_NULL);
  EXPECT_EQ(cloister_verifier_set_policy(nullptr, "", 0), CLOISTER_ERROR_NULL);
  expect_done(set(cloister_default_policy()));
}

TEST_F(Setters, CollateralIsReadOrRefused) {
  const auto add = [this](std::string_view text) {
    return cloister_verifier_add_collateral(raw_, text.data(), text.size());
  };
  expect_done(add(R"({"collateral":"cloister.collateral.v1"})"));
  expect_not_done(add("{}"), CLOISTER_ERROR_MALFORMED);
  expect_not_done(add(""), CLOISTER_ERROR_MALFORMED);
  expect_not_done(cloister_verifier_add_collateral(raw_, nullptr, 0), CLOISTER_ERROR_MALFORMED);
  expect_not_done(cloister_verifier_add_collateral(raw_, nullptr, 1), CLOISTER_ERROR_NULL);
  expect_not_done(cloister_verifier_add_collateral(raw_, "", (64u << 20) + 1), CLOISTER_ERROR_TOO_LARGE);
  EXPECT_EQ(cloister_verifier_add_collateral(nullptr, "", 0), CLOISTER_ERROR_NULL);
}

TEST_F(Setters, RimsAreTakenUnderTheirIds) {
  expect_done(cloister_verifier_add_rim(raw_, "NV_GPU_DRIVER_GH100_550.144.03", "<a/>", 4));
  expect_done(cloister_verifier_add_rim(raw_, std::string(128, 'a').c_str(), "<a/>", 4));
  expect_not_done(cloister_verifier_add_rim(raw_, std::string(129, 'a').c_str(), "<a/>", 4), CLOISTER_ERROR_MALFORMED);
  expect_not_done(cloister_verifier_add_rim(raw_, "../passwd", "<a/>", 4), CLOISTER_ERROR_MALFORMED);
  expect_not_done(cloister_verifier_add_rim(raw_, "", "<a/>", 4), CLOISTER_ERROR_MALFORMED);
  expect_not_done(cloister_verifier_add_rim(raw_, "a", "", 0), CLOISTER_ERROR_MALFORMED);
  expect_not_done(cloister_verifier_add_rim(raw_, nullptr, "<a/>", 4), CLOISTER_ERROR_NULL);
  expect_not_done(cloister_verifier_add_rim(raw_, "a", nullptr, 4), CLOISTER_ERROR_NULL);
  expect_not_done(cloister_verifier_add_rim(raw_, "a", "<a/>", (2u << 20) + 1), CLOISTER_ERROR_TOO_LARGE);
  EXPECT_EQ(cloister_verifier_add_rim(nullptr, "a", "<a/>", 4), CLOISTER_ERROR_NULL);
}

TEST_F(Setters, AllCollateralTogetherIsBounded) {
  const std::string rim(2u << 20, 'x');
  int added = 0;
  cloister_status status = CLOISTER_OK;
  for (; added < 200; ++added) {
    status = cloister_verifier_add_rim(raw_, "a", rim.data(), rim.size());
    if (status != CLOISTER_OK) break;
  }
  EXPECT_EQ(added, 127) << "128 times two MiB, and something for each";
  expect_not_done(status, CLOISTER_ERROR_TOO_LARGE);
}

TEST(Abi, TheErrorOfNoVerifierIsAText) { EXPECT_STREQ(cloister_verifier_error(nullptr), "no verifier"); }

TEST(Abi, TheWrapperThrowsWhatTheSettersSay) {
  VerifierHandle judge = simulator_verifier();
  EXPECT_THROW(judge.set_policy("accept_simulator = 1"), std::invalid_argument);
  EXPECT_THROW(judge.add_collateral("{}"), std::invalid_argument);
  EXPECT_THROW(judge.add_rim("../passwd", "<a/>"), std::invalid_argument);
  EXPECT_THROW(judge.set_time(-1), std::invalid_argument);
  EXPECT_EQ(judge.report(report_input()).refusal(), CLOISTER_ERROR_SETTER);
}

template <typename Argument, typename = void>
inline constexpr bool kTakenAsBytes = false;
template <typename Argument>
inline constexpr bool kTakenAsBytes<Argument, std::void_t<decltype(bytes(std::declval<Argument>()))>> = true;

TEST(Abi, TheWrapperTakesWhatOutlivesTheCall) {
  static_assert(kTakenAsBytes<const std::string&> && kTakenAsBytes<std::string_view> &&
                kTakenAsBytes<const std::vector<std::uint8_t>&> && kTakenAsBytes<std::vector<std::byte>&> &&
                kTakenAsBytes<const std::array<std::uint8_t, 32>&> && kTakenAsBytes<const std::uint8_t(&)[32]>);
  static_assert(!kTakenAsBytes<std::string> && !kTakenAsBytes<std::vector<std::uint8_t>> &&
                !kTakenAsBytes<std::array<std::uint8_t, 32>> && !kTakenAsBytes<const char*> && !kTakenAsBytes<char*> &&
                !kTakenAsBytes<std::nullptr_t> && !kTakenAsBytes<const std::vector<int>&>);
  const std::uint8_t array[3] = {1, 2, 3};
  EXPECT_EQ(bytes(array).size, 3u);
  EXPECT_EQ(bytes(array).data, array);
  const std::vector<std::uint8_t> none;
  EXPECT_NE(bytes(none).data, nullptr) << "present, and empty";
}

// ---- the verdict ----

TEST(Abi, AVerdictIsReadInFull) {
  const VerdictHandle verdict = simulator_verifier().report(report_input());
  ASSERT_TRUE(verdict.accepted()) << verdict.tree();
  EXPECT_EQ(verdict.refusal(), CLOISTER_OK);
  EXPECT_EQ(verdict.error(), "");
  const Json json = parsed(verdict);
  EXPECT_EQ(json["verdict"], "accepted");
  EXPECT_EQ(json["subject"], "report");
  EXPECT_EQ(json["facts"]["tee_type"], "insecure_simulator");
  EXPECT_EQ(json["facts"]["collateral"]["offline"], true);
  const auto checks = verdict.checks();
  ASSERT_EQ(checks.size(), json["checks"].size());
  ASSERT_GT(checks.size(), 40u);
  for (std::size_t i = 0; i < checks.size(); ++i) {
    const Json& one = json["checks"][i];
    EXPECT_EQ(checks[i].id, one["id"].get<std::string>());
    EXPECT_EQ(cloister_state_text(checks[i].state), one["state"].get<std::string>());
    EXPECT_EQ(checks[i].required, one["required"].get<bool>());
    EXPECT_EQ(checks[i].detail, one["detail"].get<std::string>());
    EXPECT_EQ(checks[i].expected, one["expected"].get<std::string>());
    EXPECT_EQ(checks[i].found, one["actual"].get<std::string>());
    EXPECT_EQ(checks[i].meaning, one["meaning"].get<std::string>());
    EXPECT_FALSE(checks[i].meaning.empty() || checks[i].without.empty()) << checks[i].id;
    // Every text has a zero behind it.
    for (const std::string_view text : {checks[i].id, checks[i].detail, checks[i].meaning, checks[i].without})
      EXPECT_EQ(text.data()[text.size()], '\0');
  }
  EXPECT_NE(verdict.tree().find("SIMULATED"), std::string_view::npos);
  EXPECT_NE(verdict.summary().find("accepted"), std::string_view::npos);
  EXPECT_LT(verdict.summary().size(), verdict.tree().size());
}

// What comes next is done with what an accepted verdict attests, never with what stands in the evidence.
TEST(Abi, OnlyAnAcceptedReportGivesSigningAddresses) {
  cloister_report_input in = report_input();
  const VerdictHandle accepted = simulator_verifier().report(in);
  const std::string own = node().address(evidence::SigningAlgo::kEcdsa);
  EXPECT_EQ(accepted.signing_addresses(), std::vector<std::string>{own});
  const std::string native = codec::write_json(service().native_report(test_nonce()));
  in.report = bytes(native);
  in.flags = CLOISTER_REPORT_AS_DOCUMENT;
  const VerdictHandle both = simulator_verifier().report(in);
  EXPECT_EQ(both.signing_addresses().size(), parsed(both)["facts"]["attested_addresses"].size());
  EXPECT_FALSE(both.signing_addresses().empty());
  in = report_input();
  in.nonce = {};
  EXPECT_TRUE(simulator_verifier().report(in).signing_addresses().empty()) << "undetermined";
  VerifierHandle strict;
  strict.set_time(kJudgedAt);
  EXPECT_TRUE(strict.report(report_input()).signing_addresses().empty()) << "rejected";
  EXPECT_EQ(cloister_verdict_signing_address(nullptr, 0), nullptr);
}

TEST(Abi, SimulatedEvidenceHasAMark) {
  EXPECT_TRUE(simulator_verifier().report(report_input()).is_simulated());
  VerifierHandle judge;
  judge.set_time(1750809600);  // 2025-06-25
  const std::string quote = vector_text("tdx/v4_b0c06f_uptodate.bin");
  auto in = input<cloister_quote_input>();
  in.quote = bytes(quote);
  EXPECT_FALSE(judge.quote(in).is_simulated());
  in.quote = {};
  EXPECT_FALSE(judge.quote(in).is_simulated()) << "nothing was judged";
  EXPECT_EQ(cloister_verdict_is_simulated(nullptr), 0);
}

TEST(Abi, AFailedCheckShowsWhatWasExpectedAndWhatWasFound) {
  const ByteArray<32> other{1};
  cloister_report_input in = report_input();
  in.nonce = bytes(other);
  const VerdictHandle verdict = simulator_verifier().report(in);
  EXPECT_EQ(verdict.outcome(), CLOISTER_REJECTED);
  const auto check = verdict.find("report_data.nonce");
  ASSERT_TRUE(check);
  EXPECT_EQ(check->state, CLOISTER_FAILED);
  EXPECT_TRUE(check->required);
  EXPECT_EQ(check->expected, to_hex(other));
  EXPECT_EQ(check->found, to_hex(test_nonce()));
}

TEST(Abi, ChecksThatAreNotThereAreNotPassed) {
  cloister_verdict* verdict = nullptr;
  const cloister_report_input in = report_input();
  cloister_verifier* raw = cloister_verifier_new();
  cloister_verifier_set_time(raw, kJudgedAt);
  EXPECT_EQ(cloister_verify_report(raw, &in, &verdict), CLOISTER_REJECTED) << "the default policy";
  EXPECT_EQ(cloister_verdict_outcome(verdict), CLOISTER_REJECTED);
  const std::size_t count = cloister_verdict_check_count(verdict);
  auto check = input<cloister_check>();
  ASSERT_EQ(cloister_verdict_check(verdict, 0, &check), CLOISTER_OK);
  EXPECT_NE(check.state, CLOISTER_NO_STATE);
  EXPECT_EQ(cloister_verdict_check(verdict, count, &check), CLOISTER_ERROR_NOT_FOUND);
  EXPECT_EQ(check.state, CLOISTER_NO_STATE) << "what stood there before is gone";
  EXPECT_EQ(check.id.data, nullptr);
  EXPECT_EQ(check.struct_size, sizeof check);
  EXPECT_EQ(cloister_verdict_find_check(verdict, "tee.simulator", &check), CLOISTER_OK);
  EXPECT_EQ(check.state, CLOISTER_FAILED);
  EXPECT_EQ(cloister_verdict_find_check(verdict, "tee.simulato", &check), CLOISTER_ERROR_NOT_FOUND);
  EXPECT_EQ(check.state, CLOISTER_NO_STATE);
  EXPECT_EQ(cloister_verdict_find_check(verdict, nullptr, &check), CLOISTER_ERROR_NULL);
  EXPECT_EQ(cloister_verdict_find_check(nullptr, "tee.simulator", &check), CLOISTER_ERROR_NULL);
  EXPECT_EQ(cloister_verdict_check(nullptr, 0, &check), CLOISTER_ERROR_NULL);
  EXPECT_EQ(cloister_verdict_check(verdict, 0, nullptr), CLOISTER_ERROR_NULL);
  EXPECT_EQ(cloister_verdict_find_check(verdict, "tee.simulator", nullptr), CLOISTER_ERROR_NULL);
  cloister_verdict_free(verdict);
  cloister_verifier_free(raw);
}

// Memory that ends at a page which nobody may read: what lies behind a structure of another size is not looked at.
class EndOfMemory {
 public:
  explicit EndOfMemory(std::size_t size) : size_(size) {
    page_ = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    void* mapped = ::mmap(nullptr, 2 * page_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    EXPECT_NE(mapped, MAP_FAILED);
    memory_ = static_cast<unsigned char*>(mapped);
    EXPECT_EQ(::mprotect(memory_ + page_, page_, PROT_NONE), 0);
  }
  ~EndOfMemory() { ::munmap(memory_, 2 * page_); }
  EndOfMemory(const EndOfMemory&) = delete;
  EndOfMemory& operator=(const EndOfMemory&) = delete;
  unsigned char* data() { return memory_ + page_ - size_; }

 private:
  std::size_t size_, page_ = 0;
  unsigned char* memory_ = nullptr;
};

TEST(Abi, NothingIsReadBehindAStructureOfAnotherSize) {
  const VerdictHandle judged = simulator_verifier().report(report_input());
  cloister_verifier* raw = cloister_verifier_new();
  cloister_verifier_set_time(raw, kJudgedAt);
  for (const std::uint32_t size : {0u, 4u, 7u, 8u, 4097u, 65536u, 0x7fffffffu, 0xffffffffu}) {
    cloister_report_input in = report_input();
    in.struct_size = size;
    EndOfMemory memory(size < 8 ? 8 : sizeof in);
    std::memcpy(memory.data(), &in, size < 8 ? 8 : sizeof in);
    EXPECT_EQ(cloister_verify_report(raw, reinterpret_cast<const cloister_report_input*>(memory.data()), nullptr),
              CLOISTER_UNREADABLE)
        << size;
  }
  cloister_verdict* verdict = nullptr;
  const cloister_report_input in = report_input();
  cloister_verify_report(raw, &in, &verdict);
  for (const std::uint32_t size : {0u, 4u, 16u, 4097u, 0xffffffffu}) {
    EndOfMemory memory(sizeof(cloister_check));
    std::memset(memory.data(), 0, sizeof(cloister_check));
    std::memcpy(memory.data(), &size, sizeof size);
    EXPECT_EQ(cloister_verdict_check(verdict, 0, reinterpret_cast<cloister_check*>(memory.data())),
              CLOISTER_ERROR_STRUCT_SIZE)
        << size;
  }
  cloister_verdict_free(verdict);
  cloister_verifier_free(raw);
}

TEST(Abi, ACheckIsWrittenIntoStructuresOfKnownSizesOnly) {
  cloister_verdict* verdict = nullptr;
  const cloister_report_input in = report_input();
  cloister_verifier* raw = cloister_verifier_new();
  cloister_verifier_set_time(raw, kJudgedAt);
  cloister_verify_report(raw, &in, &verdict);
  struct {
    cloister_check check;
    unsigned char later[16];
  } grown;
  std::memset(&grown, 0, sizeof grown);
  for (const std::uint32_t size : {std::uint32_t{0}, std::uint32_t{8},
                                   static_cast<std::uint32_t>(sizeof(cloister_check) - 1), std::uint32_t{1u << 20}}) {
    grown.check.struct_size = size;
    EXPECT_EQ(cloister_verdict_check(verdict, 0, &grown.check), CLOISTER_ERROR_STRUCT_SIZE) << size;
    EXPECT_EQ(grown.check.state, CLOISTER_NO_STATE);
  }
  grown.check.struct_size = sizeof grown;
  EXPECT_EQ(cloister_verdict_check(verdict, 0, &grown.check), CLOISTER_OK);
  EXPECT_NE(grown.check.state, CLOISTER_NO_STATE);
  grown.later[15] = 1;
  EXPECT_EQ(cloister_verdict_check(verdict, 0, &grown.check), CLOISTER_ERROR_STRUCT_SIZE);
  EXPECT_EQ(grown.later[15], 1);
  cloister_verdict_free(verdict);
  cloister_verifier_free(raw);
}

TEST(Abi, NoVerdictIsNoYes) {
  EXPECT_EQ(cloister_verdict_outcome(nullptr), CLOISTER_NO_OUTCOME);
  EXPECT_EQ(cloister_verdict_refusal(nullptr), CLOISTER_ERROR_NULL);
  EXPECT_EQ(cloister_verdict_check_count(nullptr), 0u);
  for (const cloister_text text : {cloister_verdict_error(nullptr), cloister_verdict_json(nullptr),
                                   cloister_verdict_tree(nullptr), cloister_verdict_summary(nullptr)}) {
    EXPECT_STREQ(text.data, "");
    EXPECT_EQ(text.size, 0u);
  }
  cloister_verdict_free(nullptr);
  cloister_verifier_free(nullptr);
}

TEST(Abi, AVerdictOutlivesItsVerifier) {
  auto judge = std::make_unique<VerifierHandle>(simulator_verifier());
  const VerdictHandle verdict = judge->report(report_input());
  judge.reset();
  EXPECT_TRUE(verdict.accepted());
  EXPECT_EQ(parsed(verdict)["verdict"], "accepted");
}

TEST(Abi, ManyThreadsUseOneVerifierAndOneVerdict) {
  const VerifierHandle judge = simulator_verifier();
  const VerdictHandle shared = judge.report(report_input());
  std::atomic<int> accepted = 0;
  std::vector<std::thread> threads;
  std::vector<std::string_view> texts(4);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 5; ++n) accepted += judge.report(report_input()).accepted() ? 1 : 0;
      texts[i] = shared.json();
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(accepted, 20);
  for (const std::string_view text : texts) {
    EXPECT_FALSE(text.empty());
    EXPECT_EQ(text.data(), texts[0].data()) << "written once";
  }
}

TEST(Abi, WhatIsUnreadableSaysSoInEveryForm) {
  cloister_report_input in = report_input();
  in.report = bytes(std::string_view("\x01\x02 no report"));
  const VerdictHandle verdict = simulator_verifier().report(in);
  expect_refused(verdict, CLOISTER_ERROR_MALFORMED);
  EXPECT_EQ(parsed(verdict)["error"], std::string(verdict.error()));
  EXPECT_EQ(verdict.tree(), "unreadable: " + std::string(verdict.error()) + "\n");
  EXPECT_EQ(verdict.summary(), verdict.tree());
  for (const char c : verdict.error()) EXPECT_TRUE(c >= ' ' && c <= '~');
}

// ---- the example in C ----

int run_example(const std::string& report, const std::string& arguments) {
  const std::string command = std::string(CLOISTER_EXAMPLE) + " " + report + " " + arguments + " > /dev/null 2>&1";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Abi, TheExampleInCSaysTheSame) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  const std::string path = (folder / "cloister_abi_test.report.json").string();
  const std::string policy = (folder / "cloister_abi_test.policy.toml").string();
  ASSERT_TRUE(write_file_atomically(path, legacy_report(), 0600).has_value());
  ASSERT_TRUE(write_file_atomically(policy, kAcceptSimulator, 0600).has_value());
  const std::string rest = " " + std::to_string(kJudgedAt) + " " + policy;
  EXPECT_EQ(run_example(path, "- " + to_hex(test_nonce()) + rest), 0);
  EXPECT_EQ(run_example(path, "- " + std::string(64, '1') + rest), 1);
  EXPECT_EQ(run_example(path, "- " + std::string(64, '0') + rest), 2);
  EXPECT_EQ(run_example(path, "- -" + rest), 3);
  EXPECT_EQ(run_example(path, "- zz" + rest), 2);
  EXPECT_EQ(run_example(path, policy + " -" + rest), 2) << "a policy is no collateral";
  EXPECT_EQ(run_example(policy, "- -" + rest), 2) << "a policy is no report";
  EXPECT_EQ(run_example(path + ".none", "- -" + rest), 2);
  for (const char* time : {"-1", "2025-06-25", "1x", "99999999999999999999", "''"}) {
    EXPECT_EQ(run_example(path, std::string("- - ") + time + " " + policy), 2) << time;
  }
  EXPECT_EQ(run_example(path, "- -" + rest + " more"), 2) << "nothing that was asked for is ignored";
  EXPECT_EQ(run_example(path, "- - - /dev/null"), 2) << "a policy that sets nothing";
  EXPECT_EQ(run_example(path, "--tls-key"), 2);
}

TEST(Abi, TheExampleInCJudgesASignatureByTheReport) {
  const std::filesystem::path folder = std::filesystem::temp_directory_path();
  const std::string path = (folder / "cloister_abi_test.signed_report.json").string();
  const std::string policy = (folder / "cloister_abi_test.signed_policy.toml").string();
  const std::string_view request = R"({"model":"m"})", response = R"({"id":"1"})";
  const auto signature = node().sign(evidence::SigningAlgo::kEcdsa, request, response);
  const std::string native = codec::write_json(service().native_report(test_nonce()));
  ASSERT_TRUE(write_file_atomically(policy, kAcceptSimulator, 0600).has_value());
  const auto save = [&folder](const char* name, std::string_view text) {
    const std::string file = (folder / (std::string("cloister_abi_test.") + name)).string();
    EXPECT_TRUE(write_file_atomically(file, text, 0600).has_value());
    return " " + file;
  };
  const std::string files = " --signature" + save("signature", codec::write_json(evidence::to_json(signature))) +
                            save("request", request) + save("response", response) + " ";
  const std::string rest = " - " + to_hex(test_nonce()) + " " + std::to_string(kJudgedAt) + " " + policy;
  ASSERT_TRUE(write_file_atomically(path, legacy_report(), 0600).has_value());
  EXPECT_EQ(run_example(files + path, rest), 0);
  EXPECT_EQ(run_example(files + path, " - - " + std::to_string(kJudgedAt) + " " + policy), 3) << "the report decides";
  save("response", "another");
  EXPECT_EQ(run_example(files + path, rest), 1);
  // A report that binds TLS keys, with a key of the connection, without one, and as a document.
  ASSERT_TRUE(write_file_atomically(path, native, 0600).has_value());
  EXPECT_EQ(run_example(path, rest), 3);
  EXPECT_EQ(run_example("--as-document " + path, rest), 0);
  EXPECT_EQ(run_example("--tls-key " + std::string(64, 'c') + " " + path, rest), 0);
  EXPECT_EQ(run_example("--tls-key " + std::string(64, 'd') + " " + path, rest), 1);
  EXPECT_EQ(run_example("--as-document --tls-key " + std::string(64, 'c') + " " + path, rest), 2);
}

TEST(Abi, TheExampleInCJudgesAGenuineReport) {
  const std::string name = "reports/live/tinfoil_v3_tdx_gpu_20260622";
  const std::string report = vector_path(name + ".json").string();
  const std::string collateral = vector_path(name + ".bundle.json").string();
  const std::string nonce = "a8c5455663ef4951c4a6fef8de2a079934c8e93c67626e7311bf385ba6724c9e", at = "1782172452";
  EXPECT_EQ(run_example(report, collateral + " " + nonce + " " + at), 3);
  EXPECT_EQ(run_example(report, collateral + " " + std::string(64, '1') + " " + at), 1);
}

// ---- the file ----

// Whatever else it shows could clash with the host program's own copies.
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
  EXPECT_EQ(shown, 35);
}

}  // namespace
}  // namespace cloister::testing
