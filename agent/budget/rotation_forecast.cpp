#include "agent/budget/rotation_forecast.h"

#include <algorithm>
#include <cmath>

namespace meldevakt::agent {
namespace {

// Beyond this a forecast is "never" to whoever reads it.
constexpr double kForeverMs = 400.0 * 86'400'000;

std::optional<Duration> in_ms(double ms) {
  if (!(ms < kForeverMs)) return std::nullopt;
  return Duration{static_cast<std::int64_t>(std::max(0.0, ms))};
}

std::string size_text(std::uint64_t bytes) {
  if (bytes >= 10'000'000'000) return std::to_string(bytes / 1'000'000'000) + " GB";
  return std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

std::optional<Duration> deleted_every(const ForecastInput& in) {
  if (in.rotation.deleted == 0) return std::nullopt;
  const auto seen = in.rotation.deleted_every();
  return seen ? seen : in.rotated_every;
}

std::optional<Duration> overtaken_in(const ForecastInput& in, Duration every, Duration deleted_in,
                                     double read, double written) {
  const auto left_ms = static_cast<double>(in.unread_oldest) / read * 1000;
  const auto spare_ms = static_cast<double>(deleted_in.ms) - left_ms;
  if (spare_ms < 0) return deleted_in;
  if (written <= read) return std::nullopt;
  // Each later file gets `every` more, and needs written / read of it.
  const double lost_each_ms = static_cast<double>(every.ms) * (written / read - 1);
  if (lost_each_ms <= 0) return std::nullopt;
  const double files = std::floor(spare_ms / lost_each_ms) + 1;
  return in_ms(static_cast<double>(deleted_in.ms) + files * static_cast<double>(every.ms));
}

std::string sentence_of(const ForecastInput& in, const Forecast& out) {
  std::string text = size_text(in.unread) + " behind; ";
  if (out.deleted_in) {
    text += "at this pace the file being read is deleted in about " + about(*out.deleted_in) + "; ";
  }
  text += out.catches_up_in ? "reading catches up in " + about(*out.catches_up_in)
                            : "reading never catches up at this pace";
  if (out.overtaken_in) {
    text += "; rotation overtakes it in about " + about(*out.overtaken_in) +
            " and deletes what was not read: keep more rotated files, or raise budget.cpu";
  }
  return text;
}

}  // namespace

void ThroughputWatch::observe(Duration steady, std::uint64_t read, std::uint64_t unread) {
  newest_ = {steady, static_cast<double>(read), static_cast<double>(read + unread)};
  if (!samples_.empty() && steady - samples_.back().steady < kSampleEvery) return;
  samples_.push_back(newest_);
  if (samples_.size() > kSamplesMax) samples_.pop_front();
}

std::optional<double> ThroughputWatch::rate(double Sample::*what) const {
  if (samples_.empty()) return std::nullopt;
  const Duration passed = newest_.steady - samples_.front().steady;
  if (passed < kKnownAfter) return std::nullopt;
  const double change = newest_.*what - samples_.front().*what;
  return std::max(0.0, change) * 1000 / static_cast<double>(passed.ms);
}

std::optional<double> ThroughputWatch::read_rate() const {
  return rate(&Sample::read);
}

std::optional<double> ThroughputWatch::write_rate() const {
  return rate(&Sample::written);
}

void RotationPace::add(std::uint64_t count, Instant now) {
  if (count == 0) return;
  if (deleted == 0) first_deleted = now;
  deleted += count;
  last_deleted = now;
}

std::optional<Duration> RotationPace::deleted_every() const {
  if (deleted < 2 || last_deleted <= first_deleted) return std::nullopt;
  return Duration{(last_deleted - first_deleted).ms / static_cast<std::int64_t>(deleted - 1)};
}

Forecast forecast(const ForecastInput& in) {
  Forecast out;
  out.behind = in.unread >= kBehindLeast;
  if (!out.behind || !in.read_rate || !in.write_rate) return out;
  const double read = *in.read_rate;
  const double written = *in.write_rate;
  if (read > written) {
    out.catches_up_in = in_ms(static_cast<double>(in.unread) / (read - written) * 1000);
  }
  if (const auto every = deleted_every(in); every && every->ms > 0) {
    const Duration since = in.now - in.rotation.last_deleted;
    const std::int64_t files = std::int64_t{in.older_files} + 1;
    out.deleted_in = Duration{std::max<std::int64_t>(0, files * every->ms - since.ms)};
    out.overtaken_in =
        read > 0 ? overtaken_in(in, *every, *out.deleted_in, read, written) : out.deleted_in;
  }
  out.sentence = sentence_of(in, out);
  return out;
}

std::string about(Duration duration) {
  const std::int64_t s = (duration.ms + 500) / 1000;
  const auto rounded = [&](std::int64_t unit) { return std::to_string((s + unit / 2) / unit); };
  if (s < 90) return rounded(1) + " s";
  if (s < 90 * 60) return rounded(60) + " min";
  if (s < 48 * 3600) return rounded(3600) + " h";
  return rounded(86'400) + " days";
}

}  // namespace meldevakt::agent
