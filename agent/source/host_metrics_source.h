// The load of this host, sampled every so often: a source whose records are made, not read.
//
//   HostMetricsSource source{settings, known, read_before};
//   source.poll(sink, now, bytes_max);      // hands a record on when one is due
//
// All samples are one stream, host_sample() lines one after the other. Nothing of it is stored but
// how long it is; a sample that was not committed before a crash never was, and its time is not
// covered.
//
// A sample covers the time since the one before, however late it comes, as counters do. What is
// not covered is a gap of the stream, which the coverage tells: the time the agent did not run, a
// machine that was suspended (boot clock and awake clock went apart), a wall clock that was set,
// a sample more than `late_max` late. After a gap the first record has no rates.
//
// Coverage reaches to the newest sample and never to a poll in between. Thread-safety: none.
// Errors: none; a machine without such counters is a `gap`, with a note.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "agent/source/host_counters.h"
#include "agent/source/source_reader.h"

namespace meldevakt::agent {

class HostMetricsSource : public SourceReader {
 public:
  // A rate over longer than this hides what happened within.
  static constexpr Duration kLateMin = minutes(1);
  static constexpr std::int64_t kLatePeriods = 6;
  // Clocks that went apart by more than this between two samples did not measure the same time.
  static constexpr Duration kApartMax = seconds(1);

  struct Settings {
    HostGroups groups;
    Duration every = seconds(10);
    HostRoots roots;
    // Nanoseconds since boot, with and without what the machine was suspended. Needed.
    std::function<std::int64_t()> boot_ns;
    std::function<std::int64_t()> awake_ns;
  };

  HostMetricsSource(Settings settings, std::vector<KnownFile> known);

  [[nodiscard]] SourceTurn poll(FileSink& sink, Instant now, std::size_t bytes_max) override;
  [[nodiscard]] FileChanges changes(
      const std::function<std::uint64_t(const std::string& key)>& low_water) override;
  [[nodiscard]] std::vector<SourceNote> take_notes() override;

 private:
  struct Reading {
    HostCounters counters;
    Instant wall;
    std::int64_t boot_ns = 0;
    std::int64_t awake_ns = 0;
  };
  void begin(FileSink& sink);
  void cut(FileSink& sink);
  [[nodiscard]] bool follows(const Reading& now) const;

  Settings settings_;
  KnownFile stream_;
  bool begun_ = false;
  bool changed_ = false;
  bool absent_ = false;
  std::optional<Reading> before_;
  std::vector<SourceNote> notes_;
};

}  // namespace meldevakt::agent
