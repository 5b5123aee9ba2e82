#include "apps/verify/subject.h"

#include "apps/output.h"
#include "apps/verify/archive_subject.h"
#include "apps/verify/gather.h"
#include "base/file.h"
#include "codec/json.h"
#include "evidence/archive.h"
#include "verify/bundle.h"

namespace cloister::apps {

std::optional<std::string> Subject::beside(const std::string& name) const {
  const auto found = saved.beside.find(name);
  return found == saved.beside.end() ? std::nullopt : std::optional(found->second);
}

Result<Subject> new_subject(const std::string& kind, const VerifyOptions& options) {
  Subject subject;
  TRY(judging, load_judging(options));
  subject.judging = std::move(judging);
  subject.saved.kind = kind;
  TRY(nonce, read_nonce(options.nonce));
  subject.saved.nonce = nonce;
  return subject;
}

Result<Subject> load_subject(const std::string& kind, const VerifyOptions& options) {
  TRY(text, read_input(options.target, kind));
  const char* own_command = evidence::is_archive(text) ? "archive" : is_saved_evidence(text) ? "bundle" : nullptr;
  if (own_command != nullptr) {
    return fail(ErrorCode::kUsage, options.target + " brings its own time, nonce and files along: cloister verify " + own_command);
  }
  TRY(subject, new_subject(kind, options));
  subject.saved.evidence = std::move(text);
  return subject;
}

Result<std::optional<std::string>> read_optional(const std::string& path, std::string_view name) {
  if (path.empty()) return std::optional<std::string>();
  TRY(bytes, read_input(path, name));
  return std::optional<std::string>(std::move(bytes));
}

Result<void> load_beside(Subject& subject, const std::string& name, const std::string& path) {
  TRY(bytes, read_optional(path, name));
  if (bytes) subject.saved.beside[name] = *std::move(bytes);
  return {};
}

Result<void> require_json(std::string_view text) {
  TRY(object, codec::parse_json(text));
  static_cast<void>(object);
  return {};
}

Result<verify::Verdict> judge_subject(Subject& subject, const collateral::Evidence& evidence, const VerifyOptions& options,
                                      const Judge& judge) {
  TRY(gathered, gather(evidence, options, subject.judging));
  TRY(verdict, judge(subject));
  // What is at hand and was not looked at must not go unsaid.
  if (subject.beside("prefix-proof") && verdict.find("receipt.prefix") == nullptr) {
    verdict.add({"receipt.prefix", verify::State::kSkipped, true, "", "", "the proof of a beginning was not judged"});
  }
  if (subject.words) {
    verify::check_file_time(subject.judging.time, subject.time_named, verdict);
    verify::discount_file_words(*subject.words, subject.judging.policy, verdict);
    verdict.facts["file_says"].update(subject.unused_words);
  }
  verdict.facts["collateral"] = std::move(gathered.facts);
  if (!options.archive.empty() && verdict.outcome() == verify::Outcome::kRejected) {
    complain("verify", "no archive is made of what is rejected");
  } else if (!options.archive.empty()) {
    TRY(archive, archive_of(subject));
    TRY_VOID(write_file_atomically(options.archive, archive, 0600));
  }
  if (!options.bundle.empty()) {
    subject.saved.collateral = subject.judging.collateral;
    subject.saved.saved_at = system_clock().now();
    TRY_VOID(write_file_atomically(options.bundle, write_saved_evidence(subject.saved), 0644));
  }
  return verdict;
}

}  // namespace cloister::apps
