#include "apps/verify/file_commands.h"

#include <functional>

#include "apps/verify/gather.h"
#include "apps/verify/saved_evidence.h"
#include "base/encoding.h"
#include "base/file.h"
#include "codec/json.h"
#include "codec/snp_report.h"
#include "collateral/evidence_scan.h"
#include "verify/bundle.h"
#include "verify/gpu.h"
#include "verify/quote.h"
#include "verify/receipt.h"
#include "verify/report.h"
#include "verify/signature.h"
#include "verify/snp.h"

namespace cloister::apps {
namespace {

// One input, whether it came bare or in a file that --bundle wrote.
struct Subject {
  SavedEvidence saved;
  Judging judging;
};

Result<Subject> load_subject(const std::string& kind, const VerifyOptions& options) {
  Subject subject;
  TRY(text, read_input(options.target));
  TRY(judging, load_judging(options));
  subject.judging = std::move(judging);
  if (is_saved_evidence(text)) {
    TRY(saved, parse_saved_evidence(text));
    if (saved.kind != kind) {
      return fail(ErrorCode::kUsage, options.target + " holds a " + saved.kind + ": cloister verify " + saved.kind);
    }
    subject.saved = std::move(saved);
    verify::add_collateral(subject.judging.collateral, std::move(subject.saved.collateral));
  } else {
    subject.saved.kind = kind;
    subject.saved.evidence = std::move(text);
  }
  TRY(nonce, read_nonce(options.nonce));
  if (nonce) subject.saved.nonce = nonce;
  return subject;
}

using Judge = std::function<Result<verify::Verdict>(const Subject&)>;

// Loads what is missing, judges, writes the bundle.
Result<verify::Verdict> judge_subject(Subject& subject, const collateral::Evidence& evidence, const VerifyOptions& options,
                                      const Judge& judge) {
  TRY(gathered, gather(evidence, options, subject.judging));
  TRY(verdict, judge(subject));
  verdict.facts["collateral"] = std::move(gathered.facts);
  if (!options.bundle.empty()) {
    subject.saved.collateral = subject.judging.collateral;
    subject.saved.saved_at = system_clock().now();
    TRY_VOID(write_file_atomically(options.bundle, write_saved_evidence(subject.saved), 0644));
  }
  return verdict;
}

// JSON that cannot be read is no evidence at all; what is wrong with evidence is a verdict.
Result<void> require_json(std::string_view text) {
  TRY(object, codec::parse_json(text, {64u << 20, 64}));
  static_cast<void>(object);
  return {};
}

Result<std::optional<std::string>> read_optional(const std::string& path) {
  if (path.empty()) return std::optional<std::string>();
  TRY(bytes, read_input(path));
  return std::optional<std::string>(std::move(bytes));
}

Result<verify::Verdict> verify_bare_signature(const VerifyOptions& options, const Json& object) {
  verify::SignatureEvidence judged;
  TRY(signature, evidence::parse_chat_signature(object));
  judged.signature = std::move(signature);
  TRY(request, read_optional(options.request_file));
  TRY(response, read_optional(options.response_file));
  if (request) judged.request = as_bytes(*request);
  if (response) judged.response = as_bytes(*response);
  if (!options.address.empty()) judged.attested_address = options.address;
  return verify::verify_signature(judged);
}

}  // namespace

Result<verify::Verdict> verify_report_file(const VerifyOptions& options) {
  TRY(subject, load_subject("report", options));
  TRY_VOID(require_json(subject.saved.evidence));
  return judge_subject(subject, collateral::find_evidence(subject.saved.evidence), options, [](const Subject& loaded) {
    const verify::Expected expected{loaded.saved.nonce, loaded.saved.tls_spki_sha256};
    return Result<verify::Verdict>(verify::verify_report(loaded.saved.evidence, expected, loaded.judging.context()));
  });
}

Result<verify::Verdict> verify_quote_file(const VerifyOptions& options) {
  TRY(subject, load_subject("quote", options));
  TRY(quote, verify::read_quote_text(subject.saved.evidence));
  collateral::Evidence evidence;
  evidence.quotes.push_back(quote);
  return judge_subject(subject, evidence, options, [&quote](const Subject& loaded) {
    return Result<verify::Verdict>(verify::verify_quote(quote, loaded.judging.context()));
  });
}

Result<verify::Verdict> verify_gpu_file(const VerifyOptions& options) {
  TRY(subject, load_subject("gpu", options));
  TRY(chain, read_optional(options.chain_file));
  const std::string& text = subject.saved.evidence;
  if (!chain) TRY_VOID(require_json(text));
  collateral::Evidence evidence = chain ? collateral::Evidence{} : collateral::find_evidence(text);
  evidence.quotes.clear();
  if (subject.saved.nonce) evidence.gpu_nonce_hex = to_hex(*subject.saved.nonce);
  return judge_subject(subject, evidence, options, [&chain](const Subject& loaded) {
    const std::string& judged = loaded.saved.evidence;
    const verify::Context context = loaded.judging.context();
    return Result<verify::Verdict>(
        chain ? verify::verify_gpu(as_bytes(judged), as_bytes(*chain), loaded.saved.nonce, context)
              : verify::verify_gpu(judged, loaded.saved.nonce, context));
  });
}

Result<verify::Verdict> verify_snp_file(const VerifyOptions& options) {
  TRY(subject, load_subject("snp", options));
  std::optional<Bytes> report_data;
  if (!options.report_data.empty()) {
    TRY(bytes, from_hex(options.report_data));
    report_data = std::move(bytes);
  }
  const ByteView report = as_bytes(subject.saved.evidence);
  if (report.size() != codec::kSnpReportSize) {
    return fail(ErrorCode::kBadSnpReport, "an SNP report has " + std::to_string(codec::kSnpReportSize) + " bytes, got " +
                                              std::to_string(report.size()));
  }
  collateral::Evidence evidence;
  evidence.snp_reports.emplace_back(report.begin(), report.end());
  return judge_subject(subject, evidence, options, [&](const Subject& loaded) {
    return Result<verify::Verdict>(verify::verify_snp(as_bytes(loaded.saved.evidence), report_data, loaded.judging.context()));
  });
}

Result<verify::Verdict> verify_receipt_file(const VerifyOptions& options) {
  TRY(subject, load_subject("receipt", options));
  TRY_VOID(require_json(subject.saved.evidence));
  TRY(request, read_optional(options.request_file));
  TRY(response, read_optional(options.response_file));
  TRY(report, read_optional(options.report_file));
  TRY(keyset, read_optional(options.keyset_file));
  const collateral::Evidence evidence = report ? collateral::find_evidence(*report) : collateral::Evidence{};
  return judge_subject(subject, evidence, options, [&](const Subject& loaded) {
    verify::ReceiptEvidence receipt;
    receipt.receipt = loaded.saved.evidence;
    receipt.report = report;
    receipt.expected.nonce = loaded.saved.nonce;
    receipt.keyset = keyset;
    if (request) receipt.request = as_bytes(*request);
    if (response) receipt.response = as_bytes(*response);
    return Result<verify::Verdict>(verify::verify_receipt(receipt, loaded.judging.context()));
  });
}

Result<verify::Verdict> verify_signature_file(const VerifyOptions& options) {
  TRY(text, read_input(options.target));
  TRY(object, codec::parse_json(text, {64u << 20, 64}));
  if (!object.is_object() || !object.contains("proof")) return verify_bare_signature(options, object);
  TRY(proof, evidence::parse_proof(text));
  TRY(judging, load_judging(options));
  TRY(gathered, gather(collateral::find_evidence(proof.report), options, judging));
  verify::Verdict verdict = verify::verify_proof(proof, judging.context());
  verdict.facts["collateral"] = std::move(gathered.facts);
  return verdict;
}

}  // namespace cloister::apps
