// Conclusions as text and JSON, for the command line: messages, incidents, fleet. Pure: values in,
// bytes out. JSON: one object a line where there are many; members documented in REPORT.md beside
// this file.
#pragma once

#include <string>
#include <vector>

#include "collector/correlate/correlate.h"
#include "collector/incidents/incidents.h"
#include "collector/registry/registry.h"
#include "collector/report/beside.h"
#include "collector/report/fleet.h"
#include "collector/report/latent_fault.h"

namespace meldevakt::collector {

struct FleetRow {
  std::string tenant;
  std::string name;
  std::uint64_t agents = 0;
  std::optional<Instant> last_statement;
  std::vector<std::pair<Verdict, std::uint64_t>> verdicts;  // every verdict, zero counts too
  std::uint64_t open_incidents = 0;
  std::uint64_t alarms = 0;
  std::vector<FleetMember> members;  // whom it served, by when it did
  std::vector<Merger> mergers;       // that its register knows
  Interval asked;                    // for which time `answer` is given
  TenantAnswer answer;
  std::optional<LatentFault> latent;
  std::string
      product;        // the case system and its version, as the register says; "" when it does not
  std::string patch;  // "affected", "fixed", "unknown" or ""
  std::optional<Instant> activated;       // its portal
  std::optional<ClockLevel> level;        // the most urgent of its open incidents
  std::uint64_t overloads_confirmed = 0;  // within `asked`
  std::uint64_t overloads_suspected = 0;
};
[[nodiscard]] FleetTotals total(const std::vector<FleetRow>& rows);
[[nodiscard]] std::vector<std::string> municipalities_of(const FleetRow& row);  // each once
// Calls each municipality what it became by the mergers that any of the registers knows: the one
// that goes on with it may be another tenant's.
void follow_mergers(std::vector<FleetRow>& rows);

[[nodiscard]] std::string message_json(const MessageVerdict& message, std::string_view tenant,
                                       const MessageBeside& beside = {});
// One object, as a member of another; members: REPORT.md.
[[nodiscard]] std::string overload_json(const Overload& overload);
[[nodiscard]] std::string incident_json(const Incident& incident,
                                        const IncidentBeside& beside = {});
[[nodiscard]] std::string fleet_row_json(const FleetRow& row);
// The last line of a fleet report: the columns of the Bufdir report's table 2.
[[nodiscard]] std::string fleet_totals_json(const std::vector<FleetRow>& rows);
[[nodiscard]] FleetRow summarise_tenant(const Correlation& correlation,
                                        const std::vector<Incident>& incidents);

// For people at a terminal: aligned columns, Oslo time given by `zone`.
struct ReportedIncident {
  Incident incident;
  IncidentBeside beside{};
};
// A table, and below it of each why it is one incident and which deadlines run.
[[nodiscard]] std::string incidents_text(const std::vector<ReportedIncident>& incidents,
                                         const TimeZone& zone);
struct ReportedMessage {
  MessageVerdict message;
  MessageBeside beside{};
};
// A table, and below it what is said of single messages: nameless commits, contradictions.
[[nodiscard]] std::string messages_text(const std::vector<ReportedMessage>& messages,
                                        const TimeZone& zone);
[[nodiscard]] std::string fleet_table(const std::vector<FleetRow>& rows, const TimeZone& zone);

}  // namespace meldevakt::collector
