// Parses numbers on the command line, where CLI::Range accepts too much: it reads "-1" as the largest unsigned number,
// and accepts "nan" between any two numbers.
#pragma once

#include <cstdint>

#include <CLI/CLI.hpp>

namespace cloister::apps {

// Accepts decimal digits alone, from `low` to `high`.
CLI::Validator whole_number_in(std::uint64_t low, std::uint64_t high);
// Accepts a finite decimal number from `low` to `high`.
CLI::Validator number_in(double low, double high);

}  // namespace cloister::apps
