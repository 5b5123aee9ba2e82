#include "gpu/nvml/nvml_source.h"

#include <utility>

#include "gpu/device_thread.h"
#include "gpu/nvml/nscq_session.h"
#include "gpu/nvml/nvml_session.h"

namespace cloister::gpu {
namespace {

// Belongs to the device's thread, and stays with it when that thread hangs.
class Driver {
 public:
  explicit Driver(NvmlOptions options) : options_(std::move(options)) {}

  Result<GpuStatus> status() {
    return with_session([](const NvmlSession& session) { return session.status(); });
  }

  Result<std::vector<evidence::GpuEvidence>> collect(const ByteArray<32>& nonce) {
    using Devices = std::vector<evidence::GpuEvidence>;
    return with_session([&](const NvmlSession& session) -> Result<Devices> {
      TRY(status, session.status());
      // This names the reason; the driver itself would only say that something is not supported.
      if (!status.confidential.value_or(true)) {
        return fail(ErrorCode::kGpuFailed, "the GPUs are not in confidential-computing mode, so they give no evidence");
      }
      TRY(devices, session.collect(nonce));
      if (!status.protected_pcie) return devices;
      TRY(switches, collect_switches(options_.switch_library, nonce));
      for (evidence::GpuEvidence& each : switches) devices.push_back(std::move(each));
      return devices;
    });
  }

 private:
  template <typename Work>
  auto with_session(Work work) -> decltype(work(std::declval<const NvmlSession&>())) {
    if (!session_) {
      TRY(opened, NvmlSession::open(options_.library));
      session_ = std::move(opened);
    }
    auto result = work(*session_);
    if (!result) session_.reset();
    return result;
  }

  const NvmlOptions options_;
  std::unique_ptr<NvmlSession> session_;
};

class NvmlSource final : public GpuEvidenceSource {
 public:
  explicit NvmlSource(NvmlOptions options)
      : driver_(std::make_shared<Driver>(options)), thread_("the GPU driver", options.queue_limit, options.deadline) {}

  std::string_view type() const override { return "nvml"; }

  Result<std::vector<evidence::GpuEvidence>> collect(const ByteArray<32>& nonce) override {
    return thread_.call<std::vector<evidence::GpuEvidence>>(
        [driver = driver_, nonce] { return driver->collect(nonce); });
  }

  Result<GpuStatus> status() override {
    return thread_.call<GpuStatus>([driver = driver_] { return driver->status(); });
  }

 private:
  const std::shared_ptr<Driver> driver_;
  DeviceThread thread_;
};

}  // namespace

Result<std::unique_ptr<GpuEvidenceSource>> make_nvml_source(NvmlOptions options) {
  auto source = std::make_unique<NvmlSource>(std::move(options));
  TRY(status, source->status());
  static_cast<void>(status);
  return std::unique_ptr<GpuEvidenceSource>(std::move(source));
}

}  // namespace cloister::gpu
