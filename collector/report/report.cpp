#include "collector/report/report.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

Json time_or_null(const std::optional<Instant>& time) {
  return time ? Json(to_rfc3339(*time)) : Json(nullptr);
}

// What came from a configuration may be no UTF-8; a report is printed all the same.
std::string line(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json references_of(const MessageVerdict& message) {
  Json out = Json::array();
  for (const Reference& reference : message.references) {
    out.push_back({{"type", to_string(reference.type)}, {"value", reference.value}});
  }
  return out;
}

Json windows_of(const MessageVerdict& message) {
  Json out = Json::array();
  for (const OverloadWindow& window : message.windows) {
    Json signals = Json::array();
    for (const WindowFact::Count& count : window.signals) {
      signals.push_back({{"signal", to_string(count.signal)}, {"count", count.count}});
    }
    out.push_back({{"from", to_rfc3339(window.span.from)},
                   {"to", to_rfc3339(window.span.to)},
                   {"source", window.source},
                   {"driver", window.driver},
                   {"signals", std::move(signals)},
                   {"fact_id", window.fact_id}});
  }
  return out;
}

Json clocks_of(const std::vector<RunningClock>& clocks) {
  Json out = Json::array();
  for (const RunningClock& clock : clocks) {
    out.push_back({{"kind", to_string(clock.kind)},
                   {"due", to_rfc3339(clock.due)},
                   {"level", to_string(clock.level)},
                   {"next", time_or_null(clock.next)}});
  }
  return out;
}

Json level_or_null(const std::optional<ClockLevel>& level) {
  return level ? Json(to_string(*level)) : Json(nullptr);
}

Json overload_of(const Overload& overload) {
  Json witnesses = Json::array();
  for (const auto& [agent, source] : overload.witnesses) {
    witnesses.push_back({{"agent", agent}, {"source", source}});
  }
  return {{"from", to_rfc3339(overload.span.from)},
          {"to", to_rfc3339(overload.span.to)},
          {"state", to_string(overload.state)},
          {"severity", to_string(overload.severity)},
          {"driver", overload.driver},
          {"metrics", overload.metrics},
          {"witnesses", std::move(witnesses)}};
}

Json overloads_of(const std::vector<const Overload*>& overloads) {
  Json out = Json::array();
  for (const Overload* overload : overloads) out.push_back(overload_of(*overload));
  return out;
}

Json relaxed_of(const std::vector<const RelaxedMatch*>& matches) {
  Json out = Json::array();
  for (const RelaxedMatch* match : matches) {
    out.push_back({{"fact_id", match->fact_id},
                   {"source", match->source},
                   {"time", to_rfc3339(match->time)},
                   {"form", to_string(match->form)},
                   {"district", match->district},
                   {"only", match->only},
                   {"alternatives", match->messages},
                   {"more", match->more}});
  }
  return out;
}

Json served_by(const FleetRow& row) {
  Json out = Json::array();
  for (const FleetMember& member : row.members) {
    out.push_back({{"municipalities", member.municipalities},
                   {"from", to_rfc3339(member.span.from)},
                   {"until", to_rfc3339(member.span.to)},
                   {"answer", to_string(member.answer.answer)},
                   {"lost", member.answer.lost},
                   {"undecided", member.answer.undecided},
                   {"reason", member.answer.reason}});
  }
  return out;
}

Json latent_or_null(const FleetRow& row) {
  if (!row.latent) return nullptr;
  return {{"first", to_rfc3339(row.latent->first)},
          {"last", to_rfc3339(row.latent->last)},
          {"messages", row.latent->messages},
          {"present", row.latent->present}};
}

}  // namespace

std::string message_json(const MessageVerdict& message, std::string_view tenant,
                         const MessageBeside& beside) {
  return line({{"tenant", tenant},
               {"message", message.message},
               {"references", references_of(message)},
               {"verdict", to_string(message.verdict)},
               {"category", to_string(message.category)},
               {"explanation", message.explanation},
               {"cause", message.cause},
               {"form", to_string(message.form)},
               {"channel", message.channel},
               {"district", message.district},
               {"first_seen", time_or_null(message.first_seen)},
               {"sent", time_or_null(message.sent)},
               {"receipted", time_or_null(message.receipted)},
               {"committed", time_or_null(message.committed)},
               {"failed", time_or_null(message.failed)},
               {"purge_deadline", time_or_null(message.purge_deadline)},
               {"windows", windows_of(message)},
               {"candidates", message.candidates},
               {"evidence", message.evidence},
               {"sender_mistaken", message.sender_mistaken},
               {"clocks", clocks_of(beside.clocks)},
               {"relaxed", relaxed_of(beside.relaxed)},
               {"overloads", overloads_of(beside.overloads)},
               {"contradictions", beside.contradictions}});
}

