// The library has NVML's interface and serves recorded or simulated devices (fake_driver.h). With CLOISTER_FAKE_OLD it
// is a library from before confidential computing.
#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>

#include "gpu/nvml/nvml_abi.h"
#include "gpu/simulator/device.h"
#include "tests/gpu/fake_driver.h"

namespace {

using namespace cloister;
namespace nvml = gpu::nvml;
using testing::FakeSettings;

struct Global {
  std::mutex mutex;
  int users = 0;       // initialisations without a shutdown
  int generation = 0;  // the generation in the settings at the first initialisation
  std::map<std::string, gpu::Device> simulated;
};
Global& global() {
  static Global instance;
  return instance;
}

// A handle is the device's number + 1.
int number_of(nvml::Device device) { return static_cast<int>(reinterpret_cast<std::uintptr_t>(device)) - 1; }
std::string name_of(nvml::Device device, const char* what) { return "gpu" + std::to_string(number_of(device)) + what; }

// Every call checks this first.
nvml::Return fault(const char* function) {
  if (const int code = FakeSettings().number(function, 0); code != 0) return code;
  std::lock_guard lock(global().mutex);
  return global().users > 0 ? nvml::kSuccess : nvml::kUninitialized;
}
// A call about a device checks this as well: after a reset the devices are lost until the library is initialised again.
nvml::Return device_fault(const char* function) {
  if (const nvml::Return code = fault(function); code != nvml::kSuccess) return code;
  std::lock_guard lock(global().mutex);
  return global().generation == FakeSettings().number("generation", 1) ? nvml::kSuccess : nvml::kGpuIsLost;
}

nvml::Return put_text(const std::string& text, char* out, unsigned size) {
  if (text.size() + 1 > size) return nvml::kInsufficientSize;
  std::memcpy(out, text.c_str(), text.size() + 1);
  return nvml::kSuccess;
}

[[maybe_unused]] const gpu::Device& simulated(nvml::Device device) {
  const std::string seed = testing::fake_driver_file("seed");
  const int number = number_of(device);
  const std::string key = seed + std::to_string(number);
  std::lock_guard lock(global().mutex);
  auto found = global().simulated.find(key);
  if (found == global().simulated.end()) {
    auto issuers = gpu::make_device_issuers(as_bytes(seed));
    found = global().simulated.emplace(key, std::move(*gpu::Device::create(as_bytes(seed), number, *issuers))).first;
  }
  return found->second;
}

template <typename Byte>
[[maybe_unused]] unsigned put_bytes(std::string_view bytes, Byte* out, std::size_t size) {
  std::memcpy(out, bytes.data(), std::min(bytes.size(), size));
  return static_cast<unsigned>(bytes.size());
}

}  // namespace

