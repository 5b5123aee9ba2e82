// Ids for receipts that sort in the order of time, so that a store appends to its index instead of writing all over it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace cloister::store {

// "rcpt-" and 32 hex digits: milliseconds since 1970 in 48 bits, then 80 random bits, so that nobody guesses one and
// two nodes never make the same one. Any thread.
std::string new_receipt_id(std::int64_t unix_ms);
std::string new_receipt_id();  // Uses the machine's clock.

// A reply id with the 32 digits of its receipt's id: a store that finds one by the other needs no index of random ids
// for it. A client that has the reply has both ids anyway. `prefix` is what the dialect's ids begin with.
std::string reply_id_of(std::string_view receipt_id, std::string_view prefix);
// The receipt id whose digits end one of our reply ids; for any other id absent, or an id that nobody has.
std::optional<std::string> receipt_id_in(std::string_view reply_id);

// The form of an id in logs and messages: without its last 16 digits, so that readers can tell that two are the same
// and cannot ask for the receipt. An id of another form is shown as its first half.
std::string shown_id(std::string_view id);

}  // namespace cloister::store
