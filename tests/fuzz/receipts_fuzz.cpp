// Whatever a receipt file holds, every row is either imported, the same as another, or reported;
// and what is imported is well-formed.
#include "common/base/check.h"
#include "common/privacy/privacy.h"
#include "common/receipts/receipts.h"
#include "common/testing/doubles.h"
#include "tests/fuzz/input.h"

int fuzz_receipts(const std::uint8_t* data, std::size_t size) {
  using meldevakt::parse_receipts;
  static const auto zone = meldevakt::testing::RuleTimeZones{}.find("Europe/Oslo").value();
  const auto imported = parse_receipts(meldevakt::fuzz::text_of(data, size), "npb", {}, *zone, {});
  if (!imported) return 0;
  const meldevakt::Imported& got = imported.value();
  MELDEVAKT_CHECK(got.bad_rows <= got.rows && got.errors.size() <= got.bad_rows);
  MELDEVAKT_CHECK(got.receipts.size() + got.repeated + got.bad_rows <= got.rows);
  std::uint64_t last = 1;
  for (const auto& error : got.errors) {
    MELDEVAKT_CHECK(error.row > last && !error.message.empty());
    last = error.row;
  }
  for (const auto& receipt : got.receipts) {
    MELDEVAKT_CHECK(meldevakt::is_portal_uuid(receipt.message_id));
    MELDEVAKT_CHECK(receipt.sent || receipt.confirmed);
  }
  return 0;
}