extern "C" {

#define FAKE_API __attribute__((visibility("default")))

FAKE_API nvml::Return nvmlInit_v2() {
  if (const int code = FakeSettings().number("nvmlInit_v2", 0); code != 0) return code;
  std::lock_guard lock(global().mutex);
  if (global().users++ == 0) global().generation = FakeSettings().number("generation", 1);
  return nvml::kSuccess;
}

FAKE_API nvml::Return nvmlShutdown() {
  std::lock_guard lock(global().mutex);
  --global().users;
  return nvml::kSuccess;
}

FAKE_API nvml::Return nvmlSystemGetDriverVersion(char* out, unsigned size) {
  if (const nvml::Return code = fault("nvmlSystemGetDriverVersion"); code != nvml::kSuccess) return code;
  return put_text(FakeSettings().text("driver", "550.144.03"), out, size);
}

FAKE_API nvml::Return nvmlDeviceGetCount_v2(unsigned* out) {
  if (const nvml::Return code = fault("nvmlDeviceGetCount_v2"); code != nvml::kSuccess) return code;
  *out = static_cast<unsigned>(FakeSettings().number("devices", 1));
  return nvml::kSuccess;
}

FAKE_API nvml::Return nvmlDeviceGetHandleByIndex_v2(unsigned number, nvml::Device* out) {
  if (const nvml::Return code = device_fault("nvmlDeviceGetHandleByIndex_v2"); code != nvml::kSuccess) return code;
  *out = reinterpret_cast<nvml::Device>(static_cast<std::uintptr_t>(number) + 1);
  return nvml::kSuccess;
}

FAKE_API nvml::Return nvmlDeviceGetUUID(nvml::Device device, char* out, unsigned size) {
  if (const nvml::Return code = device_fault("nvmlDeviceGetUUID"); code != nvml::kSuccess) return code;
  return put_text("GPU-" + name_of(device, ""), out, size);
}

FAKE_API nvml::Return nvmlDeviceGetArchitecture(nvml::Device, unsigned* out) {
  if (const nvml::Return code = device_fault("nvmlDeviceGetArchitecture"); code != nvml::kSuccess) return code;
  *out = static_cast<unsigned>(FakeSettings().number("arch", 9));
  return nvml::kSuccess;
}

FAKE_API nvml::Return nvmlDeviceGetVbiosVersion(nvml::Device, char* out, unsigned size) {
  if (const nvml::Return code = device_fault("nvmlDeviceGetVbiosVersion"); code != nvml::kSuccess) return code;
  return put_text("96.00.A5.00.01", out, size);
}

#ifndef CLOISTER_FAKE_OLD

FAKE_API nvml::Return nvmlSystemGetConfComputeState(nvml::ConfComputeState* out) {
  if (const nvml::Return code = fault("nvmlSystemGetConfComputeState"); code != nvml::kSuccess) return code;
  const FakeSettings s;
  *out = {static_cast<unsigned>(s.number("environment", 2)), static_cast<unsigned>(s.number("feature", 1)),
          static_cast<unsigned>(s.number("developer_tools", 0))};
  return nvml::kSuccess;
}

FAKE_API nvml::Return nvmlSystemGetConfComputeSettings(nvml::ConfComputeSettings* out) {
  if (const nvml::Return code = fault("nvmlSystemGetConfComputeSettings"); code != nvml::kSuccess) return code;
  if (out->version != 0x01000014) return nvml::kArgumentVersionMismatch;
  const FakeSettings s;
  *out = {out->version, static_cast<unsigned>(s.number("environment", 2)),
          static_cast<unsigned>(s.number("feature", 1)), static_cast<unsigned>(s.number("developer_tools", 0)),
          static_cast<unsigned>(s.number("multi_gpu", 0))};
  return nvml::kSuccess;
}

FAKE_API nvml::Return nvmlSystemGetConfComputeGpusReadyState(unsigned* out) {
  if (const nvml::Return code = fault("nvmlSystemGetConfComputeGpusReadyState"); code != nvml::kSuccess) return code;
  *out = static_cast<unsigned>(FakeSettings().number("ready", 1));
  return nvml::kSuccess;
}

FAKE_API nvml::Return nvmlDeviceGetConfComputeGpuCertificate(nvml::Device device, nvml::GpuCertificate* out) {
  if (const nvml::Return code = device_fault("nvmlDeviceGetConfComputeGpuCertificate"); code != nvml::kSuccess)
    return code;
  const std::string recorded = testing::fake_driver_file(name_of(device, ".chain"));
  const std::string& chain = recorded.empty() ? simulated(device).certificate_chain_pem() : recorded;
  out->attestation_chain_size = put_bytes(chain, out->attestation_chain, sizeof out->attestation_chain);
  return nvml::kSuccess;
}

FAKE_API nvml::Return nvmlDeviceGetConfComputeGpuAttestationReport(nvml::Device device, nvml::AttestationReport* out) {
  testing::wait_while_held();
  const char* name = "nvmlDeviceGetConfComputeGpuAttestationReport";
  if (const nvml::Return code = device_fault(name); code != nvml::kSuccess) return code;
  const FakeSettings settings;
  const std::string recorded = testing::fake_driver_file(name_of(device, ".report"));
  if (recorded.empty()) {
    ByteArray<32> nonce;
    std::ranges::copy(out->nonce, nonce.begin());
    if (settings.number("other_nonce", 0) != 0) nonce[0] ^= 1;
    out->report_size = put_bytes(as_text(simulated(device).report(nonce)), out->report, sizeof out->report);
  } else {
    out->report_size = put_bytes(recorded, out->report, sizeof out->report);
  }
  out->report_size = static_cast<unsigned>(settings.number("report_size", static_cast<int>(out->report_size)));
  return nvml::kSuccess;
}

#endif

}  // extern "C"
