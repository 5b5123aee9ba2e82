#include "verify/subject/subject.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "base/encoding.h"
#include "codec/json.h"
#include "codec/snp_report.h"
#include "evidence/proof.h"
#include "evidence/services/chutes.h"
#include "verify/asked_model.h"
#include "verify/gpu.h"
#include "verify/quote.h"
#include "verify/receipt.h"
#include "verify/report.h"
#include "verify/session.h"
#include "verify/signature.h"
#include "verify/snp.h"

namespace cloister::verify {
namespace {

std::optional<std::string> text_of(const Subject& subject, const char* name) {
  const std::string* found = subject.saved.find_beside(name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<std::string_view> view_of(const Subject& subject, const char* name) {
  const std::string* found = subject.saved.find_beside(name);
  return found == nullptr ? std::nullopt : std::optional<std::string_view>(*found);
}

std::optional<ByteView> bytes_of(const Subject& subject, const char* name) {
  const std::string* found = subject.saved.find_beside(name);
  return found == nullptr ? std::nullopt : std::optional(as_bytes(*found));
}

// The Error is about what stands beside the evidence under this name.
Error at_fault(const char* name, Error error) {
  error.param = name;
  return error;
}

Result<evidence::ChatSignature> read_signature(const Subject& subject) {
  TRY(object, codec::parse_json(subject.saved.evidence));
  return evidence::parse_chat_signature(object);
}

Result<std::optional<ByteArray<32>>> read_session_id(const Subject& subject) {
  const auto text = view_of(subject, "id");
  if (!text) return std::optional<ByteArray<32>>();
  const Result<ByteArray<32>> id = from_hex_exactly<32>(*text);
  if (!id) return at_fault("id", id.error());
  return std::optional(*id);
}

// No other form lists instances whose keys are in another document.
Result<void> require_chutes(std::string_view report) {
  TRY(object, codec::parse_json(report, {64u << 20, 64}));
  if (object.is_object() && evidence::is_chutes_report(object)) return {};
  return fail(ErrorCode::kUsage, "the report is of a form that has no instances to compare with", "instances");
}

Result<void> read_report(const Subject& subject) {
  const std::string& text = subject.saved.evidence;
  TRY_VOID(codec::parse_json(text));
  TRY_VOID(check_known_form(text));
  const auto instances = view_of(subject, "instances");
  if (!instances) return {};
  if (!subject.words) TRY_VOID(require_chutes(text));
  if (const auto listed = evidence::parse_chutes_instances(*instances); !listed)
    return at_fault("instances", listed.error());
  return {};
}

Result<Verdict> judge_report(const Subject& subject, const Context& context) {
  Expected expected{.nonce = subject.saved.nonce, .tls_spki_sha256 = subject.saved.tls_spki_sha256};
  if (const auto instances = view_of(subject, "instances")) {
    TRY(keys, evidence::parse_chutes_instances(*instances));
    expected.instance_keys = std::move(keys);
  }
  expected.tls_host = subject.tls_host;
  expected.no_connection = subject.no_connection || subject.words.has_value();
  Verdict verdict = verify_report(subject.saved.evidence, expected, context);
  if (subject.asked_model) {
    const std::string shown = model_in_report(subject.saved.evidence);
    check_asked_model(*subject.asked_model, shown,
                      fail(ErrorCode::kUsage, "no list of the node's models was asked for"), verdict);
  }
  return verdict;
}

Result<void> read_quote(const Subject& subject) {
  TRY_VOID(read_quote_text(subject.saved.evidence));
  return {};
}

Result<Verdict> judge_quote(const Subject& subject, const Context& context) {
  TRY(quote, read_quote_text(subject.saved.evidence));
  evidence::BootEvidence boot;
  boot.event_log = text_of(subject, "event-log");
  boot.app_compose = text_of(subject, "app-compose");
  boot.vm_config = text_of(subject, "vm-config");
  if (const auto ccel = bytes_of(subject, "ccel")) boot.ccel = to_bytes(*ccel);
  return verify_quote(quote, context, boot);
}

Result<void> read_gpu(const Subject& subject) {
  if (subject.saved.find_beside("chain") != nullptr) return {};
  return check_gpu_text(subject.saved.evidence);
}

Result<Verdict> judge_gpu(const Subject& subject, const Context& context) {
  const SavedEvidence& saved = subject.saved;
  if (const auto chain = bytes_of(subject, "chain"))
    return verify_gpu(as_bytes(saved.evidence), *chain, saved.nonce, context);
  return verify_gpu(saved.evidence, saved.nonce, context);
}

Result<void> read_snp(const Subject& subject) {
  const std::size_t size = subject.saved.evidence.size();
  if (size == codec::kSnpReportSize) return {};
  return fail(ErrorCode::kBadSnpReport,
              "an SNP report has " + std::to_string(codec::kSnpReportSize) + " bytes, got " + std::to_string(size));
}

Result<Verdict> judge_snp(const Subject& subject, const Context& context) {
  std::optional<Bytes> report_data;
  if (const auto named = bytes_of(subject, "report-data")) report_data = to_bytes(*named);
  return verify_snp(as_bytes(subject.saved.evidence), report_data, context);
}

Result<void> read_receipt(const Subject& subject) {
  TRY_VOID(codec::parse_json(subject.saved.evidence));
  return {};
}

Result<Verdict> judge_receipt(const Subject& subject, const Context& context) {
  ReceiptEvidence receipt;
  receipt.receipt = subject.saved.evidence;
  receipt.report = view_of(subject, "report");
  receipt.expected.nonce = subject.saved.nonce;
  // A receipt is a document that the attested key signed, however it came here.
  receipt.expected.no_connection = true;
  receipt.keyset = view_of(subject, "keyset");
  receipt.request = bytes_of(subject, "request");
  receipt.response = bytes_of(subject, "response");
  receipt.session = view_of(subject, "session");
  receipt.prefix_proof = view_of(subject, "prefix-proof");
  receipt.id = text_of(subject, "id");
  receipt.model = text_of(subject, "model");
  return verify_receipt(receipt, context);
}

Result<void> read_session(const Subject& subject) {
  TRY_VOID(codec::parse_json(subject.saved.evidence));
  if (const auto receipt = view_of(subject, "receipt")) {
    if (const auto object = codec::parse_json(*receipt); !object) return at_fault("receipt", object.error());
  }
  TRY_VOID(read_session_id(subject));
  return {};
}

Result<Verdict> judge_session(const Subject& subject, const Context& context) {
  SessionEvidence session;
  session.session = subject.saved.evidence;
  TRY(id, read_session_id(subject));
  session.id = id;
  session.receipt = view_of(subject, "receipt");
  return verify_session(session, context);
}

Result<void> read_signature_only(const Subject& subject) {
  TRY_VOID(read_signature(subject));
  return {};
}

Result<Verdict> judge_signature(const Subject& subject, const Context& context) {
  SignatureEvidence judged;
  TRY(signature, read_signature(subject));
  judged.signature = std::move(signature);
  judged.request = bytes_of(subject, "request");
  judged.response = bytes_of(subject, "response");
  judged.attested_address = text_of(subject, "address");
  return verify_bare_signature(judged, context.policy);
}

Result<void> read_proof(const Subject& subject) {
  TRY_VOID(evidence::parse_proof(subject.saved.evidence));
  return {};
}

Result<Verdict> judge_proof(const Subject& subject, const Context& context) {
  TRY(proof, evidence::parse_proof(subject.saved.evidence));
  // The nonce that a bundle was saved with is the file's word, as is the one in the proof itself.
  const bool own_nonce = !subject.words || !subject.words->nonce;
  return verify_proof(proof, own_nonce ? subject.saved.nonce : std::nullopt, context);
}

struct Kind {
  std::string_view name;
  Result<void> (*read)(const Subject&);
  Result<Verdict> (*judge)(const Subject&, const Context&);
};

constexpr Kind kKinds[] = {
    {"report", read_report, judge_report},
    {"quote", read_quote, judge_quote},
    {"gpu", read_gpu, judge_gpu},
    {"snp", read_snp, judge_snp},
    {"receipt", read_receipt, judge_receipt},
    {"session", read_session, judge_session},
    {"signature", read_signature_only, judge_signature},
    {"proof", read_proof, judge_proof},
};

Result<const Kind*> find_kind(const Subject& subject) {
  const auto found = std::ranges::find(kKinds, std::string_view(subject.saved.kind), &Kind::name);
  if (found != std::end(kKinds)) return &*found;
  return fail(ErrorCode::kUsage, "evidence of a kind that is not known here: " + subject.saved.kind);
}

struct Comparison {
  const char* name;  // followed by the word for what is missing
  const char* what;
  std::vector<std::string_view> kinds;  // kinds that it can be compared with
};

const std::vector<Comparison>& comparisons() {
  static const std::vector<Comparison> kAll = {
      {"nonce", "nonce", {"report", "gpu", "receipt", "proof"}},
      {"id", "id", {"receipt", "session"}},
      {"model", "model's name", {"receipt"}},
      {"request", "request of yours", {"receipt", "signature"}},
      {"response", "response of yours", {"receipt", "signature"}},
      {"address", "signing address", {"signature"}},
      {"report-data", "report data", {"quote", "snp"}},
      {"model-manifest", "model", {"report", "receipt", "session", "proof"}},
  };
  return kAll;
}

// A nonce is compared with the one that a report answers.
bool holds_report(const Subject& subject) {
  if (subject.saved.kind == "receipt") return subject.saved.find_beside("report") != nullptr;
  if (subject.saved.kind != "proof") return true;
  const auto proof = evidence::parse_proof(subject.saved.evidence);
  return !proof || !proof->report.empty();
}

}  // namespace

Result<void> check_readable(const Subject& subject) {
  TRY(kind, find_kind(subject));
  return kind->read(subject);
}

Result<Verdict> judge(const Subject& subject, const Context& context, Json gathered) {
  TRY(kind, find_kind(subject));
  TRY(verdict, kind->judge(subject, context));
  // What was given and not looked at must be mentioned.
  const bool has_prefix_proof = subject.saved.find_beside("prefix-proof") != nullptr;
  if (has_prefix_proof && verdict.find("receipt.prefix") == nullptr) {
    verdict.add({"receipt.prefix", State::kSkipped, true, "", "", "the proof of a beginning was not judged"});
  }
  if (subject.words || kind->name == "proof") check_file_time(context.time, subject.time_named, verdict);
  if (subject.words) {
    FileWords words = *subject.words;
    words.beginning = !subject.beginning && has_prefix_proof;
    discount_file_words(words, context.policy, verdict);
    verdict.facts["file_says"].update(subject.unused_words);
  }
  verdict.facts["collateral"] = std::move(gathered);
  return verdict;
}

Json nothing_gathered() { return {{"offline", true}, {"fetched", Json::array()}, {"problems", Json::array()}}; }

Result<void> check_comparable(const Subject& subject, const std::set<std::string>& given, std::string_view mark) {
  const std::string& kind = subject.saved.kind;
  const auto nothing = [&](const std::string& whose, const Comparison& comparison) {
    return fail(ErrorCode::kUsage,
                whose + " has no " + comparison.what + " to compare with " + std::string(mark) + comparison.name);
  };
  for (const Comparison& comparison : comparisons()) {
    if (!given.contains(comparison.name)) continue;
    if (std::ranges::find(comparison.kinds, kind) == comparison.kinds.end()) {
      return nothing(subject.words ? "a bundle of kind " + kind : "evidence of kind " + kind, comparison);
    }
    if (std::string_view(comparison.name) == "nonce" && !holds_report(subject)) {
      return nothing("a " + kind + " without a report", comparison);
    }
  }
  return {};
}

Result<void> expect_report_data(ByteView report_data, Policy& policy) {
  Bytes bytes = to_bytes(report_data);
  if (!policy.report_data.empty() && !policy.report_data.contains(bytes)) {
    return fail(ErrorCode::kUsage, "the policy names other report data");
  }
  policy.report_data = {std::move(bytes)};
  return {};
}

}  // namespace cloister::verify
