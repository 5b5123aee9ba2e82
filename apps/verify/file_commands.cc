#include "apps/verify/file_commands.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "apps/verify/expectations.h"
#include "apps/verify/shown_path.h"
#include "apps/verify/subject.h"
#include "base/encoding.h"
#include "collateral/evidence_scan.h"
#include "evidence/aci/session.h"
#include "evidence/gpu_evidence.h"
#include "evidence/proof.h"
#include "verify/gpu.h"
#include "verify/quote.h"
#include "verify/subject/held_file.h"
#include "verify/subject/input_forms.h"

namespace cloister::apps {
namespace {

// ---- what has to be fetched ----

collateral::Evidence evidence_of_report(const Subject& subject) {
  return collateral::find_evidence(subject.saved.evidence);
}

collateral::Evidence evidence_of_quote(const Subject& subject) {
  collateral::Evidence out;
  if (const auto quote = verify::read_quote_text(subject.saved.evidence)) out.quotes.push_back(*quote);
  return out;
}

collateral::Evidence evidence_of_gpu(const Subject& subject) {
  const std::string& text = subject.saved.evidence;
  const std::string* chain = subject.saved.find_beside("chain");
  collateral::Evidence out;
  if (chain == nullptr) {
    out = collateral::find_evidence(text);
  } else if (auto device = evidence::parse_gpu_files(as_bytes(text), as_bytes(*chain))) {
    out.devices.push_back(*std::move(device));
  }
  out.quotes.clear();
  const auto asked = chain != nullptr ? subject.saved.nonce : verify::device_nonce(text, subject.saved.nonce);
  if (asked) out.gpu_nonce_hex = to_hex(*asked);
  return out;
}

collateral::Evidence evidence_of_snp(const Subject& subject) {
  const ByteView report = as_bytes(subject.saved.evidence);
  collateral::Evidence out;
  out.snp_reports.emplace_back(report.begin(), report.end());
  return out;
}

// Adds the evidence about its upstream that a gateway's session holds in a data URI.
void add_evidence_of_session(const std::string& session_text, collateral::Evidence& out) {
  const auto session = evidence::parse_session(session_text);
  if (!session || !session->evidence) return;
  const std::string_view text = as_text(session->evidence->data);
  collateral::Evidence found = collateral::find_evidence(text);
  if (const auto quote = verify::read_quote_text(text)) found.quotes.push_back(*quote);
  out.quotes.insert(out.quotes.end(), found.quotes.begin(), found.quotes.end());
  out.devices.insert(out.devices.end(), found.devices.begin(), found.devices.end());
  out.snp_reports.insert(out.snp_reports.end(), found.snp_reports.begin(), found.snp_reports.end());
}

collateral::Evidence evidence_of_receipt(const Subject& subject) {
  const std::string* report = subject.saved.find_beside("report");
  collateral::Evidence out = report != nullptr ? collateral::find_evidence(*report) : collateral::Evidence{};
  if (const std::string* session = subject.saved.find_beside("session")) add_evidence_of_session(*session, out);
  return out;
}

collateral::Evidence evidence_of_session(const Subject& subject) {
  collateral::Evidence out;
  add_evidence_of_session(subject.saved.evidence, out);
  return out;
}

collateral::Evidence evidence_of_signature(const Subject&) { return {}; }

collateral::Evidence evidence_of_proof(const Subject& subject) {
  const auto proof = evidence::parse_proof(subject.saved.evidence);
  return proof ? collateral::find_evidence(proof->report) : collateral::Evidence{};
}

// ---- what options give ----

struct Beside {
  const char* name;
  std::string VerifyOptions::*given;
};

struct FileKind {
  std::string_view name;
  std::vector<Beside> files;
  std::vector<Beside> values;
  collateral::Evidence (*evidence)(const Subject&);
};

const std::vector<FileKind>& kinds() {
  static const std::vector<FileKind> kAll = {
      {"report", {{"instances", &VerifyOptions::instances_file}}, {}, evidence_of_report},
      {"quote",
       {{"event-log", &VerifyOptions::event_log_file},
        {"ccel", &VerifyOptions::ccel_file},
        {"app-compose", &VerifyOptions::app_compose_file},
        {"vm-config", &VerifyOptions::vm_config_file}},
       {},
       evidence_of_quote},
      {"gpu", {{"chain", &VerifyOptions::chain_file}}, {}, evidence_of_gpu},
      {"snp", {}, {}, evidence_of_snp},
      {"receipt",
       {{"request", &VerifyOptions::request_file},
        {"response", &VerifyOptions::response_file},
        {"report", &VerifyOptions::report_file},
        {"keyset", &VerifyOptions::keyset_file},
        {"session", &VerifyOptions::session_file},
        {"prefix-proof", &VerifyOptions::prefix_proof_file}},
       {{"id", &VerifyOptions::id}, {"model", &VerifyOptions::model}},
       evidence_of_receipt},
      {"session", {{"receipt", &VerifyOptions::receipt_file}}, {{"id", &VerifyOptions::id}}, evidence_of_session},
      {"signature",
       {{"request", &VerifyOptions::request_file}, {"response", &VerifyOptions::response_file}},
       {{"address", &VerifyOptions::address}},
       evidence_of_signature},
      {"proof", {}, {}, evidence_of_proof},
  };
  return kAll;
}

const FileKind* find_kind(std::string_view name) {
  const auto found = std::ranges::find(kinds(), name, &FileKind::name);
  return found == kinds().end() ? nullptr : &*found;
}

// The file that the Error is about, with the option that gave it.
std::string file_at_fault(const FileKind& kind, const VerifyOptions& options, const std::string& name) {
  const auto found = std::ranges::find_if(kind.files, [&](const Beside& file) { return file.name == name; });
  if (found == kind.files.end() || (options.*(found->given)).empty()) return shown_path(options.target);
  return "--" + name + " " + shown_path(options.*(found->given));
}

Result<void> load_named(Subject& subject, const FileKind& kind, const VerifyOptions& options) {
  for (const Beside& file : kind.files) TRY_VOID(load_beside(subject, file.name, options.*(file.given)));
  for (const Beside& value : kind.values) {
    if (!(options.*(value.given)).empty()) subject.saved.beside[value.name] = options.*(value.given);
  }
  TRY_VOID(check_expectations(subject, options));
  if (options.report_data.empty()) return {};
  TRY(report_data, from_hex(options.report_data));
  if (kind.name == "snp") subject.saved.beside["report-data"] = as_text(report_data);
  if (kind.name != "quote") return {};
  const auto expected = verify::expect_report_data(report_data, subject.judging.policy);
  return expected ? expected : fail(ErrorCode::kUsage, "--report-data: " + expected.error().message);
}

Result<verify::Verdict> verify_file(const char* kind, const VerifyOptions& options) {
  TRY(subject, load_subject(kind, options));
  subject.time_named = !options.at.empty();
  subject.no_connection = options.as_document;
  if (!options.tls_key.empty()) {
    const auto key = from_hex_exactly<32>(options.tls_key);
    if (!key) return fail(ErrorCode::kUsage, "--tls-key: " + key.error().message);
    if (const auto filled = verify::check_filled(*key); !filled)
      return fail(ErrorCode::kUsage, "--tls-key: " + filled.error().message);
    subject.saved.tls_spki_sha256 = *key;
  }
  return judge_kind(subject, options);
}

}  // namespace

Result<verify::Verdict> judge_kind(Subject& subject, const VerifyOptions& options) {
  const FileKind* kind = find_kind(subject.saved.kind);
  if (kind == nullptr)
    return fail(ErrorCode::kUsage, "evidence of a kind that is not known here: " + subject.saved.kind);
  if (const std::size_t most = verify::most_bytes_of(kind->name); subject.saved.evidence.size() > most) {
    return fail(ErrorCode::kTooLarge, "the evidence is larger than " + std::to_string(most) + " bytes");
  }
  TRY_VOID(load_named(subject, *kind, options));
  if (const auto readable = verify::check_readable(subject); !readable)
    return verify::named_error(file_at_fault(*kind, options, readable.error().param), readable.error());
  if (!subject.time_named) subject.judging.time = verify::time_in_file(subject).value_or(subject.judging.time);
  return judge_subject(subject, kind->evidence(subject), options);
}

Result<verify::Verdict> verify_report_file(const VerifyOptions& options) { return verify_file("report", options); }
Result<verify::Verdict> verify_quote_file(const VerifyOptions& options) { return verify_file("quote", options); }
Result<verify::Verdict> verify_gpu_file(const VerifyOptions& options) { return verify_file("gpu", options); }
Result<verify::Verdict> verify_snp_file(const VerifyOptions& options) { return verify_file("snp", options); }
Result<verify::Verdict> verify_receipt_file(const VerifyOptions& options) { return verify_file("receipt", options); }
Result<verify::Verdict> verify_session_file(const VerifyOptions& options) { return verify_file("session", options); }
Result<verify::Verdict> verify_signature_file(const VerifyOptions& options) {
  return verify_file("signature", options);
}
Result<verify::Verdict> verify_proof_file(const VerifyOptions& options) { return verify_file("proof", options); }

}  // namespace cloister::apps
