#include "tee/tsm/tsm.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/encoding.h"
#include "base/testing/vectors.h"
#include "codec/ccel.h"
#include "codec/tdx_quote.h"
#include "tee/testing/fake_tsm_test_util.h"
#include "tee/testing/tee_test_util.h"
#include "tee/tsm/tsm_report.h"

namespace cloister::tee {
namespace {

namespace fs = std::filesystem;
using testing::FakeTsm;
using testing::FakeTsmBehaviour;
using testing::report_data;

class TsmTest : public testing::FolderTest {
 protected:
  fs::path root() const { return folder_ / "report"; }

  // A machine whose TDX module is the simulator.
  FakeTsmBehaviour simulated() {
    FakeTsmBehaviour behaviour;
    behaviour.quote = [this](const evidence::ReportData& data) { return *simulator_->quote(data); };
    return behaviour;
  }

  TsmOptions options() const {
    TsmOptions options;
    options.root = root();
    options.timeout_s = 20;
    options.log.ccel_data = folder_ / "CCEL";
    options.log.runtime.register_file = folder_ / "rtmr3:sha384";
    options.log.runtime.log_folder = folder_ / "run";
    options.log.runtime.boot_id_file = folder_ / "boot_id";
    return options;
  }

  void SetUp() override {
    FolderTest::SetUp();
    ASSERT_TRUE(write_file_atomically(folder_ / "boot_id", "5f0e\n", 0600));
  }

  std::unique_ptr<Tee> simulator_ = testing::make_simulator();
};

TEST_F(TsmTest, TakesAQuoteForTheReportDataAskedFor) {
  const FakeTsm kernel(root(), simulated());
  const auto tee = make_tsm(options());
  ASSERT_TRUE(tee) << tee.error().message;
  EXPECT_EQ((*tee)->type(), "insecure_simulator");
  EXPECT_EQ((*tee)->info()->info["provider"], "tdx_guest");
  const auto quote = (*tee)->quote(report_data(9));
  ASSERT_TRUE(quote) << quote.error().message;
  EXPECT_EQ(codec::parse_tdx_quote(*quote)->report.report_data, report_data(9));
  EXPECT_EQ(kernel.reports, 2);
}

TEST_F(TsmTest, ConcurrentReportsHaveEntriesOfTheirOwn) {
  const FakeTsm kernel(root(), simulated());
  const auto tee = make_tsm(options());
  ASSERT_TRUE(tee) << tee.error().message;
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (std::uint8_t t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const auto quote = (*tee)->quote(report_data(t));
      right += quote && codec::parse_tdx_quote(*quote)->report.report_data == report_data(t);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 8);
}

TEST_F(TsmTest, AnotherWriterIsNoticed) {
  FakeTsmBehaviour behaviour = simulated();
  behaviour.other_writes = 1;
  const FakeTsm kernel(root(), behaviour);
  const auto report = take_tsm_report(root(), report_data(1), 20);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kTeeFailed);
  EXPECT_NE(report.error().message.find("somebody else wrote"), std::string::npos) << report.error().message;
}

TEST_F(TsmTest, AStaleGenerationIsNoticed) {
  FakeTsmBehaviour behaviour = simulated();
  behaviour.other_writes = -1;  // the counter has not moved
  const FakeTsm kernel(root(), behaviour);
  const auto report = take_tsm_report(root(), report_data(1), 20);
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("expected 1, found 0: the kernel did not take our write"), std::string::npos)
      << report.error().message;
}

TEST_F(TsmTest, AnotherMachinesQuoteIsRefused) {
  FakeTsmBehaviour behaviour = simulated();
  behaviour.quote = [this](const evidence::ReportData&) { return *simulator_->quote(report_data(66)); };
  const FakeTsm kernel(root(), behaviour);
  const auto tee = make_tsm(options());
  ASSERT_FALSE(tee);
  EXPECT_NE(tee.error().message.find("another quote than the one asked for"), std::string::npos) << tee.error().message;
}

TEST_F(TsmTest, GarbageAndNothingAreRefused) {
  for (const Bytes& answer : {Bytes{}, Bytes(5000, 0x41)}) {
    FakeTsmBehaviour behaviour;
    behaviour.quote = [&](const evidence::ReportData&) { return answer; };
    const fs::path here = folder_ / std::to_string(answer.size());
    const FakeTsm kernel(here, behaviour);
    TsmOptions these = options();
    these.root = here;
    const auto tee = make_tsm(these);
    ASSERT_FALSE(tee);
    EXPECT_EQ(tee.error().code, ErrorCode::kTeeFailed);
  }
}

TEST_F(TsmTest, AFailedQuoteServiceIsAnErrorThatNamesTheFile) {
  FakeTsmBehaviour behaviour;
  behaviour.broken_service = true;
  const FakeTsm kernel(root(), behaviour);
  const auto report = take_tsm_report(root(), report_data(1), 20);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kTeeFailed);
  EXPECT_NE(report.error().message.find("outblob: Input/output error"), std::string::npos) << report.error().message;
}

TEST_F(TsmTest, ABusyQuoteServiceIsWaitedForAndNotForEver) {
  FakeTsmBehaviour behaviour;
  behaviour.silent = true;
  const FakeTsm kernel(root(), behaviour);
  const auto report = take_tsm_report(root(), report_data(1), 1);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::kTimeout) << report.error().message;
}

