#include "verify/asked_model.h"

#include <algorithm>

#include "codec/json.h"
#include "evidence/model_identity.h"
#include "verify/check.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kMostShown = 500;

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out.append(out.empty() ? "" : ", ").append(name);
  return out.substr(0, kMostShown);
}

}  // namespace

void check_asked_model(const std::string& asked, const std::string& in_report,
                       const Result<std::vector<std::string>>& listed, Verdict& verdict) {
  const std::string id = "report.model";
  if (in_report == evidence::identity_text(asked)) {
    verdict.add(passed(id, asked, "the model's document in the report"));
  } else if (!in_report.empty()) {
    verdict.add(failed(id, "the report shows another model than the one that was asked for", asked,
                       in_report.substr(0, kMostShown)));
  } else if (!listed) {
    // The node's own words follow a line break (client/inquiry.h).
    const std::string why = listed.error().message.substr(0, listed.error().message.find('\n'));
    verdict.add(skipped(id, "the report does not name this model, and there is nothing else to compare with: " + why));
  } else if (std::ranges::find(*listed, asked) != listed->end()) {
    verdict.add(skipped(id, "only the server's own list of models names it: the report does not name a model"));
  } else {
    verdict.add(failed(id, "the node does not serve the model that was asked for", asked, joined(*listed)));
  }
}

std::string model_in_report(std::string_view report_json) {
  const Result<Json> object = codec::parse_json(report_json);
  if (!object || !object->is_object() || !object->contains("statement")) return {};
  const auto model = object->find("model");
  return model == object->end() || !model->is_object() ? std::string()
                                                       : codec::string_member(*model, "id").value_or("");
}

}  // namespace cloister::verify
