#include "apps/verify/subject.h"

#include "apps/file_options.h"
#include "apps/output.h"
#include "apps/verify/archive_subject.h"
#include "apps/verify/gather.h"
#include "apps/verify/shown_path.h"
#include "base/file.h"
#include "verify/bundle.h"
#include "verify/subject/input_forms.h"

namespace cloister::apps {

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
  TRY_VOID(verify::check_evidence_form(kind, shown_path(options.target), text));
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
  if (!bytes) return {};
  TRY_VOID(verify::check_beside_form(name, shown_path(path), *bytes));
  subject.saved.beside[name] = *std::move(bytes);
  return {};
}

Result<verify::Verdict> judge_subject(Subject& subject, const collateral::Evidence& evidence,
                                      const VerifyOptions& options) {
  TRY_VOID(check_can_write("--bundle", options.bundle));
  TRY_VOID(check_can_write("--archive", options.archive));
  TRY(gathered, gather(evidence, options, subject.judging));
  TRY(verdict, verify::judge(subject, subject.judging.context(), std::move(gathered.facts)));
  if (!options.archive.empty() && verdict.outcome() == verify::Outcome::kRejected) {
    complain("verify", "no archive is made of what is rejected");
  } else if (!options.archive.empty()) {
    TRY(archive, archive_of(subject));
    TRY_VOID(write_file_atomically(options.archive, archive, 0600));
  }
  if (!options.bundle.empty()) {
    subject.saved.collateral = subject.judging.collateral;
    subject.saved.saved_at = subject.judging.time;
    TRY_VOID(write_file_atomically(options.bundle, verify::write_saved_evidence(subject.saved), 0644));
  }
  return verdict;
}

}  // namespace cloister::apps
