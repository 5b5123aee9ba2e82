// The checks of an SEV-SNP report that need nothing from around it.
#pragma once

#include <optional>

#include "codec/snp_report.h"
#include "verify/context.h"
#include "verify/verdict.h"

namespace cloister::verify {

struct SnpFindings {
  std::optional<codec::SnpReport> report;  // absent when it could not be read
  bool endorsed = false;                   // a key under a pinned root of AMD's signed it
};

// Adds every check snp.* but snp.report_data, and the facts of the report.
SnpFindings check_snp(ByteView report, const Context& context, Verdict& verdict);

}  // namespace cloister::verify
