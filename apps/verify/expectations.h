// What the person who asks names to compare with, against what evidence of a kind can be compared with. An option that nothing looks at would
// be an answer to a question that was never asked.
#pragma once

#include "apps/verify/subject.h"

namespace cloister::apps {

// kUsage for the first option that was given and that evidence of this kind has nothing to compare with: a file chooses its kind, and the options
// of `verify bundle` are those of all kinds. Values that are malformed are kUsage, whatever the kind.
Result<void> check_expectations(const Subject& subject, const VerifyOptions& options);

}  // namespace cloister::apps
