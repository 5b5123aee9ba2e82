// One piece of evidence and everything that it is verified with, and the file in which `cloister verify --bundle FILE` keeps both
// for a later offline run. docs/spec/bundle.md describes the form.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "verify/collateral.h"

namespace cloister::verify {

struct SavedEvidence {
  std::string kind;      // the word after `cloister verify`: "report", "quote", ...
  std::string evidence;  // its bytes as they were verified
  // What it was verified with and did not contain, by the name of the option that gave it: the bytes of a file or of a
  // value.
  std::map<std::string, std::string> beside;
  std::optional<ByteArray<32>> nonce;
  std::optional<ByteArray<32>> tls_spki_sha256;
  UnixSeconds saved_at = 0;  // the time of the verdict
  Collateral collateral;

  // What has this name in `beside`, null when nothing has.
  const std::string* find_beside(const std::string& name) const;
};

std::string write_saved_evidence(const SavedEvidence& saved);
// True when the file has this form at all; parse_saved_evidence() then says what is wrong with it.
bool is_saved_evidence(std::string_view text);
// Accepts at most evidence::kMostArchiveBytes; unknown members, in `beside` too, are errors.
Result<SavedEvidence> parse_saved_evidence(std::string_view text);

}  // namespace cloister::verify
