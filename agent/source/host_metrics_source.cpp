#include "agent/source/host_metrics_source.h"

#include <algorithm>
#include <utility>

#include "agent/source/host_sample.h"

namespace meldevakt::agent {
namespace {

// The one stream of such a source.
constexpr std::string_view kKey = "00000000000000000000000000000001";
constexpr std::int64_t kNsPerMs = 1'000'000;

bool apart(std::int64_t a_ms, std::int64_t b_ms) {
  const Duration by{a_ms > b_ms ? a_ms - b_ms : b_ms - a_ms};
  return by > HostMetricsSource::kApartMax;
}

}  // namespace

HostMetricsSource::HostMetricsSource(Settings settings, std::vector<KnownFile> known)
    : settings_{std::move(settings)} {
  stream_.key = kKey;
  for (KnownFile& file : known) {
    if (file.key == kKey && file.state == FileState::kReading) stream_ = std::move(file);
  }
}

// What lies behind was sampled by a process that is gone: from there to the first sample is a gap.
void HostMetricsSource::begin(FileSink& sink) {
  begun_ = true;
  changed_ = true;
  sink.begin_file(stream_.key, stream_.offset);
  if (stream_.offset > 0) cut(sink);
}

void HostMetricsSource::cut(FileSink& sink) {
  sink.end_file(stream_.key, FileEnd::kCut);
  sink.begin_file(stream_.key, stream_.offset);
}

bool HostMetricsSource::follows(const Reading& now) const {
  const std::int64_t boot_ms = (now.boot_ns - before_->boot_ns) / kNsPerMs;
  const std::int64_t awake_ms = (now.awake_ns - before_->awake_ns) / kNsPerMs;
  const Duration late_max = std::max(kLateMin, Duration{settings_.every.ms * kLatePeriods});
  return boot_ms > 0 && Duration{boot_ms} <= late_max && !apart(boot_ms, awake_ms) &&
         !apart(boot_ms, (now.wall - before_->wall).ms);
}

SourceTurn HostMetricsSource::poll(FileSink& sink, Instant now, std::size_t /*bytes_max*/) {
  if (!begun_) begin(sink);
  SourceTurn turn;
  turn.put_off = true;
  turn.state = absent_ ? ReadState::kGap : ReadState::kRead;
  if (absent_) turn.reason = "no_counters";
  Reading reading;
  reading.boot_ns = settings_.boot_ns();
  reading.wall = now;
  if (before_ && reading.boot_ns - before_->boot_ns < settings_.every.ms * kNsPerMs &&
      reading.boot_ns >= before_->boot_ns) {
    return turn;
  }
  reading.awake_ns = settings_.awake_ns();
  reading.counters = read_host_counters(settings_.roots, settings_.groups);
  const bool missing = reading.counters.empty();
  if (missing && !absent_) {
    notes_.push_back({true, settings_.roots.proc +
                                " holds none of the counters that this source samples; it is "
                                "looked at again every " +
                                std::to_string(settings_.every.ms / 1000) + " s"});
  }
  absent_ = missing;
  turn.state = missing ? ReadState::kGap : ReadState::kRead;
  turn.reason = missing ? "no_counters" : "";
  const bool gap = before_ && (before_->counters.empty() || missing || !follows(reading));
  if (gap) cut(sink);
  if (!missing) {
    const bool rates = before_ && !gap;
    const Duration interval{rates ? (reading.boot_ns - before_->boot_ns) / kNsPerMs : 0};
    const std::string line =
        host_sample(rates ? &before_->counters : nullptr, reading.counters, now, interval);
    sink.feed(stream_.key, line);
    stream_.offset += line.size();
    turn.bytes = line.size();
    turn.caught_up = true;
    turn.put_off = false;
    changed_ = true;
  }
  before_ = std::move(reading);
  return turn;
}

FileChanges HostMetricsSource::changes(
    const std::function<std::uint64_t(const std::string& key)>& low_water) {
  FileChanges out;
  if (!begun_ || !std::exchange(changed_, false)) return out;
  KnownFile row = stream_;
  row.offset = low_water(stream_.key);
  out.changed.push_back(std::move(row));
  return out;
}

std::vector<SourceNote> HostMetricsSource::take_notes() {
  return std::exchange(notes_, {});
}

}  // namespace meldevakt::agent
