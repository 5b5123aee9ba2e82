// Numbers on the command line and in a configuration file, with their bounds. CLI::Range lets too much through: it reads "-1" as the largest
// number without a sign and "010" as 8, and "nan" lies between any two numbers.
#pragma once

#include <cstdint>
#include <string>

#include <CLI/CLI.hpp>

namespace cloister::apps {

// Whether 0, which then turns something off or leaves the choice to the program, is taken beside the range.
enum class Zero { kAsTheRange, kToo };

// Decimal digits alone, with a minus where `low` has one and without zeros before the number, from `low` to `high`.
CLI::Validator whole_number_in(std::int64_t low, std::int64_t high, Zero zero = Zero::kAsTheRange);
// A finite decimal number from `low` to `high`.
CLI::Validator number_in(double low, double high, Zero zero = Zero::kAsTheRange);
// A size as store::parse_bytes() takes it, from `low` to `high`, which are such texts.
CLI::Validator size_in(const std::string& low, const std::string& high);

}  // namespace cloister::apps
