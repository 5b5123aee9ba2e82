// Makers of checks, so that all of them have the same wording. Private to verify.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "verify/verdict.h"

namespace cloister::verify {

inline Check passed(std::string id, std::string actual = {}, std::string detail = {}) {
  return {std::move(id), State::kPass, true, {}, std::move(actual), std::move(detail)};
}

inline Check failed(std::string id, std::string detail, std::string expected = {}, std::string actual = {}) {
  return {std::move(id), State::kFail, true, std::move(expected), std::move(actual), std::move(detail)};
}

// A check that could not be run. It is required unless the caller says that nobody asked for it.
inline Check skipped(std::string id, std::string detail, bool required = true) {
  return {std::move(id), State::kSkipped, required, {}, {}, std::move(detail)};
}

inline Check not_applicable(std::string id, std::string detail) {
  return {std::move(id), State::kNotApplicable, false, {}, {}, std::move(detail)};
}

// Passes when `expected` equals `actual`, else fails and shows both.
inline Check compared(std::string id, const std::string& expected, const std::string& actual, std::string detail) {
  if (expected == actual) return passed(std::move(id), actual);
  return failed(std::move(id), std::move(detail), expected, actual);
}

inline void skip_all(Verdict& verdict, std::initializer_list<std::string_view> ids, const std::string& detail) {
  for (std::string_view id : ids) verdict.add(skipped(std::string(id), detail));
}

}  // namespace cloister::verify
