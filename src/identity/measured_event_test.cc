#include "identity/measured_event.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "base/result_testing.h"
#include "evidence/event_log.h"
#include "evidence/measured_events.h"
#include "tee/simulator/simulator.h"

namespace cloister::identity {
namespace {

ByteArray<32> digest_of(std::uint8_t mark) {
  ByteArray<32> digest;
  digest.fill(mark);
  return digest;
}

// A TEE that keeps a log and fails as it is told.
class LoggingTee final : public tee::Tee {
 public:
  std::string_view type() const override { return "tdx"; }
  Result<Bytes> quote(const evidence::ReportData&) override { return fail(ErrorCode::kTeeFailed, "no quote here"); }
  Result<std::vector<evidence::Event>> event_log() override {
    if (log_error) return *log_error;
    return events;
  }
  Result<tee::TeeInfo> info() override { return tee::TeeInfo{}; }
  Result<SecretBytes> derive_key(std::string_view) override { return fail(ErrorCode::kUnsupported, "no keys here"); }
  Result<void> extend_event(std::string_view name, ByteView payload) override {
    ++extensions;
    if (extend_error) return *extend_error;
    events.push_back(evidence::runtime_event(name, payload));
    return {};
  }

  std::vector<evidence::Event> events;
  std::optional<Error> log_error, extend_error;
  int extensions = 0;
};

TEST(MeasuredEvent, IsInTheLogWithItsDigest) {
  LoggingTee tee;
  ASSERT_TRUE(measure_event(tee, evidence::kModelEvent, digest_of(1)));
  ASSERT_EQ(tee.events.size(), 1u);
  EXPECT_EQ(tee.events[0].name, "cloister-model");
  EXPECT_EQ(tee.events[0].payload, Bytes(32, 1));
}

TEST(MeasuredEvent, IsNotRepeatedAfterARestartWithTheSame) {
  LoggingTee tee;
  ASSERT_TRUE(measure_event(tee, evidence::kModelEvent, digest_of(1)));
  ASSERT_TRUE(measure_event(tee, evidence::kPolicyEvent, digest_of(2)));
  ASSERT_TRUE(measure_event(tee, evidence::kModelEvent, digest_of(1)));
  ASSERT_TRUE(measure_event(tee, evidence::kPolicyEvent, digest_of(2)));
  EXPECT_EQ(tee.extensions, 2);
}

// The last event is the one in force, so going back to an earlier one has to be measured again.
TEST(MeasuredEvent, IsSaidAgainAfterAnother) {
  LoggingTee tee;
  for (const std::uint8_t mark : Bytes{1, 2, 1})
    ASSERT_TRUE(measure_event(tee, evidence::kModelEvent, digest_of(mark)));
  ASSERT_EQ(tee.events.size(), 3u);
  EXPECT_EQ(tee.events.back().payload, Bytes(32, 1));
}

TEST(MeasuredEvent, AnEntryThatOnlyLooksLikeItDoesNotCount) {
  LoggingTee tee;
  evidence::Event forged = evidence::runtime_event(evidence::kModelEvent, digest_of(1));
  forged.digest[0] ^= 1;
  evidence::Event of_the_boot = evidence::runtime_event(evidence::kModelEvent, digest_of(1));
  of_the_boot.imr = 2;
  tee.events = {forged, of_the_boot};
  ASSERT_TRUE(measure_event(tee, evidence::kModelEvent, digest_of(1)));
  EXPECT_EQ(tee.extensions, 1);
}

TEST(MeasuredEvent, NothingIsDoneThatOnlyAnEventWouldShow) {
  LoggingTee tee;
  tee.extend_error = fail(ErrorCode::kUnsupported, "no register");
  EXPECT_REFUSED(measure_event(tee, evidence::kGpuLibraryEvent, ByteArray<32>{7}, Unmeasured::kRefused),
                 "the event cloister-gpu-library cannot be measured: no register");
}

TEST(MeasuredEvent, ATeeThatCannotMeasureIsNoError) {
  LoggingTee tee;
  tee.extend_error = fail(ErrorCode::kUnsupported, "no register");
  EXPECT_TRUE(measure_event(tee, evidence::kModelEvent, digest_of(1)));
  tee.log_error = fail(ErrorCode::kUnsupported, "no log");
  EXPECT_TRUE(measure_event(tee, evidence::kModelEvent, digest_of(1)));
  EXPECT_EQ(tee.extensions, 2);
}

TEST(MeasuredEvent, AnyOtherErrorIs) {
  LoggingTee tee;
  tee.extend_error = fail(ErrorCode::kTeeFailed, "the register has another value");
  const Result<void> failed = measure_event(tee, evidence::kModelEvent, digest_of(1));
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kTeeFailed);
  EXPECT_NE(failed.error().message.find("cloister-model"), std::string::npos);
  tee.log_error = fail(ErrorCode::kTeeFailed, "the agent does not answer");
  EXPECT_REFUSED(measure_event(tee, evidence::kModelEvent, digest_of(1)),
                 "the event cloister-model cannot be measured: the agent does not answer");
  EXPECT_EQ(tee.extensions, 1) << "with an unknown log nothing is extended";
}

TEST(MeasuredEvent, TheSimulatedTeeMeasuresAsWell) {
  tee::SimulatorOptions options;
  options.seed = SecretBytes(Bytes(32, 1));
  const auto tee = tee::make_insecure_simulator(std::move(options));
  ASSERT_TRUE(tee);
  const std::size_t before = (*tee)->event_log()->size();
  ASSERT_TRUE(measure_event(**tee, evidence::kModelEvent, digest_of(7)));
  ASSERT_TRUE(measure_event(**tee, evidence::kModelEvent, digest_of(7)));
  const auto events = (*tee)->event_log();
  ASSERT_TRUE(events);
  ASSERT_EQ(events->size(), before + 1);
  EXPECT_EQ(events->back().payload, Bytes(32, 7));
}

}  // namespace
}  // namespace cloister::identity
