#include "verify/subject/held_file.h"

#include <utility>

#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/archive.h"
#include "evidence/proof.h"
#include "verify/bundle.h"
#include "verify/subject/file_form.h"

namespace cloister::verify {
namespace {

void drop_names(Subject& subject) {
  for (const char* name : {"id", "model", "address", "report-data"}) {
    const auto found = subject.saved.beside.find(name);
    if (found == subject.saved.beside.end()) continue;
    const bool text = std::string_view(name) != "report-data";
    subject.unused_words[name] = text ? found->second : to_hex(as_bytes(found->second));
    subject.saved.beside.erase(found);
  }
}

// Uses the file's statements about time, nonce and channel, except where the person who asks named a value.
void take_words(const OwnWords& own, Subject& subject) {
  FileWords words;
  words.saved_at = subject.saved.saved_at;
  words.tls_spki_sha256 = subject.saved.tls_spki_sha256;
  if (own.nonce) {
    subject.saved.nonce = own.nonce;
  } else {
    words.nonce = subject.saved.nonce;
  }
  subject.words = words;
  subject.time_named = false;
  if (own.response) subject.saved.beside.erase("prefix-proof");
}

Result<Subject> read_archive(std::string_view text) {
  TRY(archive, evidence::parse_archive(text));
  Subject subject;
  SavedEvidence& saved = subject.saved;
  saved.kind = "receipt";
  saved.evidence = std::move(archive.receipt);
  saved.saved_at = archive.judged_at;
  saved.nonce = archive.nonce;
  const auto put = [&saved](const char* name, std::optional<std::string>& value) {
    if (value) saved.beside[name] = *std::move(value);
  };
  put("report", archive.report);
  put("keyset", archive.keyset);
  put("session", archive.session);
  put("request", archive.request);
  put("response", archive.response);
  put("prefix-proof", archive.prefix_proof);
  if (!archive.collateral.is_null()) {
    TRY(collateral, parse_bundle(codec::write_json(archive.collateral)));
    saved.collateral = std::move(collateral);
  }
  if (archive.model_manifest)
    subject.unused_words["model_manifest"] = "in the file; compare with your own by --model-manifest";
  return subject;
}

}  // namespace

Result<Subject> open_archive(const std::string& shown, std::string_view text, const OwnWords& own) {
  // A file that another tool wrote again is the same file: its members may stand in another order.
  if (!evidence::is_archive(text) && !has_form(text, FileForm::kArchive)) {
    if (const std::string form = describe_form(text); !form.empty()) return fail(ErrorCode::kBadArchive, shown + form);
    return fail(ErrorCode::kBadArchive,
                shown + " is no archive: it is no JSON object with the member \"archive\": \"cloister.archive.v1\"");
  }
  TRY(subject, read_archive(text));
  take_words(own, subject);
  return subject;
}

Result<Subject> open_bundle(const std::string& shown, std::string_view text, const OwnWords& own) {
  if (!is_saved_evidence(text) && !has_form(text, FileForm::kSavedEvidence)) {
    if (const std::string form = describe_form(text); !form.empty()) return fail(ErrorCode::kUsage, shown + form);
    return fail(
        ErrorCode::kUsage,
        shown + " is no saved evidence: it is no JSON object with the member \"format\": \"cloister.evidence.v1\"");
  }
  TRY(saved, parse_saved_evidence(text));
  Subject subject;
  subject.saved = std::move(saved);
  drop_names(subject);
  take_words(own, subject);
  return subject;
}

std::optional<UnixSeconds> time_in_file(const Subject& subject) {
  if (subject.saved.kind == "proof") {
    if (const auto proof = evidence::parse_proof(subject.saved.evidence)) return proof->time;
  }
  if (subject.words) return subject.words->saved_at;
  return std::nullopt;
}

void name_held_file(const Subject& subject, std::string_view form, Verdict& verdict) {
  verdict.subject = form == "archive" ? "archive" : "saved evidence of a " + subject.saved.kind;
}

}  // namespace cloister::verify
