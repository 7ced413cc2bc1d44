#include <algorithm>

#include "collector/correlate/words.h"
#include "collector/report/report.h"
#include "collector/report/table.h"

namespace meldevakt::collector {
namespace {

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
  const std::string from = local_time(first.span.from, zone);
  const std::string to = local_time(first.span.to, zone);
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
  const std::string until = local_time(*message.purge_deadline, zone);
  return message.category == Category::kA ? "gone since " + until : until;
}

std::string latent(const FleetRow& row, const TimeZone& zone) {
  if (!row.latent) return "-";
  const std::string since = local_time(row.latent->first, zone);
  return row.latent->present ? "since " + since
                             : since + " - " + local_time(row.latent->last, zone);
}

std::string answer(const FleetRow& row) {
  std::string out{to_string(row.answer.answer)};
  return row.answer.reason.empty() ? out : out + ": " + row.answer.reason;
}

// The columns of the Bufdir report's table 2.
std::string table_2(const FleetTotals& all) {
  Table table{{"MUNICIPALITIES", "WITH MESSAGES LOST", "CONFIRMED WITHOUT", "NOT ANSWERED",
               "MESSAGES LOST"}};
  table.add({std::to_string(all.uses), std::to_string(all.affected), std::to_string(all.clean),
             std::to_string(all.unanswered), std::to_string(all.lost)});
  return table.text();
}

}  // namespace

std::string messages_table(const std::vector<MessageVerdict>& messages, const TimeZone& zone) {
  Table table{
      {"MESSAGE", "SENT", "RECEIPTED", "VERDICT", "WHY", "OVERLAPPED BY", "PORTAL HAS IT UNTIL"}};
  for (const MessageVerdict& message : messages) {
    table.add({message.message, local_time(message.sent, zone), local_time(message.receipted, zone),
               words(message.verdict), why(message), overlapped_by(message, zone),
               kept_until(message, zone)});
  }
  return table.text();
}

std::string incidents_table(const std::vector<Incident>& incidents, const TimeZone& zone) {
  Table table{{"INCIDENT", "STATE", "WORST", "MESSAGES", "FIRST", "LAST", "FIRST PURGE", "CAUSE"}};
  for (const Incident& incident : incidents) {
    table.add({incident.id, incident.open ? "open" : "closed", words(incident.worst),
               std::to_string(incident.messages.size()), local_time(incident.first, zone),
               local_time(incident.last, zone), local_time(incident.earliest_deadline, zone),
               describe_cause(incident.cause)});
  }
  return table.text();
}

std::string fleet_table(const std::vector<FleetRow>& rows, const TimeZone& zone) {
  Table table{{"TENANT", "NAME", "AGENTS", "LAST HEARD", "MESSAGES", "STORED", "PENDING",
               "NEED ACTION", "OPEN INCIDENTS", "ALARMS", "MUNICIPALITIES", "LOST", "LATENT FAULT",
               "ANSWER"}};
  FleetRow sum;
  const FleetTotals all = total(rows);
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
    table.add({row.tenant, row.name, std::to_string(row.agents),
               local_time(row.last_statement, zone), std::to_string(counts[0]),
               std::to_string(counts[1]), std::to_string(counts[2]), std::to_string(counts[3]),
               std::to_string(row.open_incidents), std::to_string(row.alarms),
               std::to_string(row.municipalities.size()), std::to_string(row.answer.lost),
               latent(row, zone), answer(row)});
    sum.agents += row.agents;
    sum.open_incidents += row.open_incidents;
    sum.alarms += row.alarms;
    for (std::size_t i = 0; i < 4; ++i) sums[i] += counts[i];
  }
  table.add({"all", std::to_string(rows.size()) + (rows.size() == 1 ? " tenant" : " tenants"),
             std::to_string(sum.agents), "", std::to_string(sums[0]), std::to_string(sums[1]),
             std::to_string(sums[2]), std::to_string(sums[3]), std::to_string(sum.open_incidents),
             std::to_string(sum.alarms), std::to_string(all.uses), std::to_string(all.lost), "",
             ""});
  return table.text() + "\n" + table_2(all);
}

}  // namespace meldevakt::collector
