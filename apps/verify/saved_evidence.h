// What `cloister verify --bundle FILE` writes: one verified piece of evidence and everything that a later offline run
// needs to verify it again. docs/spec/bundle.md describes the form.
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
  std::string kind;      // the word after `cloister verify`: "report", "quote", ...
  std::string evidence;  // its bytes as they were verified
  // What it was verified with and did not contain, by the name of the option that gave it: the bytes of a file or of a
  // value.
  std::map<std::string, std::string> beside;
  std::optional<ByteArray<32>> nonce;
  std::optional<ByteArray<32>> tls_spki_sha256;
  UnixSeconds saved_at = 0;  // the time of the verdict
  verify::Collateral collateral;
};

std::string write_saved_evidence(const SavedEvidence& saved);
// True when the file has this form at all; parse_saved_evidence() then says what is wrong with it.
bool is_saved_evidence(std::string_view text);
// Accepts at most 128 MiB; unknown members, in `beside` too, are errors.
Result<SavedEvidence> parse_saved_evidence(std::string_view text);

}  // namespace cloister::apps
