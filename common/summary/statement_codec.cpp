#include <cstdint>
#include <set>
#include <utility>

#include "common/base/limits.h"
#include "common/summary/forms.h"
#include "common/summary/json.h"
#include "common/summary/json_reader.h"
#include "common/summary/statement.h"

namespace meldevakt {
namespace {

constexpr std::size_t kIdDigits = 32;
constexpr std::size_t kHashDigits = 2 * Sha256::kBytes;
// A list that has no bound of its own is bounded by kStatementBytesMax: no element is shorter.
// The kernel corrects half a second at most (adjtimex(2)); a century either way is room enough.
constexpr std::int64_t kClockOffsetMaxUs = 3'155'760'000'000'000;
constexpr std::size_t kElementsMax = limits::kStatementBytesMax / 16;

// --- writing --------------------------------------------------------------------------------

void write(JsonWriter& json, std::string_view name, const Interval& span) {
  json.name(name).begin_object();
  json.member("from", span.from.ms).member("to", span.to.ms).end_object();
}

void write(JsonWriter& json, const PackIdentity& pack) {
  json.name("pack").begin_object().member("id", pack.id).member("version", pack.version);
  json.member("sha256", pack.sha256.hex()).end_object();
}

void write(JsonWriter& json, const Observed& observed) {
  json.begin_object().member("signal", to_string(observed.signal));
  if (observed.last_seen) json.member("last_seen", observed.last_seen->ms);
  json.end_object();
}

void write(JsonWriter& json, const ReadingInterval& reading) {
  json.begin_object();
  write(json, "span", reading.span);
  json.member("state", to_string(reading.state)).member("reason", reading.reason).end_object();
}

void write(JsonWriter& json, const EventGap& gap) {
  json.begin_object();
  write(json, "span", gap.span);
  json.member("reason", gap.reason).end_object();
}

void write(JsonWriter& json, const ContentRange& range) {
  json.begin_object().member("file", range.file);
  json.member("from", range.from).member("to", range.to).end_object();
}

void write(JsonWriter& json, const ByteCounts& bytes) {
  json.name("bytes").begin_object();
  json.member("read", bytes.read).member("recognised", bytes.recognised);
  json.member("unrecognised", bytes.unrecognised).member("dropped", bytes.dropped);
  json.member("pending", bytes.pending).end_object();
}

void write(JsonWriter& json, const BodyHash& body) {
  json.begin_object().member("packed", body.packed.hex());
  json.member("packed_bytes", body.packed_bytes).member("plain", body.plain.hex());
  json.member("plain_bytes", body.plain_bytes).member("dictionary", body.dictionary);
  json.member("facts", body.facts).end_object();
}

void write(JsonWriter& json, const SourceCoverage& source);

template <typename T>
void write_list(JsonWriter& json, std::string_view name, const std::vector<T>& list) {
  json.name(name).begin_array();
  for (const T& element : list) write(json, element);
  json.end_array();
}

void write(JsonWriter& json, const SourceCoverage& source) {
  json.begin_object().member("id", source.id).member("kind", source.kind);
  write(json, source.pack);
  write_list(json, "observes", source.observes);
  if (!source.names.empty()) {
    json.name("names").begin_array();
    for (const ReferenceType type : source.names) json.value(to_string(type));
    json.end_array();
  }
  if (source.shared) json.member("shared", true);
  write_list(json, "reading", source.reading);
  if (source.complete) write(json, "complete", *source.complete);
  write_list(json, "event_gaps", source.event_gaps);
  write_list(json, "ranges", source.ranges);
  write(json, source.bytes);
  json.member("records", source.records).member("digest", source.digest).end_object();
}

void write(JsonWriter& json, const ClockState& clock) {
  json.name("clock").begin_object().member("source", clock.source);
  json.member("offset_us", clock.offset_us).member("max_error_us", clock.max_error_us);
  json.member("stepped", clock.stepped).end_object();
}

// --- reading --------------------------------------------------------------------------------

Result<PackIdentity> read_pack(const JsonValue& value) {
  JsonReader reader{value, "pack"};
  PackIdentity out;
  out.id = reader.text("id", is_name);
  out.version = reader.text("version", is_name);
  out.sha256 = reader.sha256("sha256");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<Observed> read_observed(const JsonValue& value) {
  JsonReader reader{value, "observed"};
  Observed out;
  out.signal = reader.word("signal", signal_from_string);
  if (reader.has("last_seen")) out.last_seen = reader.instant("last_seen");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<ReadingInterval> read_reading(const JsonValue& value) {
  JsonReader reader{value, "reading"};
  ReadingInterval out;
  out.span = reader.interval("span");
  out.state = reader.word("state", read_state_from_string);
  out.reason = reader.text("reason", is_code, true);
  reader.require(out.reason.empty() == (out.state == ReadState::kRead), "reason",
                 "belongs to every state but `read`, always and only");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<EventGap> read_gap(const JsonValue& value) {
  JsonReader reader{value, "gap"};
  EventGap out;
  out.span = reader.interval("span");
  out.reason = reader.text("reason", is_code);
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<ContentRange> read_range(const JsonValue& value) {
  JsonReader reader{value, "range"};
  ContentRange out;
  out.file = reader.hex("file", kIdDigits);
  out.from = reader.count("from");
  out.to = reader.count("to");
  reader.require(out.from <= out.to, "to", "before `from`");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<ByteCounts> read_bytes(const JsonValue& value) {
  JsonReader reader{value, "bytes"};
  ByteCounts out;
  out.read = reader.count("read");
  out.recognised = reader.count("recognised");
  out.unrecognised = reader.count("unrecognised");
  out.dropped = reader.count("dropped");
  out.pending = reader.count("pending");
  // Taken away one by one, as the sum of four counts of 63 bits may not fit.
  std::uint64_t rest = out.read;
  for (const std::uint64_t part : {out.recognised, out.unrecognised, out.dropped, out.pending}) {
    reader.require(part <= rest, "read", "not the sum of the others");
    rest -= part;
  }
  reader.require(rest == 0, "read", "not the sum of the others");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<ReferenceType> read_reference_type(const JsonValue& value) {
  if (value.kind == JsonValue::Kind::kString) {
    if (const auto type = reference_type_from_string(value.text)) return *type;
  }
  return Error{Errc::kCorrupt, "not a word of its list"};
}

Result<SourceCoverage> read_source(const JsonValue& value) {
  JsonReader reader{value, "source"};
  SourceCoverage out;
  out.id = reader.text("id", is_name);
  out.kind = reader.text("kind", is_code);
  out.pack = reader.object<PackIdentity>("pack", read_pack);
  out.observes = reader.list<Observed>("observes", kSignalCount, read_observed);
  for (std::size_t i = 1; i < out.observes.size(); ++i) {
    reader.require(out.observes[i - 1].signal < out.observes[i].signal, "observes", "not sorted");
  }
  if (reader.has("names")) {
    out.names = reader.list<ReferenceType>("names", kReferenceTypeCount, read_reference_type);
    reader.require(!out.names.empty(), "names", "left out where there is none");
  }
  for (std::size_t i = 1; i < out.names.size(); ++i) {
    reader.require(out.names[i - 1] < out.names[i], "names", "not sorted");
  }
  if (reader.has("shared")) {
    out.shared = reader.boolean("shared");
    reader.require(out.shared, "shared", "left out where it is not");
  }
  out.reading = reader.list<ReadingInterval>("reading", kElementsMax, read_reading);
  if (reader.has("complete")) out.complete = reader.interval("complete");
  out.event_gaps = reader.list<EventGap>("event_gaps", kElementsMax, read_gap);
  out.ranges = reader.list<ContentRange>("ranges", SourceCoverage::kRangesMax, read_range);
  out.bytes = reader.object<ByteCounts>("bytes", read_bytes);
  out.records = reader.count("records");
  out.digest = reader.hex("digest", kHashDigits, true);
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<BodyHash> read_body_hash(const JsonValue& value) {
  JsonReader reader{value, "body"};
  BodyHash out;
  out.packed = reader.sha256("packed");
  out.packed_bytes = reader.count("packed_bytes", limits::kBodyPackedBytesMax);
  out.plain = reader.sha256("plain");
  out.plain_bytes = reader.count("plain_bytes", limits::kBodyPlainBytesMax);
  out.dictionary = reader.count("dictionary", UINT32_MAX);
  out.facts = reader.count("facts", limits::kFactsPerBodyMax);
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<ClockState> read_clock(const JsonValue& value) {
  JsonReader reader{value, "clock"};
  ClockState out;
  out.source = reader.text("source", [](std::string_view text) {
    return text == "synchronised" || text == "unsynchronised";
  });
  out.offset_us = reader.integer("offset_us", -kClockOffsetMaxUs, kClockOffsetMaxUs);
  out.max_error_us = reader.integer("max_error_us", 0);
  out.stepped = reader.boolean("stepped");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Status check_source_names(const Statement& statement) {
  std::set<std::string_view> names;
  for (const SourceCoverage& source : statement.sources) {
    if (!names.insert(source.id).second) {
      return Error{Errc::kCorrupt, "statement.sources: one source twice"};
    }
  }
  return {};
}

bool is_base64_key(std::string_view text) {
  const Result<std::string> key = from_base64(text);
  return key && key.value().size() == 32;
}

Result<JsonValue> parse_small(std::string_view json, std::string_view what) {
  if (json.size() > limits::kStatementBytesMax) {
    return Error{Errc::kLimit, std::string{what} + ": more than " +
                                   std::to_string(limits::kStatementBytesMax) + " bytes"};
  }
  Result<JsonValue> value = parse_json(json, {.depth_max = 8, .members_max = 32});
  if (!value) return std::move(value).error().in(what);
  return value;
}

}  // namespace

std::string encode_statement(const Statement& statement) {
  JsonWriter json;
  json.begin_object().member("version", Statement::kVersion);
  json.member("tenant", statement.tenant).member("agent", statement.agent);
  json.member("epoch", statement.epoch).member("sequence", statement.sequence);
  json.member("previous", statement.previous.hex());
  write(json, "span", statement.span);
  json.member("boot_id", statement.boot_id);
  json.member("boottime_from_ns", statement.boottime_from_ns);
  json.member("boottime_to_ns", statement.boottime_to_ns);
  write(json, statement.clock);
  write_list(json, "sources", statement.sources);
  write_list(json, "bodies", statement.bodies);
  json.member("configuration", statement.configuration.hex());
  json.member("software_version", statement.software_version);
  json.member("software_sha256", statement.software_sha256);
  json.member("log_seen_size", statement.log_seen_size);
  json.member("log_seen_root", statement.log_seen_root).end_object();
  return std::move(json).take();
}

Result<Statement> decode_statement(std::string_view json) {
  MELDEVAKT_TRY_ASSIGN(const JsonValue value, parse_small(json, "statement"));
  JsonReader reader{value, "statement"};
  reader.require(reader.integer("version", 0) == Statement::kVersion, "version", "not known here");
  Statement out;
  out.tenant = reader.text("tenant", is_name);
  out.agent = reader.hex("agent", kIdDigits);
  out.epoch = reader.count("epoch");
  out.sequence = reader.count("sequence");
  out.previous = reader.sha256("previous");
  out.span = reader.interval("span");
  out.boot_id = reader.text("boot_id", is_code, true);
  out.boottime_from_ns = reader.integer("boottime_from_ns", 0);
  out.boottime_to_ns = reader.integer("boottime_to_ns", 0);
  out.clock = reader.object<ClockState>("clock", read_clock);
  out.sources = reader.list<SourceCoverage>("sources", limits::kSourcesPerAgentMax, read_source);
  out.bodies = reader.list<BodyHash>("bodies", limits::kBodiesPerStatementMax, read_body_hash);
  out.configuration = reader.sha256("configuration");
  out.software_version = reader.text("software_version", is_name);
  out.software_sha256 = reader.hex("software_sha256", kHashDigits, true);
  out.log_seen_size = reader.count("log_seen_size");
  out.log_seen_root = reader.hex("log_seen_root", kHashDigits, true);
  MELDEVAKT_TRY(reader.finish());
  MELDEVAKT_TRY(check_source_names(out));
  MELDEVAKT_TRY(check_tiling(out));
  return out;
}

std::string encode_enrolment(const Enrolment& enrolment) {
  JsonWriter json;
  json.begin_object().member("version", Statement::kVersion);
  json.member("tenant", enrolment.tenant).member("agent", enrolment.agent);
  json.member("signing_key", enrolment.signing_key).member("tls_key", enrolment.tls_key.hex());
  json.member("invitation", enrolment.invitation.hex()).member("time", enrolment.time.ms);
  json.member("software_version", enrolment.software_version).end_object();
  return std::move(json).take();
}

Result<Enrolment> decode_enrolment(std::string_view json) {
  MELDEVAKT_TRY_ASSIGN(const JsonValue value, parse_small(json, "enrolment"));
  JsonReader reader{value, "enrolment"};
  reader.require(reader.integer("version", 0) == Statement::kVersion, "version", "not known here");
  Enrolment out;
  out.tenant = reader.text("tenant", is_name);
  out.agent = reader.hex("agent", kIdDigits);
  out.signing_key = reader.text("signing_key", is_base64_key);
  out.tls_key = reader.sha256("tls_key");
  out.invitation = reader.sha256("invitation");
  out.time = reader.instant("time");
  out.software_version = reader.text("software_version", is_name);
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Status check_tiling(const Statement& statement) {
  for (const SourceCoverage& source : statement.sources) {
    Instant reached = statement.span.from;
    for (const ReadingInterval& reading : source.reading) {
      if (reading.span.from != reached || reading.span.to < reading.span.from) {
        return Error{Errc::kCorrupt, "statement.sources: '" + source.id +
                                         "' reads in intervals that do not touch in order"};
      }
      reached = reading.span.to;
    }
    if (reached != statement.span.to) {
      return Error{Errc::kCorrupt, "statement.sources: what '" + source.id +
                                       "' read does not end where the statement ends"};
    }
  }
  return {};
}

}  // namespace meldevakt
