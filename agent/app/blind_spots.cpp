#include "agent/app/blind_spots.h"

#include <algorithm>
#include <string_view>

#include "agent/budget/rotation_forecast.h"
#include "agent/recognise/pack_abilities.h"

namespace meldevakt::agent {
namespace {

bool observes(const Pack& pack, Signal signal) {
  return std::find(pack.observes.begin(), pack.observes.end(), signal) != pack.observes.end();
}

bool observes_any(const Pack& pack, std::string_view group) {
  return std::any_of(pack.observes.begin(), pack.observes.end(), [&](Signal signal) {
    return to_string(signal).substr(0, group.size()) == group;
  });
}

// Whether what names messages there is the case system itself.
bool is_log(SourceKind kind) {
  switch (kind) {
    case SourceKind::kFiles:
    case SourceKind::kJournal:
    case SourceKind::kEvents: return true;
    case SourceKind::kReceipts:  // what the portal says of them
    case SourceKind::kMetrics: return false;
  }
  return false;
}

bool any(const AgentSight& sight, bool SourceSight::*what) {
  return std::any_of(sight.sources.begin(), sight.sources.end(),
                     [&](const SourceSight& source) { return source.*what; });
}

void look_at_the_whole(const AgentSight& sight, std::vector<BlindSpot>& out) {
  const bool application = any(sight, &SourceSight::is_application);
  const bool database = any(sight, &SourceSight::is_database);
  const bool host = any(sight, &SourceSight::is_host);
  if (!application) {
    out.push_back({"application",
                   "no source names messages: an overload is seen, but not whom it hit, and no "
                   "message gets a verdict from this agent",
                   "add a [[source]] for the case system's own log"});
  }
  if (application && !database && !host) {
    out.push_back({"only the application",
                   "only the application is watched: a failed save is seen as the application saw "
                   "it, and nothing says why it failed",
                   "add the database's log and the host's"});
  }
  if (!database) {
    out.push_back({"database",
                   "no database log is read: timeouts, deadlocks and full disks are seen only if "
                   "the application logs them, and a window of overload stays suspected",
                   "add a [[source]] for it, e.g. pack mssql-errorlog or postgresql-stderr"});
  }
  if (!host) {
    out.push_back({"host",
                   "no host log or metrics are read: slow disks, lack of memory and a busy "
                   "processor are not seen",
                   "add a [[source]] for the system log or for perfmon, e.g. pack linux-syslog, "
                   "windows-events or windows-perfmon, or one with metrics = [\"cpu\", ...]"});
  }
  if (!sight.clock_is_synchronised) {
    out.push_back(
        {"clock",
         "this machine's clock is not synchronised: every claim about time is widened by " +
             about(sight.clock_error_max) + " (clock.error_max)",
         "let it follow a time server (chrony, systemd-timesyncd, w32time)"});
  }
  for (const std::string& tenant : sight.tenants_without_key) {
    out.push_back({"tenant " + tenant + ": key",
                   "the tenant key is not here: records that name a message only by an internal "
                   "number cannot be told apart at the collector",
                   "bring it from the tenant's first agent"});
  }
}

void look_at_messages(const SourceSight& source, std::vector<BlindSpot>& out) {
  if (!source.is_application) return;
  const std::string name = "source " + source.name;
  if (!source.observes_commits) {
    out.push_back({name + ": commits",
                   "pack " + source.pack +
                       " does not see that a message was stored, because the product does not log "
                       "it: the best verdict is no_failure_seen, never stored",
                   "turn on the product's log of saves if it has one, or count stored messages"});
  }
  if (!source.has_scopes) {
    out.push_back({name + ": scopes",
                   "pack " + source.pack +
                       " has no scope (thread, request): a failure whose record names no message "
                       "cannot be given to one",
                   "log the thread or a request id, and name it in the pack's record.scope"});
  } else if (!source.tells_restarts) {
    out.push_back({name + ": restarts",
                   "pack " + source.pack +
                       " cannot tell that the process restarted: after a crash a record may be "
                       "given to the message of a thread that is gone, until the scope's time is "
                       "over",
                   "log the start of the process, and give the pack a rule with restarts_process"});
  }
}

void look_at_tenant(const SourceSight& source, std::vector<BlindSpot>& out) {
  if (!source.names_messages || source.has_tenant) return;
  out.push_back({"source " + source.name + ": tenant",
                 "it names messages and is told to every tenant of this agent: whose a message is "
                 "cannot be seen here, so each hears of the others' until its portal's list tells",
                 "write tenant = \"...\" in its [[source]]"});
}

void look_at_time(const SourceSight& source, std::vector<BlindSpot>& out) {
  if (source.times_carry_offset) return;
  if (!source.zone_is_configured) {
    out.push_back({"source " + source.name + ": zone",
                   "its times carry no zone and none is configured: they are read as " +
                       source.zone + ", and if that is wrong every time is",
                   "write zone = \"Europe/Oslo\" (or where it is written) in its [[source]]"});
  }
  if (source.zone != "UTC") {
    out.push_back({"source " + source.name + ": doubled hour",
                   "its times carry no offset from UTC: in the hour that " + source.zone +
                       " has twice when summer time ends they are told apart by their order alone, "
                       "and where that does not help they are marked as doubtful",
                   "let it log UTC, or the offset"});
  }
}

void look_at_retention(const SourceSight& source, std::vector<BlindSpot>& out) {
  if (!source.is_files || !source.has_files) return;
  const std::string name = "source " + source.name + ": retention";
  const std::string remedy =
      "keep rotated files for at least 30 days (logrotate, or the application's own settings)";
  if (!source.oldest_age) {
    out.push_back({name,
                   "no rotated file lies beside it: how long its logs are kept cannot be seen, "
                   "and what rotates away while the agent is stopped may be gone",
                   remedy});
    return;
  }
  if (*source.oldest_age >= kPortalKeeps) return;
  std::string detail = "its oldest rotated file is from " + about(*source.oldest_age) + " ago";
  if (source.rotated_every) detail += " (one about every " + about(*source.rotated_every) + ")";
  detail +=
      *source.oldest_age < kPortalKeepsOnce
          ? ": less than the 14 days that portals once kept messages, and the 30 they keep now"
          : ": less than the 30 days that portals keep messages";
  out.push_back({name, detail + "; an older loss cannot be looked up", remedy});
}

}  // namespace

SourceSight sight_of(const SourceConfig& source, const Pack& pack, const std::string& zone) {
  SourceSight out;
  const PackAbilities abilities = abilities_of(pack);
  out.name = source.name;
  out.pack = source.pack;
  out.is_application = is_log(source.kind) && observes_any(pack, "message.");
  const bool tells_database = observes(pack, Signal::kDbRestarted);
  out.is_database = !out.is_application && tells_database;
  out.is_host = !out.is_application && observes_any(pack, "infra.") &&
                (!tells_database || observes(pack, Signal::kInfraDiskFull));
  out.observes_commits = observes(pack, Signal::kMessageCommitted);
  out.has_scopes = abilities.has_scopes;
  out.tells_restarts = abilities.tells_restarts;
  out.times_carry_offset = abilities.times_carry_offset;
  out.zone_is_configured = !source.zone.empty();
  out.zone = zone;
  out.names_messages = out.is_application && !names_of_messages(pack).empty();
  out.has_tenant = !source.tenant.empty();
  out.is_files = source.kind == SourceKind::kFiles;
  // Samples of this host are the host's, whatever the pack knows of them.
  if (source.kind == SourceKind::kMetrics) out.is_host = true;
  return out;
}

std::vector<BlindSpot> blind_spots(const AgentSight& sight) {
  std::vector<BlindSpot> out;
  look_at_the_whole(sight, out);
  for (const SourceSight& source : sight.sources) {
    look_at_messages(source, out);
    if (sight.tenants > 1) look_at_tenant(source, out);
    look_at_time(source, out);
    look_at_retention(source, out);
  }
  return out;
}

}  // namespace meldevakt::agent
