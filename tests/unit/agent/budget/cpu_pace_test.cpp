#include "agent/budget/cpu_pace.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::int64_t kSecond = 1000 * kMs;

// A machine on which reading costs what it costs, with a log that grows.
struct Machine {
  std::uint32_t percent = 2;
  double ns_per_byte = 50;
  double turn_cost_ns = 150'000;     // of a look, whatever is read
  double other_share = 0;            // CPU that others in the process use, of a core
  double written_per_second = 1e18;  // bytes
  double unread = 0;

  CpuPace pace{percent};
  std::int64_t steady = 1000 * kSecond;
  double cpu = 0;
  double read = 0;
  std::vector<double> cpu_by_second{};
  std::vector<std::int64_t> reads_at{};

  void pass(std::int64_t ns) {
    steady += ns;
    cpu += other_share * static_cast<double>(ns);
    unread += written_per_second * static_cast<double>(ns) / 1e9;
    const auto second = static_cast<std::size_t>((steady - 1000 * kSecond) / kSecond);
    cpu_by_second.resize(std::max(cpu_by_second.size(), second + 1));
  }
  void spend(double ns) {
    cpu += ns;
    cpu_by_second.resize(std::max<std::size_t>(cpu_by_second.size(), 1));
    cpu_by_second.back() += ns;
    pass(static_cast<std::int64_t>(ns));  // one thread: it takes as long as it costs
  }
  [[nodiscard]] CpuMoment moment() const { return {steady, static_cast<std::int64_t>(cpu)}; }

  void turn() {
    const std::size_t bytes = pace.allowance(moment());
    if (bytes == 0) {
      pass(std::max<std::int64_t>(1, pace.rest(steady).ms) * kMs);
      return;
    }
    reads_at.push_back(steady);
    const double got = std::min(unread, static_cast<double>(bytes));
    spend(turn_cost_ns + got * ns_per_byte);
    unread -= got;
    read += got;
    const bool more = got >= static_cast<double>(bytes);
    pace.has_read(moment(), static_cast<std::size_t>(got), more);
    pass(std::max<std::int64_t>(more ? 0 : 100, pace.rest(steady).ms) * kMs);
  }
  void run(std::int64_t seconds) {
    const std::int64_t end = steady + seconds * kSecond;
    while (steady < end) turn();
  }
  // CPU of the dearest window of so many seconds, as a share of a core.
  [[nodiscard]] double dearest(std::size_t window, std::size_t from = 0) const {
    double most = 0;
    for (std::size_t i = from; i + window <= cpu_by_second.size(); ++i) {
      const auto begin = cpu_by_second.begin() + static_cast<std::ptrdiff_t>(i);
      most =
          std::max(most, std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(window), 0.0));
    }
    return most / (static_cast<double>(window) * 1e9);
  }
  [[nodiscard]] double cheapest(std::size_t window, std::size_t from) const {
    double least = 1e18;
    for (std::size_t i = from; i + window < cpu_by_second.size(); ++i) {
      const auto begin = cpu_by_second.begin() + static_cast<std::ptrdiff_t>(i);
      least =
          std::min(least, std::accumulate(begin, begin + static_cast<std::ptrdiff_t>(window), 0.0));
    }
    return least / (static_cast<double>(window) * 1e9);
  }
  [[nodiscard]] std::int64_t longest_rest_ms() const {
    std::int64_t most = 0;
    for (std::size_t i = 1; i < reads_at.size(); ++i) {
      most = std::max(most, reads_at[i] - reads_at[i - 1]);
    }
    return most / kMs;
  }
};

TEST_CASE("CpuPace: with more to read than it may, no minute is over the budget, and it is used") {
  for (const std::uint32_t percent : {1U, 2U, 5U, 25U, 80U, 99U}) {
    for (const double ns_per_byte : {0.5, 5.0, 20.0, 200.0, 2000.0}) {
      CAPTURE(percent);
      CAPTURE(ns_per_byte);
      Machine m{.percent = percent, .ns_per_byte = ns_per_byte, .pace = CpuPace{percent}};
      m.run(300);
      const double budget = percent / 100.0;
      // One read over, of the least size.
      const double one_read = CpuPace::kBytesLeast * ns_per_byte / 60e9;
      CHECK(m.dearest(60) <= budget * 1.001 + 1.5 * one_read);
      CHECK(m.dearest(60, 120) >= budget * 0.85);
      CHECK(m.pace.used_permille(m.steady) <= percent * 10 + 1);
      CHECK(m.pace.used_permille(m.steady) >= percent * 8);
      REQUIRE(m.pace.paced_since_ns());
      if (percent <= 25) CHECK(*m.pace.paced_since_ns() < 1010 * kSecond);
    }
  }
}

