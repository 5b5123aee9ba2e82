// report.model: whether a node serves the model that the client asked for.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "verify/verdict.h"

namespace cloister::verify {

// `in_report`: the id in the model's document of the report (evidence::identity_text), empty where it has none.
// `listed`: the ids of the node's own list, which counts where the report does not name the model. Without either there
// is nothing to compare with: the check is skipped, and required.
void check_asked_model(const std::string& asked, const std::string& in_report, const Result<std::vector<std::string>>& listed,
                       Verdict& verdict);

}  // namespace cloister::verify
