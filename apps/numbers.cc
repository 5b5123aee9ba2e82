#include "apps/numbers.h"

#include <charconv>
#include <sstream>
#include <string>
#include <string_view>

namespace cloister::apps {
namespace {

template <typename Number>
CLI::Validator from_to(Number low, Number high, bool (*may_be)(std::string_view)) {
  std::ostringstream range;
  range << "[" << low << " - " << high << "]";
  return CLI::Validator(
      [low, high, may_be, text = range.str()](const std::string& given) {
        Number value{};
        const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
        const bool whole = error == std::errc() && end == given.data() + given.size() && may_be(given);
        // Written so that no comparison is true for NaN.
        return whole && value >= low && value <= high ? std::string() : "expected a number in " + text + ", got " + given;
      },
      "in " + range.str());
}

bool is_digits(std::string_view text) { return text.find_first_not_of("0123456789") == std::string_view::npos; }
bool is_decimal(std::string_view text) { return text.find_first_not_of("0123456789+-.eE") == std::string_view::npos; }

}  // namespace

CLI::Validator whole_number_in(std::uint64_t low, std::uint64_t high) { return from_to(low, high, is_digits); }

CLI::Validator number_in(double low, double high) { return from_to(low, high, is_decimal); }

}  // namespace cloister::apps
