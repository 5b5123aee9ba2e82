// Ids for receipts that lie in the order of time, so that a store appends to its index instead of writing all over it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::store {

// "rcpt-" and 32 hex digits: milliseconds since 1970 in 48 bits, then 80 random bits, so that nobody guesses one and two
// nodes never make the same. Any thread.
std::string new_receipt_id(std::int64_t unix_ms);
std::string new_receipt_id();   // by the machine's clock

// A reply id with the 32 digits of its receipt's: a store that finds one by the other needs no index of random ids for
// it. Who has the reply has both ids anyway. `prefix` is what its dialect begins ids with.
std::string reply_id_of(std::string_view receipt_id, std::string_view prefix);
// The receipt id that a reply id of ours ends like; of any other id nothing, or an id that is nobody's.
std::optional<std::string> receipt_id_in(std::string_view reply_id);

// As logs and messages show an id: without its last 16 digits, so that whoever reads them can tell that two are the same and
// cannot ask for the receipt. An id of another form is shown as its first half.
std::string shown_id(std::string_view id);

}  // namespace cloister::store
