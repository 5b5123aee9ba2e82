// The part of NVML's C interface that this folder uses: names, numbers and layouts as NVIDIA publishes them in nvml.h
// (shipped with its drivers and, under Apache-2.0, in NVIDIA/go-nvml). Debian has no header of NVIDIA's, and the
// library is found at run time, so the declarations are written by hand. x86-64 and AArch64 have the same layouts.
#pragma once

#include <cstddef>

namespace cloister::gpu::nvml {

using Device = struct OpaqueDevice*;
using Return = int;  // an enum in C

enum : Return {
  kSuccess = 0,
  kUninitialized = 1,
  kInvalidArgument = 2,
  kNotSupported = 3,
  kNoPermission = 4,
  kNotFound = 6,
  kInsufficientSize = 7,
  kDriverNotLoaded = 9,
  kTimeout = 10,
  kFunctionNotFound = 13,
  kGpuIsLost = 15,
  kResetRequired = 16,
  kVersionMismatch = 18,
  kInUse = 19,
  kMemory = 20,
  kArgumentVersionMismatch = 25,
  kNotReady = 27,
  kGpuNotFound = 28,
  kInvalidState = 29,
  kUnknown = 999,
};

inline constexpr unsigned kArchHopper = 9;
inline constexpr unsigned kArchBlackwell = 10;
inline constexpr unsigned kArchUnknown = 0xffffffff;

inline constexpr unsigned kEnvironmentProduction = 2;  // 0 unavailable, 1 simulation
inline constexpr unsigned kFeatureOn = 1;
inline constexpr unsigned kMultiGpuProtectedPcie = 1;  // 0 none

inline constexpr unsigned kVersionBytes = 80;
inline constexpr unsigned kUuidBytes = 96;
inline constexpr unsigned kVbiosBytes = 32;

struct ConfComputeState {
  unsigned environment, feature, developer_tools;
};
static_assert(sizeof(ConfComputeState) == 12);

struct ConfComputeSettings {
  unsigned version, environment, feature, developer_tools, multi_gpu;
};
static_assert(sizeof(ConfComputeSettings) == 20);
// The lower three bytes are the size, the highest byte is the layout's number.
inline constexpr unsigned kSettingsVersion = sizeof(ConfComputeSettings) | 1u << 24;

struct GpuCertificate {
  unsigned chain_size, attestation_chain_size;
  unsigned char chain[0x1000];
  unsigned char attestation_chain[0x1400];  // PEM, leaf first
};
static_assert(sizeof(GpuCertificate) == 8 + 0x1000 + 0x1400 &&
              offsetof(GpuCertificate, attestation_chain) == 8 + 0x1000);

struct AttestationReport {
  unsigned has_cec_report, report_size, cec_report_size;
  unsigned char nonce[32];  // written by the caller
  unsigned char report[0x2000];
  unsigned char cec_report[0x1000];
};
static_assert(sizeof(AttestationReport) == 12 + 32 + 0x2000 + 0x1000 && offsetof(AttestationReport, report) == 44);

// The functions: member, exported name, signature.
struct Functions {
  Return (*init)();                                  // nvmlInit_v2
  Return (*shutdown)();                              // nvmlShutdown
  Return (*driver_version)(char*, unsigned);         // nvmlSystemGetDriverVersion
  Return (*device_count)(unsigned*);                 // nvmlDeviceGetCount_v2
  Return (*device_by_index)(unsigned, Device*);      // nvmlDeviceGetHandleByIndex_v2
  Return (*device_uuid)(Device, char*, unsigned);    // nvmlDeviceGetUUID
  Return (*device_architecture)(Device, unsigned*);  // nvmlDeviceGetArchitecture
  Return (*device_vbios)(Device, char*, unsigned);   // nvmlDeviceGetVbiosVersion
  // Null in drivers that are older than confidential computing.
  Return (*state)(ConfComputeState*);              // nvmlSystemGetConfComputeState
  Return (*settings)(ConfComputeSettings*);        // nvmlSystemGetConfComputeSettings
  Return (*ready_state)(unsigned*);                // nvmlSystemGetConfComputeGpusReadyState
  Return (*certificate)(Device, GpuCertificate*);  // nvmlDeviceGetConfComputeGpuCertificate
  Return (*report)(Device, AttestationReport*);    // nvmlDeviceGetConfComputeGpuAttestationReport
};

}  // namespace cloister::gpu::nvml
