// Ids for receipts that lie in the order of time, so that a store appends to its index instead of writing all over it.
#pragma once

#include <cstdint>
#include <string>

namespace cloister::store {

// "rcpt-" and 32 hex digits: milliseconds since 1970 in 48 bits, then 80 random bits, so that nobody guesses one and two
// nodes never make the same. Any thread.
std::string new_receipt_id(std::int64_t unix_ms);
std::string new_receipt_id();   // by the machine's clock

}  // namespace cloister::store
