// check_samples() and check_samples_across(): the samples of a pack run through the real framing
// and recognition.
#include <algorithm>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/recognise/metric_watch.h"
#include "agent/recognise/pack.h"
#include "agent/recognise/pack_words.h"
#include "agent/recognise/program.h"
#include "agent/recognise/recogniser.h"

namespace meldevakt::agent {
namespace {

// Samples need a key so that keyed references show; it never leaves this file.
constexpr std::size_t kKeyBytes = 32;
// Years, dates and times that a sample leaves out are deduced from this: 2023-02-01 12:00 UTC.
constexpr Instant kSampleTime{1'675'252'800'000};

class SampleRun {
 public:
  explicit SampleRun(std::shared_ptr<const Pack> pack)
      : pack_{std::move(pack)},
        recogniser_{pack_, nullptr, PrivacyStep{std::string(kKeyBytes, 's')}} {
    recogniser_.set_read_at(ReadAt::kIsArrival);
  }

  // Why the sample is not one record of this pack, with nothing in front of it but what tells how
  // it is to be read; nullopt when it is.
  std::optional<std::string> is_one_record(const Sample& sample) {
    bool found = false;
    std::uint32_t line = 1;
    for (const Record& record : framed(sample)) {
      if (found) return "its line " + std::to_string(line) + " starts a record of its own";
      if (record.orphan) {
        return line == 1 ? "its first line does not match 'starts'"
                         : "its line " + std::to_string(line) + " belongs to no record";
      }
      if (record.malformed) {
        return "it is no whole record of kind \"" + std::string{to_string(pack_->shape.kind)} +
               "\"";
      }
      found = !record.context;
      line += record.lines;
    }
    return found ? std::nullopt : std::optional<std::string>{"it holds no record"};
  }

  // Of a metric's sample each record counts. Why it is not such; nullopt when it is.
  std::optional<std::string> is_rows(const Sample& sample) {
    std::uint32_t line = 1;
    bool found = false;
    for (const Record& record : framed(sample)) {
      if (record.orphan || record.malformed) {
        return "its line " + std::to_string(line) + " is no whole record";
      }
      found |= !record.context;
      line += record.lines;
    }
    return found ? std::nullopt : std::optional<std::string>{"it holds no record"};
  }

  // The pack's records may have no time of their own.
  [[nodiscard]] bool has_other_times() const {
    return pack_->program->time_is_arrival || !pack_->program->header_only.empty();
  }

  // Of its last record.
  Recognised recognise(const Sample& sample) {
    FileTime time;
    time.in_force = kSampleTime;
    // As if the file had said that it is in UTC, wherever packs expect it to say something.
    time.utc_offset = Duration{0};
    Recognised last;
    MetricWatch metrics{pack_};
    for (const Record& record : framed(sample)) {
      last = recogniser_.recognise(record, time);
      metrics.judge(record, last);
    }
    return last;
  }

 private:
  std::vector<Record> framed(const Sample& sample) {
    RecordFramer::Settings settings = framer_settings(*pack_);
    settings.encodings = {Encoding::kUtf8};
    RecordFramer framer{std::move(settings), recogniser_.line_tests(), 0};
    framer.feed(sample.text, kSampleTime);
    framer.finish();
    std::vector<Record> records;
    while (std::optional<Record> record = framer.next()) records.push_back(std::move(*record));
    return records;
  }

