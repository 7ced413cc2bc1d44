// What the correlator costs. Prints one JSON object.
//
//   correlator_bench rebuild MESSAGES     that many messages, each with a portal row and three
//   facts,
//                                         one every 8.5 s, and a claim of coverage a minute; then
//                                         a thousand single facts and rows, each of which changes
//                                         what is said of one message, which is decided and told
//   correlator_bench stream FILE          the events of FILE ("MS received|committed|acknowledged
//   ID"),
//                                         decided once a second of their time
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "collector/correlate/correlator.h"
#include "tests/bench/bench_messages.h"

namespace meldevakt::collector {
namespace {

using bench::claim, bench::cpu_seconds, bench::facts_of, bench::hex32, bench::kBegin,
    bench::kLostEvery, bench::mixed, bench::peak_mb, bench::row_of, bench::step, bench::time_of,
    bench::uuid;

constexpr std::uint64_t kBatch = 10'000;

// What is refused would cost nothing and prove nothing.
void require(const Status& added) {
  if (added) return;
  std::fprintf(stderr, "the correlator refused what it was given: %s\n",
               added.error().message().c_str());
  std::exit(1);
}

void add_message(Correlator& correlator, std::uint64_t n) {
  for (const LedgerFact& fact : facts_of(n)) require(correlator.add(fact));
  require(correlator.add(row_of(n)));
}

struct OneMore {
  std::vector<double> cpu_us;  // of each, sorted
  std::uint64_t decided = 0;   // of which so many had another verdict
  bool right = true;           // each changed what is said of its message
};

// One fact or row that changes what is said of a message of long ago, or of a new one.
void add_one_more(Correlator& correlator, std::uint64_t messages, std::uint64_t i) {
  const std::uint64_t old = 1 + mixed(i) % messages;
  const std::uint64_t lost =
      (1 + i % std::max<std::uint64_t>(messages / kLostEvery, 1)) * kLostEvery;
  const std::string id = hex32(0, messages + i + 1);
  switch (i % 4) {
    case 0:  // the commit of a lost one, read late
      require(correlator.add(
          step(Signal::kMessageCommitted, time_of(lost) + seconds(10), id, uuid(lost))));
      break;
    case 1:  // a failure before or after its commit
      require(correlator.add(step(Signal::kMessageSaveFailed,
                                  time_of(old) + seconds(static_cast<std::int64_t>(i)), id,
                                  uuid(old))));
      break;
    case 2: {  // a row that says that it was sent earlier, as the running collector hears of it
      Receipt row = row_of(1 + i * 7919 % messages);  // never one of them twice
      row.sent = *row.sent - seconds(10 + static_cast<std::int64_t>(i));
      require(correlator.add(row));
      break;
    }
    default:  // the receipt of a new one, which nobody stored
      require(correlator.add(
          step(Signal::kMessageAcknowledged, time_of(messages), id, uuid(messages + 1000 + i))));
      break;
  }
}

// A thousand, each with the decision that follows from it: added, settled, and told.
OneMore one_more(Correlator& correlator, std::uint64_t messages, Instant now) {
  OneMore out;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    std::uint64_t told = 0;
    const std::uint64_t before = correlator.decisions();
    const double begin = cpu_seconds();
    add_one_more(correlator, messages, i);
    correlator.settle(now, [&](const Correlator::Change& change) {
      ++told;
      if (change.before != change.message.verdict) ++out.decided;
    });
    out.cpu_us.push_back((cpu_seconds() - begin) * 1e6);
    out.right = out.right && told == 1 && correlator.decisions() == before + 1;
  }
  std::sort(out.cpu_us.begin(), out.cpu_us.end());
  return out;
}

int rebuild(std::uint64_t messages) {
  const double begin = cpu_seconds();
  Correlator correlator{"bench"};
  Instant read = kBegin - hours(1);
  std::uint64_t told = 0;
  for (std::uint64_t n = 1; n <= messages; ++n) {
    add_message(correlator, n);
    if (n % kBatch != 0 && n != messages) continue;
    for (const Instant until = time_of(n) + hours(1); read < until; read = read + minutes(1)) {
      correlator.add(claim(read, read + minutes(1)));
    }
    correlator.settle(read, [&told](const Correlator::Change&) { ++told; });
  }
  const double built = cpu_seconds() - begin;
  const double memory = peak_mb();
  const std::uint64_t lost = correlator.count(Verdict::kLost);
  const std::uint64_t stored = correlator.count(Verdict::kStored);
  const OneMore single = one_more(correlator, messages, read);
  double sum = 0;
  for (const double us : single.cpu_us) sum += us;
  std::printf(
      "{\"messages\":%llu,\"cpu_seconds\":%.3f,\"peak_mb\":%.1f,\"us_a_message\":%.3f,"
      "\"one_more_us_mean\":%.1f,\"one_more_us_max\":%.1f,\"one_more_decided\":%llu,"
      "\"right\":%s}\n",
      static_cast<unsigned long long>(messages), built, memory,
      built / static_cast<double>(messages) * 1e6, sum / static_cast<double>(single.cpu_us.size()),
      single.cpu_us.back(), static_cast<unsigned long long>(single.decided),
      lost == messages / kLostEvery && stored == messages - lost && told >= messages &&
              single.right && single.decided > 0
          ? "true"
          : "false");
  return 0;
}

int stream(const char* path) {
  std::ifstream file{path};
  if (!file) {
    std::fprintf(stderr, "%s cannot be read\n", path);
    return 2;
  }
  const double begin = cpu_seconds();
  Correlator correlator{"bench"};
  std::uint64_t events = 0;
  Instant settled{};
  for (std::string line; std::getline(file, line); ++events) {
    std::int64_t ms = 0;
    const auto [rest, error] = std::from_chars(line.data(), line.data() + line.size(), ms);
    if (error != std::errc{}) return 2;
    const std::string_view text{rest + 1,
                                static_cast<std::size_t>(line.data() + line.size() - rest - 1)};
    const std::size_t blank = text.find(' ');
    const std::string_view word = text.substr(0, blank);
    const Signal signal = word == "received"    ? Signal::kMessageReceived
                          : word == "committed" ? Signal::kMessageCommitted
                                                : Signal::kMessageAcknowledged;
    require(correlator.add(
        step(signal, Instant{ms}, hex32(0, events), std::string{text.substr(blank + 1)})));
    if (Instant{ms} - settled < seconds(1)) continue;
    settled = Instant{ms};
    correlator.add(claim(settled - hours(1), settled));
    correlator.settle(settled, [](const Correlator::Change&) {});
  }
  correlator.add(claim(settled - hours(1), settled + hours(1)));
  correlator.settle(settled + hours(2), [](const Correlator::Change&) {});
  std::printf("{\"events\":%llu,\"cpu_seconds\":%.3f,\"not_stored\":%llu}\n",
              static_cast<unsigned long long>(events), cpu_seconds() - begin,
              static_cast<unsigned long long>(correlator.count(Verdict::kMissing)));
  return 0;
}

int run(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], "rebuild") == 0) {
    const long long messages = std::atoll(argv[2]);
    if (messages > 0) return rebuild(static_cast<std::uint64_t>(messages));
  }
  if (argc == 3 && std::strcmp(argv[1], "stream") == 0) return stream(argv[2]);
  std::fprintf(stderr, "correlator_bench rebuild MESSAGES | stream FILE\n");
  return 2;
}

}  // namespace
}  // namespace meldevakt::collector

int main(int argc, char** argv) {
  return meldevakt::collector::run(argc, argv);
}
