// AMD SEV-SNP attestation reports: bytes to fields (AMD 56860, SEV-SNP Firmware ABI Specification, table 23). All
// integers are little-endian. This folder only parses; verify/snp verifies the report.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

constexpr std::size_t kSnpReportSize = 1184;
constexpr std::size_t kSnpSignedSize = 0x2a0;

enum class SnpProduct { kMilan, kGenoa, kTurin };
std::string_view to_text(SnpProduct product);  // "Milan", "Genoa", "Turin"

// Patch levels of the parts of a platform. `fmc` exists on Turin only and is zero on other products.
struct SnpTcb {
  std::uint8_t boot_loader = 0, tee = 0, snp = 0, microcode = 0, fmc = 0;
  bool operator==(const SnpTcb&) const = default;
};
// Milan and Genoa: 0 boot loader, 1 TEE, 6 SNP, 7 microcode. Turin: 0 FMC, 1 boot loader, 2 TEE, 3 SNP, 7 microcode.
SnpTcb decode_snp_tcb(const ByteArray<8>& bytes, SnpProduct product);

enum class SnpSigningKey : std::uint8_t { kVcek = 0, kVlek = 1, kNone = 7 };

struct SnpReport {
  std::uint32_t version = 0;  // 2 to 5; 4 has the layout of 3
  std::uint64_t policy = 0;
  std::uint32_t vmpl = 0;
  ByteArray<8> current_tcb{};
  std::uint64_t platform_info = 0;
  bool author_key_enabled = false;
  bool chip_key_masked = false;  // when set, the chip id is all zero
  SnpSigningKey signing_key = SnpSigningKey::kVcek;
  ByteArray<64> report_data{};
  ByteArray<48> measurement{};
  ByteArray<32> host_data{};
  ByteArray<48> id_key_digest{};
  ByteArray<48> author_key_digest{};
  ByteArray<32> report_id{};
  ByteArray<8> reported_tcb{};
  std::optional<SnpProduct> product;  // from family and model, version 3 on; absent for an unknown product
  bool has_cpuid = false;             // true from version 3 on
  std::uint8_t family = 0, model = 0, stepping = 0;
  ByteArray<64> chip_id{};
  ByteArray<8> committed_tcb{};
  ByteArray<8> launch_tcb{};
  ByteArray<96> signature{};  // r || s, big-endian, as crypto::verify_ecdsa takes it
  Bytes signed_region;
};

// Accepts exactly 1,184 bytes. Refused: another version, a signature algorithm other than ECDSA P-384 with SHA-384 (1), a
// reserved signing key, values of r and s beyond 48 bytes, and reserved bytes that are not zero. Errors are kBadSnpReport.
Result<SnpReport> parse_snp_report(ByteView bytes);

}  // namespace cloister::codec
