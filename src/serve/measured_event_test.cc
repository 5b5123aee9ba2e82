#include "serve/measured_event.h"

#include <gtest/gtest.h>

#include "tee/simulator/simulator.h"

namespace cloister::serve {
namespace {

std::unique_ptr<tee::Tee> simulator() {
  tee::SimulatorOptions options;
  options.seed = SecretBytes(Bytes(32, 3));
  return std::move(*tee::make_insecure_simulator(std::move(options)));
}

TEST(MeasuredEvent, IsExtendedOnceForEachChange) {
  const auto tee = simulator();
  const std::size_t before = tee->event_log()->size();
  const ByteArray<32> first{1}, second{2};
  ASSERT_TRUE(measure_event(*tee, "test-event", first));
  ASSERT_TRUE(measure_event(*tee, "test-event", first));
  ASSERT_TRUE(measure_event(*tee, "other-event", first));
  ASSERT_TRUE(measure_event(*tee, "test-event", second));
  // Back again is a change, too: the last event is what counts.
  ASSERT_TRUE(measure_event(*tee, "test-event", first));
  const auto events = *tee->event_log();
  ASSERT_EQ(events.size(), before + 4);
  EXPECT_EQ(events[before].name, "test-event");
  EXPECT_TRUE(equal(events[before].payload, first));
  EXPECT_EQ(events[before + 1].name, "other-event");
  EXPECT_TRUE(equal(events[before + 2].payload, second));
  EXPECT_TRUE(equal(events[before + 3].payload, first));
}

// A TEE whose register answers with this.
class NoRegister : public tee::Tee {
 public:
  explicit NoRegister(ErrorCode code) : code_(code) {}
  std::string_view type() const override { return inner_->type(); }
  Result<Bytes> quote(const evidence::ReportData& data) override { return inner_->quote(data); }
  Result<std::vector<evidence::Event>> event_log() override { return inner_->event_log(); }
  Result<tee::TeeInfo> info() override { return inner_->info(); }
  Result<SecretBytes> derive_key(std::string_view label) override { return inner_->derive_key(label); }
  Result<void> extend_event(std::string_view, ByteView) override { return fail(code_, "no register"); }

 private:
  ErrorCode code_;
  std::unique_ptr<tee::Tee> inner_ = simulator();
};

TEST(MeasuredEvent, ATeeWithoutARegisterIsNoErrorAndOneThatFailsIs) {
  NoRegister none(ErrorCode::kUnsupported);
  EXPECT_TRUE(measure_event(none, "test-event", {}));
  NoRegister broken(ErrorCode::kTeeFailed);
  const auto measured = measure_event(broken, "test-event", {});
  ASSERT_FALSE(measured);
  EXPECT_EQ(measured.error().code, ErrorCode::kTeeFailed);
}

}  // namespace
}  // namespace cloister::serve
