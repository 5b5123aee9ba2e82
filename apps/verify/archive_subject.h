// Archives (docs/spec/archive.md) as what `cloister verify receipt` judges, and the other way round.
#pragma once

#include <string>
#include <string_view>

#include "apps/verify/subject.h"

namespace cloister::apps {

// Fills the subject as the options of `cloister verify receipt` would: the receipt, what stands beside it, the makers' data, the
// time of the archive unless --at names another, and its manifest unless one was given. kBadArchive for a text that is none.
Result<void> load_archive(std::string_view text, const VerifyOptions& options, Subject& subject);

// Everything that a receipt was judged with.
Result<std::string> archive_of(const Subject& subject);

// cloister verify archive FILE: alone, without a network.
Result<verify::Verdict> verify_archive_file(const VerifyOptions& options);

}  // namespace cloister::apps
