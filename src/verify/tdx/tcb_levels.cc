#include "verify/tdx/tcb_levels.h"

#include <algorithm>
#include <tuple>

#include "base/encoding.h"

namespace cloister::verify {
namespace {

using codec::TcbState;
using codec::TcbStatus;

void sort_isv(std::vector<codec::IsvLevel>& levels) {
  std::stable_sort(levels.begin(), levels.end(),
                   [](const codec::IsvLevel& a, const codec::IsvLevel& b) { return a.isv_svn > b.isv_svn; });
}

bool at_least(const ByteArray<16>& actual, const ByteArray<16>& level, std::size_t from) {
  for (std::size_t i = from; i < actual.size(); ++i) {
    if (actual[i] < level[i]) return false;
  }
  return true;
}

bool needs_configuration(TcbStatus status) {
  return status == TcbStatus::kConfigurationNeeded || status == TcbStatus::kConfigurationAndSwHardeningNeeded ||
         status == TcbStatus::kOutOfDateConfigurationNeeded;
}

bool is_out_of_date(TcbStatus status) {
  return status == TcbStatus::kOutOfDate || status == TcbStatus::kOutOfDateConfigurationNeeded;
}

void add_advisories(const TcbState& state, std::vector<std::string>& out) {
  for (const std::string& id : state.advisories) {
    if (std::find(out.begin(), out.end(), id) == out.end()) out.push_back(id);
  }
}

}  // namespace

void sort_levels(codec::TcbInfo& info) {
  std::stable_sort(info.levels.begin(), info.levels.end(),
                   [](const codec::PlatformLevel& a, const codec::PlatformLevel& b) {
                     return std::tie(a.sgx_svns, a.tdx_svns, a.pce_svn) > std::tie(b.sgx_svns, b.tdx_svns, b.pce_svn);
                   });
  for (codec::ModuleIdentity& identity : info.module_identities) sort_isv(identity.levels);
}

void sort_levels(codec::QeIdentity& identity) { sort_isv(identity.levels); }

const TcbState* find_platform_level(const codec::TcbInfo& info, const PckExtension& pck, const TcbSvn& svn) {
  const std::size_t first_tdx = svn[1] > 0 ? 2 : 0;
  for (const codec::PlatformLevel& level : info.levels) {
    if (at_least(pck.component_svns, level.sgx_svns, 0) && pck.pce_svn >= level.pce_svn &&
        at_least(svn, level.tdx_svns, first_tdx)) {
      return &level.state;
    }
  }
  return nullptr;
}

const TcbState* find_isv_level(const std::vector<codec::IsvLevel>& levels, std::uint16_t svn) {
  for (const codec::IsvLevel& level : levels) {
    if (level.isv_svn <= svn) return &level.state;
  }
  return nullptr;
}

std::string module_id(std::uint8_t major) {
  std::string digits = to_hex(ByteArray<1>{major});
  std::transform(digits.begin(), digits.end(), digits.begin(),
                 [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
  return "TDX_" + digits;
}

const codec::ModuleIdentity* find_module(const codec::TcbInfo& info, std::uint8_t major) {
  if (major == 0) return nullptr;
  const auto found = std::find_if(info.module_identities.begin(), info.module_identities.end(),
                                  [&](const codec::ModuleIdentity& identity) { return identity.major == major; });
  return found == info.module_identities.end() ? nullptr : &*found;
}

const codec::ModuleSigner* find_module_signer(const codec::TcbInfo& info, std::uint8_t major) {
  if (major == 0) return info.module ? &*info.module : nullptr;
  const codec::ModuleIdentity* identity = find_module(info, major);
  return identity == nullptr ? nullptr : &identity->signer;
}

TcbStatus converge(TcbStatus platform, TcbStatus component) {
  if (component == TcbStatus::kRevoked) return TcbStatus::kRevoked;
  if (component == TcbStatus::kUpToDate) return platform;
  // For components Intel publishes only UpToDate, OutOfDate and Revoked. Any other status asks for some action, and is
  // treated as the worst status short of Revoked.
  switch (platform) {
    case TcbStatus::kUpToDate:
    case TcbStatus::kSwHardeningNeeded: return TcbStatus::kOutOfDate;
    case TcbStatus::kConfigurationNeeded:
    case TcbStatus::kConfigurationAndSwHardeningNeeded: return TcbStatus::kOutOfDateConfigurationNeeded;
    case TcbStatus::kOutOfDate:
    case TcbStatus::kOutOfDateConfigurationNeeded:
    case TcbStatus::kRevoked: return platform;
  }
  return TcbStatus::kRevoked;
}

std::string_view ConvergedStatus::text() const {
  if (!relaunch_advised) return codec::to_text(status);
  return relaunch_needs_configuration ? "TDRelaunchAdvisedConfigurationNeeded" : "TDRelaunchAdvised";
}

ConvergedStatus advise_relaunch(TcbStatus launch, TcbStatus current) {
  ConvergedStatus out;
  // Intel's rule for relaunch returns the launch status here. What runs now is revoked all the same, and never acceptable.
  out.status = current == TcbStatus::kRevoked ? current : launch;
  out.relaunch_advised = is_out_of_date(launch) && !is_out_of_date(current) && current != TcbStatus::kRevoked;
  out.relaunch_needs_configuration =
      out.relaunch_advised && (needs_configuration(launch) || needs_configuration(current));
  return out;
}

TcbEvaluation evaluate(const TcbState& platform, const TcbState& qe, const TcbState* module) {
  TcbEvaluation out;
  out.platform = platform.status;
  out.qe = qe.status;
  out.converged = converge(platform.status, qe.status);
  out.date = std::min(platform.date, qe.date);
  add_advisories(platform, out.advisories);
  add_advisories(qe, out.advisories);
  if (module == nullptr) return out;
  out.module = module->status;
  out.converged = converge(out.converged, module->status);
  out.date = std::min(out.date, module->date);
  add_advisories(*module, out.advisories);
  return out;
}

}  // namespace cloister::verify
