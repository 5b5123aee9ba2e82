#include "apps/verify/archive_subject.h"

#include "apps/verify/file_commands.h"
#include "apps/verify/shown_path.h"
#include "codec/json.h"
#include "evidence/archive.h"
#include "verify/bundle.h"
#include "verify/subject/held_file.h"

namespace cloister::apps {
namespace {

using OpenFile = Result<verify::Subject> (*)(const std::string&, std::string_view, const verify::OwnWords&);

Result<Subject> load_held_file(const char* kind, OpenFile open, const VerifyOptions& options) {
  TRY(text, read_input(options.target, kind));
  TRY(nonce, read_nonce(options.nonce));
  TRY(opened, open(shown_path(options.target), text, {.nonce = nonce, .response = !options.response_file.empty()}));
  Subject subject;
  TRY(judging, load_judging(options));
  static_cast<verify::Subject&>(subject) = std::move(opened);
  subject.judging = std::move(judging);
  subject.beginning = options.beginning;
  subject.time_named = !options.at.empty();
  verify::add_collateral(subject.judging.collateral, std::move(subject.saved.collateral));
  return subject;
}

Result<verify::Verdict> judge_held_file(const char* kind, OpenFile open, const VerifyOptions& options) {
  TRY(subject, load_held_file(kind, open, options));
  VerifyOptions alone = options;
  alone.offline = true;
  TRY(verdict, judge_kind(subject, alone));
  verify::name_held_file(subject, kind, verdict);
  return verdict;
}

std::optional<std::string> text_beside(const Subject& subject, const char* name) {
  const std::string* found = subject.saved.find_beside(name);
  return found == nullptr ? std::nullopt : std::optional(*found);
}

}  // namespace

Result<std::string> archive_of(const Subject& subject) {
  evidence::Archive archive;
  archive.judged_at = subject.judging.time;
  archive.receipt = subject.saved.evidence;
  archive.report = text_beside(subject, "report");
  // A report contains the keyset.
  if (!archive.report) archive.keyset = text_beside(subject, "keyset");
  archive.session = text_beside(subject, "session");
  archive.nonce = subject.saved.nonce;
  archive.request = text_beside(subject, "request");
  archive.response = text_beside(subject, "response");
  archive.prefix_proof = text_beside(subject, "prefix-proof");
  if (const auto& manifest = subject.judging.policy.service.model_manifest) {
    archive.model_manifest = codec::write_json(evidence::to_json(*manifest));
  }
  TRY(collateral, codec::parse_json(verify::write_bundle(subject.judging.collateral), {.max_bytes = 64u << 20}));
  archive.collateral = std::move(collateral);
  std::string text = evidence::write_archive(archive);
  // Nobody could read it again.
  if (text.size() > evidence::kMostArchiveBytes) {
    return fail(ErrorCode::kTooLarge,
                "an archive of more than " + std::to_string(evidence::kMostArchiveBytes) + " bytes");
  }
  return text;
}

Result<verify::Verdict> verify_archive_file(const VerifyOptions& options) {
  return judge_held_file("archive", verify::open_archive, options);
}

Result<verify::Verdict> verify_bundle_file(const VerifyOptions& options) {
  return judge_held_file("bundle", verify::open_bundle, options);
}

}  // namespace cloister::apps
