#include "apps/verify/archive_subject.h"

#include "apps/verify/file_commands.h"
#include "codec/json.h"
#include "evidence/archive.h"
#include "verify/bundle.h"

namespace cloister::apps {
namespace {

Result<evidence::ModelIdentity> parse_manifest(std::string_view text) {
  TRY(object, codec::parse_json(text));
  return evidence::parse_model_identity(object);
}

}  // namespace

Result<void> load_archive(std::string_view text, const VerifyOptions& options, Subject& subject) {
  TRY(archive, evidence::parse_archive(text));
  SavedEvidence& saved = subject.saved;
  saved.kind = "receipt";
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
  saved.nonce = archive.nonce;
  if (!archive.collateral.is_null()) {
    TRY(collateral, verify::parse_bundle(codec::write_json(archive.collateral)));
    verify::add_collateral(subject.judging.collateral, std::move(collateral));
  }
  if (options.at.empty()) subject.judging.time = archive.judged_at;
  if (archive.model_manifest && options.model_manifest_file.empty()) {
    TRY(manifest, parse_manifest(*archive.model_manifest));
    subject.judging.policy.service.model_manifest = std::move(manifest);
  }
  return {};
}

Result<std::string> archive_of(const Subject& subject) {
  evidence::Archive archive;
  archive.judged_at = subject.judging.time;
  archive.receipt = subject.saved.evidence;
  archive.report = subject.beside("report");
  // A report has the keyset in it.
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
  VerifyOptions alone = options;
  alone.offline = true;
  TRY(text, read_input(options.target));
  if (!evidence::is_archive(text)) {
    return fail(ErrorCode::kBadArchive, options.target + " is no archive: it does not begin with {\"archive\":\"cloister.archive.v1\"");
  }
  TRY(verdict, verify_receipt_file(alone));
  verdict.subject = "archive";
  return verdict;
}

}  // namespace cloister::apps
