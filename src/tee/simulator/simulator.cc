#include "tee/simulator/simulator.h"

#include <mutex>
#include <utility>

#include "crypto/hash.h"
#include "evidence/simulator_roots.h"
#include "tee/runtime_event.h"
#include "tee/simulator/guest.h"
#include "tee/simulator/platform.h"

namespace cloister::tee {
namespace {

constexpr std::size_t kMostEvents = 1024;  // much fewer than a log reader accepts
constexpr std::string_view kDeriveSalt = "cloister.insecure_simulator.derive_key.v1";

// Only the guest changes, by extend_event and measure.
class Simulator final : public SimulatedMachine {
 public:
  Simulator(SecretBytes seed, Platform platform, Guest guest)
      : seed_(std::move(seed)), platform_(std::move(platform)), guest_(std::move(guest)) {}

  std::string_view type() const override { return evidence::kSimulatorName; }

  Result<Bytes> quote(const evidence::ReportData& report_data) override {
    codec::TdReport report;
    {
      const std::lock_guard lock(mutex_);
      report = guest_.report;
    }
    report.report_data = report_data;
    return platform_.quote(report);
  }

  Result<std::vector<evidence::Event>> event_log() override {
    const std::lock_guard lock(mutex_);
    return guest_.events;
  }

  Result<TeeInfo> info() override {
    const std::lock_guard lock(mutex_);
    return guest_.info;
  }

  Result<void> extend_event(std::string_view name, ByteView payload) override {
    TRY_VOID(check_event(name, payload));
    return measure(evidence::runtime_event(name, payload));
  }

  Result<void> measure(evidence::Event event) override {
    const std::lock_guard lock(mutex_);
    if (guest_.events.size() >= kMostEvents) return fail(ErrorCode::kTeeFailed, "the simulator's event log is full");
    extend_guest(guest_, std::move(event));
    return {};
  }

  Result<SecretBytes> derive_key(std::string_view label) override {
    return crypto::hkdf_sha256(seed_.expose(), as_bytes(kDeriveSalt), label, 32);
  }

 private:
  const SecretBytes seed_;
  const Platform platform_;
  std::mutex mutex_;
  Guest guest_;  // guarded by mutex_
};

}  // namespace

Result<std::unique_ptr<SimulatedMachine>> make_simulated_machine(SimulatorOptions options) {
  if (options.seed.size() != 32) {
    return fail(ErrorCode::kTeeFailed,
                "the simulator's seed must be 32 bytes, not " + std::to_string(options.seed.size()));
  }
  TRY(platform, Platform::create(options.seed.expose()));
  TRY(guest, make_guest(options.seed.expose(), options.app_name));
  if (options.mr_config_id) guest.report.mr_config_id = *options.mr_config_id;
  return std::unique_ptr<SimulatedMachine>(
      std::make_unique<Simulator>(std::move(options.seed), std::move(platform), std::move(guest)));
}

Result<std::unique_ptr<Tee>> make_insecure_simulator(SimulatorOptions options) {
  TRY(machine, make_simulated_machine(std::move(options)));
  return std::unique_ptr<Tee>(std::move(machine));
}

}  // namespace cloister::tee
