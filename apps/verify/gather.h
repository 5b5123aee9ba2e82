// Fetches what judging a piece of evidence lacks, unless --offline says not to.
#pragma once

#include <string_view>

#include "apps/verify/verify_options.h"
#include "collateral/source.h"

namespace cloister::apps {

// What was asked for over the network, for the verdict: {"offline":bool,"fetched":[address...],"problems":[line...]}.
struct Gathered {
  Json facts = Json::object();
};

// Adds to `judging.collateral` what `evidence` needs of a kind that no file gave. Prints a line for each request and each
// problem to standard error. An Error is one of the options, not of the network.
Result<Gathered> gather(const collateral::Evidence& evidence, const JudgeOptions& options, Judging& judging);

}  // namespace cloister::apps
