// Intel TDX quotes, versions 4 and 5: bytes to fields and fields to bytes (Intel TDX DCAP Quoting Library API, appendix
// A.3). All integers are little-endian. This folder only parses; verify/tdx verifies the quote.
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"

namespace cloister::codec {

constexpr std::size_t kQuoteHeaderSize = 48;
constexpr std::size_t kTdReport10Size = 584;
constexpr std::size_t kTdReport15Size = 648;
constexpr std::size_t kTdReport15ExSize = 885;
constexpr std::size_t kQeReportSize = 384;
constexpr ByteArray<16> kIntelQeVendorId = {0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
                                            0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07};

// What TD report 1.5 Ex (body type 4) adds (Intel DCAP, sgx_quote_5.h, sgx_report2_body_v1_5_ex_t). "Initial" means
// where the VM was built, which is another machine than this one once the VM was moved.
struct TdReportExtension {
  std::uint8_t vm_id = 0;                   // 0: the VM itself asked for the report; 1 to 3: a VM that is nested in it
  ByteArray<32> td_id{};                    // id of this start of the VM
  ByteArray<48> device_info{};              // digest of the devices that have access to private memory (TDX Connect)
  ByteArray<48> initial_service_td_hash{};  // of the service VMs that were bound
  ByteArray<8> initial_service_td_attributes{};
  ByteArray<16> initial_cpu_svn{};
  ByteArray<16> initial_tee_tcb_svn{};
  ByteArray<12> initial_fmspc{};
  ByteArray<48> service_td_hash{};  // of the service VMs that are bound now
  ByteArray<8> service_td_attributes{};

  bool operator==(const TdReportExtension&) const = default;
};

struct TdReport {
  ByteArray<16> tee_tcb_svn{};
  ByteArray<48> mr_seam{};
  ByteArray<48> mr_signer_seam{};
  ByteArray<8> seam_attributes{};
  ByteArray<8> td_attributes{};
  ByteArray<8> xfam{};
  ByteArray<48> mr_td{};
  ByteArray<48> mr_config_id{};
  ByteArray<48> mr_owner{};
  ByteArray<48> mr_owner_config{};
  ByteArray<48> rtmr[4]{};
  ByteArray<64> report_data{};
  // Present in TD report 1.5 and 1.5 Ex.
  std::optional<ByteArray<16>> tee_tcb_svn2;
  std::optional<ByteArray<48>> mr_service_td;
  // Present in TD report 1.5 Ex.
  std::optional<TdReportExtension> extension;
};

// The SGX report body of the quoting enclave, 384 bytes (Intel sgx_report.h, sgx_report_body_t).
struct QeReport {
  ByteArray<16> cpu_svn{};
  std::uint32_t misc_select = 0;
  ByteArray<16> attributes{};
  ByteArray<32> mr_enclave{};
  ByteArray<32> mr_signer{};
  std::uint16_t isv_prod_id = 0;
  std::uint16_t isv_svn = 0;
  ByteArray<64> report_data{};
};

struct TdxQuote {
  std::uint16_t version = 4;
  ByteArray<20> user_data{};
  TdReport report;
  ByteArray<64> signature{};        // r || s by the attestation key over signed_region
  ByteArray<64> attestation_key{};  // x || y, P-256
  Bytes qe_report_bytes;            // 384 bytes, what the PCK key signed
  QeReport qe_report;
  ByteArray<64> qe_report_signature{};
  Bytes qe_authentication_data;
  std::uint16_t certification_type = 5;  // inner type; 5 = PEM chain
  Bytes certification_data;              // PEM: PCK leaf, intermediate, root
  Bytes signed_region;                   // header, (v5: descriptor,) body
};

// Accepts at most 256 KiB. Zero padding after the quote is accepted, any other remaining byte is not. Refused with a
// message of their own: SGX quotes (version 3, or an SGX body), key types other than ECDSA P-256, foreign QE vendors,
// unknown v5 body types, certification data other than a PEM chain (5) or a PPID (1 to 3).
Result<TdxQuote> parse_tdx_quote(ByteView bytes);
// Accepts exactly 384 bytes.
Result<QeReport> parse_qe_report(ByteView bytes);

// For the simulator: the signed region of a v4 quote with this report, and the whole quote once it is signed. The
// authentication data has at most 65,535 bytes.
Bytes write_tdx_v4_signed_region(const TdReport& report, const ByteArray<20>& user_data);
Bytes write_qe_report(const QeReport& report);
Bytes write_tdx_v4_quote(ByteView signed_region, const ByteArray<64>& signature, const ByteArray<64>& attestation_key,
                         ByteView qe_report, const ByteArray<64>& qe_report_signature, ByteView qe_authentication_data,
                         ByteView pem_chain);

}  // namespace cloister::codec
