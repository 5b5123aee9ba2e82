#include "apps/tee_parts.h"

#include <filesystem>
#include <string>

#include "base/file.h"
#include "base/log.h"
#include "tee/find_tee.h"
#include "tee/simulator/simulator.h"

namespace cloister::apps {
namespace {

tee::TeeChoice choice_of(const std::string& word) {
  if (word == "dstack") return tee::TeeChoice::kDstack;
  if (word == "tsm") return tee::TeeChoice::kTsm;
  if (word == "tdx-guest") return tee::TeeChoice::kTdxGuest;
  return tee::TeeChoice::kAuto;
}

}  // namespace

Result<SecretBytes> simulator_seed(const config::ServeOptions& options, MissingSeed missing) {
  const std::filesystem::path folder = options.state_folder;
  const std::filesystem::path file = folder / "insecure-simulator.seed";
  if (missing == MissingSeed::kMake) {
    TRY_VOID(ensure_private_folder(folder));
    return tee::load_or_create_simulator_seed(file);
  }
  std::error_code code;
  if (std::filesystem::exists(file, code)) return tee::load_simulator_seed(file);
  return fail(ErrorCode::kUsage, "there is no seed of a simulated TEE in " + folder.string() +
                                     ": --state names the state folder of the node that has it");
}

Result<ChosenTee> make_tee(const config::ServeOptions& options, MissingSeed missing) {
  ChosenTee out;
  if (options.tee == "none") return out;
  if (options.tee == "insecure-simulator") {
    tee::SimulatorOptions simulator;
    TRY(seed, simulator_seed(options, missing));
    simulator.seed = std::move(seed);
    TRY(made, tee::make_insecure_simulator(std::move(simulator)));
    out.tee = std::move(made);
    return out;
  }
  tee::TeeSearch search;
  search.socket = options.tee_socket;
  search.tsm_root = options.tsm_root;
  TRY(found, tee::find_tee(choice_of(options.tee), search));
  if (found.tee) {
    log::info("TEE chosen type=" + std::string(found.tee->type()) + " reason=\"" + found.reason + "\"");
  } else {
    out.why_none = found.reason;
  }
  out.tee = std::move(found.tee);
  return out;
}

}  // namespace cloister::apps
