// The loop with ship.mode = "carry": frames as files on a real disk.
#include "agent/ship/carry.h"

#include <doctest/doctest.h>
#include <sys/mount.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>

#include "tests/unit/agent/app/agent_world.h"

namespace meldevakt::agent {
namespace {

using testing::AgentWorld;
using testing::kIdA;

// An agent whose frames go to the folder "out", with a disk that may be full and that counts.
struct CarryWorld : AgentWorld {
  CarryWorld() {
    enrol("t1", "A");
    CarrySender::Disk disk = carry_disk();
    const auto counted = [this](const auto& real) {
      return [this, real](const std::string& path, std::string_view bytes) -> Status {
        if (full) return Error{Errc::kIo, path + ": No space left on device"};
        // Not let go before it is written and synced.
        CHECK(waiting() > 0);
        MELDEVAKT_TRY(real(path, bytes));
        CHECK(waiting() > 0);
        ++written[path];
        return {};
      };
    };
    disk.write = counted(disk.write);
    disk.rewrite = counted(disk.rewrite);
    sender = std::make_unique<CarrySender>(folder / "out", std::move(disk));
    send = [this](const OutgoingFrame& frame) { return sender->send(frame); };
    start();
  }
  void make_folder() { std::filesystem::create_directory(folder / "out"); }

  // The names in the folder, in the order in which the collector wants the frames.
  [[nodiscard]] std::set<std::string> files() const {
    std::set<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator{folder / "out"}) {
      out.insert(entry.path().filename().string());
    }
    return out;
  }
  // Carries the files to the collector, which takes a number once and only in order.
  void carry() {
    for (const std::string& name : files()) {
      CAPTURE(name);
      REQUIRE(name.size() > 6);
      REQUIRE(name.substr(name.size() - 6) == ".frame");
      const OutgoingFrame frame{"t1", "", 0, 0, folder.read("out/" + name)};
      const std::size_t before = collector.tenants.at("t1").statements.size();
      REQUIRE(collector.take(frame).outcome == Handover::kStored);
      REQUIRE(collector.tenants.at("t1").statements.size() == before + 1);
    }
  }
  // Turns until the first file is there and its acknowledgement is not committed yet.
  void turn_until_written() {
    for (int i = 0; i < 200 && written.empty(); ++i) turn();
    REQUIRE(written.size() == 1);
    REQUIRE(waiting() == 1);
  }

  bool full = false;
  std::map<std::string, int> written;  // by path
  std::unique_ptr<CarrySender> sender;
};

TEST_CASE("carry: every statement becomes one file, and then leaves the outbox") {
  CarryWorld w;
  w.make_folder();
  w.received(kIdA);
  w.run(seconds(5));
  w.committed(kIdA);
  w.run(seconds(70));
  CHECK(w.waiting() == 0);
  CHECK(w.files().size() == w.written.size());
  for (const auto& [path, times] : w.written) CHECK(times == 1);
  w.carry();
  CHECK(w.steps() == "received A, committed A");
  CHECK(w.collector.tenants.at("t1").statements.size() >= 3);
}

TEST_CASE("carry: killed between the file and the commit, it goes on without doubling") {
  CarryWorld w;
  w.make_folder();
  w.received(kIdA);
  w.turn_until_written();
  const std::set<std::string> before = w.files();
  w.start();
  w.run(seconds(1));
  CHECK(w.waiting() == 0);
  CHECK(w.files() == before);
  CHECK(w.written.begin()->second == 2);  // the same bytes, made durable for certain
  w.committed(kIdA);
  w.run(seconds(10));
  w.carry();
  CHECK(w.steps() == "received A, committed A");
  CHECK(w.logged("ERROR") == 0);
}

TEST_CASE("carry: a folder that is not there and a full disk are said once and cost nothing") {
  for (const bool full : {false, true}) {
    CAPTURE(full);
    CarryWorld w;
    w.full = full;
    if (full) w.make_folder();
    w.received(kIdA);
    w.run(seconds(10));
    w.committed(kIdA);
    w.run(seconds(10));
    CHECK(w.written.empty());
    CHECK(w.waiting() >= 2);
    CHECK(w.logged("WARN agent: ship: not handed over") == 1);
    CHECK(w.logged(full ? "No space left on device" : "No such file or directory") == 1);
    CHECK(w.logged(w.folder / "out") == 1);
    w.full = false;
    if (!full) w.make_folder();
    w.run(seconds(10));
    CHECK(w.logged("INFO agent: ship: works again") == 1);
    CHECK(w.waiting() == 0);
    w.carry();
    CHECK(w.steps() == "received A, committed A");
  }
}

TEST_CASE("carry: a file with other bytes stops the shipping and keeps everything") {
  CarryWorld w;
  w.make_folder();
  w.received(kIdA);
  w.turn_until_written();
  w.folder.write("out/" + *w.files().begin(), "other bytes");
  w.start();
  w.run(seconds(10));
  CHECK(w.logged("ERROR agent: ship: the collector has another history under this number") == 1);
  CHECK(w.logged("holds other bytes") == 1);
  CHECK(w.waiting() >= 1);
  CHECK(w.folder.read("out/" + *w.files().begin()) == "other bytes");
}

// A disk of 64 kB that is really full: the system's own ENOSPC, in the middle of a file.
struct SmallDisk {
  explicit SmallDisk(std::string new_path) : path{std::move(new_path)} {
    std::filesystem::create_directory(path);
    mounted = ::mount("none", path.c_str(), "tmpfs", 0, "size=64k") == 0;
  }
  ~SmallDisk() {
    if (mounted) ::umount(path.c_str());
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  // Takes all room but a page, so that a file can be begun and not ended.
  void fill() const {
    std::ofstream file{path + "/ballast", std::ios::binary};
    const std::string page(4096, 'x');
    while (file.write(page.data(), 4096).flush()) {
    }
  }
  std::string path;
  bool mounted = false;
};

TEST_CASE("carry: a disk that is really full loses nothing, is said once, and is left by itself") {
  CarryWorld w;
  const SmallDisk disk{w.folder / "out"};
  if (!disk.mounted) {
    MESSAGE("skipped: mounting a small file system needs root");
    return;
  }
  disk.fill();
  w.received(kIdA);
  w.run(seconds(10));
  w.committed(kIdA);
  w.run(seconds(70));
  CHECK(w.written.empty());
  CHECK(w.files() == std::set<std::string>{"ballast"});  // no half-written name is left
  CHECK(w.waiting() >= 3);
  CHECK(w.logged("WARN agent: ship: not handed over") == 1);
  CHECK(w.logged("No space left on device") == 1);
  CHECK(w.logged("ERROR") == 0);
  std::filesystem::remove(disk.path + "/ballast");
  w.run(seconds(70));
  CHECK(w.logged("INFO agent: ship: works again") == 1);
  CHECK(w.waiting() == 0);
  w.carry();
  CHECK(w.steps() == "received A, committed A");
}

}  // namespace
}  // namespace meldevakt::agent
