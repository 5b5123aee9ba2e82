#include <array>
#include <string_view>
#include <utility>

#include "verify/check.h"
#include "verify/report/judges.h"

namespace cloister::verify {
namespace {

using Mark = std::pair<std::string_view, ReportShape>;

// A member by which a shape is known.
constexpr std::array<Mark, 5> kMarks = {{
    {"attestation", ReportShape::kAci},
    {"statement", ReportShape::kNative},
    {"model_attestations", ReportShape::kWrapped},
    {"gateway_attestation", ReportShape::kWrapped},
    {"intel_quote", ReportShape::kLegacy},
}};

}  // namespace

Result<ReportShape> find_shape(const Json& object) {
  if (!object.is_object()) {
    return fail(ErrorCode::kBadReport, std::string("expected an object, found ") + object.type_name());
  }
  const Mark* found = nullptr;
  for (const Mark& mark : kMarks) {
    if (!object.contains(mark.first)) continue;
    if (found != nullptr && found->second != mark.second) {
      return fail(ErrorCode::kBadReport, "it has the marks of two kinds of report: " + std::string(found->first) +
                                             " and " + std::string(mark.first));
    }
    found = &mark;
  }
  if (found != nullptr) return found->second;
  // Several shapes have a quote; this one has nothing else. What has not even that, the legacy reader finds fault with.
  const bool bare = object.contains("quote") && !object.contains("signing_address");
  return bare ? ReportShape::kAgent : ReportShape::kLegacy;
}

Verdict judge_report(const Json& object, const Expected& expected, const Context& context) {
  const Result<ReportShape> shape = find_shape(object);
  if (!shape) {
    Verdict verdict;
    verdict.subject = "report";
    verdict.add(failed("report.form", shape.error().message));
    return verdict;
  }
  switch (*shape) {
    case ReportShape::kAci: return judge_aci_report(object, expected, context);
    case ReportShape::kNative: return judge_native_report(object, expected, context);
    case ReportShape::kWrapped: return judge_wrapped_report(object, expected, context);
    case ReportShape::kAgent: return judge_agent_answer(object, expected, context);
    case ReportShape::kLegacy: break;
  }
  return judge_legacy_report(object, expected, context);
}

}  // namespace cloister::verify
