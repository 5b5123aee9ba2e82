// What one `cloister verify KIND FILE` verifies: evidence that the person who asks put together, or a file that holds everything and
// comes from somebody else (apps/verify/saved_commands.h).
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
  // Set for a file that holds everything: what it says of its own circumstances.
  std::optional<verify::FileWords> words;
  // Further words of such a file that were left unused, for people.
  Json unused_words = Json::object();
  bool time_named = true;   // by the person who asks

  // The file that the option of this name gave, now or when the evidence was saved.
  std::optional<std::string> beside(const std::string& name) const;
};

// Reads the file, the policy and the collateral. A file that holds everything is an Error that names its own command: what such a
// file brings along must not take the place of what the person who asks named.
Result<Subject> load_subject(const std::string& kind, const VerifyOptions& options);
// The policy, the collateral and the nonce that the options name, around evidence that is still to come.
Result<Subject> new_subject(const std::string& kind, const VerifyOptions& options);
// Reads the file that an option named; nothing when it did not. An Error when it is a file of another kind.
Result<void> load_beside(Subject& subject, const std::string& name, const std::string& path);
Result<std::optional<std::string>> read_optional(const std::string& path, std::string_view name);

// JSON that cannot be read is no evidence at all; what is wrong with evidence is a verdict. The Error names the file.
Result<void> require_json(const std::string& path, std::string_view text);

// Loads what is missing, judges, writes the bundle.
using Judge = std::function<Result<verify::Verdict>(const Subject&)>;
Result<verify::Verdict> judge_subject(Subject& subject, const collateral::Evidence& evidence, const VerifyOptions& options,
                                      const Judge& judge);

}  // namespace cloister::apps
