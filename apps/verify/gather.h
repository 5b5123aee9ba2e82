// Fetches what the verification of a piece of evidence lacks, unless --offline forbids it.
#pragma once

#include <string_view>

#include "apps/verify/verify_options.h"
#include "collateral/source.h"

namespace cloister::apps {

// What was asked for over the network, for the verdict: {"offline":bool,"fetched":[address...],"problems":[line...]}.
struct Gathered {
  Json facts = Json::object();
};

// Adds to `judging.collateral` what `evidence` needs of any kind that no file gave. Prints a line for each request and
// each problem to standard error. An Error concerns the options, not the network.
Result<Gathered> gather(const collateral::Evidence& evidence, const JudgeOptions& options, Judging& judging);

}  // namespace cloister::apps
