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

std::string state_of(const Incident& incident) {
  if (incident.open) return "open";
  return incident.closed_by_person ? "closed by a person" : "closed";
}

std::string level_of(const std::optional<ClockLevel>& level) {
  return level ? std::string{to_string(*level)} : "-";
}

std::string_view words(ClockKind kind) {
  switch (kind) {
    case ClockKind::kPurge: return "the portal deletes the first of them";
    case ClockKind::kLookAt: return "7 days to look at the message are over";
    case ClockKind::kFeedback: return "21 days to answer the sender are over";
    case ClockKind::kNotify: return "72 hours to notify Datatilsynet are over";
  }
  return "";
}

std::string words(const std::vector<RunningClock>& clocks, const TimeZone& zone) {
  std::string out;
  for (const RunningClock& clock : clocks) {
    out += "  " + local_time(clock.due, zone) + " " + std::string{words(clock.kind)} + " (" +
           std::string{to_string(clock.level)} + ")\n";
  }
  return out;
}

std::string words(const Overload& overload, const TimeZone& zone) {
  return "  overload, " + std::string{to_string(overload.state)} + ", " +
         std::string{to_string(overload.severity)} + ": " + describe_driver(overload.driver) + " " +
         local_time(overload.span.from, zone) + " - " + local_time(overload.span.to, zone) + "\n";
}

std::string said_of(const ReportedIncident& one, const TimeZone& zone) {
  std::string out = printable(one.incident.id + ": " + one.incident.reason) + "\n";
  if (one.incident.notified) {
    out += "  " + local_time(*one.incident.notified, zone) + " Datatilsynet was notified\n";
  }
  out += words(one.beside.clocks, zone);
  for (const Overload* overload : one.beside.overloads) out += words(*overload, zone);
  return out;
}

std::string said_of(const ReportedMessage& one, const TimeZone& zone) {
  const std::string& name = one.message.message;
  std::string out;
  for (const RelaxedMatch* match : one.beside.relaxed) {
    const std::size_t others = match->messages.size() + match->more - 1;
    out += printable(name) + ": a commit without a name at " + local_time(match->time, zone) +
           " in '" + printable(match->source) + "' could be its";
    out += match->only ? ", and no other's" : ", or that of " + std::to_string(others) + " others";
    out += "; it is not counted as stored\n";
  }
  for (const std::string& field : one.beside.contradictions) {
    out += printable(name) + ": the portal's rows contradict each other (" + field +
           "): one was wrong, or two messages have this id\n";
  }
  return out;
}

}  // namespace

std::string messages_text(const std::vector<ReportedMessage>& messages, const TimeZone& zone) {
  Table table{
      {"MESSAGE", "SENT", "RECEIPTED", "VERDICT", "WHY", "OVERLAPPED BY", "PORTAL HAS IT UNTIL"}};
  std::string below;
  for (const ReportedMessage& one : messages) {
    const MessageVerdict& message = one.message;
    table.add({message.message, local_time(message.sent, zone), local_time(message.receipted, zone),
               words(message.verdict) + (message.sender_mistaken ? " (D)" : ""), why(message),
               overlapped_by(message, zone), kept_until(message, zone)});
    below += said_of(one, zone);
  }
  return table.text() + below;
}

std::string incidents_text(const std::vector<ReportedIncident>& incidents, const TimeZone& zone) {
  Table table{
      {"INCIDENT", "STATE", "LEVEL", "WORST", "MESSAGES", "FIRST", "LAST", "FIRST PURGE", "CAUSE"}};
  std::string below;
  for (const ReportedIncident& one : incidents) {
    const Incident& incident = one.incident;
    table.add({incident.id, state_of(incident), level_of(one.beside.level), words(incident.worst),
               std::to_string(incident.messages.size()), local_time(incident.first, zone),
               local_time(incident.last, zone), local_time(incident.earliest_deadline, zone),
               describe_cause(incident.cause)});
    below += said_of(one, zone);
  }
  return table.text() + below;
}

std::string fleet_table(const std::vector<FleetRow>& rows, const TimeZone& zone) {
  Table table{{"TENANT", "NAME", "AGENTS", "LAST HEARD", "MESSAGES", "STORED", "PENDING",
               "NEED ACTION", "OPEN INCIDENTS", "LEVEL", "ALARMS", "MUNICIPALITIES", "LOST",
               "LATENT FAULT", "ANSWER"}};
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
               std::to_string(row.open_incidents), level_of(row.level), std::to_string(row.alarms),
               std::to_string(municipalities_of(row).size()), std::to_string(row.answer.lost),
               latent(row, zone), answer(row)});
    sum.agents += row.agents;
    sum.open_incidents += row.open_incidents;
    sum.alarms += row.alarms;
    for (std::size_t i = 0; i < 4; ++i) sums[i] += counts[i];
  }
  table.add({"all", std::to_string(rows.size()) + (rows.size() == 1 ? " tenant" : " tenants"),
             std::to_string(sum.agents), "", std::to_string(sums[0]), std::to_string(sums[1]),
             std::to_string(sums[2]), std::to_string(sums[3]), std::to_string(sum.open_incidents),
             "", std::to_string(sum.alarms), std::to_string(all.uses), std::to_string(all.lost), "",
             ""});
  return table.text() + "\n" + table_2(all);
}

}  // namespace meldevakt::collector
