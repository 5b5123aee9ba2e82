#include "verify/subject/input_forms.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "codec/json.h"
#include "evidence/archive.h"
#include "verify/subject/file_form.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kKiB = 1024, kMiB = 1024 * kKiB;

// Names of what has a form that can be recognised by its marks.
const std::set<std::string>& forms_beside() {
  static const std::set<std::string> kNames = {"report", "keyset", "session", "receipt", "event-log", "instances"};
  return kNames;
}

// JSON without any member of a receipt or a session is neither; one that lacks some members is a broken one, and rejected.
Result<void> check_marks(const std::string& kind, const std::string& shown, std::string_view text) {
  static const std::map<std::string, std::vector<const char*>> kMembers = {
      {"receipt", {"api_version", "receipt_id", "event_log", "workload_keyset_digest", "key_id", "served_at"}},
      {"session", {"api_version", "upstream_name", "verifier_id", "channel_binding", "established_at", "claims"}}};
  const auto members = kMembers.find(kind);
  if (members == kMembers.end()) return {};
  TRY_VOID(check_json(shown, text));
  const Result<Json> object = codec::parse_json(text);
  const bool any = object && object->is_object() &&
                   std::ranges::any_of(members->second, [&](const char* name) { return object->contains(name); });
  if (any) return {};
  return fail(ErrorCode::kUsage, shown + " is no " + kind + ": it has no member of one");
}

}  // namespace

std::size_t most_bytes_of(std::string_view name) {
  // Files that hold other files, and bodies, which are hashed and not parsed.
  if (name == "archive" || name == "bundle") return evidence::kMostArchiveBytes;
  for (const std::string_view large : {"proof", "request", "response"}) {
    if (name == large) return 64 * kMiB;
  }
  for (const std::string_view small : {"receipt", "signature", "quote", "chain"}) {
    if (name == small) return kMiB;
  }
  if (name == "snp" || name == "prefix-proof") return 64 * kKiB;
  return codec::JsonLimits{}.max_bytes;
}

Result<void> check_evidence_form(const std::string& kind, const std::string& shown, std::string_view text) {
  std::vector<FileForm> wanted = {form_of_kind(kind)};
  // GPU evidence can also be taken out of a report.
  if (kind == "gpu") wanted.push_back(FileForm::kReport);
  TRY_VOID(check_form(shown, text, wanted));
  return check_marks(kind, shown, text);
}

Result<void> check_beside_form(const std::string& name, const std::string& shown, std::string_view text) {
  const bool has_marks = forms_beside().contains(name);
  if (has_marks) TRY_VOID(check_form(shown, text, {form_of_kind(name)}));
  if (has_marks || name == "vm-config" || name == "prefix-proof") return check_json(shown, text);
  return {};
}

Result<void> check_filled(ByteView value) {
  const bool filled = std::ranges::any_of(value, [](std::uint8_t byte) { return byte != 0; });
  if (filled) return {};
  return fail(ErrorCode::kUsage, "it is all zeros: a value that was never filled in");
}

Result<void> check_json(const std::string& shown, std::string_view text) {
  const Result<Json> object = codec::parse_json(text);
  if (!object) return named_error(shown, object.error());
  return {};
}

Error named_error(const std::string& shown, const Error& error) {
  Error named = error;
  named.message = shown + ": " + error.message;
  return named;
}

}  // namespace cloister::verify
