#include "gpu/simulator/simulator.h"

#include <mutex>
#include <utility>

#include "evidence/simulator_roots.h"
#include "gpu/simulator/device.h"

namespace cloister::gpu {
namespace {

class Simulator final : public GpuEvidenceSource {
 public:
  explicit Simulator(std::vector<Device> devices) : devices_(std::move(devices)) {}

  std::string_view type() const override { return evidence::kSimulatorName; }

  // One caller at a time, as on hardware.
  Result<std::vector<evidence::GpuEvidence>> collect(const ByteArray<32>& nonce) override {
    const std::lock_guard lock(mutex_);
    std::vector<evidence::GpuEvidence> out;
    for (const Device& device : devices_) {
      out.push_back({"HOPPER", device.report(nonce), device.certificate_chain_pem()});
    }
    return out;
  }

  Result<GpuStatus> status() override {
    GpuStatus out{.driver_version = "550.144.03",
                  .confidential = true,
                  .ready = true,
                  .developer_tools = false,
                  .production = true};
    for (std::size_t i = 0; i < devices_.size(); ++i) {
      out.devices.push_back({"GPU-insecure-simulator-" + std::to_string(i), "HOPPER", "96.00.A5.00.01"});
    }
    return out;
  }

 private:
  std::mutex mutex_;
  const std::vector<Device> devices_;
};

}  // namespace

Result<std::unique_ptr<GpuEvidenceSource>> make_insecure_simulator(SimulatorOptions options) {
  if (options.seed.size() != 32) {
    return fail(ErrorCode::kGpuFailed,
                "the simulator's seed must be 32 bytes, not " + std::to_string(options.seed.size()));
  }
  if (options.device_count < 1 || options.device_count > 8) {
    return fail(ErrorCode::kGpuFailed, "the simulator has 1 to 8 GPUs, not " + std::to_string(options.device_count));
  }
  TRY(issuers, make_device_issuers(options.seed.expose()));
  std::vector<Device> devices;
  for (int i = 0; i < options.device_count; ++i) {
    TRY(device, Device::create(options.seed.expose(), i, issuers));
    devices.push_back(std::move(device));
  }
  return std::unique_ptr<GpuEvidenceSource>(std::make_unique<Simulator>(std::move(devices)));
}

}  // namespace cloister::gpu
