// An archive (`cloister.archive.v1`, docs/spec/archive.md): everything about one reply in one file: its receipt, the report
// and the makers' data that the receipt's key is judged by, and the bodies where their owner wants them kept. It can be
// judged years later by somebody who was not there.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

struct Archive {
  UnixSeconds judged_at = 0;                 // when whoever made it judged it; the collateral is good for that time
  std::string receipt;                       // JSON text as served
  std::optional<std::string> report;         // native or ACI, as served
  std::optional<std::string> keyset;         // without a report: JSON text
  std::optional<std::string> session;        // of the upstream that the receipt names, as the gateway served it
  std::optional<ByteArray<32>> nonce;        // that the report was asked with
  std::optional<std::string> request, response;   // exact bodies as on the wire
  std::optional<std::string> model_manifest; // JSON text
  std::optional<std::string> prefix_proof;   // JSON text, of a reply that was cut off
  Json collateral;                           // a bundle (docs/spec/bundle.md), or null: opaque here

  bool operator==(const Archive&) const = default;
};

// One JSON object: `archive` first, absent members left out, texts that are JSON as strings that hold them byte for byte, bodies
// as base64.
std::string write_archive(const Archive& archive);
// Whether the text begins as an archive does; what is wrong with it then is parse_archive()'s to say.
bool is_archive(std::string_view text);
// At most 128 MiB. A member too many is an error: nobody must take for judged what was not. Errors are kBadArchive.
Result<Archive> parse_archive(std::string_view text);

}  // namespace cloister::evidence