  std::shared_ptr<const Pack> pack_;
  Recogniser recogniser_;
};

bool says(const Recognised& recognised, const std::string& rule) {
  return std::any_of(recognised.events.begin(), recognised.events.end(),
                     [&rule](const SignalEvent& event) { return event.rule == rule; });
}

// The rule that spoke in this one's place.
std::string instead(const Recognised& recognised, const Rule& rule) {
  for (const SignalEvent& event : recognised.events) {
    if (event.signal == rule.signal) return "; rule '" + event.rule + "' matched before it";
  }
  return "";
}

bool has_field(const Rule& rule, FieldType type) {
  if (!rule.pattern) return false;
  const std::vector<Field>& fields = rule.pattern->fields();
  return std::any_of(fields.begin(), fields.end(),
                     [type](const Field& field) { return field.type == type; });
}

// What a matching sample should have shown and did not.
std::optional<std::string> missing_field(const Recognised& recognised, const Rule& rule) {
  for (const SignalEvent& event : recognised.events) {
    if (event.references_dropped > 0) {
      return "a reference in it is not of its type (a portal_message_id is a UUID of version 4)";
    }
    if (event.rule != rule.id) continue;
    if (has_field(rule, FieldType::kReference) && event.references.empty())
      return "it names nothing";
    if (!rule.code_prefix.empty() && event.code.empty()) return "it gives no code";
  }
  return std::nullopt;
}

// "sql-*" is every name that begins so.
bool is_named(const std::vector<std::string>& names, std::string_view id) {
  return std::any_of(names.begin(), names.end(), [id](std::string_view name) {
    if (name.empty() || name.back() != '*') return name == id;
    name.remove_suffix(1);
    return id.substr(0, name.size()) == name;
  });
}

// A rule that reads the sample as something else, and neither of the two says that it may.
std::optional<std::string> claimed(const Pack& pack, const Recognised& recognised,
                                   const Rule& rule) {
  for (const SignalEvent& event : recognised.events) {
    if (!event.signal || event.rule == rule.id || is_named(rule.also, event.rule)) continue;
    const auto& rules = pack.program->rules;
    const auto other = std::find_if(rules.begin(), rules.end(),
                                    [&event](const Rule& r) { return r.id == event.rule; });
    if (other != rules.end() && is_named(other->also, rule.id)) continue;
    return "rule '" + event.rule + "' reads it too, as " + std::string{to_string(*event.signal)} +
           "; if that is right, write also = [\"" + event.rule + "\"]";
  }
  return std::nullopt;
}

std::optional<std::string> check_match(const Pack& pack, SampleRun& run, const Rule& rule,
                                       const Sample& sample) {
  if (auto why = run.is_one_record(sample)) return why;
  const Recognised recognised = run.recognise(sample);
  if (recognised.limited) return "a match limit was reached";
  if (!recognised.has_own_time && !run.has_other_times()) return "its time cannot be read";
  if (!says(recognised, rule.id)) return "the rule does not match" + instead(recognised, rule);
  if (auto why = missing_field(recognised, rule)) return why;
  return claimed(pack, recognised, rule);
}

std::optional<std::string> check_no_match(SampleRun& run, const Rule& rule, const Sample& sample) {
  if (says(run.recognise(sample), rule.id)) return "the rule matches, and must not";
  return std::nullopt;
}

SampleFailure failure(const Pack& pack, const Rule& rule, const Sample& sample,
                      std::string_view why) {
  const std::string& file = rule.file.empty() ? pack.program->file_name : rule.file;
  const std::string in = rule.file.empty() ? "" : " (included by " + pack.program->file_name + ")";
  return {rule.id, file + ":" + std::to_string(sample.line) + ": rule '" + rule.id + "'" + in +
                       ": sample " + in_quotes(sample.text) + ": " + std::string{why}};
}

SampleFailure failure(const Pack& pack, const MetricRule& metric, const Sample& sample,
                      std::string_view why) {
  return {metric.name, pack.program->file_name + ":" + std::to_string(sample.line) + ": metric '" +
                           metric.name + "': sample " + in_quotes(sample.text) + ": " +
                           std::string{why}};
}

std::optional<std::string> check_metric(SampleRun& run, const MetricRule& metric,
                                        const Sample& sample, bool must) {
  if (auto why = run.is_rows(sample)) return why;
  const Recognised last = run.recognise(sample);
  if (!last.has_own_time && !run.has_other_times()) return "the last row's time cannot be read";
  if (says(last, metric.name) == must) return std::nullopt;
  if (!must) return "the metric is over its limit in the last row, and must not be";
  return last.readings.empty() ? "the last row holds no number that a metric looks at"
                               : "the metric is not over its limit in the last row";
}

void check_metrics(const Pack& pack, SampleRun& run, std::vector<SampleFailure>& failures) {
  for (const MetricRule& metric : pack.program->metrics) {
    for (const Sample& sample : metric.match) {
      const auto why = check_metric(run, metric, sample, true);
      if (why) failures.push_back(failure(pack, metric, sample, *why));
    }
    for (const Sample& sample : metric.no_match) {
      const auto why = check_metric(run, metric, sample, false);
      if (why) failures.push_back(failure(pack, metric, sample, *why));
    }
  }
}

std::set<Signal> signals_of(const Recognised& recognised) {
  std::set<Signal> signals;
  for (const SignalEvent& event : recognised.events) {
    if (event.signal) signals.insert(*event.signal);
  }
  return signals;
}

// Of what a message's life and an overload window are made: what a pack must not read into the log
// of another product.
bool is_grave(Signal signal) {
  return is_message_signal(signal) || to_string(signal).substr(0, 3) == "db.";
}

// Does `other` read a sample as something that the sample's own pack (`own`) does not say?
std::optional<std::string> check_across(SampleRun& run, const Pack& other,
                                        const std::set<Signal>& own, const Sample& sample) {
  if (run.is_one_record(sample)) return std::nullopt;
  for (const SignalEvent& event : run.recognise(sample).events) {
    if (!event.signal || !is_grave(*event.signal) || own.count(*event.signal) > 0) continue;
    return "rule '" + event.rule + "' of pack '" + other.identity.id + "' reads it as " +
           std::string{to_string(*event.signal)};
  }
  return std::nullopt;
}

// The samples of `owner`, before every other pack.
void check_owner(const Pack& owner, SampleRun& own_run,
                 std::vector<std::pair<const Pack*, SampleRun>>& readers,
                 std::vector<SampleFailure>& failures) {
  for (const Rule& rule : owner.program->rules) {
    for (const Sample& sample : rule.match) {
      const std::set<Signal> own = signals_of(own_run.recognise(sample));
      for (auto& [reader, run] : readers) {
        if (reader == &owner || is_named(owner.program->read_by, reader->identity.id)) continue;
        if (const auto why = check_across(run, *reader, own, sample)) {
          failures.push_back(failure(owner, rule, sample, *why));
        }
      }
    }
  }
}

}  // namespace

std::vector<SampleFailure> check_samples(const Pack& pack) {
  std::vector<SampleFailure> failures;
  SampleRun run{std::make_shared<const Pack>(pack)};
  for (const Rule& rule : pack.program->rules) {
    for (const Sample& sample : rule.match) {
      if (const auto why = check_match(pack, run, rule, sample)) {
        failures.push_back(failure(pack, rule, sample, *why));
      }
    }
    for (const Sample& sample : rule.no_match) {
      if (const auto why = check_no_match(run, rule, sample)) {
        failures.push_back(failure(pack, rule, sample, *why));
      }
    }
  }
  check_metrics(pack, run, failures);
  return failures;
}

std::vector<SampleFailure> check_samples_across(
    const std::vector<std::shared_ptr<const Pack>>& packs) {
  std::vector<SampleFailure> failures;
  std::vector<std::pair<const Pack*, SampleRun>> readers;
  for (const auto& pack : packs) readers.emplace_back(pack.get(), SampleRun{pack});
  for (const auto& owner : packs) {
    SampleRun own_run{owner};
    check_owner(*owner, own_run, readers, failures);
  }
  return failures;
}

}  // namespace meldevakt::agent
