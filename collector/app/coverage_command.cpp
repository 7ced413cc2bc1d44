#include "collector/app/coverage_command.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "collector/app/command_basics.h"
#include "collector/app/view.h"
#include "collector/correlate/coverage_query.h"
#include "collector/correlate/overload.h"
#include "collector/report/report.h"
#include "collector/report/table.h"
#include "common/base/text.h"

namespace meldevakt::collector {
namespace {

using Json = nlohmann::ordered_json;

struct Asked {
  TenantInput input;
  std::vector<AgentRecord> agents;
};

Result<Asked> read(const Config& config, const std::string& name) {
  if (name.empty()) return Error{Errc::kInvalid, "--tenant: whose?"};
  MELDEVAKT_TRY_ASSIGN(const std::unique_ptr<SqliteStore> store, open_to_read(config));
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, chosen_tenants(*store, name));
  Asked out;
  std::vector<Alarm> alarms;
  MELDEVAKT_TRY_ASSIGN(out.input, store->tenant_input(tenants.front().id, alarms));
  MELDEVAKT_TRY_ASSIGN(out.agents, store->agents(tenants.front().id));
  return out;
}

// A name that no statement ever told is a misprint, and no source of which nothing is known.
Status check_source(const TenantInput& input, const std::string& name) {
  std::set<std::string> names;
  for (const LedgerCoverage& claim : input.coverage) names.insert(claim.source.id);
  if (name.empty() || names.contains(name)) return {};
  const std::vector<std::string> all(names.begin(), names.end());
  const auto nearest = nearest_name(name, all);
  return Error{Errc::kInvalid, "--source: no agent ever told of a source '" +
                                   meldevakt::quoted(name) + "'" +
                                   (nearest ? "; did you mean '" + *nearest + "'?"
                                            : "; without --source all of them are told")};
}

// Who enrolled and told of nothing yet is known by that alone. Whether there is any.
bool add_wordless(const std::vector<AgentRecord>& agents, Instant now, Duration silent_after,
                  KnownCoverage& known) {
  bool any = false;
  for (const AgentRecord& agent : agents) {
    const bool told =
        std::any_of(known.agents.begin(), known.agents.end(),
                    [&agent](const AgentKnown& one) { return one.agent == agent.key.agent; });
    if (told || now < agent.enrolled) continue;
    AgentKnown wordless;
    wordless.agent = agent.key.agent;
    wordless.first = wordless.last = wordless.heard = agent.enrolled;
    wordless.silent = agent.enrolled + silent_after < now;
    known.agents.push_back(std::move(wordless));
    any = true;
  }
  std::sort(known.agents.begin(), known.agents.end(),
            [](const AgentKnown& a, const AgentKnown& b) { return a.agent < b.agent; });
  return any;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json spans_of(const std::vector<Interval>& spans) {
  Json out = Json::array();
  for (const Interval& span : spans) {
    out.push_back({{"from", to_rfc3339(span.from)}, {"to", to_rfc3339(span.to)}});
  }
  return out;
}

Json stretch_json(const SourceKnown& source, const char* axis, const Interval& span,
                  ReadState state, const std::string& reason) {
  return {{"agent", source.agent},
          {"source", source.source},
          {"axis", axis},
          {"from", to_rfc3339(span.from)},
          {"to", to_rfc3339(span.to)},
          {"state", to_string(state)},
          {"reason", reason}};
}

std::string source_json(const SourceKnown& source) {
  std::string out;
  for (const EventStretch& stretch : source.events) {
    Json line = stretch_json(source, "event", stretch.span, stretch.state, stretch.reason);
    Json packs = Json::array();
    for (const PackIdentity& pack : stretch.packs) {
      packs.push_back({{"id", pack.id}, {"version", pack.version}, {"sha256", pack.sha256.hex()}});
    }
    Json observes = Json::array();
    for (const Signal signal : stretch.observes) observes.push_back(to_string(signal));
    line["packs"] = std::move(packs);
    line["observes"] = std::move(observes);
    out += dump(line);
  }
  for (const ReadingInterval& stretch : source.reading) {
    out += dump(stretch_json(source, "reading", stretch.span, stretch.state, stretch.reason));
  }
  return out;
}

Json overloads_json(const std::vector<Overload>& overloads) {
  Json out = Json::array();
  for (const Overload& overload : overloads) {
    out.push_back(Json::parse(overload_json(overload), nullptr, false));
  }
  return out;
}

std::string json_of(const KnownCoverage& known, const std::vector<Overload>& overloads) {
  std::string out;
  for (const SourceKnown& source : known.sources) out += source_json(source);
  for (const PortalKnown& portal : known.portals) {
    out += dump({{"portal", portal.portal},
                 {"complete", spans_of(portal.complete)},
                 {"unknown", spans_of(portal.unknown)}});
  }
  for (const AgentKnown& agent : known.agents) {
    out += dump({{"agent", agent.agent},
                 {"first", to_rfc3339(agent.first)},
                 {"last", to_rfc3339(agent.last)},
                 {"heard", to_rfc3339(agent.heard)},
                 {"clock_error_ms", agent.clock_error.ms},
                 {"ahead_ms", agent.ahead.ms},
                 {"silent", agent.silent},
                 {"holes", spans_of(agent.holes)}});
  }
  return out + dump({{"overloads", overloads_json(overloads)}});
}

std::string packs_text(const EventStretch& stretch) {
  std::string out = stretch.reason;
  for (const PackIdentity& pack : stretch.packs) {
    out += (out.empty() ? "" : ", ") + pack.id + " " + pack.version;
  }
  return out;
}

std::string text_of(const KnownCoverage& known, const std::vector<Overload>& overloads) {
  Table table{{"agent", "source", "axis", "from", "to", "state", "by"}};
  const auto add = [&table](const std::string& agent, const std::string& source,
                            const std::string& axis, const Interval& span, std::string_view state,
                            const std::string& by) {
    table.add(
        {agent, source, axis, to_rfc3339(span.from), to_rfc3339(span.to), std::string{state}, by});
  };
  for (const SourceKnown& source : known.sources) {
    for (const EventStretch& stretch : source.events) {
      add(source.agent, source.source, "event", stretch.span, to_string(stretch.state),
          packs_text(stretch));
    }
    for (const ReadingInterval& stretch : source.reading) {
      add(source.agent, source.source, "reading", stretch.span, to_string(stretch.state),
          stretch.reason);
    }
  }
  for (const PortalKnown& portal : known.portals) {
    for (const Interval& span : portal.complete) add("", portal.portal, "rows", span, "read", "");
    for (const Interval& span : portal.unknown) add("", portal.portal, "rows", span, "unknown", "");
  }
  for (const Overload& overload : overloads) {
    add("", "", "overload", overload.span, to_string(overload.state), overload.driver);
  }
  std::string out = table.text();
  for (const AgentKnown& agent : known.agents) {
    if (agent.silent) {
      out += "Agent " + agent.agent + " is silent since " + to_rfc3339(agent.heard) + ".\n";
    }
    if (agent.ahead > Duration{}) {
      out += "Agent " + agent.agent + " tells of the future, up to " + to_rfc3339(agent.last) +
             ": its clock is wrong.\n";
    }
  }
  return out;
}

}  // namespace

Result<CoverageText> tell_coverage(const Config& config, const CoverageOptions& options) {
  MELDEVAKT_TRY_ASSIGN(const Instant from, time_given(options.from, "--from"));
  MELDEVAKT_TRY_ASSIGN(const Instant until, time_given(options.until, "--until"));
  if (until <= from) return Error{Errc::kInvalid, "--until: must be later than --from"};
  MELDEVAKT_TRY_ASSIGN(const Asked asked, read(config, options.tenant));
  const TenantInput& input = asked.input;
  MELDEVAKT_TRY(check_source(input, options.source));
  const Interval span{from, until};
  KnownCoverage known =
      known_between(input, span, options.now, options.source, config.silent_after);
  const bool wordless =
      options.source.empty() && add_wordless(asked.agents, options.now, config.silent_after, known);
  std::vector<Overload> overloads = overloads_of(input);
  std::erase_if(overloads, [&span](const Overload& overload) {
    return overload.span.to < span.from || span.to <= overload.span.from;
  });
  return CoverageText{options.json ? json_of(known, overloads) : text_of(known, overloads),
                      known.complete() && !wordless};
}

}  // namespace meldevakt::collector
