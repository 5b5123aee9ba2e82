// Report data that is the hash of a statement (layouts A1 and native): 32 bytes of SHA-256, then zeros.
#pragma once

#include <string>
#include <string_view>

#include "evidence/report_data.h"
#include "verify/verdict.h"

namespace cloister::verify {

bool binds(const evidence::ReportData& report_data, std::string_view statement);
// The half of report data that holds the hash, as hex.
std::string bound_half(const evidence::ReportData& report_data);
// report_data.padding
Check check_padding(const evidence::ReportData& report_data);

}  // namespace cloister::verify
