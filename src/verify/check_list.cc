#include "verify/check_list.h"

#include <algorithm>
#include <string>

namespace cloister::verify {
namespace {

constexpr CheckMeaning kChecks[] = {
#define CLOISTER_CHECK(id, meaning, without) {id, meaning, without},
#include "verify/checks.def"
#undef CLOISTER_CHECK
};

bool is_number(std::string_view part) {
  return !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Turns "model.N.instance.N.report.form" into "report.form".
std::string_view without_place(std::string_view pattern) {
  constexpr std::string_view kPlaces[] = {"instance.N.", "model.N.", "gateway.", "upstream.", "compose_manager."};
  for (bool found = true; found;) {
    found = false;
    for (std::string_view place : kPlaces) {
      if (!pattern.starts_with(place)) continue;
      pattern.remove_prefix(place.size());
      found = true;
    }
  }
  return pattern;
}

}  // namespace

std::span<const CheckMeaning> check_list() { return kChecks; }

std::string check_pattern(std::string_view id) {
  std::string out;
  while (true) {
    std::size_t dot = id.find('.');
    std::string_view part = id.substr(0, dot);
    out += is_number(part) ? std::string_view("N") : part;
    if (dot == std::string_view::npos) return out;
    out += '.';
    id.remove_prefix(dot + 1);
  }
}

std::string check_name(std::string_view id) { return std::string(without_place(check_pattern(id))); }

const CheckMeaning* find_meaning(std::string_view id) {
  const std::string pattern = check_name(id);
  auto found = std::find_if(std::begin(kChecks), std::end(kChecks),
                            [&](const CheckMeaning& check) { return check.id == pattern; });
  return found == std::end(kChecks) ? nullptr : found;
}

}  // namespace cloister::verify
