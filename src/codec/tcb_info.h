// What Intel publishes about platforms and its quoting enclave: TCB info version 3 and enclave identity version 2, the
// signed texts of the Provisioning Certification Service (Intel PCS API v4). Bytes to fields; this folder only parses,
// and verify/tdx verifies the values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace cloister::codec {

enum class TcbStatus {
  kUpToDate,
  kSwHardeningNeeded,
  kConfigurationNeeded,
  kConfigurationAndSwHardeningNeeded,
  kOutOfDate,
  kOutOfDateConfigurationNeeded,
  kRevoked,
};
std::string_view to_text(TcbStatus status);  // Intel's name of the status: "UpToDate"

// What the document says about a level.
struct TcbState {
  TcbStatus status = TcbStatus::kRevoked;
  UnixSeconds date = 0;                 // tcbDate
  std::vector<std::string> advisories;  // "INTEL-SA-00615"
};

struct PlatformLevel {
  ByteArray<16> sgx_svns{};
  std::uint16_t pce_svn = 0;
  ByteArray<16> tdx_svns{};  // zero in SGX TCB info
  TcbState state;
};

struct IsvLevel {
  std::uint16_t isv_svn = 0;
  TcbState state;
};

// The expected signer and attributes of a TDX module.
struct ModuleSigner {
  ByteArray<48> mr_signer{};
  ByteArray<8> attributes{};
  ByteArray<8> attributes_mask{};
};

struct ModuleIdentity {
  std::uint8_t major = 0;  // the hexadecimal digits of "TDX_01"
  ModuleSigner signer;
  std::vector<IsvLevel> levels;  // in the published order
};

struct TcbInfo {
  std::string id;  // "TDX" or "SGX"
  UnixSeconds issue_date = 0;
  UnixSeconds next_update = 0;
  ByteArray<6> fmspc{};
  ByteArray<2> pce_id{};
  std::uint32_t evaluation_data_number = 0;
  std::optional<ModuleSigner> module;  // always present for TDX
  std::vector<ModuleIdentity> module_identities;
  std::vector<PlatformLevel> levels;  // in the published order
};

struct QeIdentity {
  std::string id;  // "TD_QE", "QE" or "QVE"
  UnixSeconds issue_date = 0;
  UnixSeconds next_update = 0;
  std::uint32_t evaluation_data_number = 0;
  std::uint32_t misc_select = 0;
  std::uint32_t misc_select_mask = 0;
  ByteArray<16> attributes{};
  ByteArray<16> attributes_mask{};
  ByteArray<32> mr_signer{};
  std::uint16_t isv_prod_id = 0;
  std::vector<IsvLevel> levels;  // in the published order
};

// Accepts at most 1 MiB of strict JSON (codec/json.h). Every member named above is required and of its type, hex has either
// case and exactly its size, dates are as 2025-06-19T10:16:03Z, component arrays have exactly 16 SVNs from 0 to 255; at least
// one level, no status except the seven above, no module identity twice. Other versions are refused, other members ignored.
Result<TcbInfo> parse_tcb_info(std::string_view text);
Result<QeIdentity> parse_qe_identity(std::string_view text);

}  // namespace cloister::codec
