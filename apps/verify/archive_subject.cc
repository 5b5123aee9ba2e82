#include "apps/verify/archive_subject.h"

#include "apps/verify/file_commands.h"
#include "apps/verify/file_form.h"
#include "base/encoding.h"
#include "codec/json.h"
#include "evidence/archive.h"
#include "verify/bundle.h"

namespace cloister::apps {
namespace {

// Uses the file's statements about time, nonce and channel, except where the person who asks named a value.
void take_words(const VerifyOptions& options, UnixSeconds saved_at, const std::optional<ByteArray<32>>& nonce,
                Subject& subject) {
  verify::FileWords words;
  words.saved_at = saved_at;
  words.tls_spki_sha256 = subject.saved.tls_spki_sha256;
  if (!subject.saved.nonce) words.nonce = subject.saved.nonce = nonce;
  subject.words = words;
  subject.time_named = !options.at.empty();
  if (!subject.time_named) subject.judging.time = saved_at;
}

// Values by which a person names what is asked about. If they came from a file, the file itself would name it.
void drop_names(Subject& subject) {
  for (const char* name : {"id", "model", "address", "report-data"}) {
    const auto found = subject.saved.beside.find(name);
    if (found == subject.saved.beside.end()) continue;
    const bool text = std::string_view(name) != "report-data";
    subject.unused_words[name] = text ? found->second : to_hex(as_bytes(found->second));
    subject.saved.beside.erase(found);
  }
}

// Bodies that the person gave replace the file's, and then the proof that the file's are a beginning no longer applies.
void prefer_own_bodies(const VerifyOptions& options, Subject& subject) {
  if (!options.response_file.empty()) subject.saved.beside.erase("prefix-proof");
}

Result<Subject> load_archive(std::string_view text, const VerifyOptions& options) {
  TRY(archive, evidence::parse_archive(text));
  TRY(subject, new_subject("receipt", options));
  SavedEvidence& saved = subject.saved;
  saved.evidence = std::move(archive.receipt);
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
    TRY(collateral, verify::parse_bundle(codec::write_json(archive.collateral)));
    verify::add_collateral(subject.judging.collateral, std::move(collateral));
  }
  if (archive.model_manifest)
    subject.unused_words["model_manifest"] = "in the file; compare with your own by --model-manifest";
  take_words(options, archive.judged_at, archive.nonce, subject);
  return subject;
}

Result<Subject> load_bundle(std::string_view text, const VerifyOptions& options) {
  TRY(saved, parse_saved_evidence(text));
  TRY(subject, new_subject(saved.kind, options));
  const std::optional<ByteArray<32>> own_nonce = subject.saved.nonce, file_nonce = saved.nonce;
  verify::add_collateral(subject.judging.collateral, std::move(saved.collateral));
  subject.saved = std::move(saved);
  subject.saved.nonce = own_nonce;
  drop_names(subject);
  take_words(options, subject.saved.saved_at, file_nonce, subject);
  return subject;
}

Result<verify::Verdict> judge_alone(Subject& subject, const VerifyOptions& options, const char* name) {
  VerifyOptions alone = options;
  alone.offline = true;
  prefer_own_bodies(options, subject);
  const std::string kind = subject.saved.kind;
  TRY(verdict, judge_kind(subject, alone));
  verdict.subject = std::string(name) + " of a " + kind;
  return verdict;
}

}  // namespace

Result<std::string> archive_of(const Subject& subject) {
  evidence::Archive archive;
  archive.judged_at = subject.judging.time;
  archive.receipt = subject.saved.evidence;
  archive.report = subject.beside("report");
  // A report contains the keyset.
  if (!archive.report) archive.keyset = subject.beside("keyset");
  archive.session = subject.beside("session");
  archive.nonce = subject.saved.nonce;
  archive.request = subject.beside("request");
  archive.response = subject.beside("response");
  archive.prefix_proof = subject.beside("prefix-proof");
  if (const auto& manifest = subject.judging.policy.service.model_manifest) {
    archive.model_manifest = codec::write_json(evidence::to_json(*manifest));
  }
  TRY(collateral, codec::parse_json(verify::write_bundle(subject.judging.collateral), {.max_bytes = 64u << 20}));
  archive.collateral = std::move(collateral);
  return evidence::write_archive(archive);
}

Result<verify::Verdict> verify_archive_file(const VerifyOptions& options) {
  TRY(text, read_input(options.target, "archive"));
  // A file that another tool wrote again is the same file: its members may stand in another order.
  if (!evidence::is_archive(text) && !has_form(text, FileForm::kArchive)) {
    if (const std::string form = describe_form(text); !form.empty())
      return fail(ErrorCode::kBadArchive, shown_path(options.target) + form);
    return fail(
        ErrorCode::kBadArchive,
        options.target + " is no archive: it is no JSON object with the member \"archive\": \"cloister.archive.v1\"");
  }
  TRY(subject, load_archive(text, options));
  TRY(verdict, judge_alone(subject, options, "archive"));
  verdict.subject = "archive";
  return verdict;
}

Result<verify::Verdict> verify_bundle_file(const VerifyOptions& options) {
  TRY(text, read_input(options.target, "bundle"));
  if (!is_saved_evidence(text) && !has_form(text, FileForm::kSavedEvidence)) {
    if (const std::string form = describe_form(text); !form.empty())
      return fail(ErrorCode::kUsage, shown_path(options.target) + form);
    return fail(ErrorCode::kUsage,
                options.target +
                    " is no saved evidence: it is no JSON object with the member \"format\": \"cloister.evidence.v1\"");
  }
  TRY(subject, load_bundle(text, options));
  return judge_alone(subject, options, "saved evidence");
}

}  // namespace cloister::apps
