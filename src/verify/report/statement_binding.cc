#include "verify/report/statement_binding.h"

#include <algorithm>

#include "base/encoding.h"
#include "evidence/statement.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kHalf = 32;

}  // namespace

bool binds(const evidence::ReportData& report_data, std::string_view statement) {
  const evidence::ReportData expected = evidence::statement_report_data(statement);
  return equal(ByteView(report_data).first(kHalf), ByteView(expected).first(kHalf));
}

std::string bound_half(const evidence::ReportData& report_data) { return to_hex(ByteView(report_data).first(kHalf)); }

Check check_padding(const evidence::ReportData& report_data) {
  return compared("report_data.padding", std::string(2 * kHalf, '0'), to_hex(ByteView(report_data).subspan(kHalf)),
                  "the second half of report data is not zero");
}

}  // namespace cloister::verify
