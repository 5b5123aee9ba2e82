// report.model: whether a node serves the model that the client asked for.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "verify/verdict.h"

namespace cloister::verify {

// `in_report`: the id in the model's document of the report (evidence::identity_text), empty where it has none.
// `listed`: the ids of the node's own list, for reports without a document. Nothing binds the list: a model that it
// lacks fails; one that it has leaves the check skipped and required, as does a list that could not be fetched.
void check_asked_model(const std::string& asked, const std::string& in_report,
                       const Result<std::vector<std::string>>& listed, Verdict& verdict);

// The id in the model's document of a report in Cloister's own form, as text; empty where there is none. What it says is true only if the
// report is accepted.
std::string model_in_report(std::string_view report_json);

}  // namespace cloister::verify
