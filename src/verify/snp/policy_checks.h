// Compares an SNP report with what the policy demands of guest and platform.
#pragma once

#include <optional>
#include <string>

#include "codec/snp_report.h"
#include "verify/policy.h"
#include "verify/verdict.h"

namespace cloister::verify {

std::string tcb_text(const codec::SnpTcb& tcb);

// Adds snp.policy.*, snp.vmpl, snp.tcb.minimum, snp.measurement, snp.host_data, snp.id_key_digest,
// snp.author_key_digest and snp.platform. `product` decides the layout of patch levels; without it they cannot be read.
void check_snp_policy(const codec::SnpReport& report, std::optional<codec::SnpProduct> product, const Policy& policy,
                      Verdict& verdict);
void skip_snp_policy(const std::string& reason, Verdict& verdict);

}  // namespace cloister::verify
