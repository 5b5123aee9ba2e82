#include "gpu/nvml/nvml_session.h"

#include <algorithm>
#include <array>

namespace cloister::gpu {
namespace {

constexpr unsigned kMostDevices = 64;

std::string_view reason(nvml::Return code) {
  switch (code) {
    case nvml::kUninitialized: return "not initialised";
    case nvml::kInvalidArgument: return "invalid argument";
    case nvml::kNotSupported: return "not supported by this GPU or its mode";
    case nvml::kNoPermission: return "no permission";
    case nvml::kNotFound: return "not found";
    case nvml::kInsufficientSize: return "the buffer is too small";
    case nvml::kDriverNotLoaded: return "the NVIDIA driver is not loaded";
    case nvml::kTimeout: return "the driver timed out";
    case nvml::kFunctionNotFound: return "the driver has no such function";
    case nvml::kGpuIsLost: return "the GPU is lost: it fell off the bus or cannot be reached";
    case nvml::kResetRequired: return "the GPU has to be reset before it can be used";
    case nvml::kVersionMismatch: return "driver and library are of different versions";
    case nvml::kInUse: return "in use";
    case nvml::kMemory: return "out of memory";
    case nvml::kArgumentVersionMismatch: return "the driver takes another version of the argument";
    case nvml::kNotReady: return "not ready";
    case nvml::kGpuNotFound: return "no GPU was found";
    case nvml::kInvalidState: return "not in a state for that";
    default: return "unknown error";
  }
}

Result<void> checked(const char* call, nvml::Return code, ErrorCode as = ErrorCode::kGpuFailed) {
  if (code == nvml::kSuccess) return {};
  return fail(as, std::string(call) + ": " + std::string(reason(code)) + " (" + std::to_string(code) + ")");
}

// The driver's text up to its NUL, without characters that could disturb a log or a terminal.
template <std::size_t N>
std::string printable(const std::array<char, N>& text) {
  std::string out(text.begin(), std::ranges::find(text, '\0'));
  std::ranges::replace_if(
      out, [](char c) { return c < ' ' || c > '~'; }, '?');
  return out;
}

// Verifiers know the names "HOPPER" and "BLACKWELL"; other architectures are numbered, and no verifier accepts them.
std::string arch_name(unsigned arch) {
  if (arch == nvml::kArchHopper) return "HOPPER";
  if (arch == nvml::kArchBlackwell) return "BLACKWELL";
  return arch == nvml::kArchUnknown ? "UNKNOWN" : "ARCH_" + std::to_string(arch);
}

Error too_old(const char* call) {
  return fail(ErrorCode::kNoGpu,
              std::string("the driver's library has no ") + call + ": it is older than confidential computing on GPUs");
}

// The size that the driver states, limited to the buffer's size.
Result<ByteView> filled(const char* what, const unsigned char* bytes, unsigned size, std::size_t most) {
  if (size == 0 || size > most) {
    return fail(ErrorCode::kGpuFailed, std::string("the driver gave ") + what + " of " + std::to_string(size) +
                                           " bytes, expected 1 to " + std::to_string(most));
  }
  return ByteView(bytes, size);
}

}  // namespace

Result<std::unique_ptr<NvmlSession>> NvmlSession::open(const std::string& path) {
  TRY(library, SharedLibrary::open(path));
  nvml::Functions f{};
  TRY_VOID(library.bind("nvmlInit_v2", f.init));
  TRY_VOID(library.bind("nvmlShutdown", f.shutdown));
  TRY_VOID(library.bind("nvmlSystemGetDriverVersion", f.driver_version));
  TRY_VOID(library.bind("nvmlDeviceGetCount_v2", f.device_count));
  TRY_VOID(library.bind("nvmlDeviceGetHandleByIndex_v2", f.device_by_index));
  TRY_VOID(library.bind("nvmlDeviceGetUUID", f.device_uuid));
  TRY_VOID(library.bind("nvmlDeviceGetArchitecture", f.device_architecture));
  TRY_VOID(library.bind("nvmlDeviceGetVbiosVersion", f.device_vbios));
  f.state = library.find<nvml::Return(nvml::ConfComputeState*)>("nvmlSystemGetConfComputeState");
  f.settings = library.find<nvml::Return(nvml::ConfComputeSettings*)>("nvmlSystemGetConfComputeSettings");
  f.ready_state = library.find<nvml::Return(unsigned*)>("nvmlSystemGetConfComputeGpusReadyState");
  f.certificate =
      library.find<nvml::Return(nvml::Device, nvml::GpuCertificate*)>("nvmlDeviceGetConfComputeGpuCertificate");
  f.report = library.find<nvml::Return(nvml::Device, nvml::AttestationReport*)>(
      "nvmlDeviceGetConfComputeGpuAttestationReport");
  TRY_VOID(checked("nvmlInit_v2", f.init(), ErrorCode::kNoGpu));
  return std::unique_ptr<NvmlSession>(new NvmlSession(std::move(library), f));
}

NvmlSession::~NvmlSession() { nvml_.shutdown(); }

Result<std::vector<nvml::Device>> NvmlSession::devices() const {
  unsigned count = 0;
  TRY_VOID(checked("nvmlDeviceGetCount_v2", nvml_.device_count(&count)));
  if (count == 0) return fail(ErrorCode::kNoGpu, "the driver lists no GPU");
  if (count > kMostDevices) {
    return fail(ErrorCode::kGpuFailed, "the driver lists " + std::to_string(count) + " GPUs, expected at most " +
                                           std::to_string(kMostDevices));
  }
  std::vector<nvml::Device> out(count);
  for (unsigned i = 0; i < count; ++i) {
    TRY_VOID(checked("nvmlDeviceGetHandleByIndex_v2", nvml_.device_by_index(i, &out[i])));
  }
  return out;
}

Result<std::string> NvmlSession::architecture(nvml::Device device) const {
  unsigned arch = nvml::kArchUnknown;
  TRY_VOID(checked("nvmlDeviceGetArchitecture", nvml_.device_architecture(device, &arch)));
  return arch_name(arch);
}

// Settings say everything that state says, and the multi-GPU mode; older drivers have state only. With "not supported"
// a driver says that these GPUs have no confidential computing.
Result<void> NvmlSession::read_state(GpuStatus& status) const {
  nvml::ConfComputeSettings settings{};
  settings.version = nvml::kSettingsVersion;
  nvml::Return code = nvml_.settings != nullptr ? nvml_.settings(&settings) : nvml::kFunctionNotFound;
  if (code == nvml::kFunctionNotFound || code == nvml::kArgumentVersionMismatch) {
    if (nvml_.state == nullptr) return {};
    nvml::ConfComputeState state{};
    code = nvml_.state(&state);
    settings = {0, state.environment, state.feature, state.developer_tools, 0};
  }
  if (code == nvml::kNotSupported) {
    status.confidential = false;
    return {};
  }
  TRY_VOID(checked("nvmlSystemGetConfComputeSettings", code));
  status.protected_pcie = settings.multi_gpu == nvml::kMultiGpuProtectedPcie;
  status.confidential = settings.feature == nvml::kFeatureOn || status.protected_pcie;
  status.developer_tools = settings.developer_tools != 0;
  status.production = settings.environment == nvml::kEnvironmentProduction;
  if (nvml_.ready_state == nullptr) return {};
  unsigned ready = 0;
  code = nvml_.ready_state(&ready);
  if (code == nvml::kNotSupported) return {};
  TRY_VOID(checked("nvmlSystemGetConfComputeGpusReadyState", code));
  status.ready = ready == 1;
  return {};
}

Result<GpuStatus> NvmlSession::status() const {
  GpuStatus out;
  std::array<char, nvml::kVersionBytes> version{};
  TRY_VOID(checked("nvmlSystemGetDriverVersion", nvml_.driver_version(version.data(), nvml::kVersionBytes)));
  out.driver_version = printable(version);
  TRY(handles, devices());
  for (nvml::Device handle : handles) {
    std::array<char, nvml::kUuidBytes> uuid{};
    std::array<char, nvml::kVbiosBytes> vbios{};
    TRY_VOID(checked("nvmlDeviceGetUUID", nvml_.device_uuid(handle, uuid.data(), nvml::kUuidBytes)));
    TRY_VOID(checked("nvmlDeviceGetVbiosVersion", nvml_.device_vbios(handle, vbios.data(), nvml::kVbiosBytes)));
    TRY(arch, architecture(handle));
    out.devices.push_back({printable(uuid), std::move(arch), printable(vbios)});
  }
  TRY_VOID(read_state(out));
  return out;
}

Result<evidence::GpuEvidence> NvmlSession::collect_one(nvml::Device device, const ByteArray<32>& nonce) const {
  evidence::GpuEvidence out;
  TRY(arch, architecture(device));
  out.arch = std::move(arch);

  const auto certificate = std::make_unique<nvml::GpuCertificate>();
  TRY_VOID(checked("nvmlDeviceGetConfComputeGpuCertificate", nvml_.certificate(device, certificate.get())));
  TRY(chain, filled("a certificate chain", certificate->attestation_chain, certificate->attestation_chain_size,
                    sizeof certificate->attestation_chain));
  // Some drivers count the NUL after the text.
  while (!chain.empty() && chain.back() == 0) chain = chain.first(chain.size() - 1);
  out.certificate_chain_pem = as_text(chain);

  const auto report = std::make_unique<nvml::AttestationReport>();
  std::ranges::copy(nonce, report->nonce);
  TRY_VOID(checked("nvmlDeviceGetConfComputeGpuAttestationReport", nvml_.report(device, report.get())));
  TRY(bytes, filled("an attestation report", report->report, report->report_size, sizeof report->report));
  out.report = to_bytes(bytes);
  return out;
}

Result<std::vector<evidence::GpuEvidence>> NvmlSession::collect(const ByteArray<32>& nonce) const {
  if (nvml_.certificate == nullptr) return too_old("nvmlDeviceGetConfComputeGpuCertificate");
  if (nvml_.report == nullptr) return too_old("nvmlDeviceGetConfComputeGpuAttestationReport");
  TRY(handles, devices());
  std::vector<evidence::GpuEvidence> out;
  for (nvml::Device handle : handles) {
    TRY(evidence, collect_one(handle, nonce));
    out.push_back(std::move(evidence));
  }
  return out;
}

}  // namespace cloister::gpu
