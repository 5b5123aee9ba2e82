// An archive (`cloister.archive.v1`, docs/spec/archive.md): everything about one reply in one file: its receipt, the
// report and the makers' data that the receipt's key is verified with, and the bodies where their owner wants them
// kept. Somebody who was not there can verify it years later.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"

namespace cloister::evidence {

struct Archive {
  UnixSeconds judged_at = 0;                     // when its maker verified it; the collateral is valid at that time
  std::string receipt;                           // JSON text as served
  std::optional<std::string> report;             // native or ACI, as served
  std::optional<std::string> keyset;             // without a report: JSON text
  std::optional<std::string> session;            // of the upstream that the receipt names, as the gateway served it
  std::optional<ByteArray<32>> nonce;            // the nonce that the report was asked with
  std::optional<std::string> request, response;  // exact bodies as on the wire
  std::optional<std::string> model_manifest;     // JSON text
  std::optional<std::string> prefix_proof;       // JSON text, for a reply that was cut off
  Json collateral;                               // a bundle (docs/spec/bundle.md), or null; not parsed here

  bool operator==(const Archive&) const = default;
};

// Writes one JSON object: `archive` comes first, absent members are left out, texts that are JSON are strings that hold
// them byte for byte, bodies are base64.
std::string write_archive(const Archive& archive);
// True when the text begins as an archive does; parse_archive() then says what is wrong with it.
bool is_archive(std::string_view text);
// The largest archive, and the largest file of saved evidence: what holds a request and a reply of 64 MiB each, in base64, and their report.
inline constexpr std::size_t kMostArchiveBytes = 192u << 20;

// Accepts at most kMostArchiveBytes. An additional member is an error, since nobody must believe that it was verified. Errors are kBadArchive.
Result<Archive> parse_archive(std::string_view text);

}  // namespace cloister::evidence
