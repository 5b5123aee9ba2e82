#include "apps/numbers.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <string_view>

#include "store/open_store.h"

namespace cloister::apps {
namespace {

template <typename Number>
CLI::Validator from_to(Number low, Number high, Zero zero, bool (*may_be)(std::string_view)) {
  std::ostringstream range;
  range << (zero == Zero::kToo ? "0 or in [" : "in [") << low << " - " << high << "]";
  return CLI::Validator(
      [low, high, zero, may_be, text = range.str()](const std::string& given) {
        Number value{};
        const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
        const bool whole = error == std::errc() && end == given.data() + given.size() && may_be(given);
        // Written so that no comparison holds for what is not a number.
        const bool within = (value >= low && value <= high) || (zero == Zero::kToo && value == 0);
        return whole && within ? std::string() : "expected a number, " + text + ", got " + given;
      },
      range.str());
}

// The option parser reads digits behind a zero as an octal number.
bool is_whole(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return text.find_first_not_of("0123456789") == std::string_view::npos && (text.size() == 1 || !text.starts_with('0'));
}
bool is_decimal(std::string_view text) { return text.find_first_not_of("0123456789+-.eE") == std::string_view::npos; }

}  // namespace

CLI::Validator whole_number_in(std::int64_t low, std::int64_t high, Zero zero) {
  return from_to(low, high, zero, is_whole);
}

CLI::Validator number_in(double low, double high, Zero zero) { return from_to(low, high, zero, is_decimal); }

CLI::Validator size_in(const std::string& low, const std::string& high) {
  const std::string range = "in [" + low + " - " + high + "]";
  return CLI::Validator(
      [least = store::parse_bytes(low).value(), most = store::parse_bytes(high).value(),
       range](const std::string& given) {
        const auto bytes = store::parse_bytes(given);
        return bytes && *bytes >= least && *bytes <= most ? std::string()
                                                          : "expected a size, " + range + ", got " + given;
      },
      range);
}

}  // namespace cloister::apps
