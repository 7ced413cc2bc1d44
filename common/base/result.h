// Result<T>: a T or an Error. Our stand-in for std::expected, which g++ 12 does not ship.
//
// The names follow std::expected (has_value, value, error) so that a later switch is mechanical.
// Asking for the side that is not there is a programming error and aborts; check first.
#pragma once

#include <optional>
#include <utility>
#include <variant>

#include "common/base/check.h"
#include "common/base/error.h"

namespace meldevakt {

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_{std::in_place_index<0>, std::move(value)} {}
  Result(Error error) : state_{std::in_place_index<1>, std::move(error)} {}

  [[nodiscard]] bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  [[nodiscard]] T& value() & {
    MELDEVAKT_CHECK(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T const& value() const& {
    MELDEVAKT_CHECK(has_value());
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] T&& value() && {
    MELDEVAKT_CHECK(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  [[nodiscard]] const Error& error() const& {
    MELDEVAKT_CHECK(!has_value());
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] Error&& error() && {
    MELDEVAKT_CHECK(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_{std::move(error)} {}

  [[nodiscard]] bool has_value() const { return !error_; }
  explicit operator bool() const { return has_value(); }
  [[nodiscard]] const Error& error() const& {
    MELDEVAKT_CHECK(!has_value());
    return *error_;
  }
  [[nodiscard]] Error&& error() && {
    MELDEVAKT_CHECK(!has_value());
    return *std::move(error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace meldevakt

// Evaluate a Result; on failure return its Error from the enclosing function.
//   MELDEVAKT_TRY(file->sync());
//   MELDEVAKT_TRY_ASSIGN(auto segment, Segment::open(disk, path));
// NOLINTBEGIN(bugprone-macro-parentheses): a declaration cannot be put in parentheses.
#define MELDEVAKT_TRY(expression)                                    \
  do {                                                               \
    if (auto meldevakt_result_ = (expression); !meldevakt_result_) { \
      return std::move(meldevakt_result_).error();                   \
    }                                                                \
  } while (false)
#define MELDEVAKT_TRY_ASSIGN(declaration, expression) \
  MELDEVAKT_TRY_ASSIGN_(MELDEVAKT_CONCAT_(meldevakt_result_, __LINE__), declaration, expression)
#define MELDEVAKT_TRY_ASSIGN_(result, declaration, expression) \
  auto result = (expression);                                  \
  if (!result) return std::move(result).error();               \
  declaration = std::move(result).value()
#define MELDEVAKT_CONCAT_(a, b) MELDEVAKT_CONCAT_IMPL_(a, b)
#define MELDEVAKT_CONCAT_IMPL_(a, b) a##b
// NOLINTEND(bugprone-macro-parentheses)
