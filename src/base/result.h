// Result<T>: a value or an Error. The shape follows std::expected, which g++ 12 does not have.
//
//   Result<Quote> parse(ByteView bytes);
//   TRY(quote, parse(bytes));          // returns the Error from the enclosing function, or declares `quote`
//   TRY_VOID(check(quote));
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "base/error.h"

namespace cloister {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  // The value of an error, and the error of a value, end the process in every build: either is a mistake of the caller.
  T& value() & { return expect_value(), *std::get_if<0>(&state_); }
  const T& value() const& { return expect_value(), *std::get_if<0>(&state_); }
  T&& value() && { return expect_value(), std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T value_or(T other) const& { return has_value() ? value() : std::move(other); }

  Error& error() & { return expect_error(), *std::get_if<1>(&state_); }
  const Error& error() const& { return expect_error(), *std::get_if<1>(&state_); }
  Error&& error() && { return expect_error(), std::move(*std::get_if<1>(&state_)); }

 private:
  void expect_value() const {
    if (!has_value()) end_for_value_of(*std::get_if<1>(&state_));
  }
  void expect_error() const {
    if (has_value()) end_for_missing_error();
  }

  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }
  const Error& error() const& { return expect_error(), *error_; }
  Error&& error() && { return expect_error(), std::move(*error_); }

 private:
  void expect_error() const {
    if (!error_) end_for_missing_error();
  }

  std::optional<Error> error_;
};

inline Error fail(ErrorCode code, std::string message, std::string param = {}) {
  return Error{code, std::move(message), std::move(param)};
}

}  // namespace cloister

#define CLOISTER_CONCAT_INNER(a, b) a##b
#define CLOISTER_CONCAT(a, b) CLOISTER_CONCAT_INNER(a, b)
#define CLOISTER_TRY_IMPL(name, tmp, expr)             \
  auto tmp = (expr);                                   \
  if (!tmp.has_value()) return std::move(tmp).error(); \
  auto name = std::move(tmp).value()
// Declares `name` with the value of `expr`, or returns its Error.
#define TRY(name, expr) CLOISTER_TRY_IMPL(name, CLOISTER_CONCAT(try_result_, __LINE__), expr)
// Returns the Error of a Result<void> expression, if there is one.
#define TRY_VOID(expr)                                               \
  do {                                                               \
    auto try_void_result = (expr);                                   \
    if (!try_void_result) return std::move(try_void_result).error(); \
  } while (false)
