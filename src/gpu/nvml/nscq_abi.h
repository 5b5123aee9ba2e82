// The part of NSCQ's C interface that this folder uses, as NVIDIA publishes it (nscq.h of libnvidia-nscq;
// NVIDIA/attestation-sdk repeats it under Apache-2.0). Callbacks receive values, including structures, by value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace cloister::gpu::nscq {

using Return = std::int8_t;  // 0: success; above 0: a warning; below 0: an error
using Session = struct OpaqueSession*;
using Callback = void (*)();

struct Uuid {
  std::uint8_t bytes[16];
};
struct Label {
  char data[64];
};
struct SessionResult {
  Return code;
  Session session;
};
struct Report {
  std::uint32_t size;
  std::uint8_t bytes[0x2000];
};
static_assert(sizeof(Report) == 4 + 0x2000);
struct Certificate {
  std::uint8_t chain[0x1400];  // PEM, leaf first
  std::uint32_t size;
};
static_assert(sizeof(Certificate) == 0x1400 + 4);

inline constexpr std::uint32_t kMountDevices = 1;
inline constexpr std::int8_t kArchLs10 = 2;
inline constexpr const char* kUuidPath = "/drv/nvswitch/{device}/uuid";
inline constexpr const char* kArchPath = "/{nvswitch}/id/arch";
inline constexpr const char* kCertificatePath = "/config/certificate";    // follows "/" and the switch's label
inline constexpr const char* kReportPath = "/config/attestation_report";  // follows "/" and the switch's label

// The callbacks of observe(), by path.
using OnUuid = void (*)(const Uuid* device, Return code, const Uuid* uuid, void* user);
using OnArch = void (*)(const Uuid* device, Return code, std::int8_t arch, void* user);
using OnCertificate = void (*)(const Uuid* device, Return code, Certificate certificate, void* user);
using OnReport = void (*)(const Uuid* device, Return code, Report report, void* user);

struct Functions {
  SessionResult (*create)(std::uint32_t flags);                                       // nscq_session_create
  void (*destroy)(Session);                                                           // nscq_session_destroy
  Return (*observe)(Session, const char* path, Callback, void* user, std::uint32_t);  // nscq_session_path_observe
  Return (*set_input)(Session, std::uint32_t, void* bytes, std::uint32_t size);       // nscq_session_set_input
  Return (*label)(const Uuid*, Label*, std::uint32_t);                                // nscq_uuid_to_label
};

}  // namespace cloister::gpu::nscq
