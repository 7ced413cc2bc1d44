#include "collector/report/control_record.h"

#include <algorithm>

#include "collector/report/fleet.h"
#include "collector/report/table.h"
#include "collector/report/times_ahead.h"
#include "common/summary/forms.h"
#include "common/summary/json.h"
#include "common/summary/json_reader.h"

namespace meldevakt::collector {
namespace {

constexpr std::size_t kNotReadBytesMax = 1000;
constexpr std::uint64_t kScheduledMax = 100'000;  // days that are counted one by one

constexpr std::size_t kMunicipalitiesMax = 10'000;

Result<std::string> read_number(const JsonValue& value) {
  if (value.kind == JsonValue::Kind::kString && is_name(value.text)) return value.text;
  return Error{Errc::kCorrupt, "not a municipality's number"};
}

bool is_sentence(std::string_view text) {
  return !text.empty() && text.size() <= kNotReadBytesMax;
}

void count(const MessageVerdict& message, ControlRecord& out) {
  if (message.receipted) ++out.receipted;
  switch (balance_of(message)) {
    case Balance::kStored:
      if (message.receipted) ++out.stored;
      if (message.verdict == Verdict::kStoredAfterReceipt) ++out.stored_after_receipt;
      break;
    case Balance::kLost: ++out.lost; break;
    case Balance::kRecovered: ++out.recovered; break;
    case Balance::kUnreceipted: ++out.unreceipted; break;
    case Balance::kFallback: ++out.fallback; break;
    case Balance::kUndecided: ++out.undecided; break;
  }
}

Instant scheduled_on(const ControlSchedule& schedule, Instant day_as_utc, const TimeZone& zone) {
  LocalTime local = to_local(day_as_utc, {});
  local.hour = schedule.hour;
  local.minute = schedule.minute;
  local.second = 0;
  local.millisecond = 0;
  return zone.to_utc(local).first;
}

}  // namespace

ControlRecord control_of(const TenantInput& input, const Correlation& correlation,
                         const Interval& period, const std::vector<Reconciliation>& counts) {
  ControlRecord out;
  out.tenant = correlation.tenant;
  out.period = period;
  for (const MessageVerdict& message : correlation.messages) {
    if (is_asked(message, period, correlation.now)) count(message, out);
  }
  out.counts_short = counts_short_in(counts, period);
  out.ahead = times_ahead(correlation).messages;
  out.not_read = why_not_known(input, period);
  out.agrees = out.lost == 0 && out.undecided == 0 && out.unreceipted == 0 &&
               out.counts_short == 0 && out.not_read.empty();
  return out;
}

std::string encode_control(const ControlRecord& record) {
  JsonWriter json;
  json.begin_object()
      .member("v", 1)
      .member("tenant", std::string_view{record.tenant})
      .member("number", record.number)
      .member("previous", std::string_view{record.previous.hex()})
      .member("ran", record.ran.ms)
      .name("period")
      .begin_object()
      .member("from", record.period.from.ms)
      .member("to", record.period.to.ms)
      .end_object()
      .name("municipalities")
      .begin_array();
  for (const std::string& number : record.municipalities) json.value(number);
  json.end_array()
      .member("on_demand", record.on_demand)
      .member("missed", record.missed)
      .member("agrees", record.agrees)
      .member("receipted", record.receipted)
      .member("stored", record.stored)
      .member("stored_after_receipt", record.stored_after_receipt)
      .member("lost", record.lost)
      .member("undecided", record.undecided)
      .member("recovered", record.recovered)
      .member("fallback", record.fallback)
      .member("unreceipted", record.unreceipted)
      .member("counts_short", record.counts_short)
      .member("ahead", record.ahead)
      .member("not_read", std::string_view{record.not_read})
      .member("software_version", std::string_view{record.software_version})
      .end_object();
  return std::move(json).take();
}

Result<ControlRecord> decode_control(std::string_view text) {
  MELDEVAKT_TRY_ASSIGN(const JsonValue value, parse_json(text));
  JsonReader reader{value, "control"};
  static_cast<void>(reader.integer("v", 1, 1));
  ControlRecord out;
  out.tenant = reader.text("tenant", is_name);
  out.number = reader.count("number");
  out.previous = reader.sha256("previous");
  out.ran = reader.instant("ran");
  out.period = reader.interval("period");
  // Records from before this was told have none.
  if (reader.has("municipalities")) {
    out.municipalities =
        reader.list<std::string>("municipalities", kMunicipalitiesMax, read_number);
  }
  out.on_demand = reader.boolean("on_demand");
  out.missed = reader.count("missed");
  out.agrees = reader.boolean("agrees");
  out.receipted = reader.count("receipted");
  out.stored = reader.count("stored");
  out.stored_after_receipt = reader.count("stored_after_receipt");
  out.lost = reader.count("lost");
  out.undecided = reader.count("undecided");
  out.recovered = reader.count("recovered");
  out.fallback = reader.count("fallback");
  out.unreceipted = reader.count("unreceipted");
  // Records from before it was counted have none.
  if (reader.has("counts_short")) out.counts_short = reader.count("counts_short");
  if (reader.has("ahead")) out.ahead = reader.count("ahead");
  out.not_read = reader.text("not_read", is_sentence, true);
  out.software_version = reader.text("software_version", is_name);
  MELDEVAKT_TRY(reader.finish());
  return out;
}

std::string control_sentence(const ControlRecord& record, const TimeZone& zone) {
  std::string out = record.agrees ? "receipts and stored messages agree "
                                  : "receipts and stored messages DO NOT agree ";
  out += local_time(record.period.from, zone) + " - " + local_time(record.period.to, zone) + ": ";
  out +=
      std::to_string(record.receipted) + " receipted, " + std::to_string(record.stored) + " stored";
  const auto tell = [&](std::uint64_t n, std::string_view what) {
    if (n > 0) out += ", " + std::to_string(n) + " " + std::string{what};
  };
  tell(record.stored_after_receipt, "of them after their receipts");
  tell(record.lost, "LOST");
  tell(record.undecided, "undecided");
  tell(record.recovered, "recovered");
  tell(record.fallback, "refused and printed");
  tell(record.unreceipted, "stored without a receipt");
  tell(record.counts_short, "count(s) by people that found fewer");
  tell(record.ahead, "with times still to come");
  if (!record.not_read.empty()) out += "; " + record.not_read;
  return out;
}

Instant scheduled_before(const ControlSchedule& schedule, Instant now, const TimeZone& zone) {
  // In local time, as if it were UTC, so that a day is a day.
  const Instant local{now.ms + zone.utc_offset(now).ms};
  const Instant today = scheduled_on(schedule, local, zone);
  return today <= now ? today : scheduled_on(schedule, local - days(1), zone);
}

std::uint64_t scheduled_between(const ControlSchedule& schedule, Instant after, Instant until,
                                const TimeZone& zone) {
  std::uint64_t out = 0;
  for (Instant at = scheduled_before(schedule, until, zone); after < at && out < kScheduledMax;
       at = scheduled_before(schedule, at - milliseconds(1), zone)) {
    ++out;
  }
  return out;
}

}  // namespace meldevakt::collector
