#include "collector/incidents/receipt_conflicts.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace meldevakt::collector {
namespace {

constexpr Instant kTime{1'772'445'600'000};

struct Row {
  std::int64_t sent = -1;  // ms after kTime; -1: not told
  std::int64_t confirmed = -1;
  FormType form = FormType::kUnknown;
  std::string channel{};
  std::string district{};
  std::string portal = "npb";
};

Receipt receipt(const Row& row) {
  Receipt out;
  out.portal = row.portal;
  out.message_id = "m";
  if (row.sent >= 0) out.sent = kTime + milliseconds(row.sent);
  if (row.confirmed >= 0) out.confirmed = kTime + milliseconds(row.confirmed);
  out.form = row.form;
  out.channel = row.channel;
  out.district = row.district;
  return out;
}

TEST_CASE("receipt conflicts: what cannot both be so, and what is the ordinary course") {
  struct Case {
    std::string_view name;
    std::vector<Row> rows;
    std::string want;
  };
  const std::vector<Case> cases{
      {"none", {}, ""},
      {"one row", {{0, 5, FormType::kPrivate}}, ""},
      {"the same again", {{0, 5}, {0, 5}}, ""},
      {"filled in", {{0, -1}, {0, 5, FormType::kPrivate, "case_system", "03"}}, ""},
      {"printed after all", {{0, -1, FormType::kPrivate, "case_system"}, {0, 5, {}, "print"}}, ""},
      {"whole seconds", {{0, 5}, {1000, 900}}, ""},
      {"sent twice", {{0, 5}, {1001, 5}}, "sent "},
      {"confirmed twice", {{0, 5}, {0, 2000}}, "confirmed "},
      {"two forms", {{0, 5, FormType::kPrivate}, {0, 5, FormType::kPublic}}, "form "},
      {"two bydeler", {{0, 5, {}, "", "03"}, {0, 5, {}, "", "04"}}, "district "},
      {"two messages with one id",
       {{0, 5, FormType::kPrivate, "", "03"}, {90'000, 95'000, FormType::kPublic, "", "04"}},
       "sent confirmed form district "},
      {"taken and posted", {{0, 5, {}, "case_system"}, {0, 5, {}, "print"}}, "channel "},
      {"fetched after all", {{0, -1, {}, "print"}, {0, 5, {}, "manual"}}, ""},
      {"two portals", {{0, 5}, {90'000, 5, {}, "", "", "annan"}}, "sent "},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    std::vector<Receipt> rows;
    for (const Row& row : c.rows) rows.push_back(receipt(row));
    const auto found = receipt_conflicts(rows);
    std::string fields;
    for (const ReceiptConflict& one : found) {
      CHECK(one.message == "m");
      for (const std::string& field : one.fields) fields += field + " ";
    }
    CHECK(fields == c.want);
    std::reverse(rows.begin(), rows.end());
    CHECK(receipt_conflicts(rows) == found);
  }
}

}  // namespace
}  // namespace meldevakt::collector
