// Numbers on the command line, where CLI::Range lets too much through: it reads "-1" as the largest number without a sign,
// and "nan" lies between any two numbers.
#pragma once

#include <cstdint>

#include <CLI/CLI.hpp>

namespace cloister::apps {

// Decimal digits alone, from `low` to `high`.
CLI::Validator whole_number_in(std::uint64_t low, std::uint64_t high);
// A finite decimal number from `low` to `high`.
CLI::Validator number_in(double low, double high);

}  // namespace cloister::apps
