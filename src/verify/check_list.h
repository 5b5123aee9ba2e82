// The list of checks.def as data: the meaning of each check, for people.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace cloister::verify {

struct CheckMeaning {
  std::string_view id;       // device numbers as `N`
  std::string_view meaning;  // what a pass means
  std::string_view without;  // what an attacker could do if the check were left out
};

std::span<const CheckMeaning> check_list();
// Null for an id that is not in the list. "nvidia.gpu.3.nonce" finds "nvidia.gpu.N.nonce". The id may have a prefix
// that names the evidence, where a report holds several: "instance.N.", "model.N.", "gateway.", "upstream." or
// "compose_manager.".
const CheckMeaning* find_meaning(std::string_view id);

// The id with numbers as `N`: "nvidia.gpu.3.nonce" gives "nvidia.gpu.N.nonce".
std::string check_pattern(std::string_view id);
// Like check_pattern(), and without the prefixes: "model.0.instance.1.report.form" gives "report.form".
std::string check_name(std::string_view id);

}  // namespace cloister::verify
