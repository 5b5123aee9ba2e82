// What `cloister verify --bundle FILE` writes: one judged piece of evidence and all that a later offline run needs to
// judge it again. The form: docs/spec/bundle.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "verify/collateral.h"

namespace cloister::apps {

struct SavedEvidence {
  std::string kind;       // the word after `cloister verify`: "report", "quote", ...
  std::string evidence;   // its bytes as they were judged
  // What was judged with it and did not stand in it, by the name of the option that gave it: the bytes of a file or of
  // a value.
  std::map<std::string, std::string> beside;
  std::optional<ByteArray<32>> nonce;
  std::optional<ByteArray<32>> tls_spki_sha256;
  UnixSeconds saved_at = 0;  // the time that it was judged at
  verify::Collateral collateral;
};

std::string write_saved_evidence(const SavedEvidence& saved);
// Whether the file is of this form at all; what is wrong with it then is parse_saved_evidence()'s to say.
bool is_saved_evidence(std::string_view text);
// At most 128 MiB; unknown members, in `beside` too, are errors.
Result<SavedEvidence> parse_saved_evidence(std::string_view text);

}  // namespace cloister::apps
