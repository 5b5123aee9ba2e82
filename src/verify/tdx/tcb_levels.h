// Which TCB level a platform, its TDX module and its quoting enclave are on, and which status the three have together
// (Intel PCS API v4). These are pure rules; the checks that use them are in tcb_checks.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/tcb_info.h"
#include "codec/tdx_quote.h"
#include "verify/tdx/pck_extension.h"

namespace cloister::verify {

// Sorts levels from the highest down, as every search below expects them. Intel publishes them in that order; since
// they are sorted here, the published order need not be trusted.
void sort_levels(codec::TcbInfo& info);
void sort_levels(codec::QeIdentity& identity);

using TcbSvn = ByteArray<16>;  // TEE_TCB_SVN: byte 0 minor, byte 1 major version of the TDX module

// The first level that the platform reaches: by all 16 SVNs of the PCK certificate, its PCESVN, and the SVNs of the TD
// report, where the module identity decides about bytes 0 and 1 if the major version is not 0. Null when it reaches none.
const codec::TcbState* find_platform_level(const codec::TcbInfo& info, const PckExtension& pck, const TcbSvn& svn);

// The first level with at most this SVN. Null when there is none.
const codec::TcbState* find_isv_level(const std::vector<codec::IsvLevel>& levels, std::uint16_t svn);

// "TDX_01" for major version 1.
std::string module_id(std::uint8_t major);
// The published identity of modules of this major version; null when there is none, or for major version 0.
const codec::ModuleIdentity* find_module(const codec::TcbInfo& info, std::uint8_t major);
// The required MRSIGNERSEAM and SEAMATTRIBUTES: the identity's, or `tdxModule` for major version 0. Null when no
// identity is published.
const codec::ModuleSigner* find_module_signer(const codec::TcbInfo& info, std::uint8_t major);

// The status of the platform, lowered by the status of a component (TDX module or QE).
codec::TcbStatus converge(codec::TcbStatus platform, codec::TcbStatus component);

// A platform's status, or one of the two statuses that only a TD report 1.5 can lead to (launch and current TCB differ).
struct ConvergedStatus {
  codec::TcbStatus status = codec::TcbStatus::kRevoked;
  bool relaunch_advised = false;
  bool relaunch_needs_configuration = false;

  // Intel's name of the status: "UpToDate", "TDRelaunchAdvised".
  std::string_view text() const;
};
ConvergedStatus advise_relaunch(codec::TcbStatus launch, codec::TcbStatus current);

// One evaluation: the levels that were found and their combined result. Advisories are in the order platform, QE,
// module, each once; the date is the oldest of the three.
struct TcbEvaluation {
  codec::TcbStatus platform = codec::TcbStatus::kRevoked;
  std::optional<codec::TcbStatus> module;  // absent for major version 0
  codec::TcbStatus qe = codec::TcbStatus::kRevoked;
  codec::TcbStatus converged = codec::TcbStatus::kRevoked;
  UnixSeconds date = 0;
  std::vector<std::string> advisories;
};
TcbEvaluation evaluate(const codec::TcbState& platform, const codec::TcbState& qe, const codec::TcbState* module);

}  // namespace cloister::verify
