// Which forms of foreign evidence the tests verify with genuine material, and which they do not (samples.def), as data for people.
#pragma once

#include <span>
#include <string_view>
#include <vector>

namespace cloister::verify {

struct Sample {
  std::string_view reader;  // the fuzz target that parses the form
  std::string_view what;
  std::string_view checks;  // ids and beginnings of ids, separated by spaces
  std::string_view vector;  // a genuine sample; empty when there is none
  std::string_view note;
};

std::span<const Sample> samples();

// The forms without a genuine sample that this check is about.
std::vector<const Sample*> unproven_forms(std::string_view check_id);

}  // namespace cloister::verify
