// This host's metrics from made-up trees of /proc.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/source/host_counters.h"
#include "agent/source/host_metrics_source.h"
#include "agent/source/host_sample.h"

namespace meldevakt::agent {
namespace {

constexpr Instant kStart{1'675'220'400'000};  // 2023-02-01T03:00:00Z

std::string member(std::string_view sample, std::string_view name) {
  const std::string key = "\"" + std::string{name} + "\":";
  const std::size_t at = sample.find(key);
  if (at == std::string_view::npos) return "-";
  const std::string_view rest = sample.substr(at + key.size());
  return std::string{rest.substr(0, rest.find_first_of(",}"))};
}

HostCounters counters(std::string_view stat, std::string_view diskstats = {},
                      std::string_view vmstat = {}) {
  HostCounters out;
  parse_stat(stat, out);
  parse_diskstats(diskstats, out);
  parse_vmstat(vmstat, out);
  return out;
}

TEST_CASE("host sample: processors, with wraps, resets and what is not there") {
  const auto before =
      counters("cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 50 0 50\ncpu1 1 1 1\nintr 1\n");
  CHECK(before.processors == 2);
  struct Case {
    const char* stat;
    const char* busy;
    const char* iowait;
  };
  for (const Case& c : std::vector<Case>{{"cpu  175 0 100 710 115 0 0 0\n", "75.000", "15.000"},
                                         {"cpu  100 0 100 700 100 0 0 0\n", "-", "-"},
                                         {"cpu  1 0 1 7 1 0 0 0\n", "-", "-"},
                                         {"cpu  500 0 100 700 90 0 0 0\n", "-", "-"},
                                         {"cpu  175 0 x 710 115\n", "-", "-"},
                                         {"cpu 1 2\n", "-", "-"},
                                         {"", "-", "-"}}) {
    CAPTURE(c.stat);
    const std::string sample = host_sample(&before, counters(c.stat), kStart, seconds(10));
    CHECK(member(sample, "cpu.busy") == c.busy);
    CHECK(member(sample, "cpu.iowait") == c.iowait);
  }
  // Without a reading before there are no rates, and nothing is covered.
  const std::string first = host_sample(nullptr, before, kStart, seconds(10));
  CHECK(first == "{\"sampled_at\":\"2023-02-01T03:00:00.000Z\",\"interval_s\":0.000}\n");
}

TEST_CASE("host sample: whole disks, the worst of them, and none by name") {
  constexpr std::string_view kBefore =
      "   8 0 sda 100 0 0 1000 100 0 0 1000 0 500 0\n   8 1 sda1 1 0 0 1 1 0 0 1 0 1 0\n"
      " 259 0 nvme0n1 10 0 0 10 10 0 0 10 0 10 0\n 259 1 nvme0n1p1 1 0 0 1 1 0 0 1 0 1 0\n"
      " 253 0 dm-0 1 0 0 1 1 0 0 1 0 1 0\n   7 0 loop0 1 0 0 1 1 0 0 1 0 1 0\n   8 16 sdb 1 x\n";
  constexpr std::string_view kAfter =
      "   8 0 sda 110 0 0 1400 110 0 0 1400 0 5500 0\n   8 1 sda1 900 0 0 9 1 0 0 1 0 9999 0\n"
      " 259 0 nvme0n1 11 0 0 9000 11 0 0 9000 0 20 0\n 253 0 dm-0 900 0 0 9 1 0 0 1 0 9999 0\n";
  const auto before = counters("", kBefore);
  CHECK(before.disks.size() == 2);
  const std::string sample = host_sample(&before, counters("", kAfter), kStart, seconds(10));
  CHECK(member(sample, "disk.busy") == "50.000");
  CHECK(member(sample, "disk.wait") == "40.000");  // two operations of the other disk are too few
  for (const char* name : {"sda", "nvme", "dm-0"}) CHECK(sample.find(name) == std::string::npos);
  const std::string reset =
      host_sample(&before, counters("", "8 0 sda 1 0 0 1 1 0 0 1 0 1 0\n"), kStart, seconds(10));
  CHECK(member(reset, "disk.busy") == "-");
  CHECK(member(reset, "disk.wait") == "-");
}

TEST_CASE("host sample: memory, swap and kills") {
  HostCounters before = counters("", "", "pswpin 5\npswpout 100\noom_kill 1\n");
  HostCounters now = counters("", "", "pswpin 5\npswpout 300\noom_kill 3\n");
  parse_meminfo(
      "MemTotal: 1000 kB\nMemFree: 1 kB\nMemAvailable: 250 kB\nSwapTotal: 100 kB\n"
      "SwapFree: 25 kB\n",
      now);
  const std::string sample = host_sample(&before, now, kStart, seconds(10));
  CHECK(member(sample, "memory.available") == "25.000");
  CHECK(member(sample, "memory.swap_used") == "75.000");
  CHECK(member(sample, "memory.swap_in") == "0.000");
  CHECK(member(sample, "memory.swap_out") == "20.000");
  CHECK(member(sample, "memory.oom_kills") == "2.000");
  // A container that may use less than the machine has.
  now.memory_limit = 1000;
  now.memory_used = 900;
  CHECK(member(host_sample(&before, now, kStart, seconds(10)), "memory.available") == "10.000");
}

TEST_CASE("host counters: pressure, and file systems") {
  const Stall both = parse_pressure(
      "some avg10=0.00 avg60=0.00 avg300=0.00 total=12\n"
      "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
  CHECK(both.some == 12);
  CHECK(both.full == 7);
  CHECK_FALSE(parse_pressure("some avg10=0.00 total=x\n").some);
  CHECK_FALSE(parse_pressure("").full);
  CHECK(
      parse_mounts("/dev/sda1 / ext4 rw 0 0\nproc /proc proc rw 0 0\n/dev/sda1 /again ext4 rw 0 0\n"
                   "srv:/x /nfs nfs4 rw 0 0\n/dev/sdb /med\\040rom xfs rw 0 0\ntorn") ==
      std::vector<std::string>{"/", "/med rom"});
}

// A folder that looks like /proc, and clocks that are moved by hand.
struct World : FileSink {
  std::filesystem::path root;
  std::int64_t boot_ms = 1000;
  std::int64_t awake_ms = 1000;
  std::int64_t wall_ms = 0;
  std::string said;
  std::map<std::string, std::uint64_t> ends;  // of each stream

  World() {
    std::string path = (std::filesystem::temp_directory_path() / "meldevakt-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    root = path;
    std::filesystem::create_directories(root / "pressure");
    std::filesystem::create_directories(root / "cgroup");
    cpu(0, 0);
    stall(0);
  }
  ~World() override { std::filesystem::remove_all(root); }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  void write(const std::string& name, const std::string& text) const {
    std::ofstream{root / name} << text;
  }
  void cpu(int busy, int idle) const {
    write("stat", "cpu  " + std::to_string(busy) + " 0 0 " + std::to_string(idle) + " 0 0 0 0\n");
  }
  void stall(int total) const {
    write("pressure/cpu", "some avg10=0.00 total=" + std::to_string(total) + "\n");
  }
  HostMetricsSource source(std::vector<KnownFile> known = {}) {
    HostMetricsSource::Settings settings;
    settings.groups.cpu = true;
    settings.roots = {root.string(), (root / "cgroup").string(), {}};
    settings.boot_ns = [this] { return boot_ms * 1'000'000; };
    settings.awake_ns = [this] { return awake_ms * 1'000'000; };
    return HostMetricsSource{settings, std::move(known)};
  }
  void pass(Duration time) {
    boot_ms += time.ms;
    awake_ms += time.ms;
    wall_ms += time.ms;
  }
  [[nodiscard]] Instant now() const { return kStart + milliseconds(wall_ms); }

  void begin_file(const std::string& key, std::uint64_t offset) override {
    said += "begin" + std::to_string(offset == ends[key]) + " ";
    ends[key] = offset;
  }
  void feed(const std::string& key, std::string_view bytes) override {
    CHECK(bytes.back() == '\n');
    ends[key] += bytes.size();
    said += "sample=" + member(bytes, "interval_s") + "/" + member(bytes, "cpu.busy") + "/" +
            member(bytes, "psi.cpu.some") + " ";
  }
  void end_file(const std::string&, FileEnd end) override {
    said += end == FileEnd::kCut ? "gap " : "end ";
  }
  std::string poll(HostMetricsSource& source) {
    said.clear();
    const SourceTurn turn = source.poll(*this, now(), 1'000'000);
    // What is claimed reaches to a sample and never to a poll in between.
    CHECK(turn.caught_up == (said.find("sample") != std::string::npos));
    CHECK(turn.put_off == !turn.caught_up);
    if (turn.state != ReadState::kRead) said += turn.reason;
    return said;
  }
};

TEST_CASE("host metrics: a sample covers the time it really covers, however late") {
  World world;
  HostMetricsSource source = world.source();
  CHECK(world.poll(source) == "begin1 sample=0.000/-/- ");
  CHECK(world.poll(source) == "");
  world.pass(milliseconds(9999));
  CHECK(world.poll(source) == "");
  world.cpu(90, 10);
  world.stall(5'000'000);
  world.pass(milliseconds(1));
  CHECK(world.poll(source) == "sample=10.000/90.000/50.000 ");
  // Under load it comes late: the same counters, over the time there was.
  world.cpu(100, 40);
  world.stall(15'000'000);
  world.pass(seconds(40));
  CHECK(world.poll(source) == "sample=40.000/25.000/25.000 ");
  // The kernel has no pressure information any more, or the counter was reset.
  world.stall(0);
  world.pass(seconds(10));
  CHECK(world.poll(source) == "sample=10.000/-/- ");
}

TEST_CASE("host metrics: suspended, stopped for long, and a clock that was set are gaps") {
  World world;
  HostMetricsSource source = world.source();
  world.poll(source);
  world.pass(seconds(10));
  world.cpu(10, 90);
  CHECK(world.poll(source) == "sample=10.000/10.000/0.000 ");
  SUBCASE("suspended for an hour") {
    world.boot_ms += 3'600'000;
    world.wall_ms += 3'600'000;
    world.pass(seconds(10));
  }
  SUBCASE("suspended for some seconds") {
    world.boot_ms += 5000;
    world.wall_ms += 5000;
    world.pass(seconds(10));
  }
  SUBCASE("the process stood still for too long") {
    world.pass(seconds(61));
  }
  SUBCASE("the clock was set ahead") {
    world.wall_ms += 3'600'000;
    world.pass(seconds(10));
  }
  SUBCASE("the clock was set back") {
    world.wall_ms -= 30'000;
    world.pass(seconds(10));
  }
  world.cpu(110, 90);
  CHECK(world.poll(source) == "gap begin1 sample=0.000/-/- ");
  world.cpu(160, 140);
  world.pass(seconds(10));
  CHECK(world.poll(source) == "sample=10.000/50.000/0.000 ");
}

TEST_CASE("host metrics: over a restart the stream goes on, with a gap, where it was committed") {
  World world;
  std::vector<KnownFile> known;
  {
    HostMetricsSource source = world.source();
    world.poll(source);
    const FileChanges changes =
        source.changes([&](const std::string& key) { return world.ends[key]; });
    REQUIRE(changes.changed.size() == 1);
    CHECK(changes.forgotten.empty());
    known = changes.changed;
    CHECK(source.changes([](const std::string&) { return 0; }).changed.empty());
    world.pass(seconds(10));
    world.poll(source);  // never committed
  }
  world.ends[known[0].key] = known[0].offset;
  HostMetricsSource source = world.source(known);
  world.pass(seconds(10));
  CHECK(world.poll(source) == "begin1 gap begin1 sample=0.000/-/- ");
}

TEST_CASE("host metrics: a machine without counters is told once and looked at again") {
  World world;
  std::filesystem::remove(world.root / "stat");
  std::filesystem::remove_all(world.root / "pressure");
  HostMetricsSource source = world.source();
  CHECK(world.poll(source) == "begin1 no_counters");
  CHECK(source.take_notes().size() == 1);
  CHECK(world.poll(source) == "no_counters");
  world.pass(seconds(10));
  CHECK(world.poll(source) == "gap begin1 no_counters");
  CHECK(source.take_notes().empty());
  world.cpu(1, 1);
  world.pass(seconds(10));
  CHECK(world.poll(source) == "gap begin1 sample=0.000/-/- ");
}

TEST_CASE("host metrics: a control group's share is what counts in a container") {
  World world;
  world.write("cgroup/cpu.max", "50000 100000\n");
  world.write("cgroup/cpu.stat", "usage_usec 0\nthrottled_usec 0\n");
  world.write("cgroup/memory.max", "1000\n");
  world.write("cgroup/memory.current", "900\n");
  world.write("cgroup/memory.stat", "anon 1\ninactive_file 400\n");
  HostRoots roots{world.root.string(), (world.root / "cgroup").string(), {}};
  const HostGroups groups{.cpu = true, .disk = false, .memory = true};
  const HostCounters before = read_host_counters(roots, groups);
  CHECK(before.cpu_limit == 0.5);
  CHECK(before.memory_used == 500);
  world.cpu(10, 90);
  world.write("cgroup/cpu.stat", "usage_usec 4000000\nthrottled_usec 2500000\n");
  const std::string sample =
      host_sample(&before, read_host_counters(roots, groups), kStart, seconds(10));
  CHECK(member(sample, "cpu.busy") == "80.000");
  CHECK(member(sample, "cpu.throttled") == "25.000");
  CHECK(member(sample, "memory.available") == "50.000");
  world.write("cgroup/cpu.max", "max 100000\n");
  world.write("cgroup/memory.max", "max\n");
  const HostCounters free = read_host_counters(roots, groups);
  CHECK_FALSE(free.cpu_limit);
  CHECK_FALSE(free.memory_limit);
}

}  // namespace
}  // namespace meldevakt::agent
