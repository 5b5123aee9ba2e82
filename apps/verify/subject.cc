#include "apps/verify/subject.h"

#include <algorithm>
#include <set>
#include <vector>

#include "apps/file_options.h"
#include "apps/output.h"
#include "apps/verify/archive_subject.h"
#include "apps/verify/file_form.h"
#include "apps/verify/gather.h"
#include "base/file.h"
#include "codec/json.h"
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

namespace {

// Options that give a file of a form that can be recognised by its marks.
const std::set<std::string> kFormsBeside = {"report", "keyset", "session", "receipt", "event-log", "instances"};

// JSON without any member of a receipt or a session is neither; one that lacks some members is a broken one, and rejected.
Result<void> check_marks(const std::string& kind, const std::string& path, std::string_view text) {
  static const std::map<std::string, std::vector<const char*>> kMembers = {
      {"receipt", {"api_version", "receipt_id", "event_log", "workload_keyset_digest", "key_id", "served_at"}},
      {"session", {"api_version", "upstream_name", "verifier_id", "channel_binding", "established_at", "claims"}}};
  const auto members = kMembers.find(kind);
  if (members == kMembers.end()) return {};
  TRY_VOID(require_json(path, text));
  const Result<Json> object = codec::parse_json(text);
  const bool any = object && object->is_object() &&
                   std::ranges::any_of(members->second, [&](const char* name) { return object->contains(name); });
  if (any) return {};
  return fail(ErrorCode::kUsage, shown_path(path) + " is no " + kind + ": it has no member of one");
}

}  // namespace

Result<Subject> load_subject(const std::string& kind, const VerifyOptions& options) {
  TRY(text, read_input(options.target, kind));
  std::vector<FileForm> wanted = {form_of_kind(kind)};
  // GPU evidence can also be taken out of a report.
  if (kind == "gpu") wanted.push_back(FileForm::kReport);
  TRY_VOID(check_form(options.target, text, wanted));
  TRY_VOID(check_marks(kind, options.target, text));
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
  if (kFormsBeside.contains(name)) TRY_VOID(check_form(path, *bytes, {form_of_kind(name)}));
  if (kFormsBeside.contains(name) || name == "vm-config" || name == "prefix-proof")
    TRY_VOID(require_json(path, *bytes));
  subject.saved.beside[name] = *std::move(bytes);
  return {};
}

Result<void> require_json(const std::string& path, std::string_view text) {
  const Result<Json> object = codec::parse_json(text);
  if (!object) return about(path, object.error());
  return {};
}

Result<verify::Verdict> judge_subject(Subject& subject, const collateral::Evidence& evidence,
                                      const VerifyOptions& options, const Judge& judge) {
  TRY_VOID(check_can_write("--bundle", options.bundle));
  TRY_VOID(check_can_write("--archive", options.archive));
  TRY(gathered, gather(evidence, options, subject.judging));
  TRY(verdict, judge(subject));
  // What was given and not looked at must be mentioned.
  if (subject.beside("prefix-proof") && verdict.find("receipt.prefix") == nullptr) {
    verdict.add({"receipt.prefix", verify::State::kSkipped, true, "", "", "the proof of a beginning was not judged"});
  }
  if (subject.words) {
    verify::check_file_time(subject.judging.time, subject.time_named, verdict);
    verify::FileWords words = *subject.words;
    words.beginning = !options.beginning && subject.beside("prefix-proof");
    verify::discount_file_words(words, subject.judging.policy, verdict);
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
    subject.saved.saved_at = subject.judging.time;
    TRY_VOID(write_file_atomically(options.bundle, write_saved_evidence(subject.saved), 0644));
  }
  return verdict;
}

}  // namespace cloister::apps
