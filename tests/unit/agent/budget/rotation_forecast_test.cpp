#include "agent/budget/rotation_forecast.h"

#include <doctest/doctest.h>

#include <optional>
#include <string_view>
#include <vector>

namespace meldevakt::agent {
namespace {

constexpr std::uint64_t kMb = 1'000'000;
constexpr Instant kNow{1'700'000'000'000};

RotationPace hourly(std::uint64_t deleted) {
  return {deleted, kNow - hours(10), kNow - minutes(30)};
}

TEST_CASE("forecast: a table of cases") {
  struct Case {
    std::string_view name;
    std::uint64_t unread;
    std::uint64_t unread_oldest;
    std::uint32_t older;
    std::optional<double> read;  // MB/s
    std::optional<double> written;
    RotationPace rotation;
    std::optional<Duration> rotated_every;
    std::string_view want;
    bool overtaken;
  };
  const RotationPace none{};
  // 20 gone in 9.5 h: one every half hour, the last half an hour ago.
  const std::vector<Case> cases{
      {"nothing behind", 0, 0, 3, 1.0, 1.0, hourly(20), {}, "", false},
      {"too little to speak of", 200'000, 200'000, 3, 1.0, 1.0, hourly(20), {}, "", false},
      {"nothing known yet", 900 * kMb, 9 * kMb, 3, {}, {}, hourly(20), {}, "", false},
      {"catches up, nothing was ever deleted", 1200 * kMb, 9 * kMb, 0, 3.0, 2.0, none, minutes(30),
       "1200 MB behind; reading catches up in 20 min", false},
      {"never catches up, nothing was ever deleted", 1200 * kMb, 9 * kMb, 0, 1.0, 2.0, none,
       minutes(30), "1200 MB behind; reading never catches up at this pace", false},
      {"catches up in time",
       1200 * kMb,
       9 * kMb,
       6,
       3.0,
       2.0,
       hourly(20),
       {},
       "1200 MB behind; at this pace the file being read is deleted in about 3 h; reading catches "
       "up in 20 min",
       false},
      {"catches up, but not in time for the file being read",
       4000 * kMb,
       3000 * kMb,
       0,
       3.0,
       2.0,
       {20, kNow - hours(10), kNow - minutes(20)},
       {},
       "4000 MB behind; at this pace the file being read is deleted in about 11 min; reading "
       "catches up in 67 min; rotation overtakes it in about 11 min and deletes what was not "
       "read: keep more rotated files, or raise budget.cpu",
       true},
      {"never catches up, overtaken later",
       1200 * kMb,
       0,
       2,
       1.0,
       2.0,
       hourly(20),
       {},
       "1200 MB behind; at this pace the file being read is deleted in about 60 min; reading never "
       "catches up at this pace; rotation overtakes it in about 3 h and deletes what was not read: "
       "keep more rotated files, or raise budget.cpu",
       true},
      {"reading stands still",
       1200 * kMb,
       5 * kMb,
       2,
       0.0,
       2.0,
       hourly(20),
       {},
       "1200 MB behind; at this pace the file being read is deleted in about 60 min; reading never "
       "catches up at this pace; rotation overtakes it in about 60 min and deletes what was not "
       "read: keep more rotated files, or raise budget.cpu",
       true},
      {"one deletion seen, the pace is the rotation's",
       1200 * kMb,
       5 * kMb,
       1,
       3.0,
       2.0,
       {1, kNow - hours(1), kNow - hours(1)},
       hours(24),
       "1200 MB behind; at this pace the file being read is deleted in about 47 h; reading catches "
       "up in 20 min",
       false},
      {"one deletion seen, and no pace known",
       1200 * kMb,
       5 * kMb,
       1,
       3.0,
       2.0,
       {1, kNow - hours(1), kNow - hours(1)},
       {},
       "1200 MB behind; reading catches up in 20 min",
       false},
      {"overdue: any moment",
       1200 * kMb,
       5 * kMb,
       0,
       3.0,
       2.0,
       {20, kNow - hours(20), kNow - hours(10)},
       {},
       "1200 MB behind; at this pace the file being read is deleted in about 0 s; reading catches "
       "up in 20 min; rotation overtakes it in about 0 s and deletes what was not read: keep more "
       "rotated files, or raise budget.cpu",
       true},
      {"as fast as it is written: never",
       50'000 * kMb,
       kMb,
       0,
       2.0,
       2.0,
       none,
       {},
       "50 GB behind; reading never catches up at this pace",
       false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    ForecastInput in;
    in.unread = c.unread;
    in.unread_oldest = c.unread_oldest;
    in.older_files = c.older;
    if (c.read) in.read_rate = *c.read * 1e6;
    if (c.written) in.write_rate = *c.written * 1e6;
    in.rotation = c.rotation;
    in.rotated_every = c.rotated_every;
    in.now = kNow;
    const Forecast out = forecast(in);
    CHECK(out.sentence == c.want);
    CHECK(out.overtaken_in.has_value() == c.overtaken);
  }
}

// A reader and a rotation played out, file by file, against what the forecast says of them.
std::optional<double> play(double unread, double oldest, std::uint32_t older, double read,
                           double written, double every, double first_deletion) {
  double left = oldest;
  double deleted_at = first_deletion + every * older;
  double now = 0;
  for (int file = 0; file < 10'000; ++file) {
    const double done = now + left / read;
    if (done > deleted_at) return deleted_at;
    now = done;
    const double behind = unread - read * now + written * now;
    if (behind <= 0) return std::nullopt;
    left = written * every;
    deleted_at += every;
  }
  return std::nullopt;
}

TEST_CASE("forecast: agrees with a rotation that is played out") {
  int overtaken = 0;
  int fine = 0;
  for (const double read : {0.5, 1.0, 1.9, 2.5, 9.0}) {
    for (const double written : {0.4, 1.0, 2.0}) {
      for (const std::uint32_t older : {0U, 1U, 4U, 20U}) {
        for (const double oldest : {0.0, 100.0, 900.0}) {
          for (const double since : {0.0, 300.0, 590.0}) {
            CAPTURE(read);
            CAPTURE(written);
            CAPTURE(older);
            CAPTURE(oldest);
            CAPTURE(since);
            if (read == written) continue;
            const double every = 600;
            ForecastInput in;
            in.unread = 5000 * kMb;
            in.unread_oldest = static_cast<std::uint64_t>(oldest * 1e6);
            in.older_files = older;
            in.read_rate = read * 1e6;
            in.write_rate = written * 1e6;
            in.now = kNow;
            const Instant last = kNow - milliseconds(static_cast<std::int64_t>(since * 1000));
            in.rotation = {11, last - seconds(6000), last};
            const Forecast out = forecast(in);
            const auto truth = play(5000, oldest, older, read, written, every, every - since);
            CHECK(out.overtaken_in.has_value() == truth.has_value());
            if (out.overtaken_in && truth) {
              CHECK(static_cast<double>(out.overtaken_in->ms) / 1000 ==
                    doctest::Approx(*truth).epsilon(0.05).scale(every));
            }
            (truth ? overtaken : fine) += 1;
          }
        }
      }
    }
  }
  CHECK(overtaken > 100);
  CHECK(fine > 100);
}

TEST_CASE("ThroughputWatch: rates of the last minutes, and none too early") {
  ThroughputWatch watch;
  CHECK_FALSE(watch.read_rate());
  for (int s = 0; s <= 9; ++s) {
    watch.observe(seconds(s), static_cast<std::uint64_t>(s) * 1000, 0);
    CHECK_FALSE(watch.read_rate());
  }
  watch.observe(seconds(10), 10'000, 5'000);
  CHECK(watch.read_rate().value() == doctest::Approx(1000));
  CHECK(watch.write_rate().value() == doctest::Approx(1500));
  for (int s = 11; s <= 1000; ++s) watch.observe(seconds(s), 10'000, 5'000);
  CHECK(watch.read_rate().value() == 0);
  CHECK(watch.write_rate().value() == 0);
  watch.observe(seconds(1001), 10'000, 0);  // lost unread: nothing was unwritten
  CHECK(watch.write_rate().value() == 0);
}

TEST_CASE("RotationPace: between the first and the last that went") {
  RotationPace pace;
  CHECK_FALSE(pace.deleted_every());
  pace.add(0, kNow);
  CHECK(pace.deleted == 0);
  pace.add(1, kNow);
  CHECK_FALSE(pace.deleted_every());
  pace.add(2, kNow + hours(2));
  CHECK(pace.deleted_every() == hours(1));
}

TEST_CASE("about: what people say") {
  CHECK(about(milliseconds(400)) == "0 s");
  CHECK(about(seconds(89)) == "89 s");
  CHECK(about(seconds(90)) == "2 min");
  CHECK(about(minutes(89)) == "89 min");
  CHECK(about(minutes(95)) == "2 h");
  CHECK(about(hours(47)) == "47 h");
  CHECK(about(hours(60)) == "3 days");
}

}  // namespace
}  // namespace meldevakt::agent
