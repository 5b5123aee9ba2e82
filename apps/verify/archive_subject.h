// Files that hold everything: archives (docs/spec/archive.md) and saved evidence (docs/spec/bundle.md). Whoever made such a
// file chose its time, its nonce and everything in it, so its own statements are shown and never count (verify/file_words.h).
#pragma once

#include <string>
#include <string_view>

#include "apps/verify/subject.h"

namespace cloister::apps {

// Everything that a receipt was verified with.
Result<std::string> archive_of(const Subject& subject);

// cloister verify archive FILE and cloister verify bundle FILE: alone, without a network. --nonce, --at, --id, --model,
// --address, --report-data, --request, --response and --model-manifest replace what the file says.
Result<verify::Verdict> verify_archive_file(const VerifyOptions& options);
Result<verify::Verdict> verify_bundle_file(const VerifyOptions& options);

}  // namespace cloister::apps
