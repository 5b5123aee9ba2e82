// Reads from evidence what it needs. It returns identifiers only: addresses are never taken from evidence. Private to
// collateral.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "codec/snp_report.h"
#include "collateral/evidence.h"
#include "collateral/intel.h"

namespace cloister::collateral {

struct Needs {
  std::set<TdxPlatform> tdx;
  std::set<std::string> rim_ids;
  std::vector<codec::SnpReport> snp;
};

// Pure. Evidence that cannot be read, or ends in no vendor's root, adds nothing.
Needs needs_of(const Evidence& evidence);

}  // namespace cloister::collateral