TEST_CASE("CpuPace: reading is even, never in strokes") {
  for (const std::uint32_t percent : {1U, 2U, 10U, 50U}) {
    CAPTURE(percent);
    Machine m{.percent = percent, .pace = CpuPace{percent}};
    m.run(200);
    const double budget = percent / 100.0;
    CHECK(m.dearest(5, 20) <= budget * 1.05);
    CHECK(m.cheapest(5, 20) >= budget * 0.80);
    CHECK(m.longest_rest_ms() <= 1000);
  }
}

TEST_CASE("CpuPace: what others in the process use is paid by reading, which never starves") {
  for (const double other : {0.005, 0.01, 0.015, 0.03, 0.5}) {
    CAPTURE(other);
    Machine m{.percent = 2, .other_share = other, .pace = CpuPace{2}};
    m.run(300);
    const double by_reading = m.dearest(60, 100);
    if (other < 0.015) CHECK(by_reading + other <= 0.0202);
    CHECK(m.longest_rest_ms() <= CpuPace::kRestMax.ms + 200);
    CHECK(m.read >= 300.0 / 6 * CpuPace::kBytesLeast);
    if (other > 0.02) CHECK(m.pace.used_permille(m.steady) > 20);
  }
}

TEST_CASE("CpuPace: a log that fits is never waited for, and an overload ends") {
  Machine m{.percent = 2, .ns_per_byte = 20, .written_per_second = 150'000, .pace = CpuPace{2}};
  m.run(120);
  CHECK_FALSE(m.pace.paced_since_ns());
  CHECK(m.unread <= 150'000 * 0.3);
  CHECK(m.longest_rest_ms() <= 150);
  m.unread += 50e6;  // an outage of five minutes is over
  m.run(5);
  CHECK(m.pace.paced_since_ns());
  m.run(120);
  CHECK_FALSE(m.pace.paced_since_ns());
  CHECK(m.unread <= 150'000 * 0.3);
  CHECK(m.dearest(60) <= 0.0202);
}

TEST_CASE("CpuPace: bursts of any kind keep to the minute") {
  const std::uint64_t seed = 20230605;
  meldevakt::testing::SeededRandom random{seed};
  CAPTURE(seed);
  for (int round = 0; round < 60; ++round) {
    CAPTURE(round);
    const auto percent = static_cast<std::uint32_t>(1 + random.below(30));
    Machine m{.percent = percent, .written_per_second = 0, .pace = CpuPace{percent}};
    for (int i = 0; i < 30; ++i) {
      m.ns_per_byte = 1.0 + static_cast<double>(random.below(50));
      m.unread += static_cast<double>(random.below(80'000'000));
      m.run(static_cast<std::int64_t>(1 + random.below(30)));
    }
    CHECK(m.dearest(60) <= percent / 100.0 * 1.03 + 0.0001);
  }
}

TEST_CASE("CpuPace: a hundred percent is no bound") {
  Machine m{.percent = 100, .pace = CpuPace{100}};
  m.run(2);
  CHECK(m.dearest(1) >= 0.9);
  CHECK(m.pace.rest(m.steady).ms == 0);
  CHECK_FALSE(m.pace.paced_since_ns());
}

TEST_CASE("CpuPace: clocks that stand still, jump or go back change nothing for the worse") {
  CpuPace pace{2};
  const std::size_t first = pace.allowance({5 * kSecond, 0});
  CHECK(first > 0);
  pace.has_read({5 * kSecond, 200 * kMs}, first, true);  // the whole bucket and more
  CHECK(pace.allowance({5 * kSecond, 200 * kMs}) == 0);
  CHECK(pace.allowance({4 * kSecond, 100 * kMs}) == 0);
  CHECK(pace.rest(5 * kSecond).ms > 0);
  CHECK(pace.rest(5 * kSecond) <= CpuPace::kRestMax);
  // A machine that was suspended for a day: the bucket is full, and no more than full.
  const std::size_t later = pace.allowance({86'405 * kSecond, 200 * kMs});
  CHECK(later > 0);
  pace.has_read({86'405 * kSecond, 320 * kMs}, later, true);
  CHECK(pace.allowance({86'405 * kSecond, 320 * kMs}) == 0);
  CHECK(pace.used_permille(86'405 * kSecond) == 2);
  CHECK(pace.used_permille(86'500 * kSecond) == 0);
}

TEST_CASE("idle_wait: longer with the quiet, never shorter than asked and never long") {
  CHECK(idle_wait(seconds(0), milliseconds(100)) == milliseconds(100));
  CHECK(idle_wait(seconds(2), milliseconds(100)) == milliseconds(100));
  CHECK(idle_wait(seconds(5), milliseconds(100)) == milliseconds(250));
  CHECK(idle_wait(hours(9), milliseconds(100)) == kIdlePollMax);
  CHECK(idle_wait(hours(9), seconds(2)) == seconds(2));
}

}  // namespace
}  // namespace meldevakt::agent
