#include "apps/verify/gather.h"

#include <cstdlib>

#include "apps/output.h"
#include "verify/bundle.h"

namespace cloister::apps {
namespace {

Result<collateral::SourceOptions> source_options(const JudgeOptions& options, const verify::Policy& policy) {
  collateral::SourceOptions out;
  if (!options.pccs.empty()) collateral::use_pccs(out.endpoints, options.pccs);
  if (!options.rim_service.empty()) out.endpoints.nvidia_rim = options.rim_service;
  if (!options.ocsp_service.empty()) out.endpoints.nvidia_ocsp = options.ocsp_service;
  if (!options.nras_service.empty()) out.endpoints.nvidia_nras = options.nras_service;
  if (!options.kds_service.empty()) out.endpoints.amd_kds = options.kds_service;
  if (options.tcb_update == "early") out.tcb_update = collateral::TcbUpdate::kEarly;
  out.revocation = policy.nvidia.require_revocation;
  out.nras = policy.nvidia.require_nras;
  if (const char* key = std::getenv("NVIDIA_SERVICE_KEY")) out.nvidia_service_key = key;
  out.ca_file = options.ca_file;
  if (!options.cache_dir.empty()) out.cache_folder = options.cache_dir;
  if (options.no_cache) out.cache_folder.clear();
  return out;
}

}  // namespace

Result<Gathered> gather(const collateral::Evidence& evidence, const JudgeOptions& options, Judging& judging) {
  Gathered gathered;
  gathered.facts = {{"offline", options.offline}, {"fetched", Json::array()}, {"problems", Json::array()}};
  if (options.offline) return gathered;
  collateral::Evidence lacking = evidence;
  if (!judging.collateral.tdx.empty()) lacking.quotes.clear();
  if (!judging.collateral.rims.empty()) lacking.devices.clear();
  if (!judging.collateral.snp.empty()) lacking.snp_reports.clear();
  if (lacking.quotes.empty() && lacking.devices.empty() && lacking.snp_reports.empty()) return gathered;

  TRY(settings, source_options(options, judging.policy));
  // Called by one thread at a time.
  settings.progress = [&gathered](const collateral::FetchNote& note) {
    print_line(stderr, collateral::to_text(note));
    if (note.outcome == collateral::FetchNote::Outcome::kFetched) gathered.facts["fetched"].push_back(note.url);
  };
  TRY(source, collateral::CollateralSource::open(std::move(settings), system_clock()));
  collateral::Collected collected = source->collect(lacking);
  verify::add_collateral(judging.collateral, std::move(collected.collateral));
  for (const std::string& problem : collected.problems) {
    complain("verify", problem);
    gathered.facts["problems"].push_back(problem);
  }
  return gathered;
}

}  // namespace cloister::apps
