#include <utility>

#include "verify/verdict.h"

namespace cloister::verify {

void Verdict::add(Check check) { checks.push_back(std::move(check)); }

}  // namespace cloister::verify
