#include <algorithm>

#include "collector/correlate/words.h"
#include "collector/report/report.h"
#include "collector/report/table.h"

namespace meldevakt::collector {
namespace {

std::string digits(int value, std::size_t width) {
  std::string out = std::to_string(value);
  if (out.size() < width) out.insert(0, width - out.size(), '0');
  return out;
}

// As people in Norway write it: 26.11.2026 10:00:00.
std::string local(Instant time, const TimeZone& zone) {
  const LocalTime t = to_local(time, zone.utc_offset(time));
  return digits(t.day, 2) + "." + digits(t.month, 2) + "." + digits(t.year, 4) + " " +
         digits(t.hour, 2) + ":" + digits(t.minute, 2) + ":" + digits(t.second, 2);
}

std::string local(const std::optional<Instant>& time, const TimeZone& zone) {
  return time ? local(*time, zone) : "-";
}

std::string words(Verdict verdict) {
  std::string out{to_string(verdict)};
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

std::string why(const MessageVerdict& message) {
  const std::string cause = describe_cause(message.cause);
  return cause.empty() ? "-" : cause;
}

// The first window with its times, and how many more there are.
std::string overlapped_by(const MessageVerdict& message, const TimeZone& zone) {
  if (message.windows.empty()) return "-";
  const OverloadWindow& first = message.windows.front();
  const std::string from = local(first.span.from, zone);
  const std::string to = local(first.span.to, zone);
  const bool same_day = from.substr(0, 10) == to.substr(0, 10);
  std::string out = describe_driver(first.driver) + " " + from + " - ";
  out += same_day ? to.substr(11) : to;
  if (message.windows.size() > 1) {
    out += " (and " + std::to_string(message.windows.size() - 1) + " more)";
  }
  return out;
}

std::string kept_until(const MessageVerdict& message, const TimeZone& zone) {
  if (message.channel == kSvarUtChannel) return "kept in SvarUt";
  if (!message.purge_deadline) return "-";
  const std::string until = local(*message.purge_deadline, zone);
  return message.category == Category::kA ? "gone since " + until : until;
}

}  // namespace

std::string messages_table(const std::vector<MessageVerdict>& messages, const TimeZone& zone) {
  Table table{
      {"MESSAGE", "SENT", "RECEIPTED", "VERDICT", "WHY", "OVERLAPPED BY", "PORTAL HAS IT UNTIL"}};
  for (const MessageVerdict& message : messages) {
    table.add({message.message, local(message.sent, zone), local(message.receipted, zone),
               words(message.verdict), why(message), overlapped_by(message, zone),
               kept_until(message, zone)});
  }
  return table.text();
}

std::string incidents_table(const std::vector<Incident>& incidents, const TimeZone& zone) {
  Table table{{"INCIDENT", "STATE", "WORST", "MESSAGES", "FIRST", "LAST", "FIRST PURGE", "CAUSE"}};
  for (const Incident& incident : incidents) {
    table.add({incident.id, incident.open ? "open" : "closed", words(incident.worst),
               std::to_string(incident.messages.size()), local(incident.first, zone),
               local(incident.last, zone), local(incident.earliest_deadline, zone),
               describe_cause(incident.cause)});
  }
  return table.text();
}

std::string fleet_table(const std::vector<FleetRow>& rows, const TimeZone& zone) {
  Table table{{"TENANT", "NAME", "AGENTS", "LAST HEARD", "MESSAGES", "STORED", "PENDING",
               "NEED ACTION", "OPEN INCIDENTS", "ALARMS"}};
  FleetRow sum;
  std::uint64_t sums[4] = {};
  for (const FleetRow& row : rows) {
    std::uint64_t counts[4] = {};  // all, stored, pending, in need of action
    for (const auto& [verdict, count] : row.verdicts) {
      counts[0] += count;
      if (verdict == Verdict::kStored || verdict == Verdict::kStoredAfterReceipt) {
        counts[1] += count;
      }
      if (verdict == Verdict::kPending) counts[2] += count;
      if (needs_action(verdict)) counts[3] += count;
    }
    table.add({row.tenant, row.name, std::to_string(row.agents), local(row.last_statement, zone),
               std::to_string(counts[0]), std::to_string(counts[1]), std::to_string(counts[2]),
               std::to_string(counts[3]), std::to_string(row.open_incidents),
               std::to_string(row.alarms)});
    sum.agents += row.agents;
    sum.open_incidents += row.open_incidents;
    sum.alarms += row.alarms;
    for (std::size_t i = 0; i < 4; ++i) sums[i] += counts[i];
  }
  table.add({"all", std::to_string(rows.size()) + (rows.size() == 1 ? " tenant" : " tenants"),
             std::to_string(sum.agents), "", std::to_string(sums[0]), std::to_string(sums[1]),
             std::to_string(sums[2]), std::to_string(sums[3]), std::to_string(sum.open_incidents),
             std::to_string(sum.alarms)});
  return table.text();
}

}  // namespace meldevakt::collector
