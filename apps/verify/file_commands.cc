#include "apps/verify/file_commands.h"

#include <algorithm>
#include <iterator>

#include "apps/verify/expectations.h"
#include "apps/verify/file_form.h"
#include "apps/verify/gather.h"
#include "apps/verify/subject.h"
#include "base/encoding.h"
#include "codec/json.h"
#include "codec/snp_report.h"
#include "collateral/evidence_scan.h"
#include "evidence/aci/session.h"
#include "evidence/gpu_evidence.h"
#include "evidence/services/chutes.h"
#include "verify/gpu.h"
#include "verify/quote.h"
#include "verify/receipt.h"
#include "verify/report.h"
#include "verify/session.h"
#include "verify/signature.h"
#include "verify/snp.h"

namespace cloister::apps {
namespace {

// The evidence about its upstream that a gateway's session holds in a data URI.
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

// A value that an option gave, now or when the evidence was saved; it is kept with the evidence.
std::optional<std::string> keep_beside(Subject& subject, const std::string& name, const std::string& given) {
  if (!given.empty()) subject.saved.beside[name] = given;
  return subject.beside(name);
}

Result<evidence::ChatSignature> read_signature(const std::string& text) {
  TRY(object, codec::parse_json(text));
  return evidence::parse_chat_signature(object);
}

// An address of an unknown form could only ever be "another identity".
Result<void> check_address(const std::string& address) {
  const bool ecdsa = address.starts_with("0x") && from_hex_exactly<20>(std::string_view(address).substr(2));
  if (address.empty() || ecdsa || from_hex_exactly<32>(address)) return {};
  return fail(ErrorCode::kUsage, "--address: expected 0x and 40 hex digits (ecdsa), or 64 hex digits (ed25519)");
}

Result<verify::Verdict> judge_bare_signature(const Subject& subject, const evidence::ChatSignature& signature) {
  verify::SignatureEvidence judged;
  judged.signature = signature;
  const auto request = subject.beside("request"), response = subject.beside("response");
  if (request) judged.request = as_bytes(*request);
  if (response) judged.response = as_bytes(*response);
  judged.attested_address = subject.beside("address");
  return verify::verify_bare_signature(judged, subject.judging.policy);
}

// The files that belong to a quote, each byte for byte.
evidence::BootEvidence boot_evidence_of(const Subject& subject) {
  evidence::BootEvidence out;
  out.event_log = subject.beside("event-log");
  out.app_compose = subject.beside("app-compose");
  out.vm_config = subject.beside("vm-config");
  if (const auto ccel = subject.beside("ccel")) out.ccel = to_bytes(as_bytes(*ccel));
  return out;
}

Result<Bytes> read_report_data(const std::string& hex) {
  Result<Bytes> bytes = from_hex(hex);
  if (!bytes) return fail(ErrorCode::kUsage, "--report-data: " + bytes.error().message);
  if (bytes->size() != 64)
    return fail(ErrorCode::kUsage, "--report-data: expected 64 bytes, got " + std::to_string(bytes->size()));
  return bytes;
}

// A bare quote has no report around it that binds anything: the option acts like an entry of the policy.
Result<void> expect_report_data(const VerifyOptions& options, verify::Policy& policy) {
  if (options.report_data.empty()) return {};
  TRY(bytes, read_report_data(options.report_data));
  if (!policy.report_data.empty() && !policy.report_data.contains(bytes)) {
    return fail(ErrorCode::kUsage, "--report-data: the policy names other report data");
  }
  policy.report_data = {std::move(bytes)};
  return {};
}

// No other form lists instances whose keys are in another document.
Result<void> require_chutes(std::string_view report) {
  TRY(object, codec::parse_json(report, {64u << 20, 64}));
  if (object.is_object() && evidence::is_chutes_report(object)) return {};
  return fail(ErrorCode::kUsage, "a report of this form has no instances to compare with --instances");
}

Result<verify::Verdict> judge_report_subject(Subject& subject, const VerifyOptions& options) {
  TRY_VOID(require_json(options.target, subject.saved.evidence));
  if (const auto known = verify::check_known_form(subject.saved.evidence); !known)
    return about(options.target, known.error());
  TRY_VOID(load_beside(subject, "instances", options.instances_file));
  if (!options.instances_file.empty()) TRY_VOID(require_chutes(subject.saved.evidence));
  evidence::InstanceKeys keys;
  if (const auto text = subject.beside("instances")) {
    Result<evidence::InstanceKeys> listed = evidence::parse_chutes_instances(*text);
    if (!listed) return about(options.instances_file.empty() ? options.target : options.instances_file, listed.error());
    keys = *std::move(listed);
  }
  return judge_subject(
      subject, collateral::find_evidence(subject.saved.evidence), options, [&keys](const Subject& loaded) {
        verify::Expected expected{.nonce = loaded.saved.nonce, .tls_spki_sha256 = loaded.saved.tls_spki_sha256};
        expected.instance_keys = keys;
        return Result<verify::Verdict>(
            verify::verify_report(loaded.saved.evidence, expected, loaded.judging.context()));
      });
}

Result<verify::Verdict> judge_quote_subject(Subject& subject, const VerifyOptions& options) {
  TRY_VOID(load_beside(subject, "event-log", options.event_log_file));
  TRY_VOID(load_beside(subject, "ccel", options.ccel_file));
  TRY_VOID(load_beside(subject, "app-compose", options.app_compose_file));
  TRY_VOID(load_beside(subject, "vm-config", options.vm_config_file));
  Result<Bytes> read = verify::read_quote_text(subject.saved.evidence);
  if (!read) return about(options.target, read.error());
  const Bytes quote = *std::move(read);
  TRY_VOID(expect_report_data(options, subject.judging.policy));
  collateral::Evidence evidence;
  evidence.quotes.push_back(quote);
  return judge_subject(subject, evidence, options, [&quote](const Subject& loaded) {
    return Result<verify::Verdict>(verify::verify_quote(quote, loaded.judging.context(), boot_evidence_of(loaded)));
  });
}

Result<verify::Verdict> judge_gpu_subject(Subject& subject, const VerifyOptions& options) {
  TRY_VOID(load_beside(subject, "chain", options.chain_file));
  const auto chain = subject.beside("chain");
  const std::string& text = subject.saved.evidence;
  if (!chain) {
    if (const auto known = verify::check_gpu_text(text); !known) return about(options.target, known.error());
  }
  collateral::Evidence evidence;
  if (!chain) {
    evidence = collateral::find_evidence(text);
  } else if (auto device = evidence::parse_gpu_files(as_bytes(text), as_bytes(*chain))) {
    evidence.devices.push_back(*std::move(device));
  }
  evidence.quotes.clear();
  if (const auto asked = chain ? subject.saved.nonce : verify::device_nonce(text, subject.saved.nonce)) {
    evidence.gpu_nonce_hex = to_hex(*asked);
  }
  return judge_subject(subject, evidence, options, [&chain](const Subject& loaded) {
    const std::string& judged = loaded.saved.evidence;
    const verify::Context context = loaded.judging.context();
    return Result<verify::Verdict>(
        chain ? verify::verify_gpu(as_bytes(judged), as_bytes(*chain), loaded.saved.nonce, context)
              : verify::verify_gpu(judged, loaded.saved.nonce, context));
  });
}

Result<verify::Verdict> judge_snp_subject(Subject& subject, const VerifyOptions& options) {
  if (!options.report_data.empty()) {
    TRY(bytes, read_report_data(options.report_data));
    subject.saved.beside["report-data"] = as_text(bytes);
  }
  std::optional<Bytes> report_data;
  if (const auto bytes = subject.beside("report-data")) report_data = to_bytes(as_bytes(*bytes));
  const ByteView report = as_bytes(subject.saved.evidence);
  if (report.size() != codec::kSnpReportSize) {
    return fail(ErrorCode::kBadSnpReport, shown_path(options.target) + ": an SNP report has " +
                                              std::to_string(codec::kSnpReportSize) + " bytes, got " +
                                              std::to_string(report.size()));
  }
  collateral::Evidence evidence;
  evidence.snp_reports.emplace_back(report.begin(), report.end());
  return judge_subject(subject, evidence, options, [&](const Subject& loaded) {
    return Result<verify::Verdict>(
        verify::verify_snp(as_bytes(loaded.saved.evidence), report_data, loaded.judging.context()));
  });
}

Result<verify::Verdict> judge_receipt_subject(Subject& subject, const VerifyOptions& options) {
  TRY_VOID(require_json(options.target, subject.saved.evidence));
  TRY_VOID(load_beside(subject, "request", options.request_file));
  TRY_VOID(load_beside(subject, "response", options.response_file));
  TRY_VOID(load_beside(subject, "report", options.report_file));
  TRY_VOID(load_beside(subject, "keyset", options.keyset_file));
  TRY_VOID(load_beside(subject, "session", options.session_file));
  TRY_VOID(load_beside(subject, "prefix-proof", options.prefix_proof_file));
  keep_beside(subject, "id", options.id);
  keep_beside(subject, "model", options.model);
  const auto report = subject.beside("report"), keyset = subject.beside("keyset");
  const auto request = subject.beside("request"), response = subject.beside("response");
  const auto session = subject.beside("session"), prefix_proof = subject.beside("prefix-proof");
  collateral::Evidence evidence = report ? collateral::find_evidence(*report) : collateral::Evidence{};
  if (session) add_evidence_of_session(*session, evidence);
  return judge_subject(subject, evidence, options, [&](const Subject& loaded) {
    verify::ReceiptEvidence receipt;
    receipt.receipt = loaded.saved.evidence;
    receipt.report = report;
    receipt.expected.nonce = loaded.saved.nonce;
    receipt.keyset = keyset;
    if (request) receipt.request = as_bytes(*request);
    if (response) receipt.response = as_bytes(*response);
    receipt.session = session;
    receipt.prefix_proof = prefix_proof;
    receipt.id = loaded.beside("id");
    receipt.model = loaded.beside("model");
    return Result<verify::Verdict>(verify::verify_receipt(receipt, loaded.judging.context()));
  });
}

Result<verify::Verdict> judge_session_subject(Subject& subject, const VerifyOptions& options) {
  TRY_VOID(load_beside(subject, "receipt", options.receipt_file));
  TRY_VOID(require_json(options.target, subject.saved.evidence));
  const auto receipt = subject.beside("receipt");
  if (receipt) TRY_VOID(require_json(options.receipt_file.empty() ? options.target : options.receipt_file, *receipt));
  std::optional<ByteArray<32>> id;
  if (const auto text = keep_beside(subject, "id", options.id)) {
    const Result<ByteArray<32>> named = from_hex_exactly<32>(*text);
    if (!named) return fail(ErrorCode::kUsage, "--id: " + named.error().message);
    id = *named;
  }
  collateral::Evidence evidence;
  add_evidence_of_session(subject.saved.evidence, evidence);
  return judge_subject(subject, evidence, options, [&](const Subject& loaded) {
    verify::SessionEvidence session;
    session.session = loaded.saved.evidence;
    session.id = id;
    if (receipt) session.receipt = *receipt;
    return Result<verify::Verdict>(verify::verify_session(session, loaded.judging.context()));
  });
}

Result<verify::Verdict> judge_signature_subject(Subject& subject, const VerifyOptions& options) {
  Result<evidence::ChatSignature> signature = read_signature(subject.saved.evidence);
  if (!signature) return about(options.target, signature.error());
  TRY_VOID(check_address(options.address));
  TRY_VOID(load_beside(subject, "request", options.request_file));
  TRY_VOID(load_beside(subject, "response", options.response_file));
  keep_beside(subject, "address", options.address);
  return judge_subject(subject, {}, options,
                       [&signature](const Subject& loaded) { return judge_bare_signature(loaded, *signature); });
}

Result<verify::Verdict> judge_proof_subject(Subject& subject, const VerifyOptions& options) {
  Result<evidence::Proof> read = evidence::parse_proof(subject.saved.evidence);
  if (!read) return about(options.target, read.error());
  const evidence::Proof proof = *std::move(read);
  TRY(nonce, read_nonce(options.nonce));
  subject.time_named = !options.at.empty();
  if (!subject.time_named) subject.judging.time = proof.time;
  TRY(verdict, judge_subject(subject, collateral::find_evidence(proof.report), options, [&](const Subject& loaded) {
        return Result<verify::Verdict>(verify::verify_proof(proof, nonce, loaded.judging.context()));
      }));
  // For a bundle its own time has already been checked.
  if (!subject.words) verify::check_file_time(subject.judging.time, subject.time_named, verdict);
  return verdict;
}

struct FileKind {
  std::string_view name;
  Result<verify::Verdict> (*judge)(Subject& subject, const VerifyOptions& options);
};

constexpr FileKind kKinds[] = {
    {"report", judge_report_subject},
    {"quote", judge_quote_subject},
    {"gpu", judge_gpu_subject},
    {"snp", judge_snp_subject},
    {"receipt", judge_receipt_subject},
    {"session", judge_session_subject},
    {"signature", judge_signature_subject},
    {"proof", judge_proof_subject},
};

const FileKind* find_kind(std::string_view name) {
  const auto found = std::ranges::find(kKinds, name, &FileKind::name);
  return found == std::end(kKinds) ? nullptr : &*found;
}

Result<verify::Verdict> verify_file(const char* kind, const VerifyOptions& options) {
  TRY(subject, load_subject(kind, options));
  return judge_kind(subject, options);
}

}  // namespace

Result<verify::Verdict> judge_kind(Subject& subject, const VerifyOptions& options) {
  const FileKind* kind = find_kind(subject.saved.kind);
  if (kind == nullptr)
    return fail(ErrorCode::kUsage, "evidence of a kind that is not known here: " + subject.saved.kind);
  if (const std::size_t most = most_bytes_of(kind->name); subject.saved.evidence.size() > most) {
    return fail(ErrorCode::kTooLarge, "the evidence is larger than " + std::to_string(most) + " bytes");
  }
  TRY_VOID(check_expectations(subject, options));
  return kind->judge(subject, options);
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
