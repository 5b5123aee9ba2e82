#include "verify/roots.h"

#include <optional>

#include "evidence/simulator_roots.h"

namespace cloister::verify {
namespace {

// Intel SGX Root CA, https://certificates.trustedservices.intel.com/Intel_SGX_Provisioning_Certification_RootCA.cer
// SHA-256 of the DER: 44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3
constexpr std::string_view kIntelSgxRootCa = R"(-----BEGIN CERTIFICATE-----
MIICjzCCAjSgAwIBAgIUImUM1lqdNInzg7SVUr9QGzknBqwwCgYIKoZIzj0EAwIw
aDEaMBgGA1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENv
cnBvcmF0aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJ
BgNVBAYTAlVTMB4XDTE4MDUyMTEwNDUxMFoXDTQ5MTIzMTIzNTk1OVowaDEaMBgG
A1UEAwwRSW50ZWwgU0dYIFJvb3QgQ0ExGjAYBgNVBAoMEUludGVsIENvcnBvcmF0
aW9uMRQwEgYDVQQHDAtTYW50YSBDbGFyYTELMAkGA1UECAwCQ0ExCzAJBgNVBAYT
AlVTMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEC6nEwMDIYZOj/iPWsCzaEKi7
1OiOSLRFhWGjbnBVJfVnkY4u3IjkDYYL0MxO4mqsyYjlBalTVYxFP2sJBK5zlKOB
uzCBuDAfBgNVHSMEGDAWgBQiZQzWWp00ifODtJVSv1AbOScGrDBSBgNVHR8ESzBJ
MEegRaBDhkFodHRwczovL2NlcnRpZmljYXRlcy50cnVzdGVkc2VydmljZXMuaW50
ZWwuY29tL0ludGVsU0dYUm9vdENBLmRlcjAdBgNVHQ4EFgQUImUM1lqdNInzg7SV
Ur9QGzknBqwwDgYDVR0PAQH/BAQDAgEGMBIGA1UdEwEB/wQIMAYBAf8CAQEwCgYI
KoZIzj0EAwIDSQAwRgIhAOW/5QkR+S9CiSDcNoowLuPRLsWGf/Yi7GSX94BgwTwg
AiEA4J0lrHoMs+Xo5o/sX6O9QWxHRAvZUGOdRQ7cvqRXaqI=
-----END CERTIFICATE-----
)";

// NVIDIA Device Identity CA, from NVIDIA's nvtrust (guest_tools/gpu_verifiers/local_gpu_verifier, certs/
// verifier_device_root.pem).
// SHA-256 of the DER: 102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48
constexpr std::string_view kNvidiaDeviceIdentityCa = R"(-----BEGIN CERTIFICATE-----
MIICCzCCAZCgAwIBAgIQLTZwscoQBBHB/sDoKgZbVDAKBggqhkjOPQQDAzA1MSIw
IAYDVQQDDBlOVklESUEgRGV2aWNlIElkZW50aXR5IENBMQ8wDQYDVQQKDAZOVklE
SUEwIBcNMjExMTA1MDAwMDAwWhgPOTk5OTEyMzEyMzU5NTlaMDUxIjAgBgNVBAMM
GU5WSURJQSBEZXZpY2UgSWRlbnRpdHkgQ0ExDzANBgNVBAoMBk5WSURJQTB2MBAG
ByqGSM49AgEGBSuBBAAiA2IABA5MFKM7+KViZljbQSlgfky/RRnEQScW9NDZF8SX
gAW96r6u/Ve8ZggtcYpPi2BS4VFu6KfEIrhN6FcHG7WP05W+oM+hxj7nyA1r1jkB
2Ry70YfThX3Ba1zOryOP+MJ9vaNjMGEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8B
Af8EBAMCAQYwHQYDVR0OBBYEFFeF/4PyY8xlfWi3Olv0jUrL+0lfMB8GA1UdIwQY
MBaAFFeF/4PyY8xlfWi3Olv0jUrL+0lfMAoGCCqGSM49BAMDA2kAMGYCMQCPeFM3
TASsKQVaT+8S0sO9u97PVGCpE9d/I42IT7k3UUOLSR/qvJynVOD1vQKVXf0CMQC+
EY55WYoDBvs2wPAH1Gw4LbcwUN8QCff8bFmV4ZxjCRr4WXTLFHBKjbfneGSBWwA=
-----END CERTIFICATE-----
)";

