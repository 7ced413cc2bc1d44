// `status` and `sent`: reading the state beside a running agent.
#include <nlohmann/json.hpp>

#include "agent/app/agent_status.h"
#include "agent/app/commands.h"
#include "agent/app/config.h"
#include "agent/app/enrolment_file.h"
#include "agent/app/identity.h"
#include "agent/state/state.h"
#include "common/pack/pack.h"
#include "common/seal/dsse.h"
#include "common/summary/frame.h"
#include "common/summary/statement.h"

namespace meldevakt::agent {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string time_or_empty(std::optional<Instant> time) {
  return time ? to_rfc3339(*time) : "";
}

std::string_view name_of(FileState state) {
  switch (state) {
    case FileState::kReading: return "reading";
    case FileState::kFinished: return "finished";
    case FileState::kIgnored: return "ignored";
  }
  return "";
}

struct Opened {
  Config config;
  Database db;
};
Result<Opened> open_for(const CommonOptions& options) {
  MELDEVAKT_TRY_ASSIGN(Config config, load_config(options.config));
  const StateFiles files{config.state};
  auto db = open_state_for_reading(files.state());
  if (!db && db.error().code() == Errc::kNotFound) {
    return Error{Errc::kInvalid, files.state() +
                                     " is not there: the agent is not enrolled; run: "
                                     "meldevakt-agent enroll --config " +
                                     options.config + " --invitation FILE"};
  }
  if (!db) return std::move(db).error();
  return Opened{std::move(config), std::move(db).value()};
}

Json source_json(const SourceConfig& source, const PipelineRow* row, const TenantRow& tenant,
                 const std::vector<KnownFile>& files) {
  Json json{{"kind", "source"}, {"source", source.name}, {"tenant", tenant.name}};
  const Json coverage = row == nullptr ? Json{} : Json::parse(row->coverage, nullptr, false);
  if (coverage.is_object()) {
    for (const auto& [name, value] : coverage.items()) json[name] = value;
  } else {
    json["state"] = "unknown";
    json["read"] = 0;
  }
  auto& list = json["files"] = Json::array();
  for (const KnownFile& file : files) {
    if (file.state == FileState::kIgnored) continue;
    list.push_back({{"path", file.path}, {"offset", file.offset}, {"state", name_of(file.state)}});
  }
  json["updated"] = row == nullptr ? "" : to_rfc3339(row->updated);
  return json;
}

Result<Json> tenant_json(Database& db, const TenantRow& tenant) {
  MELDEVAKT_TRY_ASSIGN(
      Query row,
      db.prepare(
          "SELECT count(*) FILTER (WHERE acknowledged_ms IS NULL), coalesce(sum(frame_bytes) "
          "FILTER (WHERE acknowledged_ms IS NULL), 0), max(acknowledged_ms), min(sealed_ms) "
          "FILTER (WHERE acknowledged_ms IS NULL), count(*), max(sealed_ms) FROM statements "
          "WHERE tenant = ?"));
  MELDEVAKT_TRY_ASSIGN(const bool there, row.bind(1, tenant.id).step());
  static_cast<void>(there);
  const auto instant = [&](int column) {
    return row.is_null(column) ? std::string{} : to_rfc3339({row.number(column)});
  };
  Json json{
      {"kind", "tenant"}, {"tenant", tenant.name}, {"id", tenant.id}, {"agent", tenant.agent}};
  json["collector"] = tenant.collector;
  json["epoch"] = tenant.head.epoch;
  json["next_sequence"] = tenant.head.next_sequence;
  json["statements"] = row.number(4);
  json["last_sealed"] = instant(5);
  json["outbox"] = row.number(0);
  json["outbox_bytes"] = row.number(1);
  json["oldest_waiting"] = instant(3);
  json["last_acknowledged"] = instant(2);
  json["log_key"] = tenant.log.key;
  json["log_entries"] = tenant.log.size;
  json["log_fault"] = tenant.log_fault;
  return json;
}

std::string as_text(const Json& json) {
  std::string out;
  if (json["kind"] == "source") {
    out = "source " + json["source"].get<std::string>() + " (" + json["tenant"].get<std::string>() +
          "): " + json.value("state", "") + " " + json.value("reason", "") + "\n";
    out += "  read " + json["read"].dump() + " bytes";
    if (json.contains("records")) {
      out += ", " + json["records"].dump() + " records; recognised " + json["recognised"].dump() +
             ", unrecognised " + json["unrecognised"].dump() + ", dropped " +
             json["dropped"].dump() + ", pending " + json["pending"].dump() + " bytes\n";
      out += "  complete until " + json.value("complete_until", "") + ", pack " +
             json.value("pack", "") + " " + json.value("version", "");
    }
    out += "\n";
    for (const Json& file : json["files"]) {
      out += "  " + file["path"].get<std::string>() + " at " + file["offset"].dump() + ", " +
             file["state"].get<std::string>() + "\n";
    }
    return out;
  }
  out = "tenant " + json["tenant"].get<std::string>() + ": agent " +
        json["agent"].get<std::string>() + " -> " + json["collector"].get<std::string>() + "\n";
  out += "  statements " + json["statements"].dump() + ", in the outbox " + json["outbox"].dump() +
         " (" + json["outbox_bytes"].dump() + " bytes)";
  const std::string waiting = json["oldest_waiting"].get<std::string>();
  out += waiting.empty() ? "\n" : ", the oldest since " + waiting + "\n";
  const std::string last = json["last_acknowledged"].get<std::string>();
  out += "  last acknowledgement " + (last.empty() ? "none" : last) + "\n";
  const std::string fault = json["log_fault"].get<std::string>();
  if (!fault.empty()) return out + "  THE COLLECTOR'S LOG WAS FOUND FALSE: " + fault + "\n";
  if (json["log_entries"] == 0) return out + "  the collector's log: nothing seen of it yet\n";
  return out + "  the collector's log: proved, and the same history, up to " +
         json["log_entries"].dump() + " entries\n";
}

// The process itself, as it said a few seconds ago, or when it stopped.
Json agent_json(const std::map<std::string, StatusRow>& rows) {
  Json json{{"kind", "agent"}};
  const auto row = rows.find(std::string{kAgentTopic});
  const Json said = row == rows.end() ? Json{} : Json::parse(row->second.json, nullptr, false);
  if (said.is_object()) {
    for (const auto& [name, value] : said.items()) json[name] = value;
  }
  json["updated"] = said.is_object() ? to_rfc3339(row->second.updated) : "";
  return json;
}

std::string agent_text(const Json& json) {
  if (!json.contains("cpu_percent")) return "agent: has not said anything yet\n";
  std::string out = "agent: cpu " + json["cpu_percent"].dump() + " of " +
                    json["cpu_percent_allowed"].dump() + " % of a core, memory " +
                    std::to_string(json["memory"].get<std::uint64_t>() / 1'000'000) + " of " +
                    std::to_string(json["memory_allowed"].get<std::uint64_t>() / 1'000'000) +
                    " MB, at " + json["updated"].get<std::string>() + "\n";
  const std::string reason = json.value("reason", "");
  if (reason == "cpu_budget") {
    out += "  reading is paced for " + about(seconds(json["paced_for_s"].get<std::int64_t>())) +
           " now: budget.cpu is used up; the log files keep what is unread\n";
  } else if (reason == "memory_full") {
    out += "  reading pauses: budget.memory is used up; the log files keep what is unread\n";
  }
  if (json.value("holds", Json{}).is_number()) {
    const auto gone = json["holds_erased_for_room"].get<std::uint64_t>();
    out += "  holds of the log around findings: " + json["holds"].dump() + ", " +
           std::to_string((json["hold_bytes"].get<std::uint64_t>() + 999'999) / 1'000'000) +
           " MB on disk" +
           (gone == 0 ? "" : "; " + std::to_string(gone) + " older ones went for room") + "\n";
  }
  for (const Json& source : json["sources"]) {
    const std::string forecast = source.value("forecast", "");
    if (forecast.empty()) continue;
    out += "  source " + source["source"].get<std::string>() + ": " + forecast + "\n";
  }
  return out;
}

Status print_status(const CommonOptions& options) {
  MELDEVAKT_TRY_ASSIGN(Opened opened, open_for(options));
  MELDEVAKT_TRY(opened.db.execute("BEGIN"));  // one moment for all that follows
  MELDEVAKT_TRY_ASSIGN(const std::vector<TenantRow> tenants, read_tenants(opened.db));
  MELDEVAKT_TRY_ASSIGN(const std::vector<PipelineRow> pipelines, read_pipelines(opened.db));
  MELDEVAKT_TRY_ASSIGN(auto files, read_files(opened.db));
  MELDEVAKT_TRY_ASSIGN(const auto said, read_status(opened.db));
  const auto out = [&](const Json& json) {
    print(options.format == Format::kJson ? line_of(json) : as_text(json));
  };
  for (const SourceConfig& source : opened.config.sources) {
    for (const TenantRow& tenant : tenants) {
      if (!source.tenant.empty() && source.tenant != tenant.name) continue;
      const PipelineRow* found = nullptr;
      for (const PipelineRow& row : pipelines) {
        if (row.tenant == tenant.id && row.source == source.name) found = &row;
      }
      out(source_json(source, found, tenant, files[source.name]));
    }
  }
  for (const TenantRow& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(const Json json, tenant_json(opened.db, tenant));
    out(json);
  }
  const Json agent = agent_json(said);
  print(options.format == Format::kJson ? line_of(agent) : agent_text(agent));
  return {};
}

// Everything a frame holds, readable. What cannot be opened is said in its place.
Json sent_json(const StatementRow& row) {
  Json json{{"kind", "statement"},
            {"time", to_rfc3339(row.sealed)},
            {"tenant", row.tenant},
            {"epoch", row.epoch},
            {"sequence", row.sequence},
            {"bytes", row.frame.size()},
            {"acknowledged", time_or_empty(row.acknowledged)},
            {"proof", row.proof}};
  const auto frame = decode_frame(row.frame);
  const auto envelope = frame ? parse_envelope(frame.value().envelope) : frame.error();
  if (!envelope) {
    json["unreadable"] = envelope.error().message();
    return json;
  }
  json["signature"] = to_base64(envelope.value().signature);
  json["statement"] = Json::parse(envelope.value().payload, nullptr, false);
  auto& bodies = json["bodies"] = Json::array();
  const auto statement = decode_statement(envelope.value().payload);
  for (std::size_t i = 0; i < frame.value().bodies.size(); ++i) {
    const bool known = statement && i < statement.value().bodies.size();
    const auto plain =
        unpack(frame.value().bodies[i],
               known ? statement.value().bodies[i].plain_bytes : limits::kBodyPlainBytesMax);
    bodies.push_back(plain ? Json::parse(plain.value(), nullptr, false)
                           : Json{{"unreadable", plain.error().message()}});
  }
  return json;
}

std::string sent_text(const Json& json) {
  std::string out = json["time"].get<std::string>() + " tenant " +
                    json["tenant"].get<std::string>() + " statement " + json["epoch"].dump() + "/" +
                    json["sequence"].dump() + ", " + json["bytes"].dump() + " bytes, ";
  const std::string acknowledged = json["acknowledged"].get<std::string>();
  out += acknowledged.empty() ? "not acknowledged yet\n"
                              : "acknowledged " + acknowledged +
                                    (json["proof"] == "" ? "" : ", proved to be logged") + "\n";
  if (json.contains("unreadable")) return out + "  " + json["unreadable"].get<std::string>() + "\n";
  out += "  " + json["statement"].dump() + "\n";
  for (const Json& body : json["bodies"]) out += "  " + body.dump() + "\n";
  return out;
}

// What the agent enrolled with; the invitation's token, which went with it, is not kept.
Result<Json> enrolment_json(const StateFiles& files, const TenantRow& tenant) {
  MELDEVAKT_TRY_ASSIGN(const EnrolmentRequest request,
                       read_enrolment(files.enrolment(tenant.files)));
  MELDEVAKT_TRY_ASSIGN(const Envelope envelope, parse_envelope(request.envelope));
  return Json{{"kind", "enrolment"},
              {"time", to_rfc3339(tenant.enrolled)},
              {"tenant", tenant.id},
              {"bytes", request.envelope.size() + request.certificate_request.size()},
              {"signature", to_base64(envelope.signature)},
              {"enrolment", Json::parse(envelope.payload, nullptr, false)},
              {"certificate_request", request.certificate_request}};
}

void print_enrolment(const StateFiles& files, const TenantRow& tenant, Format format) {
  const Result<Json> read = enrolment_json(files, tenant);
  if (!read) {
    const Json json{{"kind", "enrolment"},
                    {"tenant", tenant.id},
                    {"unreadable", "enrolment: " + read.error().message()}};
    return print(format == Format::kJson
                     ? line_of(json)
                     : "tenant " + tenant.id + " " + json["unreadable"].get<std::string>() + "\n");
  }
  const Json& json = read.value();
  if (format == Format::kJson) return print(line_of(json));
  print(json["time"].get<std::string>() + " tenant " + tenant.id + " enrolment, " +
        json["bytes"].dump() + " bytes and the invitation's token\n  " + json["enrolment"].dump() +
        "\n" + json["certificate_request"].get<std::string>());
}

// The oldest are deleted in time: that is said, not left to be noticed.
void print_trimmed(const StatementRow& first, Format format) {
  if (first.sequence == 0) return;
  const Json json{{"kind", "no_longer_kept"},
                  {"tenant", first.tenant},
                  {"epoch", first.epoch},
                  {"statements", first.sequence}};
  print(format == Format::kJson
            ? line_of(json)
            : "tenant " + first.tenant + " the first " + std::to_string(first.sequence) +
                  " statements are no longer kept here (they are kept for " +
                  std::to_string(kJournalAgeMax.ms / days(1).ms) + " days, and " +
                  std::to_string(kJournalBytesMax >> 20) +
                  " MB of them); the collector has them\n");
}

Status print_sent(const CommonOptions& options) {
  MELDEVAKT_TRY_ASSIGN(Opened opened, open_for(options));
  MELDEVAKT_TRY_ASSIGN(const std::vector<TenantRow> tenants, read_tenants(opened.db));
  constexpr std::uint64_t kBatchBytes = 16 * 1024 * 1024;
  for (const TenantRow& tenant : tenants) {
    print_enrolment(StateFiles{opened.config.state}, tenant, options.format);
    std::uint64_t epoch = 0;
    std::uint64_t sequence = 0;
    for (bool first = true;; first = false) {
      MELDEVAKT_TRY_ASSIGN(const std::vector<StatementRow> rows,
                           read_outbox(opened.db, tenant.id, epoch, sequence, kBatchBytes));
      if (rows.empty()) break;
      if (first) print_trimmed(rows.front(), options.format);
      for (const StatementRow& row : rows) {
        const Json json = sent_json(row);
        print(options.format == Format::kJson ? line_of(json) : sent_text(json));
      }
      epoch = rows.back().epoch;
      sequence = rows.back().sequence + 1;
    }
  }
  return {};
}

}  // namespace

int run_status(const CommonOptions& options) {
  const Status done = print_status(options);
  return done ? kExitDone : complain(done.error());
}

int run_sent(const CommonOptions& options) {
  const Status done = print_sent(options);
  return done ? kExitDone : complain(done.error());
}

}  // namespace meldevakt::agent
