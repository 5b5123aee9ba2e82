#include "verify/tdx/expected_checks.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "verify/check.h"
#include "verify/expected_values.h"

namespace cloister::verify {
namespace {

void add(const char* id, const std::set<Bytes>& expected, ByteView actual, Verdict& verdict) {
  if (expected.empty()) return verdict.add(not_applicable(id, "the policy expects no value in particular"));
  verdict.add(one_of(id, expected, actual));
}

Check check_fmspc(const std::optional<PckExtension>& pck, const std::set<Bytes>& expected) {
  const std::string id = "tdx.expected.fmspc";
  if (expected.empty()) return not_applicable(id, "the policy expects no value in particular");
  if (!pck) return skipped(id, "the PCK certificate, which names the FMSPC, could not be read");
  return one_of(id, expected, pck->fmspc);
}

bool reaches(const ByteArray<16>& svn, const Bytes& least) {
  return std::equal(svn.begin(), svn.end(), least.begin(), least.end(),
                    [](std::uint8_t actual, std::uint8_t lowest) { return actual >= lowest; });
}

// A higher SVN of one component does not make up for another. Both SVNs of a TD report 1.5 have to reach the minimum:
// the one at launch and the one of the module that runs now.
Check check_tee_tcb_svn(const codec::TdReport& report, const std::optional<Bytes>& least) {
  const std::string id = "tdx.expected.tee_tcb_svn";
  if (!least) return not_applicable(id, "the policy names no minimum");
  for (const auto& svn : {std::optional(report.tee_tcb_svn), report.tee_tcb_svn2}) {
    if (svn && !reaches(*svn, *least)) {
      return failed(id, "a component is below the policy's minimum", to_hex(*least), to_hex(*svn));
    }
  }
  return passed(id, to_hex(report.tee_tcb_svn));
}

}  // namespace

void add_expected_checks(const codec::TdxQuote& quote, const std::optional<PckExtension>& pck, const TdxPolicy& policy,
                         Verdict& verdict) {
  const codec::TdReport& report = quote.report;
  // A quote of another vendor is not parsed at all.
  add("tdx.expected.qe_vendor_id", policy.qe_vendor_ids, codec::kIntelQeVendorId, verdict);
  verdict.add(check_fmspc(pck, policy.fmspcs));
  verdict.add(check_tee_tcb_svn(report, policy.min_tee_tcb_svn));
  add("tdx.expected.mr_seam", policy.mr_seam, report.mr_seam, verdict);
  add("tdx.expected.mr_signer_seam", policy.mr_signer_seam, report.mr_signer_seam, verdict);
  add("tdx.expected.seam_attributes", policy.seam_attributes, report.seam_attributes, verdict);
  add("tdx.expected.td_attributes", policy.td_attributes, report.td_attributes, verdict);
  add("tdx.expected.mr_config_id", policy.mr_config_id, report.mr_config_id, verdict);
}

void skip_expected_checks(const std::string& reason, Verdict& verdict) {
  skip_all(verdict,
           {"tdx.expected.qe_vendor_id", "tdx.expected.fmspc", "tdx.expected.tee_tcb_svn", "tdx.expected.mr_seam",
            "tdx.expected.mr_signer_seam", "tdx.expected.seam_attributes", "tdx.expected.td_attributes",
            "tdx.expected.mr_config_id"},
           reason);
}

}  // namespace cloister::verify
