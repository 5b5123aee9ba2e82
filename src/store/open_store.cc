#include "store/open_store.h"

#include <charconv>
#include <limits>

#include "store/postgres/postgres_store.h"
#include "store/sqlite/sqlite_store.h"

namespace cloister::store {
namespace {

Result<std::uint64_t> parse_number(std::string_view text, std::string_view& unit) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end == text.data()) return fail(ErrorCode::kUsage, "expected a number and a unit");
  unit = text.substr(static_cast<std::size_t>(end - text.data()));
  return number;
}

Result<std::uint64_t> times(std::uint64_t number, std::uint64_t unit, std::uint64_t most) {
  if (number > most / unit) return fail(ErrorCode::kUsage, "the number is too large");
  return number * unit;
}

}  // namespace

Result<std::unique_ptr<ReceiptStore>> open_store(const StoreOptions& given) {
  StoreOptions options = given;
  const int named = !options.sqlite_file.empty() + !options.postgres_file.empty() + options.memory;
  if (named != 1)
    return fail(ErrorCode::kUsage, "expected one of a file, a PostgreSQL connection and memory to keep receipts in");
  if (options.limits.receipt_age_s < 0 || options.limits.event_hash_age_s < 0) {
    return fail(ErrorCode::kUsage, "the age of receipts cannot be negative");
  }
  if (!options.keys && options.memory) options.keys = StoreKeys::of_this_process();
  if (!options.keys) return fail(ErrorCode::kUsage, "no key is given to encrypt receipts with");
  if (!options.postgres_file.empty()) return open_postgres_store(options);
  return open_sqlite_store(options);
}

Result<Durability> parse_durability(std::string_view text) {
  if (text == "kill") return Durability::kProcess;
  if (text == "power") return Durability::kMachine;
  return fail(ErrorCode::kUsage, "expected kill or power");
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  std::string_view unit;
  TRY(number, parse_number(text, unit));
  constexpr std::string_view kUnits = "KMGT";
  std::uint64_t scale = 1;
  if (!unit.empty()) {
    const std::size_t power = kUnits.find(unit[0]);
    if (power == std::string_view::npos || (unit.size() > 1 && unit.substr(1) != "iB")) {
      return fail(ErrorCode::kUsage, "expected a size like 4G or 512MiB");
    }
    scale = 1ull << (10 * (power + 1));
  }
  return times(number, scale, std::numeric_limits<std::int64_t>::max());
}

Result<std::int64_t> parse_age(std::string_view text) {
  std::string_view unit;
  TRY(number, parse_number(text, unit));
  std::uint64_t scale = 0;
  if (unit == "s") scale = 1;
  if (unit == "m") scale = 60;
  if (unit == "h") scale = 3600;
  if (unit == "d") scale = 86400;
  if (scale == 0) return fail(ErrorCode::kUsage, "expected an age like 30d, 36h, 90m or 600s");
  TRY(seconds, times(number, scale, 1000ull * 366 * 86400));
  return static_cast<std::int64_t>(seconds);
}

}  // namespace cloister::store
