#include "verify/subject/file_form.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/snp_report.h"
#include "evidence/archive.h"
#include "evidence/cmw_evidence.h"
#include "verify/quote.h"
#include "verify/report.h"
#include "verify/subject/saved_evidence.h"

namespace cloister::verify {
namespace {

struct Words {
  FileForm form;
  const char* kind;  // the command or the option that takes it
  const char* what;
  const char* place;  // the place of the form
};

constexpr std::array<Words, 15> kWords = {{
    {FileForm::kArchive, "archive", "an archive, which brings its own time, nonce and files along",
     "cloister verify archive"},
    {FileForm::kSavedEvidence, "bundle", "saved evidence, which brings its own time, nonce and files along",
     "cloister verify bundle"},
    {FileForm::kProof, "proof", "a proof file, which brings its own time and nonce along", "cloister verify proof"},
    {FileForm::kCollateral, "collateral", "collateral", "the option --collateral"},
    {FileForm::kReceipt, "receipt", "a receipt", "cloister verify receipt"},
    {FileForm::kSession, "session", "a gateway's session",
     "cloister verify session, or --session of cloister verify receipt"},
    {FileForm::kKeyset, "keyset", "a keyset", "--keyset of cloister verify receipt"},
    {FileForm::kSignature, "signature", "the signature of a reply", "cloister verify signature"},
    {FileForm::kReport, "report", "a report", "cloister verify report, or --report of cloister verify receipt"},
    {FileForm::kGpuEvidence, "gpu", "evidence of GPUs alone", "cloister verify gpu"},
    {FileForm::kQuote, "quote", "a TDX quote", "cloister verify quote"},
    {FileForm::kSnpReport, "snp", "an SEV-SNP report", "cloister verify snp"},
    {FileForm::kInstances, "instances", "a list of instances", "--instances of cloister verify report"},
    {FileForm::kEventLog, "event-log", "an event log", "--event-log of cloister verify quote"},
    {FileForm::kRequest, "request", "a request to a model", "--request of cloister verify receipt"},
}};

bool has_all(const Json& object, std::initializer_list<const char*> names) {
  return std::ranges::all_of(names, [&](const char* name) { return object.contains(name); });
}

bool has_text(const Json& object, const char* name, std::string_view value) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() && found->get_ref<const std::string&>() == value;
}

void add_forms(const Json& object, std::string_view text, std::vector<FileForm>& out) {
  const auto add = [&out](FileForm form, bool found) {
    if (found) out.push_back(form);
  };
  const bool quoted = object.contains("intel_quote") || object.contains("quote");
  const bool signature = has_all(object, {"text", "signature", "signing_address"}) && !quoted;
  add(FileForm::kArchive, has_text(object, "archive", "cloister.archive.v1"));
  add(FileForm::kSavedEvidence, has_text(object, "format", "cloister.evidence.v1"));
  add(FileForm::kProof, has_text(object, "proof", "cloister.proof.v1"));
  add(FileForm::kCollateral,
      has_text(object, "collateral", "cloister.collateral.v1") || has_all(object, {"tcb_info", "qe_identity"}));
  add(FileForm::kReceipt, object.contains("receipt_id"));
  add(FileForm::kSession, has_all(object, {"upstream_name", "verifier_id"}));
  add(FileForm::kKeyset, object.contains("receipt_signing_keys"));
  add(FileForm::kSignature, signature);
  add(FileForm::kReport, !signature && check_known_form(text).has_value());
  add(FileForm::kGpuEvidence, object.contains("evidence_list") || evidence::is_cmw_collection(object));
  add(FileForm::kInstances, object.contains("instances"));
  add(FileForm::kRequest,
      object.contains("messages") || has_all(object, {"model", "prompt"}) || has_all(object, {"model", "input"}));
}

void add_forms_of_list(const Json& list, std::vector<FileForm>& out) {
  if (list.empty() || !list.front().is_object()) return;
  if (has_all(list.front(), {"certificate", "evidence"})) out.push_back(FileForm::kGpuEvidence);
  if (has_all(list.front(), {"imr", "digest"})) out.push_back(FileForm::kEventLog);
}

// The forms of a text that is no JSON.
void add_binary_forms(std::string_view text, std::vector<FileForm>& out) {
  const bool snp = text.size() == codec::kSnpReportSize && text[0] >= 2 && text[0] <= 5 && text[1] == 0 &&
                   text[2] == 0 && text[3] == 0;
  if (snp) out.push_back(FileForm::kSnpReport);
  if (!snp && read_quote_text(text)) out.push_back(FileForm::kQuote);
}

const Words& words_of(FileForm form) { return *std::ranges::find(kWords, form, &Words::form); }

}  // namespace

std::vector<FileForm> forms_of(std::string_view text) {
  std::vector<FileForm> out;
  const Result<Json> json = codec::parse_json(text);
  if (json && json->is_object()) add_forms(*json, text, out);
  if (json && json->is_array()) add_forms_of_list(*json, out);
  if (!json && evidence::is_archive(text)) out.push_back(FileForm::kArchive);
  if (!json && is_saved_evidence(text)) out.push_back(FileForm::kSavedEvidence);
  if (!json && out.empty()) add_binary_forms(text, out);
  return out;
}

bool has_form(std::string_view text, FileForm form) {
  const std::vector<FileForm> found = forms_of(text);
  return std::ranges::find(found, form) != found.end();
}

FileForm form_of_kind(std::string_view kind) {
  return std::ranges::find(kWords, kind, [](const Words& words) { return std::string_view(words.kind); })->form;
}

Result<void> check_form(const std::string& name, std::string_view text, const std::vector<FileForm>& wanted) {
  const std::vector<FileForm> found = forms_of(text);
  const bool fits = found.empty() || std::ranges::any_of(found, [&](FileForm form) {
                      return std::ranges::find(wanted, form) != wanted.end();
                    });
  if (fits) return {};
  return fail(ErrorCode::kUsage, name + describe_form(text));
}

std::string describe_form(std::string_view text) {
  const std::vector<FileForm> found = forms_of(text);
  if (found.empty()) return "";
  const Words& words = words_of(found.front());
  return std::string(" is ") + words.what + ": it belongs to " + words.place;
}

}  // namespace cloister::verify
