// Compares a measured value with those that a policy lists, written once for every register and field. Private to verify.
#pragma once

#include <set>
#include <string>

#include "base/bytes.h"
#include "verify/verdict.h"

namespace cloister::verify {

// "aa or bb or 3 more", in hex, for people.
std::string listed_values(const std::set<Bytes>& values);

// Passes when the value is one of the expected ones, of which there must be at least one; shows the value in any case.
Check one_of(std::string id, const std::set<Bytes>& expected, ByteView actual);

}  // namespace cloister::verify
