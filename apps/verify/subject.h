// What one `cloister verify KIND FILE` verifies: evidence that the person who asks put together, or a file that holds
// everything and comes from somebody else (apps/verify/archive_subject.h).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "apps/verify/saved_evidence.h"
#include "apps/verify/verify_options.h"
#include "collateral/source.h"
#include "verify/file_words.h"
#include "verify/verdict.h"

namespace cloister::apps {

struct Subject {
  SavedEvidence saved;
  Judging judging;
  // Set for a file that holds everything: what it says about its own circumstances.
  std::optional<verify::FileWords> words;
  // Further statements of such a file that were not used, for people.
  Json unused_words = Json::object();
  bool time_named = true;  // the person who asks named the time

  // The file that the option of this name gave, now or when the evidence was saved.
  std::optional<std::string> beside(const std::string& name) const;
};

// Reads the file, the policy and the collateral. A file that holds everything is an Error that names the file's own
// command: its content must not replace what the person who asks named.
Result<Subject> load_subject(const std::string& kind, const VerifyOptions& options);
// The policy, the collateral and the nonce that the options name, for evidence that is still to come.
Result<Subject> new_subject(const std::string& kind, const VerifyOptions& options);
// Reads the file that an option named; does nothing when the option did not name one. An Error when it is a file of another kind.
Result<void> load_beside(Subject& subject, const std::string& name, const std::string& path);
Result<std::optional<std::string>> read_optional(const std::string& path, std::string_view name);

// JSON that cannot be parsed is no evidence at all; faults of evidence lead to a verdict. The Error names the file.
Result<void> require_json(const std::string& path, std::string_view text);

// Loads what is missing, verifies, and writes the bundle.
using Judge = std::function<Result<verify::Verdict>(const Subject&)>;
Result<verify::Verdict> judge_subject(Subject& subject, const collateral::Evidence& evidence,
                                      const VerifyOptions& options, const Judge& judge);

}  // namespace cloister::apps
