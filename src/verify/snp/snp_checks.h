// The checks of an SEV-SNP report that need no surrounding report.
#pragma once

#include <optional>
#include <span>

#include "codec/snp_report.h"
#include "verify/context.h"
#include "verify/snp/amd_roots.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct SnpFindings {
  std::optional<codec::SnpReport> report;  // absent when it could not be read
  bool endorsed = false;                   // a key under a pinned root of AMD's signed it
};

// Adds every check snp.* except snp.report_data, and the facts of the report.
SnpFindings check_snp(ByteView report, const Context& context, Verdict& verdict);

// For tests of reports whose makers are no CPU maker: verify_snp() with `roots` in place of AMD's.
Verdict verify_snp_under(std::span<const AmdRoot> roots, ByteView report,
                         const std::optional<Bytes>& expected_report_data, const Context& context);

}  // namespace cloister::verify
