#include "tee/simulator/simulator.h"

#include <utility>

#include "crypto/hash.h"
#include "evidence/simulator_roots.h"
#include "tee/simulator/guest.h"
#include "tee/simulator/platform.h"

namespace cloister::tee {
namespace {

constexpr std::string_view kDeriveSalt = "cloister.insecure_simulator.derive_key.v1";

// Immutable after construction: no lock anywhere.
class Simulator final : public Tee {
 public:
  Simulator(SecretBytes seed, Platform platform, Guest guest)
      : seed_(std::move(seed)), platform_(std::move(platform)), guest_(std::move(guest)) {}

  std::string_view type() const override { return evidence::kSimulatorName; }

  Result<Bytes> quote(const evidence::ReportData& report_data) override {
    codec::TdReport report = guest_.report;
    report.report_data = report_data;
    return platform_.quote(report);
  }

  Result<std::vector<evidence::Event>> event_log() override { return guest_.events; }
  Result<TeeInfo> info() override { return guest_.info; }

  Result<SecretBytes> derive_key(std::string_view label) override {
    return crypto::hkdf_sha256(seed_.expose(), as_bytes(kDeriveSalt), label, 32);
  }

 private:
  const SecretBytes seed_;
  const Platform platform_;
  const Guest guest_;
};

}  // namespace

Result<std::unique_ptr<Tee>> make_insecure_simulator(SimulatorOptions options) {
  if (options.seed.size() != 32) {
    return fail(ErrorCode::kTeeFailed,
                "the simulator's seed must be 32 bytes, not " + std::to_string(options.seed.size()));
  }
  TRY(platform, Platform::create(options.seed.expose()));
  TRY(guest, make_guest(options.seed.expose(), options.app_name));
  return std::unique_ptr<Tee>(
      std::make_unique<Simulator>(std::move(options.seed), std::move(platform), std::move(guest)));
}

}  // namespace cloister::tee
