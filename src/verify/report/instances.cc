#include "verify/report/instances.h"

#include "verify/check.h"
#include "verify/report/judges.h"

namespace cloister::verify {
namespace {

constexpr std::size_t kMostInstances = 64;

const Json* find_list(const Json& object) {
  if (!object.is_object()) return nullptr;
  const auto list = object.find("all_attestations");
  return list == object.end() || list->is_null() ? nullptr : &*list;
}

}  // namespace

std::size_t count_instances(const Json& object) {
  const Json* list = find_list(object);
  return list == nullptr || !list->is_array() ? 1 : 1 + list->size();
}

void add_attested(Json& facts, const Json& addresses) {
  if (!addresses.is_array() || addresses.empty()) return;
  Json& all = facts["attested_addresses"];
  for (const Json& address : addresses) all.push_back(address);
}

void check_instances(const Json& object, const ServedReport& report, const Expected& expected, const Context& context,
                     Verdict& verdict) {
  const std::string id = "report.all_attestations";
  const Json* list = find_list(object);
  if (list == nullptr) {
    verdict.add(not_applicable(id, "the report lists no instances"));
    return;
  }
  if (!list->is_array() || list->empty() || list->size() > kMostInstances) {
    verdict.add(failed(id, "expected an array of 1 to 64 reports"));
    return;
  }
  // The channel ends at one of the instances: the others' TLS keys are not the one that the client saw.
  const Expected of_others{.nonce = expected.nonce, .no_connection = true};
  bool found = false;
  std::size_t index = 0, others = 0;
  Verdict judged;
  for (const Json& element : *list) {
    const std::string place = "instance." + std::to_string(index++);
    const Result<ServedReport> other = parse_served_report(element);
    if (other && report.same_evidence(*other) && find_list(element) == nullptr) {
      found = true;
      continue;
    }
    ++others;
    Verdict own = judge_instance(element, of_others, context);
    if (find_list(element) != nullptr) own.add(failed(id, "an instance in the list has a list of its own"));
    Json facts = judged.append_under(place, std::move(own));
    add_attested(verdict.facts, facts.value("attested_addresses", Json()));
    facts["instance"] = place;
    verdict.facts["instances"].push_back(std::move(facts));
  }
  if (found) {
    verdict.add(passed(id, std::to_string(list->size()) + " listed",
                       others == 0 ? "" : std::to_string(others) + " other instances, verified as instance.N"));
  } else {
    verdict.add(failed(id, "no instance in the list is the one that the report describes"));
  }
  verdict.append(std::move(judged));
}

}  // namespace cloister::verify