// NVIDIA CoRIM signing Root CA, from NVIDIA's nvtrust (guest_tools/gpu_verifiers/local_gpu_verifier, certs/
// verifier_RIM_root.pem).
// SHA-256 of the DER: 12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1
constexpr std::string_view kNvidiaRimRootCa = R"(-----BEGIN CERTIFICATE-----
MIICKTCCAbCgAwIBAgIQRdrjoA5QN73fh1N17LXicDAKBggqhkjOPQQDAzBFMQsw
CQYDVQQGEwJVUzEPMA0GA1UECgwGTlZJRElBMSUwIwYDVQQDDBxOVklESUEgQ29S
SU0gc2lnbmluZyBSb290IENBMCAXDTIzMDMxNjE1MzczNFoYDzIwNTMwMzA4MTUz
NzM0WjBFMQswCQYDVQQGEwJVUzEPMA0GA1UECgwGTlZJRElBMSUwIwYDVQQDDBxO
VklESUEgQ29SSU0gc2lnbmluZyBSb290IENBMHYwEAYHKoZIzj0CAQYFK4EEACID
YgAEuECyi9vNM+Iw2lfUzyBldHAwaC1HF7TCgp12QcEyUTm3Tagxwr48d55+K2VI
lWYIDk7NlAIQdcV/Ff7euGLI+Qauj93HsSI4WX298PpW54RTgz9tC+Q684caR/BX
WEeZo2MwYTAdBgNVHQ4EFgQUpaXrOPK4ZDAk08DBskn594zeZjAwHwYDVR0jBBgw
FoAUpaXrOPK4ZDAk08DBskn594zeZjAwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8B
Af8EBAMCAQYwCgYIKoZIzj0EAwMDZwAwZAIwHGDyscDP6ihHqRvZlI3eqZ4YkvjE
1duaN84tAHRVgxVMvNrp5Tnom3idHYGW/dskAjATvjIx6VzHm/4e2GiZAyZEIUBD
OKPzp5ei/A0iUZpdvngenDwV8Qa/wGdiTmJ7Bp4=
-----END CERTIFICATE-----
)";

std::optional<crypto::Certificate> parse(std::string_view pem) {
  Result<std::vector<crypto::Certificate>> chain = crypto::parse_pem_chain(as_bytes(pem), 1);
  if (!chain || chain->size() != 1) return std::nullopt;
  return chain->front();
}

const crypto::Certificate* pointer_to(const std::optional<crypto::Certificate>& certificate) {
  return certificate ? &*certificate : nullptr;
}

}  // namespace

std::string_view root_name(RootUse use, RootKind kind) {
  switch (kind) {
    case RootKind::kVendor:
      switch (use) {
        case RootUse::kCpu: return "intel_sgx_root_ca";
        case RootUse::kGpu: return "nvidia_device_identity_ca";
        case RootUse::kRim: return "nvidia_corim_signing_root_ca";
      }
      return "unknown";
    case RootKind::kInsecureSimulator: return evidence::kSimulatorName;
    case RootKind::kUnknown: return "unknown";
  }
  return "unknown";
}

const crypto::Certificate* pinned_root(RootUse use, RootKind kind) {
  static const auto intel = parse(kIntelSgxRootCa);
  static const auto nvidia = parse(kNvidiaDeviceIdentityCa);
  static const auto nvidia_rim = parse(kNvidiaRimRootCa);
  static const auto simulated_cpu = parse(evidence::simulator_cpu_root_pem());
  static const auto simulated_gpu = parse(evidence::simulator_gpu_root_pem());
  switch (kind) {
    case RootKind::kVendor:
      switch (use) {
        case RootUse::kCpu: return pointer_to(intel);
        case RootUse::kGpu: return pointer_to(nvidia);
        case RootUse::kRim: return pointer_to(nvidia_rim);
      }
      return nullptr;
    case RootKind::kInsecureSimulator:
      switch (use) {
        case RootUse::kCpu: return pointer_to(simulated_cpu);
        case RootUse::kGpu: return pointer_to(simulated_gpu);
        case RootUse::kRim: return nullptr;
      }
      return nullptr;
    case RootKind::kUnknown: return nullptr;
  }
  return nullptr;
}

RootKind claimed_root(RootUse use, const std::vector<crypto::Certificate>& chain) {
  if (chain.empty()) return RootKind::kUnknown;
  const Bytes last = chain.back().der();
  for (const RootKind kind : {RootKind::kVendor, RootKind::kInsecureSimulator}) {
    const crypto::Certificate* root = pinned_root(use, kind);
    if (root != nullptr && root->der() == last) return kind;
  }
  return RootKind::kUnknown;
}

}  // namespace cloister::verify