std::string overload_json(const Overload& overload) {
  return overload_of(overload).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string incident_json(const Incident& incident, const IncidentBeside& beside) {
  return line({{"id", incident.id},
               {"tenant", incident.tenant},
               {"cause", incident.cause},
               {"worst", to_string(incident.worst)},
               {"first", to_rfc3339(incident.first)},
               {"last", to_rfc3339(incident.last)},
               {"messages", incident.messages},
               {"earliest_deadline", time_or_null(incident.earliest_deadline)},
               {"reason", incident.reason},
               {"open", incident.open},
               {"closed_by_person", incident.closed_by_person},
               {"decided", incident.decided},
               {"aware", time_or_null(beside.aware)},
               {"notified", time_or_null(incident.notified)},
               {"level", level_or_null(beside.level)},
               {"clocks", clocks_of(beside.clocks)},
               {"overloads", overloads_of(beside.overloads)}});
}

std::string fleet_row_json(const FleetRow& row) {
  Json verdicts = Json::object();
  for (const auto& [verdict, count] : row.verdicts) {
    verdicts[std::string{to_string(verdict)}] = count;
  }
  return line(
      {{"tenant", row.tenant},
       {"name", row.name},
       {"agents", row.agents},
       {"last_statement", time_or_null(row.last_statement)},
       {"verdicts", std::move(verdicts)},
       {"open_incidents", row.open_incidents},
       {"alarms", row.alarms},
       {"municipalities", municipalities_of(row)},
       {"served", served_by(row)},
       {"asked", {{"from", to_rfc3339(row.asked.from)}, {"until", to_rfc3339(row.asked.to)}}},
       {"answer", to_string(row.answer.answer)},
       {"lost", row.answer.lost},
       {"undecided", row.answer.undecided},
       {"reason", row.answer.reason},
       {"latent_fault", latent_or_null(row)},
       {"product", row.product},
       {"patch", row.patch},
       {"activated", time_or_null(row.activated)},
       {"level", level_or_null(row.level)},
       {"overloads",
        {{"confirmed", row.overloads_confirmed}, {"suspected", row.overloads_suspected}}}});
}

std::vector<std::string> municipalities_of(const FleetRow& row) {
  std::set<std::string> out;
  for (const FleetMember& member : row.members) {
    out.insert(member.municipalities.begin(), member.municipalities.end());
  }
  return {out.begin(), out.end()};
}

void follow_mergers(std::vector<FleetRow>& rows) {
  std::map<std::string, std::string> into;  // where two registers differ, the greater number
  for (const FleetRow& row : rows) {
    for (const Merger& one : row.mergers) into[one.from] = std::max(into[one.from], one.into);
  }
  const auto last_of = [&into](std::string number) {
    // Registers may contradict each other so that it never ends.
    for (std::size_t turns = 0; turns < into.size(); ++turns) {
      const auto next = into.find(number);
      if (next == into.end()) break;
      number = next->second;
    }
    return number;
  };
  for (FleetRow& row : rows) {
    for (FleetMember& member : row.members) {
      for (std::string& number : member.municipalities) number = last_of(std::move(number));
    }
  }
}

FleetTotals total(const std::vector<FleetRow>& rows) {
  std::vector<FleetMember> members;
  std::uint64_t lost = 0;
  for (const FleetRow& row : rows) {
    members.insert(members.end(), row.members.begin(), row.members.end());
    lost += row.answer.lost;
  }
  FleetTotals out = total(members);
  out.lost = lost;  // each once, however many were served when it was
  return out;
}

std::string fleet_totals_json(const std::vector<FleetRow>& rows) {
  const FleetTotals all = total(rows);
  std::uint64_t latent = 0;
  for (const FleetRow& row : rows) latent += row.latent && row.latent->present ? 1U : 0U;
  return line({{"fleet",
                {{"using", all.uses},
                 {"affected", all.affected},
                 {"clean", all.clean},
                 {"unanswered", all.unanswered},
                 {"lost", all.lost},
                 {"tenants", rows.size()},
                 {"latent_faults", latent}}}});
}

FleetRow summarise_tenant(const Correlation& correlation, const std::vector<Incident>& incidents) {
  FleetRow out;
  out.tenant = correlation.tenant;
  for (std::size_t i = 0; i <= static_cast<std::size_t>(Verdict::kUnreceipted); ++i) {
    out.verdicts.emplace_back(static_cast<Verdict>(i), 0);
  }
  for (const MessageVerdict& message : correlation.messages) {
    ++out.verdicts[static_cast<std::size_t>(message.verdict)].second;
  }
  for (const Incident& incident : incidents) {
    if (incident.open) ++out.open_incidents;
  }
  return out;
}

}  // namespace meldevakt::collector
