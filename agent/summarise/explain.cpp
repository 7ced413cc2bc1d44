#include "agent/summarise/explain.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "agent/detect/detector.h"
#include "agent/frame/record_framer.h"
#include "agent/recognise/metric_watch.h"
#include "agent/recognise/recogniser.h"
#include "agent/summarise/content_name.h"
#include "common/summary/fact.h"
#include "common/summary/json.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kSaltBytes = 32;
// Event times alone decide: the wall clock stands still, and at the end all time has passed.
constexpr Instant kNow{0};
constexpr Instant kEndOfTime{253'402'300'799'999};

void write(JsonWriter& json, const std::vector<Reference>& references) {
  json.begin_array();
  for (const Reference& reference : references) {
    json.begin_object()
        .member("type", to_string(reference.type))
        .member("value", reference.value)
        .end_object();
  }
  json.end_array();
}

// A fact in its wire form, which only whole bodies have.
std::string wire_form(const Fact& fact) {
  const std::string body = encode_body({std::string(kSaltBytes, '\0'), {fact}});
  const std::size_t from = body.find("\"facts\":[") + 9;
  return body.substr(from, body.rfind(']') - from);
}

void write_scopes(JsonWriter& json, const std::vector<std::string>& scopes, bool show_text) {
  json.name("scopes").begin_array();
  for (const std::string& scope : scopes) {
    // "process=4242/thread=17" -> "process/thread": the values are text of the log.
    std::string names;
    for (std::size_t at = 0; at <= scope.size();) {
      const std::size_t end = std::min(scope.find('/', at), scope.size());
      const std::string part = scope.substr(at, end - at);
      names += (names.empty() ? "" : "/") + part.substr(0, part.find('='));
      at = end + 1;
    }
    json.value(show_text ? scope : names);
  }
  json.end_array();
}

// The wire's JSON has no fractions: the value as text, rounded for people.
void write_readings(JsonWriter& json, const std::vector<MetricReading>& readings,
                    const std::vector<std::string>& names) {
  json.name("readings").begin_array();
  for (const MetricReading& reading : readings) {
    std::array<char, 40> text{};
    char* const begin = text.data();
    const char* const end =
        std::to_chars(begin, begin + text.size(), reading.value, std::chars_format::general, 6).ptr;
    json.begin_object()
        .member("metric", names.at(reading.metric))
        .member("value", std::string_view{begin, static_cast<std::size_t>(end - begin)})
        .end_object();
  }
  json.end_array();
}

void write(JsonWriter& json, const SignalEvent& event, const std::optional<Fact>& step,
           bool show_text) {
  json.begin_object().member("rule", event.rule);
  if (event.signal) json.member("signal", to_string(*event.signal));
  if (event.outcome) json.member("outcome", to_string(*event.outcome));
  if (!event.code.empty()) json.member("code", event.code);
  if (event.form) json.member("form", to_string(*event.form));
  if (!event.district.empty()) json.member("district", event.district);
  json.name("references");
  write(json, event.references);
  if (event.references_dropped > 0) json.member("references_dropped", event.references_dropped);
  write_scopes(json, event.scopes, show_text);
  if (event.over_since) json.member("over_since", to_rfc3339(*event.over_since));
  if (event.ends_scope) json.member("ends_scope", true);
  if (event.restarts_process) json.member("restarts_process", true);
  if (event.opens_window) json.member("opens_window", true);
  if (!event.driver.empty()) json.member("driver", event.driver);
  if (step) json.name("step").raw(wire_form(*step));
  json.end_object();
}

}  // namespace

struct Explainer::State {
  Settings settings;
  Recogniser recogniser;
  MetricWatch metrics;
  RecordFramer framer;
  Detector detector;
  FirstLine first_line;
  std::vector<std::string> lines;
  std::map<std::string, Fact> facts;  // by id, the highest revision
  std::uint64_t records = 0;
  std::uint64_t recognised = 0;
  std::uint64_t unrecognised = 0;
  std::uint64_t dropped = 0;
  std::map<std::string, std::uint64_t> rules;
  std::optional<Instant> first_time;
  std::optional<Instant> last_time;

  explicit State(Settings with);
  void take_records();
  void explain(const Record& record, const Recognised& recognised_record);
  void keep_facts();
  void summarise();
};

namespace {

Detector::Settings detector_settings(const Explainer::Settings& settings) {
  Detector::Settings out;
  out.source = settings.source;
  out.fact_key = settings.fact_key;
  out.scope_age_max = settings.pack->scope_age_max;
  out.look_back_max = settings.pack->look_back_max;
  out.look_back_signals_max = settings.pack->look_back_signals_max;
  return out;
}

}  // namespace

Explainer::State::State(Settings with)
    : settings{std::move(with)},
      recogniser{settings.pack, settings.zone, PrivacyStep{settings.tenant_key}},
      metrics{settings.pack},
      framer{framer_settings(*settings.pack), recogniser.line_tests(), 0},
      detector{detector_settings(settings)} {
  if (settings.last_written) recogniser.set_read_at(ReadAt::kBoundsTime);
}

Explainer::Explainer(Settings settings) : state_{std::make_unique<State>(std::move(settings))} {}
Explainer::~Explainer() = default;
Explainer::Explainer(Explainer&&) noexcept = default;
Explainer& Explainer::operator=(Explainer&&) noexcept = default;

