// Reference manifests kept as files (`--rim-dir`): an auditor's archive, or NVIDIA's samples.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace cloister::collateral {

struct RimFolder {
  std::map<std::string, std::string> rims;  // RIM id -> XML text or CoRIM
  std::vector<std::string> problems;        // files that were skipped, and why
};

// Reads the *.swidtag, *.xml, *.corim and *.json files of the folder itself: at most 1,000 of them, 2 MiB each. The
// .json files are answers of the RIM service as served. A file that cannot be named or read is a problem; a folder that
// cannot be read is an Error.
Result<RimFolder> read_rim_folder(const std::filesystem::path& folder);

// The id of the manifest `document` in a file whose name without suffix is `stem`: "NV_..." is an id itself;
// "1010_0200_882_96005E0001_PROD" is how NVIDIA's samples name a VBIOS; else a driver's id is made of product and
// version in the document. Empty when none of these holds. A wrong name leads to no wrong verdict: the verifier
// compares product and version once the signature is verified.
std::string rim_id_of(std::string_view stem, std::string_view document);

}  // namespace cloister::collateral
