// What verdicts cost from the database: a collector that starts, or a question that is asked.
//
//   store_rebuild_bench FOLDER MESSAGES [start]        one JSON object on stdout
//
// A folder that it filled before is read as it is: ten million take longer to write than to read.
//
// `start`: without the question, which holds everything in memory at once.
//
// First a collector's database is filled as an agent and imports of the portal's list fill it:
// signed statements with packed bodies of 5000 messages each. Then it is opened anew, and CPU is
// counted from there: read, unpack and add everything to a Correlator, as `serve` does at its
// start; and the same with correlate(), as `incidents list` does.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <vector>

#include "collector/correlate/correlator.h"
#include "collector/store/sqlite_store.h"
#include "common/base/check.h"
#include "common/base/text.h"
#include "tests/bench/bench_messages.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector::bench {
namespace {

constexpr std::uint64_t kMessagesAFrame = 5000;

std::unique_ptr<SqliteStore> open_store(const std::string& path) {
  auto store = SqliteStore::open({path, "", false, nullptr, testing::random_bytes()});
  MELDEVAKT_CHECK(store.has_value());
  return std::move(store).value();
}

// Messages first to last, and that the trace was read until an hour after the last of them.
VerifiedFrame frame_of(testing::FakeAgent& agent, std::uint64_t first, std::uint64_t last) {
  Body body;
  body.salt = hex32(3, first);
  for (std::uint64_t n = first; n <= last; ++n) {
    for (LedgerFact& fact : facts_of(n)) body.facts.push_back(std::move(fact.fact));
  }
  const std::string plain = encode_body(body);
  const std::string packed = pack(plain);
  Statement statement = agent.next_statement();
  statement.bodies.push_back({sha256(packed), packed.size(), sha256(plain), plain.size(), 0,
                              static_cast<std::uint64_t>(body.facts.size())});
  const LedgerCoverage read = claim(time_of(first) - hours(1), time_of(last) + hours(1));
  statement.sources.front().observes = read.source.observes;
  statement.sources.front().complete = read.source.complete;
  const std::string bytes = encode_frame(agent.seal_frame(statement, {packed}));
  auto verified = verify_frame(bytes, agent.key(), OpenSslVerifier{});
  MELDEVAKT_CHECK(verified.has_value());
  return std::move(verified).value();
}

void fill(const std::string& path, std::uint64_t messages) {
  const auto store = open_store(path);
  testing::FakeAgent agent{'a', "bench"};
  MELDEVAKT_CHECK(testing::admit(*store, agent).has_value());
  for (std::uint64_t first = 1; first <= messages; first += kMessagesAFrame) {
    const std::uint64_t last = std::min(first + kMessagesAFrame - 1, messages);
    const VerifiedFrame frame = frame_of(agent, first, last);
    const Instant received = std::max(frame.statement.span.to, time_of(last) + hours(1));
    MELDEVAKT_CHECK(store->store_frame(frame, received).has_value());
    std::vector<Receipt> rows;
    for (std::uint64_t n = first; n <= last; ++n) rows.push_back(row_of(n));
    MELDEVAKT_CHECK(store->import_receipts("bench", rows, {}, time_of(last)).has_value());
  }
}

TenantInput read_all(const std::string& path) {
  std::vector<Alarm> alarms;
  auto input = open_store(path)->tenant_input("bench", alarms);
  MELDEVAKT_CHECK(input.has_value() && alarms.empty());
  return std::move(input).value();
}

struct Cost {
  double cpu_seconds = 0;
  double peak_mb = 0;
  bool right = false;
};

bool is_right(std::uint64_t lost, std::uint64_t stored, std::uint64_t messages) {
  return lost == messages / kLostEvery && stored == messages - lost;
}

Cost live(const std::string& path, std::uint64_t messages, Instant now) {
  const double begin = cpu_seconds();
  Correlator correlator{"bench"};
  std::vector<Alarm> alarms;
  const Status read = open_store(path)->read_input(
      "bench", [&](TenantInput&& part) { MELDEVAKT_CHECK(correlator.add(part).has_value()); },
      alarms);
  MELDEVAKT_CHECK(read.has_value() && alarms.empty());
  correlator.settle(now, [](const Correlator::Change&) {});
  return {cpu_seconds() - begin, peak_mb(),
          is_right(correlator.count(Verdict::kLost), correlator.count(Verdict::kStored), messages)};
}

Cost asked(const std::string& path, std::uint64_t messages, Instant now) {
  const double begin = cpu_seconds();
  const Correlation all = correlate(read_all(path), now);
  const auto count = [&all](Verdict verdict) {
    return static_cast<std::uint64_t>(
        std::count_if(all.messages.begin(), all.messages.end(),
                      [verdict](const MessageVerdict& m) { return m.verdict == verdict; }));
  };
  return {cpu_seconds() - begin, peak_mb(),
          is_right(count(Verdict::kLost), count(Verdict::kStored), messages)};
}

// In a process of its own, since a process remembers its peak.
Cost apart(Cost (*work)(const std::string&, std::uint64_t, Instant), const std::string& path,
           std::uint64_t messages) {
  int ends[2];
  MELDEVAKT_CHECK(::pipe(ends) == 0);
  const pid_t child = ::fork();
  MELDEVAKT_CHECK(child >= 0);
  if (child == 0) {
    const Cost cost = work(path, messages, time_of(messages) + minutes(30));
    const bool told = ::write(ends[1], &cost, sizeof cost) == sizeof cost;
    ::_exit(told ? 0 : 1);
  }
  Cost cost;
  const bool heard = ::read(ends[0], &cost, sizeof cost) == sizeof cost;
  int status = 0;
  MELDEVAKT_CHECK(::waitpid(child, &status, 0) == child && status == 0 && heard);
  ::close(ends[0]);
  ::close(ends[1]);
  return cost;
}

int run(int argc, char** argv) {
  const bool start_only = argc == 4 && std::strcmp(argv[3], "start") == 0;
  const std::optional<std::uint64_t> messages =
      argc == 3 || start_only ? parse_u64(argv[2]) : std::optional<std::uint64_t>{};
  if (!messages || *messages == 0) {
    std::fprintf(stderr, "store_rebuild_bench FOLDER MESSAGES [start]\n");
    return 2;
  }
  const std::string path = std::string{argv[1]} + "/rebuild.db";
  if (!std::filesystem::exists(path)) fill(path, *messages);
  const Cost start = apart(live, path, *messages);
  const Cost question = start_only ? Cost{0, 0, true} : apart(asked, path, *messages);
  std::printf(
      "{\"messages\":%llu,\"start_cpu_seconds\":%.3f,\"start_peak_mb\":%.1f,"
      "\"question_cpu_seconds\":%.3f,\"question_peak_mb\":%.1f,\"right\":%s}\n",
      static_cast<unsigned long long>(*messages), start.cpu_seconds, start.peak_mb,
      question.cpu_seconds, question.peak_mb, start.right && question.right ? "true" : "false");
  return 0;
}

}  // namespace
}  // namespace meldevakt::collector::bench

int main(int argc, char** argv) {
  return meldevakt::collector::bench::run(argc, argv);
}
