#include "collateral/rim_folder.h"

#include <algorithm>
#include <system_error>

#include "base/file.h"
#include "codec/json.h"
#include "collateral/nvidia.h"
#include "verify/bundle.h"

namespace cloister::collateral {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 1000;
constexpr std::size_t kFileLimit = 2u << 20;
constexpr std::size_t kHeadLimit = 8u << 10;
constexpr std::string_view kSampleSuffix = "_PROD";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// 550.144.03, but not 96.00.5E.00.01: drivers have two or three numbers.
bool is_driver_version(std::string_view text) {
  const auto dots = std::count(text.begin(), text.end(), '.');
  return !text.empty() && (dots == 1 || dots == 2) && is_digit(text.front()) && is_digit(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_digit(c) || c == '.'; });
}

// The value of the first attribute of that name near the beginning of the document. It is only used to name a file.
std::string_view attribute(std::string_view document, std::string_view name) {
  const std::string mark = " " + std::string(name) + "=\"";
  const std::string_view head = document.substr(0, kHeadLimit);
  const std::size_t at = head.find(mark);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = head.substr(at + mark.size());
  const std::size_t end = rest.find('"');
  return end == std::string_view::npos ? std::string_view() : rest.substr(0, end);
}

Result<std::pair<std::string, std::string>> read_manifest(const fs::path& path) {
  TRY(text, read_file(path, kFileLimit));
  if (path.extension() == ".json") {
    TRY(answer, codec::parse_json(text, {kFileLimit, 4, 100}));
    TRY(id, codec::string_member(answer, "id"));
    if (!verify::is_rim_id(id)) return fail(ErrorCode::kBadCollateral, "its id has characters that no id has");
    TRY(document, read_rim_answer(text, id));
    return std::pair(std::move(id), std::move(document));
  }
  std::string id = rim_id_of(path.stem().string(), text);
  if (id.empty()) return fail(ErrorCode::kBadCollateral, "name it by its id, such as NV_GPU_VBIOS_...");
  return std::pair(std::move(id), std::move(text));
}

}  // namespace

std::string rim_id_of(std::string_view stem, std::string_view document) {
  std::string out;
  if (stem.starts_with("NV_")) {
    out = stem;
  } else if (stem.ends_with(kSampleSuffix) && std::count(stem.begin(), stem.end(), '_') == 4) {
    out = "NV_GPU_VBIOS_" + std::string(stem.substr(0, stem.size() - kSampleSuffix.size()));
  } else {
    const std::string_view product = attribute(document, "product");
    const std::string_view version = attribute(document, "colloquialVersion");
    if (product.empty() || !is_driver_version(version)) return {};
    // The names of Hopper's driver manifests have a prefix of their own.
    out = std::string(product == "GH100" ? "NV_GPU_DRIVER_" : "NV_GPU_CC_DRIVER_") + std::string(product) + "_" +
          std::string(version);
  }
  return verify::is_rim_id(out) ? out : std::string();
}

Result<RimFolder> read_rim_folder(const fs::path& folder) {
  std::error_code code;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
    const fs::path suffix = at->path().extension();
    if (suffix != ".swidtag" && suffix != ".xml" && suffix != ".json" && suffix != ".corim") continue;
    files.push_back(at->path());
    if (files.size() > kMostFiles) {
      return fail(ErrorCode::kTooLarge, folder.string() + " holds more than 1000 manifests", folder.string());
    }
  }
  if (code) {
    return fail(ErrorCode::kIo, "cannot read folder " + folder.string() + ": " + code.message(), folder.string());
  }
  std::sort(files.begin(), files.end());
  RimFolder out;
  for (const fs::path& path : files) {
    auto manifest = read_manifest(path);
    if (!manifest) {
      out.problems.push_back(path.string() + ": " + manifest.error().message);
      continue;
    }
    const auto [at, added] = out.rims.emplace(std::move(manifest->first), std::move(manifest->second));
    if (!added && at->second != manifest->second) {
      out.problems.push_back(path.string() + ": another file holds the manifest " + at->first + " already");
    }
  }
  return out;
}

}  // namespace cloister::collateral