TEST_F(TsmTest, WithoutAProviderTheEntryIsRemovedAgain) {
  FakeTsmBehaviour behaviour;
  behaviour.without_attributes = true;
  const FakeTsm kernel(root(), behaviour);
  EXPECT_EQ(tsm_provider(root(), 1).error().code, ErrorCode::kTimeout);
  EXPECT_TRUE(fs::is_empty(root()));
}

TEST_F(TsmTest, NoFolderIsNoTee) {
  EXPECT_EQ(tsm_provider(root(), 1).error().code, ErrorCode::kNoTee);
  EXPECT_EQ(make_tsm(options()).error().code, ErrorCode::kNoTee);
}

TEST_F(TsmTest, AnUnknownProviderIsNoTee) {
  FakeTsmBehaviour behaviour = simulated();
  behaviour.provider = "arm_cca_guest\n";
  const FakeTsm kernel(root(), behaviour);
  EXPECT_EQ(tsm_provider(root(), 5).error().code, ErrorCode::kNoTee);
}

TEST_F(TsmTest, EvidenceThatTurnsRealUnderARunningNodeIsRefused) {
  int calls = 0;
  FakeTsmBehaviour behaviour = simulated();
  // The same quote without the simulator's root in its chain: it is no longer simulated, and belongs to no vendor.
  behaviour.quote = [&](const evidence::ReportData& data) {
    Bytes quote = *simulator_->quote(data);
    if (++calls == 1) return quote;
    const std::string_view mark = "-----BEGIN CERTIFICATE-----";
    const std::size_t last = as_text(quote).rfind(mark);
    for (std::size_t i = 0; i < mark.size(); ++i) quote[last + i] = ' ';
    return quote;
  };
  const FakeTsm kernel(root(), behaviour);
  const auto tee = make_tsm(options());
  ASSERT_TRUE(tee) << tee.error().message;
  const auto second = (*tee)->quote(report_data(2));
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("a TDX quote although it began with a simulated quote"), std::string::npos)
      << second.error().message;
}

TEST_F(TsmTest, HasNoKeysOfItsOwn) {
  const FakeTsm kernel(root(), simulated());
  const auto tee = make_tsm(options());
  ASSERT_TRUE(tee) << tee.error().message;
  EXPECT_EQ((*tee)->derive_key("x").error().code, ErrorCode::kUnsupported);
  EXPECT_EQ((*tee)->key_custody("x", "y").error().code, ErrorCode::kUnsupported);
  // This TEE has no registers.
  EXPECT_EQ((*tee)->extend_event("model", {}).error().code, ErrorCode::kUnsupported);
}

TEST_F(TsmTest, TheBootLogIsTheTableOfTheFirmware) {
  const FakeTsm kernel(root(), simulated());
  const auto tee = make_tsm(options());
  ASSERT_TRUE(tee) << tee.error().message;
  EXPECT_TRUE((*tee)->event_log()->empty());
  EXPECT_FALSE((*tee)->info()->ccel);
  const std::vector<codec::CcelEvent> table = {{0, 1, ByteArray<48>{1}, Bytes{1, 2}}, {3, 13, ByteArray<48>{2}, {}}};
  ASSERT_TRUE(write_file_atomically(folder_ / "CCEL", as_text(codec::write_ccel(table)), 0600));
  const auto events = (*tee)->event_log();
  ASSERT_TRUE(events) << events.error().message;
  ASSERT_EQ(events->size(), 2u);
  EXPECT_EQ((*events)[0].digest, ByteArray<48>{1});
  EXPECT_TRUE((*events)[0].payload.empty());
  EXPECT_EQ((*events)[1].imr, 3);
  EXPECT_EQ((*tee)->info()->ccel, codec::write_ccel(table));
  ASSERT_TRUE(write_file_atomically(folder_ / "CCEL", "no table", 0600));
  EXPECT_FALSE((*tee)->event_log());
}

TEST_F(TsmTest, AnSnpGuestGivesItsReportAndTheHostsCertificates) {
  const Bytes recorded = ::cloister::testing::vector_bytes("snp/milan_report_go.bin");
  FakeTsmBehaviour behaviour;
  behaviour.provider = "sev_guest\n";
  behaviour.auxblob = Bytes{1, 2, 3};
  // The recorded report as if asked for again: only the report data differs.
  behaviour.quote = [&](const evidence::ReportData& data) {
    Bytes report = recorded;
    std::copy(data.begin(), data.end(), report.begin() + 0x50);
    return report;
  };
  const FakeTsm kernel(root(), behaviour);
  const auto tee = make_tsm(options());
  ASSERT_TRUE(tee) << tee.error().message;
  EXPECT_EQ((*tee)->type(), "sev_snp");
  EXPECT_EQ((*tee)->quote(report_data(3))->size(), recorded.size());
  EXPECT_EQ((*tee)->info()->info["snp_certificate_table"], "AQID");
  EXPECT_TRUE((*tee)->event_log()->empty());
  EXPECT_EQ((*tee)->extend_event("model", {}).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace cloister::tee
