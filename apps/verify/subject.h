// What one `cloister verify KIND FILE` verifies (verify/subject/subject.h), with the policy and the collateral that the options name.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "apps/verify/verify_options.h"
#include "collateral/source.h"
#include "verify/subject/subject.h"
#include "verify/verdict.h"

namespace cloister::apps {

struct Subject : verify::Subject {
  Judging judging;
};

// Reads the file, the policy and the collateral. A file that holds everything is an Error that names the file's own
// command: its content must not replace what the person who asks named.
Result<Subject> load_subject(const std::string& kind, const VerifyOptions& options);
// The policy, the collateral and the nonce that the options name, for evidence that is still to come.
Result<Subject> new_subject(const std::string& kind, const VerifyOptions& options);
// Reads the file that an option named; does nothing when the option did not name one. An Error when it is a file of another kind.
Result<void> load_beside(Subject& subject, const std::string& name, const std::string& path);
Result<std::optional<std::string>> read_optional(const std::string& path, std::string_view name);

// Fetches what is missing, verifies, and writes the bundle and the archive. verify::check_readable() has accepted the subject.
Result<verify::Verdict> judge_subject(Subject& subject, const collateral::Evidence& evidence,
                                      const VerifyOptions& options);

}  // namespace cloister::apps
