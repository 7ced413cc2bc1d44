// A SourcePipeline's state as bytes: CBOR (RFC 8949) of arrays in fixed order, with the version
// first. Bytes that wait for the end of their record are not in it: low_water() lies before them,
// so they are fed again, and the account does not hold them yet.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <utility>

#include "agent/summarise/pipeline_state.h"

namespace meldevakt::agent {
namespace {

using nlohmann::json;

constexpr int kVersion = 4;

json save(std::optional<Instant> time) {
  return time ? json::array({time->ms}) : json::array();
}

std::optional<Instant> load_time(const json& in) {
  if (in.empty()) return std::nullopt;
  return Instant{in.at(0).get<std::int64_t>()};
}

json save(const std::vector<ReadingInterval>& readings) {
  json out = json::array();
  for (const ReadingInterval& reading : readings) {
    out.push_back(json::array({reading.span.from.ms, reading.span.to.ms,
                               std::string{to_string(reading.state)}, reading.reason}));
  }
  return out;
}

std::optional<std::vector<ReadingInterval>> load_readings(const json& in) {
  std::vector<ReadingInterval> out;
  for (const json& reading : in) {
    const auto state = read_state_from_string(reading.at(2).get_ref<const std::string&>());
    if (!state) return std::nullopt;
    out.push_back({{{reading.at(0).get<std::int64_t>()}, {reading.at(1).get<std::int64_t>()}},
                   *state,
                   reading.at(3).get<std::string>()});
  }
  return out;
}

json save(const EventCoverage::Saved& coverage) {
  json gaps = json::array();
  for (const EventGap& gap : coverage.gaps) {
    gaps.push_back(json::array({gap.span.from.ms, gap.span.to.ms, gap.reason}));
  }
  json logs = json::array();
  for (const auto& [name, log] : coverage.logs) {
    logs.push_back(json::array({name, save(log.previous_event), save(log.sure)}));
  }
  json lost = json::array();
  for (const auto& [name, at] : coverage.lost_at) lost.push_back(json::array({name, at.ms}));
  return json::array({save(coverage.from), coverage.until.ms, coverage.claimed.ms, std::move(logs),
                      std::move(lost), coverage.lost_until.ms, coverage.reached.ms,
                      std::move(gaps)});
}

EventCoverage::Saved load_coverage(const json& in) {
  EventCoverage::Saved out{load_time(in.at(0)),
                           {in.at(1).get<std::int64_t>()},
                           {in.at(2).get<std::int64_t>()},
                           {},
                           {},
                           {in.at(5).get<std::int64_t>()},
                           {in.at(6).get<std::int64_t>()},
                           {}};
  for (const json& log : in.at(3)) {
    out.logs[log.at(0).get<std::string>()] = {load_time(log.at(1)), load_time(log.at(2))};
  }
  for (const json& lost : in.at(4)) {
    out.lost_at[lost.at(0).get<std::string>()] = {lost.at(1).get<std::int64_t>()};
  }
  for (const json& gap : in.at(7)) {
    out.gaps.push_back({{{gap.at(0).get<std::int64_t>()}, {gap.at(1).get<std::int64_t>()}},
                        gap.at(2).get<std::string>()});
  }
  return out;
}

json save(const std::deque<ContentRange>& ranges) {
  json out = json::array();
  for (const ContentRange& range : ranges) {
    out.push_back(json::array({range.file, range.from, range.to}));
  }
  return out;
}

std::vector<ContentRange> load_ranges(const json& in) {
  std::vector<ContentRange> out;
  for (const json& range : in) {
    out.push_back({range.at(0).get<std::string>(), range.at(1).get<std::uint64_t>(),
                   range.at(2).get<std::uint64_t>()});
  }
  return out;
}

json save(const std::map<Signal, Instant>& last_seen) {
  json out = json::array();
  for (const auto& [signal, time] : last_seen) {
    out.push_back(json::array({std::string{to_string(signal)}, time.ms}));
  }
  return out;
}

// A signal that is not known is one that this version no longer reports.
std::map<Signal, Instant> load_last_seen(const json& in) {
  std::map<Signal, Instant> out;
  for (const json& seen : in) {
    const auto signal = signal_from_string(seen.at(0).get_ref<const std::string&>());
    if (signal) out[*signal] = {seen.at(1).get<std::int64_t>()};
  }
  return out;
}

}  // namespace

std::string SourcePipeline::snapshot(Instant now) const {
  const State& s = *state_;
  json files = json::array();
  bool fed = false;
  for (const auto& [key, file] : s.files) {
    const std::uint64_t end = file.framer ? file.framer->low_water() : file.ended_at;
    const std::optional<Encoding> encoding = file.framer ? file.framer->encoding() : file.encoding;
    const auto ended = std::find(s.ended.begin(), s.ended.end(), key);
    const std::string carried = file.framer ? file.framer->carried() : file.carried;
    files.push_back(json::array(
        {key, file.content.name(), encoding ? std::string{to_string(*encoding)} : "", end,
         std::min(file.fed_from, end), ended - s.ended.begin(), carried, to_text(file.time),
         file.rows, file.bad_rows, save(file.newest_sent), save(file.complete_told), file.log}));
    fed = fed || file.fed_from != file.fed_to;
  }
  const std::string detector = s.detector.snapshot();
  const json out = json::array({kVersion, json::binary({detector.begin(), detector.end()}),
                                save(s.recogniser.time_in_force()), s.reading.until(now).ms,
                                save(s.reading.peek(now)), save(s.coverage.saved()),
                                std::move(files), save(s.ranges),
                                json::array({s.bytes.read - s.pending(), s.bytes.recognised,
                                             s.bytes.unrecognised, s.bytes.dropped, s.records}),
                                save(s.last_seen), fed || s.digest_has_bytes || s.digest_broken,
                                s.metrics.snapshot(), s.saved_receipts()});
  const std::vector<std::uint8_t> bytes = json::to_cbor(out);
  return {bytes.begin(), bytes.end()};
}

Result<std::unique_ptr<SourcePipeline::State>> SourcePipeline::State::load(
    Settings settings, std::string_view snapshot, Instant now) {
  const json in = json::from_cbor(snapshot);
  if (in.at(0).get<int>() != kVersion) return Error{Errc::kCorrupt, "of an unknown version"};
  const json::binary_t& inner = in.at(1).get_binary();
  MELDEVAKT_TRY_ASSIGN(
      Detector detector,
      Detector::restore(detector_settings(settings), {}, std::string{inner.begin(), inner.end()}));
  const Instant then{in.at(3).get<std::int64_t>()};
  auto state = std::make_unique<State>(std::move(settings), then, std::move(detector));
  state->recogniser.set_time_in_force(load_time(in.at(2)));
  auto readings = load_readings(in.at(4));
  if (!readings) return Error{Errc::kCorrupt, "an unknown state of reading"};
  state->reading.resume(std::move(*readings), then, now);
  state->coverage.restore(load_coverage(in.at(5)));

  std::vector<std::pair<std::uint64_t, std::string>> order;
  for (const json& saved : in.at(6)) {
    File file;
    file.content = FirstLine{saved.at(1).get<std::string>()};
    file.encoding = encoding_from_string(saved.at(2).get_ref<const std::string&>());
    file.ended_at = saved.at(3).get<std::uint64_t>();
    file.carried = saved.at(6).get<std::string>();
    file.time = file_time_from_text(saved.at(7).get_ref<const std::string&>());
    file.rows = saved.at(8).get<std::uint64_t>();
    file.bad_rows = saved.at(9).get<std::uint64_t>();
    file.newest_sent = load_time(saved.at(10));
    file.complete_told = load_time(saved.at(11));
    file.log = saved.at(12).get<std::string>();
    const auto from = saved.at(4).get<std::uint64_t>();
    if (from < file.ended_at) state->add_range({file.content.name(), from, file.ended_at});
    const std::string key = saved.at(0).get<std::string>();
    order.emplace_back(saved.at(5).get<std::uint64_t>(), key);
    state->files.emplace(key, std::move(file));
  }
  // Until it is begun again a file has ended where its last record did.
  std::sort(order.begin(), order.end());
  for (auto& [position, key] : order) state->ended.push_back(std::move(key));
  for (ContentRange& range : load_ranges(in.at(7))) state->add_range(std::move(range));

  const json& counts = in.at(8);
  state->bytes = {counts.at(0).get<std::uint64_t>(), counts.at(1).get<std::uint64_t>(),
                  counts.at(2).get<std::uint64_t>(), counts.at(3).get<std::uint64_t>(), 0};
  state->records = counts.at(4).get<std::uint64_t>();
  state->last_seen = load_last_seen(in.at(9));
  state->digest_broken = in.at(10).get<bool>();
  MELDEVAKT_TRY(state->metrics.restore(in.at(11).get_ref<const std::string&>()));
  MELDEVAKT_TRY(state->restore_receipts(in.at(12).get<std::vector<std::string>>()));
  return state;
}

Result<SourcePipeline> SourcePipeline::restore(Settings settings, std::string_view snapshot,
                                               Instant now) {
  try {
    Result<std::unique_ptr<State>> loaded = State::load(std::move(settings), snapshot, now);
    if (!loaded) return std::move(loaded).error().in("pipeline snapshot");
    return SourcePipeline{std::move(loaded).value()};
  } catch (const json::exception&) {
    // The library's message would repeat what the snapshot says.
    return Error{Errc::kCorrupt, "pipeline snapshot: not of the form of version 4"};
  }
}

}  // namespace meldevakt::agent
