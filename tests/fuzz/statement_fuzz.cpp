// What is accepted as a statement or an enrolment survives being written and read again; nothing is
// accepted as both.
#include "common/summary/statement.h"

#include "common/base/check.h"
#include "tests/fuzz/input.h"

int fuzz_statement(const std::uint8_t* data, std::size_t size) {
  using namespace meldevakt;  // NOLINT: a function's own
  const std::string_view json = fuzz::text_of(data, size);
  const auto statement = decode_statement(json);
  if (statement) {
    // Longer than what was read only where that had been too long already.
    const auto again = decode_statement(encode_statement(statement.value()));
    if (again) {
      MELDEVAKT_CHECK(again.value() == statement.value());
    } else {
      MELDEVAKT_CHECK(again.error().code() == Errc::kLimit);
    }
  }
  const auto enrolment = decode_enrolment(json);
  if (enrolment) {
    const auto again = decode_enrolment(encode_enrolment(enrolment.value()));
    MELDEVAKT_CHECK(again && again.value() == enrolment.value());
  }
  MELDEVAKT_CHECK(!(statement && enrolment));
  return 0;
}
