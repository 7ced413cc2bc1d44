#include "common/base/result.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>

namespace meldevakt {
namespace {

Result<int> half(int n) {
  if (n % 2 != 0) return Error{Errc::kInvalid, "odd"};
  return n / 2;
}

Result<std::string> quarter(int n) {
  MELDEVAKT_TRY_ASSIGN(const int once, half(n));
  MELDEVAKT_TRY_ASSIGN(const int twice, half(once));
  return std::to_string(twice);
}

Status check_even(int n) {
  MELDEVAKT_TRY(half(n));
  return {};
}

TEST_CASE("Result: a value or an error, and the first error ends the function") {
  CHECK(quarter(8).value() == "2");
  REQUIRE_FALSE(quarter(6).has_value());
  CHECK(quarter(6).error().code() == Errc::kInvalid);
  CHECK(check_even(2).has_value());
  CHECK(check_even(3).error().message() == "odd");
}

TEST_CASE("Result: holds what can only be moved") {
  Result<std::unique_ptr<int>> result{std::make_unique<int>(7)};
  const std::unique_ptr<int> taken = std::move(result).value();
  CHECK(*taken == 7);
}

TEST_CASE("Error: each layer puts what it knows in front") {
  Error error{Errc::kIo, "disk full"};
  error = std::move(error).in("append").in("outbox");
  CHECK(error.message() == "outbox: append: disk full");
  CHECK(error.code() == Errc::kIo);
  CHECK(to_string(Errc::kUnavailable) == "unavailable");
}

}  // namespace
}  // namespace meldevakt
