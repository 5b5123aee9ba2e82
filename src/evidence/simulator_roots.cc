#include "evidence/simulator_roots.h"

#include "base/bytes.h"

namespace cloister::evidence {
namespace {

// The whole secret of the simulated roots, which anyone may read here.
constexpr std::string_view kRootSeed = "cloister insecure simulator root v1";
constexpr std::string_view kCpuRootLabel = "cpu root";
constexpr std::string_view kGpuRootLabel = "gpu root";

// Issued once, to be pinned: crypto::issue_certificate with the keys below, serial 1, valid from 2024-01-01 until the
// end of 2049 and of 9999.
constexpr std::string_view kCpuRoot = R"(-----BEGIN CERTIFICATE-----
MIIBxTCCAWygAwIBAgIBATAKBggqhkjOPQQDAjA6MTgwNgYDVQQDDC9JTlNFQ1VS
RSBTSU1VTEFUT1IgU0dYIFJvb3QgQ0EgKHByb3ZlcyBub3RoaW5nKTAeFw0yNDAx
MDEwMDAwMDBaFw00OTEyMzEyMzU5NTlaMDoxODA2BgNVBAMML0lOU0VDVVJFIFNJ
TVVMQVRPUiBTR1ggUm9vdCBDQSAocHJvdmVzIG5vdGhpbmcpMFkwEwYHKoZIzj0C
AQYIKoZIzj0DAQcDQgAEcIL8W4RbtFsydHI1ow56SD4y9b1fpngkRPR1XjNe6qV5
or73i0WzJQl830X7QfHhTbmBTX1Vtiyyf4PBxyHwL6NjMGEwDwYDVR0TAQH/BAUw
AwEB/zAOBgNVHQ8BAf8EBAMCAQYwHQYDVR0OBBYEFBSa92CZ/QN+XXy1MI4Qaw2Z
iFWwMB8GA1UdIwQYMBaAFBSa92CZ/QN+XXy1MI4Qaw2ZiFWwMAoGCCqGSM49BAMC
A0cAMEQCIGbUn6gYGCCrDDpK4ZT0gt9zFhBE8s7fHoxefTWIjDlvAiAZJozo4iXl
WTKSFKhaT6DV3IZnbll+hxkbsoqAU1sU5A==
-----END CERTIFICATE-----
)";

constexpr std::string_view kGpuRoot = R"(-----BEGIN CERTIFICATE-----
MIICITCCAaegAwIBAgIBATAKBggqhkjOPQQDAzBIMUYwRAYDVQQDDD1JTlNFQ1VS
RSBTSU1VTEFUT1IgTlZJRElBIERldmljZSBJZGVudGl0eSBDQSAocHJvdmVzIG5v
dGhpbmcpMCAXDTI0MDEwMTAwMDAwMFoYDzk5OTkxMjMxMjM1OTU5WjBIMUYwRAYD
VQQDDD1JTlNFQ1VSRSBTSU1VTEFUT1IgTlZJRElBIERldmljZSBJZGVudGl0eSBD
QSAocHJvdmVzIG5vdGhpbmcpMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEt2TXVw6Y
iVRqMIeA8rEKUljEn0HNPruEGefJyjvr9OYn1oQ2WAQw3qW+i5ftXmpsg0+7q2jT
bUadngJw5x4msqZrTgwkGlS8TY2G7pbB3JBJzk2aBEnl6jXlV/7XtHbPo2MwYTAP
BgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIBBjAdBgNVHQ4EFgQU3WekYg0O
AhDVNw2iwSg+TXGljRgwHwYDVR0jBBgwFoAU3WekYg0OAhDVNw2iwSg+TXGljRgw
CgYIKoZIzj0EAwMDaAAwZQIxANrOora/GMjWPU3axnkrVjZ7tVwPnt2ZP889Slmm
v5yuUUTLxgTjsqFjI01XaJBeMwIwe/pK6KQ+Zk2tp4YSnlhuTVRnZXorVq5595UO
GM23SgzjaHqiDvD0Gwidzc/vEeti
-----END CERTIFICATE-----
)";

}  // namespace

std::string_view simulator_cpu_root_pem() { return kCpuRoot; }

Result<crypto::EcKey> simulator_cpu_root_key() {
  return crypto::EcKey::derive(crypto::Curve::kP256, as_bytes(kRootSeed), kCpuRootLabel);
}

std::string_view simulator_gpu_root_pem() { return kGpuRoot; }

Result<crypto::EcKey> simulator_gpu_root_key() {
  return crypto::EcKey::derive(crypto::Curve::kP384, as_bytes(kRootSeed), kGpuRootLabel);
}

}  // namespace cloister::evidence
