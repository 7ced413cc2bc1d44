#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/base/limits.h"
#include "common/summary/fact.h"
#include "common/summary/forms.h"
#include "common/summary/json.h"
#include "common/summary/json_reader.h"

namespace meldevakt {
namespace {

// Version 2 can say `time_error`, `district`, `metrics` and receipts. A body is written in the
// lowest version that can say it, so that most bodies are read by collectors that know the first
// only.
constexpr int kBodyVersionPlain = 1;
constexpr int kBodyVersion = 2;
// A time that is further off than this is no time.
constexpr std::int64_t kTimeErrorMsMax = 31LL * 24 * 3600 * 1000;
constexpr std::size_t kSaltBytes = 32;
constexpr std::size_t kIdDigits = 32;
// Room for one fact in JSON, most often enough: growing a text of megabytes by doubling costs more
// than the rest of the encoding.
constexpr std::size_t kFactBytesGuess = 360;

int version_of(const Body& body) {
  const bool plain = std::all_of(body.facts.begin(), body.facts.end(), [](const Fact& fact) {
    if (const auto* const step = std::get_if<StepFact>(&fact.what)) {
      return step->time_error.ms == 0 && step->district.empty();
    }
    if (const auto* const window = std::get_if<WindowFact>(&fact.what)) return window->metrics == 0;
    return std::holds_alternative<AliasFact>(fact.what);
  });
  return plain ? kBodyVersionPlain : kBodyVersion;
}

// --- writing --------------------------------------------------------------------------------

void write(JsonWriter& json, std::string_view name, const std::vector<Reference>& references) {
  json.name(name).begin_array();
  for (const Reference& reference : references) {
    json.begin_object()
        .member("type", to_string(reference.type))
        .member("value", reference.value)
        .end_object();
  }
  json.end_array();
}

void write(JsonWriter& json, const StepFact& step) {
  json.name("step").begin_object();
  json.member("signal", to_string(step.signal)).member("time", step.time.ms);
  json.member("attribution", to_string(step.attribution));
  write(json, "references", step.references);
  write(json, "candidates", step.candidates);
  if (step.outcome) json.member("outcome", to_string(*step.outcome));
  json.member("code", step.code);
  if (step.form) json.member("form", to_string(*step.form));
  if (!step.district.empty()) json.member("district", step.district);
  json.member("records", step.records);
  if (step.time_error.ms > 0) json.member("time_error", step.time_error.ms);
  json.end_object();
}

void write(JsonWriter& json, const AliasFact& alias) {
  json.name("alias").begin_object().member("time", alias.time.ms);
  write(json, "references", alias.references);
  json.end_object();
}

void write(JsonWriter& json, const WindowFact& window) {
  json.name("window").begin_object();
  json.name("span").begin_object();
  json.member("from", window.span.from.ms).member("to", window.span.to.ms).end_object();
  json.member("open", window.open).name("signals").begin_array();
  for (const WindowFact::Count& count : window.signals) {
    json.begin_object()
        .member("signal", to_string(count.signal))
        .member("count", count.count)
        .end_object();
  }
  json.end_array().member("driver", window.driver);
  if (window.metrics > 0) json.member("metrics", window.metrics);
  json.end_object();
}

void write(JsonWriter& json, const Receipt& receipt) {
  json.name("receipt").begin_object();
  json.member("portal", receipt.portal).member("message", receipt.message_id);
  if (receipt.sent) json.member("sent", receipt.sent->ms);
  if (receipt.confirmed) json.member("confirmed", receipt.confirmed->ms);
  json.member("form", to_string(receipt.form)).member("channel", receipt.channel);
  json.member("district", receipt.district).end_object();
}

void write(JsonWriter& json, const ReceiptCoverage& coverage) {
  json.name("receipts_complete").begin_object().member("portal", coverage.portal);
  json.name("span").begin_object();
  json.member("from", coverage.span.from.ms).member("to", coverage.span.to.ms).end_object();
  json.end_object();
}

// --- reading --------------------------------------------------------------------------------

Result<Reference> read_reference(const JsonValue& value) {
  JsonReader reader{value, "reference"};
  Reference out;
  out.type = reader.word("type", reference_type_from_string);
  out.value = reader.text("value", [](std::string_view text) { return !text.empty(); });
  reader.require(is_well_formed(out), "value", "not of the form of its type");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

std::vector<Reference> read_references(JsonReader& reader, std::string_view name,
                                       std::size_t length_max) {
  std::vector<Reference> out = reader.list<Reference>(name, length_max, read_reference);
  // Strictly ascending: sorted, and none twice.
  const bool ascending =
      std::adjacent_find(out.begin(), out.end(),
                         [](const auto& a, const auto& b) { return a >= b; }) == out.end();
  reader.require(ascending, name, "not sorted");
  return out;
}

bool names_its_message(Attribution attribution) {
  return attribution == Attribution::kNamed || attribution == Attribution::kScope ||
         attribution == Attribution::kLookBack;
}

Result<StepFact> read_step(const JsonValue& value) {
  JsonReader reader{value, "step"};
  StepFact out;
  out.signal = reader.word("signal", signal_from_string);
  reader.require(is_message_signal(out.signal), "signal", "not a message's");
  out.time = reader.instant("time");
  out.attribution = reader.word("attribution", attribution_from_string);
  out.references = read_references(reader, "references", limits::kReferencesPerFactMax);
  out.candidates = read_references(reader, "candidates", limits::kCandidatesPerFactMax);
  reader.require(out.references.empty() != names_its_message(out.attribution), "references",
                 "contradict the attribution");
  reader.require(out.candidates.empty() != (out.attribution == Attribution::kAmbiguous),
                 "candidates", "contradict the attribution");
  if (reader.has("outcome")) out.outcome = reader.word("outcome", outcome_from_string);
  reader.require(out.outcome.has_value() == (out.signal == Signal::kMessageSaveFailed), "outcome",
                 "belongs to message.save_failed, always and only");
  out.code = reader.text("code", is_code, true);
  if (reader.has("form")) out.form = reader.word("form", form_from_string);
  if (reader.has("district")) out.district = reader.text("district", is_district_number);
  out.records = static_cast<std::uint32_t>(reader.integer("records", 1, UINT32_MAX));
  if (reader.has("time_error")) {
    out.time_error = {reader.integer("time_error", 1, kTimeErrorMsMax)};
  }
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<AliasFact> read_alias(const JsonValue& value) {
  JsonReader reader{value, "alias"};
  AliasFact out;
  out.time = reader.instant("time");
  out.references = read_references(reader, "references", limits::kReferencesPerFactMax);
  reader.require(out.references.size() >= 2, "references", "fewer than two");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<WindowFact::Count> read_count(const JsonValue& value) {
  JsonReader reader{value, "count"};
  WindowFact::Count out;
  out.signal = reader.word("signal", signal_from_string);
  out.count = reader.count("count");
  reader.require(out.count > 0, "count", "out of range");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<WindowFact> read_window(const JsonValue& value) {
  JsonReader reader{value, "window"};
  WindowFact out;
  out.span = reader.interval("span");
  out.open = reader.boolean("open");
  out.signals = reader.list<WindowFact::Count>("signals", kSignalCount, read_count);
  reader.require(!out.signals.empty(), "signals", "none");
  for (std::size_t i = 1; i < out.signals.size(); ++i) {
    reader.require(out.signals[i - 1].signal < out.signals[i].signal, "signals", "not sorted");
  }
  out.driver = reader.text("driver", is_code, true);
  if (reader.has("metrics")) {
    out.metrics = reader.count("metrics");
    reader.require(out.metrics > 0, "metrics", "out of range");
  }
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<Receipt> read_receipt(const JsonValue& value) {
  JsonReader reader{value, "receipt"};
  Receipt out;
  out.portal = reader.text("portal", is_name);
  out.message_id = reader.text("message", [](std::string_view text) {
    return is_well_formed({ReferenceType::kPortalMessageId, std::string{text}});
  });
  if (reader.has("sent")) out.sent = reader.instant("sent");
  if (reader.has("confirmed")) out.confirmed = reader.instant("confirmed");
  reader.require(out.sent || out.confirmed, "sent", "neither it nor confirmed is there");
  out.form = reader.word("form", form_from_string);
  out.channel = reader.text("channel", is_channel, true);
  out.district = reader.text("district", is_code, true);
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<ReceiptCoverage> read_receipt_coverage(const JsonValue& value) {
  JsonReader reader{value, "receipts_complete"};
  ReceiptCoverage out;
  out.portal = reader.text("portal", is_name);
  out.span = reader.interval("span");
  MELDEVAKT_TRY(reader.finish());
  return out;
}

Result<Fact> read_fact(const JsonValue& value) {
  JsonReader reader{value, "fact"};
  Fact out;
  out.id = reader.hex("id", kIdDigits);
  out.revision = static_cast<std::uint32_t>(reader.count("revision", UINT32_MAX));
  out.source = reader.text("source", is_name);
  out.rule = reader.text("rule", is_name);
  // Exactly one of them; a second would be an unknown member.
  if (reader.has("step")) {
    out.what = reader.object<StepFact>("step", read_step);
  } else if (reader.has("alias")) {
    out.what = reader.object<AliasFact>("alias", read_alias);
  } else if (reader.has("receipt")) {
    out.what = reader.object<Receipt>("receipt", read_receipt);
  } else if (reader.has("receipts_complete")) {
    out.what = reader.object<ReceiptCoverage>("receipts_complete", read_receipt_coverage);
  } else {
    out.what = reader.object<WindowFact>("window", read_window);
  }
  MELDEVAKT_TRY(reader.finish());
  return out;
}

}  // namespace

std::string encode_body(const Body& body) {
  JsonWriter json;
  json.reserve(256 + body.facts.size() * kFactBytesGuess);
  json.begin_object().member("version", version_of(body)).member("salt", to_hex(body.salt));
  json.name("facts").begin_array();
  for (const Fact& fact : body.facts) {
    json.begin_object().member("id", fact.id).member("revision", fact.revision);
    json.member("source", fact.source).member("rule", fact.rule);
    std::visit([&json](const auto& what) { write(json, what); }, fact.what);
    json.end_object();
  }
  json.end_array().end_object();
  return std::move(json).take();
}

Result<Body> decode_body(std::string_view json) {
  if (json.size() > limits::kBodyPlainBytesMax) {
    return Error{Errc::kLimit,
                 "body: more than " + std::to_string(limits::kBodyPlainBytesMax) + " bytes"};
  }
  Body body;
  const auto add = [&body](const JsonValue& element) -> Status {
    if (body.facts.size() >= limits::kFactsPerBodyMax) {
      return Error{Errc::kLimit,
                   "more than " + std::to_string(limits::kFactsPerBodyMax) + " facts"};
    }
    Result<Fact> fact = read_fact(element);
    if (!fact) {
      return std::move(fact).error().in("facts[" + std::to_string(body.facts.size()) + "]");
    }
    body.facts.push_back(std::move(fact).value());
    return {};
  };
  Result<JsonValue> value =
      parse_json_list(json, "facts", add, {.depth_max = 8, .members_max = 16, .values_max = 200});
  if (!value) return std::move(value).error().in("body");
  JsonReader reader{value.value(), "body"};
  // The lowest version that can say it, and no other: one form for each body.
  reader.require(reader.integer("version", 0) == version_of(body), "version",
                 "not known here, or not that of its facts");
  const std::string salt = reader.hex("salt", 2 * kSaltBytes);
  // The elements went to `add`; what is left is the empty list.
  static_cast<void>(reader.list<int>("facts", 0, [](const JsonValue&) { return Result<int>{0}; }));
  MELDEVAKT_TRY(reader.finish());
  MELDEVAKT_TRY_ASSIGN(body.salt, from_hex(salt));
  return body;
}

}  // namespace meldevakt
