// CollateralSource: fetches what a piece of evidence needs for its verification, from the makers' services or the
// cache. What cannot be fetched is left out and reported; the verdict then says "skipped".
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "collateral/disk_cache.h"
#include "collateral/downloader.h"
#include "collateral/endpoints.h"
#include "collateral/evidence.h"
#include "collateral/fetcher.h"
#include "collateral/intel.h"
#include "verify/collateral.h"

namespace cloister::collateral {

struct SourceOptions {
  Endpoints endpoints;
  TcbUpdate tcb_update = TcbUpdate::kStandard;
  bool revocation = true;          // ask OCSP about the GPUs' and manifests' certificates
  bool nras = false;               // also ask NVIDIA's remote attestation service for a token
  std::string nvidia_service_key;  // from a file or the environment, never the command line
  std::string ca_file;             // further authorities for TLS, PEM
  std::filesystem::path cache_folder = default_cache_folder();  // empty: no cache
  bool offline = false;                                         // use the cache only
  DownloadOptions download;
  Progress progress;  // may be empty
};

struct Collected {
  verify::Collateral collateral;
  std::vector<std::string> problems;  // one line for each: what is missing, the address, and the reason
};

class CollateralSource {
 public:
  // Checks the addresses. An unusable cache folder is no error: there is then no cache, and `collect` says so.
  static Result<std::unique_ptr<CollateralSource>> open(SourceOptions options, const Clock& clock);
  // Like open(), with another access to the network.
  static Result<std::unique_ptr<CollateralSource>> open(SourceOptions options, const Clock& clock,
                                                        std::unique_ptr<Fetcher> fetcher);

  // Blocks until everything has been fetched or has failed, or the deadline has passed. Fetches up to eight things at
  // once, on threads of its own. Any thread.
  Collected collect(const Evidence& evidence);

 private:
  CollateralSource(SourceOptions options, const Clock& clock, std::unique_ptr<Fetcher> fetcher)
      : options_(std::move(options)), clock_(clock), fetcher_(std::move(fetcher)) {}

  SourceOptions options_;
  const Clock& clock_;
  std::unique_ptr<Fetcher> fetcher_;
  std::unique_ptr<DiskCache> cache_;
  std::string cache_problem_;
};

}  // namespace cloister::collateral
