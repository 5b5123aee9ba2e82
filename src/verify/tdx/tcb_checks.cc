#include "verify/tdx/tcb_checks.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/encoding.h"
#include "verify/check.h"
#include "verify/tdx/tcb_levels.h"

namespace cloister::verify {
namespace {

using codec::TcbState;
using codec::TcbStatus;

constexpr UnixSeconds kDay = 86400;
constexpr std::string_view kIds[] = {
    "tdx.fmspc",
    "tdx.pce_id",
    "tdx.qe_identity.mr_signer",
    "tdx.qe_identity.isv_prod_id",
    "tdx.qe_identity.misc_select",
    "tdx.qe_identity.attributes",
    "tdx.seam.mr_signer",
    "tdx.seam.attributes",
    "tdx.tcb.platform",
    "tdx.tcb.module",
    "tdx.tcb.qe",
    "tdx.tcb.status",
    "tdx.tcb.advisories",
    "tdx.tcb.date",
};

template <std::size_t N>
bool equal_under_mask(const ByteArray<N>& actual, const ByteArray<N>& mask, const ByteArray<N>& expected) {
  for (std::size_t i = 0; i < N; ++i) {
    if ((actual[i] & mask[i]) != expected[i]) return false;
  }
  return true;
}

std::string hex32(std::uint32_t value) {
  ByteArray<4> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(value >> (8 * i));
  return to_hex(bytes);
}

// The mask is applied to the report, and the expected value is compared as given.
void check_qe_identity(const std::optional<codec::QeIdentity>& identity, const codec::QeReport& report,
                       Verdict& verdict) {
  if (!identity) {
    skip_all(verdict,
             {"tdx.qe_identity.mr_signer", "tdx.qe_identity.isv_prod_id", "tdx.qe_identity.misc_select",
              "tdx.qe_identity.attributes", "tdx.tcb.qe"},
             "there is no readable QE identity");
    return;
  }
  verdict.add(compared("tdx.qe_identity.mr_signer", to_hex(identity->mr_signer), to_hex(report.mr_signer),
                       "the quoting enclave is signed by somebody else"));
  verdict.add(compared("tdx.qe_identity.isv_prod_id", std::to_string(identity->isv_prod_id),
                       std::to_string(report.isv_prod_id), "another enclave of the same signer"));
  const std::string misc = hex32(report.misc_select);
  verdict.add((report.misc_select & identity->misc_select_mask) == identity->misc_select
                  ? passed("tdx.qe_identity.misc_select", misc)
                  : failed("tdx.qe_identity.misc_select", "differs under the mask " + hex32(identity->misc_select_mask),
                           hex32(identity->misc_select), misc));
  const std::string attributes = to_hex(report.attributes);
  verdict.add(equal_under_mask(report.attributes, identity->attributes_mask, identity->attributes)
                  ? passed("tdx.qe_identity.attributes", attributes)
                  : failed("tdx.qe_identity.attributes", "differs under the mask " + to_hex(identity->attributes_mask),
                           to_hex(identity->attributes), attributes));
  const TcbState* level = find_isv_level(identity->levels, report.isv_svn);
  verdict.add(level == nullptr ? failed("tdx.tcb.qe", "the quoting enclave is older than any published level",
                                        "ISVSVN of at least " + std::to_string(identity->levels.back().isv_svn),
                                        std::to_string(report.isv_svn))
                               : passed("tdx.tcb.qe", std::string(codec::to_text(level->status))));
}

// The SVNs at launch, and for a TD report 1.5 also the current ones.
std::vector<TcbSvn> svns_of(const codec::TdReport& report) {
  std::vector<TcbSvn> out = {report.tee_tcb_svn};
  if (report.tee_tcb_svn2) out.push_back(*report.tee_tcb_svn2);
  return out;
}

std::string when(std::size_t index) { return index == 0 ? "at launch" : "now"; }

// "OutOfDate at launch, UpToDate now", or just "UpToDate" where the two cannot differ.
std::string describe(const std::vector<const TcbState*>& states) {
  std::string out;
  for (std::size_t i = 0; i < states.size(); ++i) {
    if (i > 0) out += ", ";
    out += states[i] == nullptr ? "none" : codec::to_text(states[i]->status);
    if (states.size() > 1) out += " " + when(i);
  }
  return out;
}

// Finds the platform's levels. Entries are null where no level was found.
std::vector<const TcbState*> check_platform(const codec::TcbInfo& info, const PckExtension& pck,
                                            const codec::TdReport& report, Verdict& verdict) {
  std::vector<const TcbState*> found;
  const std::vector<TcbSvn> svns = svns_of(report);
  for (const TcbSvn& svn : svns) found.push_back(find_platform_level(info, pck, svn));
  const auto none = std::find(found.begin(), found.end(), nullptr);
  if (none == found.end()) {
    verdict.add(passed("tdx.tcb.platform", describe(found)));
  } else {
    const auto index = static_cast<std::size_t>(none - found.begin());
    verdict.add(failed("tdx.tcb.platform", "the TCB is not supported: below every published level " + when(index),
                       "a published level",
                       "SVNs " + to_hex(pck.component_svns) + ", PCESVN " + std::to_string(pck.pce_svn) +
                           ", TEE_TCB_SVN " + to_hex(svns[index])));
  }
  return found;
}

// Checks who made the TDX module.
void check_module_signer(const codec::TcbInfo& info, const codec::TdReport& report, Verdict& verdict) {
  Check signer = passed("tdx.seam.mr_signer", to_hex(report.mr_signer_seam));
  Check attributes = passed("tdx.seam.attributes", to_hex(report.seam_attributes));
  for (const TcbSvn& svn : svns_of(report)) {
    const codec::ModuleSigner* expected = find_module_signer(info, svn[1]);
    if (expected == nullptr) {
      const std::string reason = "no identity of " + module_id(svn[1]) + " is published";
      if (signer.state == State::kPass) signer = skipped(signer.id, reason);
      if (attributes.state == State::kPass) attributes = skipped(attributes.id, reason);
      continue;
    }
    if (expected->mr_signer != report.mr_signer_seam) {
      signer = failed(signer.id, "the TDX module is signed by somebody else", to_hex(expected->mr_signer),
                      to_hex(report.mr_signer_seam));
    }
    if (!equal_under_mask(report.seam_attributes, expected->attributes_mask, expected->attributes)) {
      attributes = failed(attributes.id, "differs under the mask " + to_hex(expected->attributes_mask),
                          to_hex(expected->attributes), to_hex(report.seam_attributes));
    }
  }
  if (report.seam_attributes != ByteArray<8>{}) {
    attributes = failed(attributes.id, "SEAMATTRIBUTES are reserved and have to be zero", to_hex(ByteArray<8>{}),
                        to_hex(report.seam_attributes));
  }
  verdict.add(std::move(signer));
  verdict.add(std::move(attributes));
}

struct ModuleLevels {
  std::vector<const TcbState*> states;  // null for major version 0, which has no status of its own
  bool found = true;
};

// Finds how old the TDX module is.
ModuleLevels check_module(const codec::TcbInfo& info, const codec::TdReport& report, Verdict& verdict) {
  const std::string id = "tdx.tcb.module";
  ModuleLevels out;
  std::string actual;
  for (const TcbSvn& svn : svns_of(report)) {
    const std::string name = module_id(svn[1]);
    const std::string moment = when(out.states.size());
    actual += (actual.empty() ? "" : ", ") + name + " minor " + std::to_string(svn[0]);
    out.states.push_back(nullptr);
    if (svn[1] == 0) continue;
    const codec::ModuleIdentity* identity = find_module(info, svn[1]);
    if (identity == nullptr) {
      verdict.add(
          failed(id, "no identity of this TDX module is published (" + moment + ")", "a published module", name));
      out.found = false;
      return out;
    }
    out.states.back() = find_isv_level(identity->levels, svn[0]);
    if (out.states.back() == nullptr) {
      verdict.add(failed(id, "the TDX module is older than any published level (" + moment + ")",
                         "minor version of at least " + std::to_string(identity->levels.back().isv_svn), actual));
      out.found = false;
      return out;
    }
    actual += std::string(" ") + std::string(codec::to_text(out.states.back()->status));
  }
  verdict.add(passed(id, actual));
  return out;
}

Check check_status(const ConvergedStatus& converged, const TcbEvaluation& launch, const TdxPolicy& policy,
                   UnixSeconds time) {
  const std::string id = "tdx.tcb.status";
  const std::string actual(converged.text());
  std::string expected;
  for (const std::string& status : policy.accepted_tcb_statuses) expected += (expected.empty() ? "" : " or ") + status;
  const bool revoked = !converged.relaunch_advised && converged.status == TcbStatus::kRevoked;
  if (!revoked && policy.accepted_tcb_statuses.contains(actual)) return passed(id, actual);
  const bool out_of_date = !converged.relaunch_advised && converged.status == TcbStatus::kOutOfDate;
  if (out_of_date && policy.out_of_date_grace_days > 0) {
    const UnixSeconds end = launch.date + policy.out_of_date_grace_days * kDay;
    if (time < end) return passed(id, actual, "within the policy's grace period, until " + to_rfc3339(end));
    return failed(id, "the policy's grace period ended at " + to_rfc3339(end), expected, actual);
  }
  return failed(id, "the policy does not take this TCB status", expected, actual);
}

Check check_advisories(const std::vector<std::string>& advisories, const TdxPolicy& policy) {
  const std::string id = "tdx.tcb.advisories";
  if (!policy.allowed_advisories) return not_applicable(id, "the policy names no advisories");
  std::string others;
  for (const std::string& advisory : advisories) {
    if (!policy.allowed_advisories->contains(advisory)) others += (others.empty() ? "" : ", ") + advisory;
  }
  if (others.empty()) return passed(id, std::to_string(advisories.size()) + " advisories, all allowed");
  return failed(id, "advisories that the policy does not allow", "none but the allowed ones", others);
}

Check check_date(UnixSeconds date, const TdxPolicy& policy) {
  const std::string id = "tdx.tcb.date";
  if (!policy.min_tcb_date) return not_applicable(id, "the policy names no date");
  if (date >= *policy.min_tcb_date) return passed(id, to_rfc3339(date));
  return failed(id, "the TCB level is older than the policy takes", "at least " + to_rfc3339(*policy.min_tcb_date),
                to_rfc3339(date));
}

void skip_result(Verdict& verdict, const std::string& reason) {
  skip_all(verdict, {"tdx.tcb.status", "tdx.tcb.advisories", "tdx.tcb.date"}, reason);
}

// A status comes only from evaluations that found every level.
void check_result(const std::vector<TcbEvaluation>& evaluations, const TdxPolicy& policy, UnixSeconds time,
                  Verdict& verdict) {
  const TcbEvaluation& launch = evaluations.front();
  const ConvergedStatus converged = advise_relaunch(launch.converged, evaluations.back().converged);
  verdict.add(check_status(converged, launch, policy, time));
  verdict.add(check_advisories(launch.advisories, policy));
  verdict.add(check_date(launch.date, policy));
  verdict.facts["tcb_status"] = converged.text();
  Json parts = {{"platform", codec::to_text(launch.platform)}, {"qe", codec::to_text(launch.qe)}};
  if (launch.module) parts["module"] = codec::to_text(*launch.module);
  if (evaluations.size() > 1) parts["current"] = codec::to_text(evaluations.back().converged);
  verdict.facts["tcb_status_parts"] = std::move(parts);
  verdict.facts["tcb_date"] = to_rfc3339(launch.date);
  verdict.facts["advisory_ids"] = launch.advisories;
}

// FMSPC and PCEID are compared as bytes, since their hex comes in either case.
bool check_platform_is_meant(const codec::TcbInfo& info, const PckExtension& pck, Verdict& verdict) {
  verdict.add(compared("tdx.fmspc", to_hex(info.fmspc), to_hex(pck.fmspc), "the TCB info is of another platform"));
  verdict.add(compared("tdx.pce_id", to_hex(info.pce_id), to_hex(pck.pce_id), "the TCB info is of another PCE"));
  return info.fmspc == pck.fmspc && info.pce_id == pck.pce_id;
}

}  // namespace

void add_tcb_checks(const JudgedTdxCollateral& collateral, const codec::TdxQuote& quote,
                    const std::optional<PckExtension>& pck, const TdxPolicy& policy, UnixSeconds time,
                    Verdict& verdict) {
  check_qe_identity(collateral.qe_identity, quote.qe_report, verdict);
  const std::optional<codec::TcbInfo>& info = collateral.tcb_info;
  std::string obstacle;
  if (!info) obstacle = "there is no readable TCB info";
  if (info && !pck) obstacle = "the PCK certificate's extension could not be read";
  if (!obstacle.empty()) skip_all(verdict, {"tdx.fmspc", "tdx.pce_id"}, obstacle);
  if (obstacle.empty() && !check_platform_is_meant(*info, *pck, verdict))
    obstacle = "the TCB info is of another platform";
  if (obstacle.empty() && info->id != "TDX") obstacle = "the TCB info is not about TDX";
  if (!obstacle.empty()) {
    skip_all(verdict, {"tdx.seam.mr_signer", "tdx.seam.attributes", "tdx.tcb.platform", "tdx.tcb.module"}, obstacle);
    skip_result(verdict, obstacle);
    return;
  }
  const std::vector<const TcbState*> platform = check_platform(*info, *pck, quote.report, verdict);
  check_module_signer(*info, quote.report, verdict);
  const ModuleLevels module = check_module(*info, quote.report, verdict);
  const TcbState* qe =
      collateral.qe_identity ? find_isv_level(collateral.qe_identity->levels, quote.qe_report.isv_svn) : nullptr;
  if (qe == nullptr || !module.found || std::find(platform.begin(), platform.end(), nullptr) != platform.end()) {
    skip_result(verdict, "not every level was found");
    return;
  }
  std::vector<TcbEvaluation> evaluations;
  for (std::size_t i = 0; i < platform.size(); ++i)
    evaluations.push_back(evaluate(*platform[i], *qe, module.states[i]));
  check_result(evaluations, policy, time, verdict);
}

void add_tcb_checks_undone(State state, const std::string& reason, Verdict& verdict) {
  for (const std::string_view id : kIds) {
    verdict.add(state == State::kNotApplicable ? not_applicable(std::string(id), reason)
                                               : skipped(std::string(id), reason));
  }
}

}  // namespace cloister::verify
