#include "collector/incidents/receipt_conflicts.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace meldevakt::collector {
namespace {

// What all rows of one message say, as far as they say anything.
struct Said {
  std::set<std::string> portals;
  std::optional<Interval> sent;  // the earliest and the latest
  std::optional<Interval> confirmed;
  std::set<FormType> forms;
  std::set<std::string> districts;
  bool received = false;  // confirmed by the case system, or by a person who fetched it
  bool posted = false;    // confirmed as a letter
};

void widen(std::optional<Interval>& span, const std::optional<Instant>& time) {
  if (!time) return;
  if (!span) span = Interval{*time, *time};
  span->from = std::min(span->from, *time);
  span->to = std::max(span->to, *time);
}

void add(Said& said, const Receipt& row) {
  said.portals.insert(row.portal);
  widen(said.sent, row.sent);
  widen(said.confirmed, row.confirmed);
  if (row.form != FormType::kUnknown) said.forms.insert(row.form);
  if (row.confirmed) (row.channel == kPrintChannel ? said.posted : said.received) = true;
  if (!row.district.empty()) said.districts.insert(row.district);
}

bool differ(const std::optional<Interval>& span) {
  return span && span->to - span->from > kSameTime;
}

}  // namespace

std::vector<ReceiptConflict> receipt_conflicts(const std::vector<Receipt>& versions) {
  std::map<std::string, Said> by_message;
  for (const Receipt& row : versions) add(by_message[row.message_id], row);
  std::vector<ReceiptConflict> out;
  for (const auto& [message, said] : by_message) {
    ReceiptConflict one{message, {said.portals.begin(), said.portals.end()}, {}};
    if (differ(said.sent)) one.fields.emplace_back("sent");
    if (differ(said.confirmed)) one.fields.emplace_back("confirmed");
    if (said.forms.size() > 1) one.fields.emplace_back("form");
    if (said.districts.size() > 1) one.fields.emplace_back("district");
    if (said.received && said.posted) one.fields.emplace_back("channel");
    if (!one.fields.empty()) out.push_back(std::move(one));
  }
  return out;
}

}  // namespace meldevakt::collector