void Explainer::feed(std::string_view chunk) {
  state_->first_line.add(chunk);
  state_->framer.feed(chunk, state_->settings.last_written.value_or(kNow));
  state_->take_records();
}

void Explainer::finish() {
  State& s = *state_;
  s.first_line.end();
  s.framer.finish();
  s.take_records();
  s.detector.idle(kEndOfTime, kNow);
  s.keep_facts();
  std::vector<const Fact*> order;
  for (const auto& [id, fact] : s.facts) order.push_back(&fact);
  const auto time = [](const Fact& fact) {
    if (const auto* const step = std::get_if<StepFact>(&fact.what)) return step->time;
    if (const auto* const alias = std::get_if<AliasFact>(&fact.what)) return alias->time;
    if (const auto* const window = std::get_if<WindowFact>(&fact.what)) return window->span.from;
    return Instant{};
  };
  std::sort(order.begin(), order.end(), [&](const Fact* a, const Fact* b) {
    return time(*a) != time(*b) ? time(*a) < time(*b) : a->id < b->id;
  });
  for (const Fact* const fact : order) {
    s.lines.push_back("{\"fact\":" + wire_form(*fact) + "}");
  }
  s.summarise();
}

std::vector<std::string> Explainer::take() {
  return std::exchange(state_->lines, {});
}

void Explainer::State::take_records() {
  while (true) {
    const RecordFramer::Stats before = framer.stats();
    const std::optional<Record> record = framer.next();
    dropped += framer.stats().dropped_bytes - before.dropped_bytes;
    if (!record) return;
    const std::uint64_t kept = framer.stats().record_bytes - before.record_bytes;
    Recognised made = recogniser.recognise(*record);
    metrics.judge(*record, made);
    ++records;
    (made.limited ? dropped : made.known ? recognised : unrecognised) += kept;
    explain(*record, made);
  }
}

void Explainer::State::explain(const Record& record, const Recognised& made) {
  JsonWriter json;
  json.begin_object().name("record").begin_object();
  json.member("offset", record.offset).member("bytes", record.bytes).member("lines", record.lines);
  if (record.truncated) json.member("truncated", true);
  if (record.orphan) json.member("orphan", true);
  if (record.malformed) json.member("malformed", true);
  if (record.context) json.member("context", true);
  if (made.time) {
    json.member("time", to_rfc3339(*made.time)).member("own_time", made.has_own_time);
    if (made.time_doubt != TimeDoubt::kNone) {
      json.member("time_doubt", to_string(made.time_doubt));
    }
    if (!first_time || *made.time < *first_time) first_time = made.time;
    if (!last_time || *made.time > *last_time) last_time = made.time;
  }
  json.member("known", made.known);
  if (!made.readings.empty()) write_readings(json, made.readings, metric_names(*settings.pack));
  if (made.limited) json.member("limited", true);
  json.name("events").begin_array();
  const RecordPlace place =
      record_place(made.own_name, first_line.name(), record, settings.pack->shape.kind);
  for (const SignalEvent& event : made.events) {
    ++rules[event.rule];
    SignalEvent placed = event;
    placed.offset = place.offset;
    detector.observe(placed, place.name, kNow);
    write(json, event, detector.latest(), settings.show_text);
  }
  json.end_array();
  if (settings.show_text) json.member("text", record.text);
  json.end_object().end_object();
  if (!settings.only_events || made.known || made.limited) {
    lines.push_back(std::move(json).take());
  }
  keep_facts();
}

void Explainer::State::keep_facts() {
  for (Fact& fact : detector.drain()) {
    const auto [at, is_new] = facts.emplace(fact.id, fact);
    if (!is_new && at->second.revision < fact.revision) at->second = std::move(fact);
  }
}

void Explainer::State::summarise() {
  JsonWriter json;
  json.begin_object().name("summary").begin_object().member("records", records);
  json.name("bytes").begin_object();
  json.member("read", framer.stats().bytes_fed).member("recognised", recognised);
  json.member("unrecognised", unrecognised).member("dropped", dropped);
  json.member("pending", framer.pending_bytes()).end_object();
  // How the file was cut up: what is not nought here is worth a look at the pack, or at the file.
  const RecordFramer::Stats& framing = framer.stats();
  json.name("framing").begin_object();
  json.member("kind", to_string(settings.pack->shape.kind));
  if (framer.encoding()) json.member("encoding", to_string(*framer.encoding()));
  json.member("malformed", framing.records_malformed);
  json.member("lines_truncated", framing.lines_truncated);
  json.member("undecodable_bytes", framing.undecodable_bytes);
  json.member("padding_bytes", framing.padding_bytes);
  json.member("times_unreadable", recogniser.stats().times_unreadable);
  // Of times that say none themselves.
  json.member("zone", settings.zone ? settings.zone->name() : "").end_object();
  if (first_time) {
    json.member("first_time", to_rfc3339(*first_time)).member("last_time", to_rfc3339(*last_time));
  }
  json.name("rules").begin_array();
  for (const auto& [rule, events] : rules) {
    json.begin_object().member("rule", rule).member("events", events).end_object();
  }
  json.end_array().member("facts", std::uint64_t{facts.size()}).end_object().end_object();
  lines.push_back(std::move(json).take());
}

}  // namespace meldevakt::agent
