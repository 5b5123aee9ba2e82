#include <array>
#include <string>
#include <string_view>

#include "evidence/services/chutes.h"
#include "evidence/services/tinfoil.h"
#include "verify/check.h"
#include "verify/policy/rules.h"
#include "verify/report/judges.h"
#include "verify/report/services.h"

namespace cloister::verify {
namespace {

struct Mark {
  std::string_view name;  // for messages
  ReportShape shape;
  bool (*found)(const Json& object);
};

bool has(const Json& object, std::string_view name) { return object.contains(name); }

bool has_text(const Json& object, std::string_view name) {
  const auto member = object.find(name);
  return member != object.end() && member->is_string();
}

// What an object calls itself in a member of this name; empty when it has no such member.
std::string word(const Json& object, std::string_view name) {
  return has_text(object, name) ? object.at(std::string(name)).get<std::string>() : std::string();
}

bool is_agent_answer(const Json& object) {
  // Several shapes have a quote; this one has nothing else.
  const auto quote = object.find("quote");
  return quote != object.end() && !quote->is_structured() && !has(object, "signing_address") &&
         !has(object, "intel_quote") && !has(object, "statement") &&
         (!has(object, "attestation") || has_text(object, "attestation"));
}

// The marks by which the shapes are recognised.
constexpr std::array<Mark, 11> kMarks = {{
    {"format", ReportShape::kTinfoil, [](const Json& o) { return evidence::is_tinfoil_format(word(o, "format")); }},
    {"attestation_type chutes, or evidence of instances", ReportShape::kChutes, evidence::is_chutes_report},
    {"attestation", ReportShape::kAci,
     [](const Json& o) { return has(o, "attestation") && !has_text(o, "attestation"); }},
    {"attestation as text", ReportShape::kVersioned,
     [](const Json& o) { return has_text(o, "attestation") && !has(o, "quote") && !has(o, "statement"); }},
    {"hcl_report", ReportShape::kAzure, [](const Json& o) { return has(o, "hcl_report") && has(o, "tpm_quote"); }},
    {"statement", ReportShape::kNative, [](const Json& o) { return has(o, "statement"); }},
    {"model_attestations", ReportShape::kWrapped, [](const Json& o) { return has(o, "model_attestations"); }},
    {"gateway_attestation", ReportShape::kWrapped, [](const Json& o) { return has(o, "gateway_attestation"); }},
    {"intel_quote", ReportShape::kLegacy, [](const Json& o) { return has(o, "intel_quote"); }},
    {"signing_address", ReportShape::kLegacy, [](const Json& o) { return has(o, "signing_address"); }},
    {"quote", ReportShape::kAgent, is_agent_answer},
}};

Error unknown(const std::string& what) {
  return fail(ErrorCode::kUnsupported, "this is no form of report that is known here" + what);
}

// At most 64 printable characters of another party's text.
std::string printable(const std::string& text) {
  std::string out;
  for (const char c : text.substr(0, 64)) out.push_back(c >= ' ' && c <= '~' ? c : '?');
  return out;
}

// Forms that are recognised by name, but not parsed.
Error name_unknown(const Json& object) {
  if (const std::string type = word(object, "attestation_type"); !type.empty()) {
    return unknown(": attestation_type " + printable(type));
  }
  if (const std::string format = word(object, "format"); !format.empty())
    return unknown(": format " + printable(format));
  if (has(object, "evidence_list")) return unknown("; evidence of GPUs alone is judged by cloister verify gpu");
  return unknown("");
}

Verdict judge_shape(ReportShape shape, const Json& object, std::string_view text, const Expected& expected,
                    const Context& context) {
  Verdict verdict;
  switch (shape) {
    case ReportShape::kAci: return judge_aci_report(object, expected, context);
    case ReportShape::kNative: return judge_native_report(object, expected, context);
    case ReportShape::kWrapped: return judge_wrapped_report(object, expected, context);
    case ReportShape::kAgent: return judge_agent_answer(object, expected, context);
    case ReportShape::kVersioned: return judge_versioned_attestation(object, expected, context);
    case ReportShape::kAzure: return judge_azure_evidence(object, expected, context);
    case ReportShape::kChutes: return judge_chutes_report(object, expected, context);
    case ReportShape::kTinfoil:
      if (!text.empty()) return judge_tinfoil_document(text, object, expected, context);
      verdict.subject = "report";
      verdict.add(
          failed("report.form", "a document of Tinfoil within another report: the text that is hashed is not known"));
      return verdict;
    case ReportShape::kLegacy: break;
  }
  return judge_legacy_report(object, expected, context);
}

}  // namespace

Result<ReportShape> find_shape(const Json& object) {
  if (!object.is_object()) return unknown(std::string(": expected an object, found ") + object.type_name());
  const Mark* found = nullptr;
  for (const Mark& mark : kMarks) {
    if (!mark.found(object)) continue;
    if (found != nullptr && found->shape != mark.shape) {
      return fail(ErrorCode::kBadReport, "it has the marks of two kinds of report: " + std::string(found->name) +
                                             " and " + std::string(mark.name));
    }
    found = &mark;
  }
  if (found == nullptr) return name_unknown(object);
  if (found->shape == ReportShape::kTinfoil && !evidence::is_known_tinfoil_format(word(object, "format")))
    return name_unknown(object);
  if (found->shape == ReportShape::kVersioned) TRY_VOID(check_versioned_form(object));
  if (found->shape == ReportShape::kAzure) TRY_VOID(check_azure_form(object));
  return found->shape;
}

Verdict judge_report(const Json& object, std::string_view text, const Expected& expected, const Context& context) {
  Verdict verdict;
  verdict.subject = "report";
  const Result<ReportShape> shape = find_shape(object);
  if (shape) {
    verdict = judge_shape(*shape, object, text, expected, context);
  } else {
    verdict.add(failed("report.form", shape.error().message));
  }
  // A gateway's answer consists of several reports; the rules are applied to each of them.
  if (!shape || *shape != ReportShape::kWrapped) require_rules(context.policy, verdict);
  return verdict;
}

}  // namespace cloister::verify
