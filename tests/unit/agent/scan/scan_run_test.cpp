#include "agent/scan/scan_run.h"

#include <Poco/Zip/Compress.h>
#include <doctest/doctest.h>
#include <zlib.h>

#include <fstream>
#include <sstream>

#include "../temp_folder.h"
#include "scan_files.h"

namespace meldevakt::agent {
namespace {

using testing_scan::scan_with;
using testing_scan::small_log;
using testing_scan::small_pack;
using testing_scan::Told;

void write_gzip(const std::string& path, const std::string& text, const char* mode = "wb") {
  gzFile file = gzopen(path.c_str(), mode);
  REQUIRE(file != nullptr);
  REQUIRE(gzwrite(file, text.data(), static_cast<unsigned>(text.size())) ==
          static_cast<int>(text.size()));
  gzclose(file);
}

void write_zip(const std::string& path,
               const std::vector<std::pair<std::string, std::string>>& of) {
  std::ofstream file{path, std::ios::binary};
  Poco::Zip::Compress zip{file, true};
  for (const auto& [name, text] : of) {
    std::istringstream in{text};
    zip.addFile(in, Poco::DateTime{}, Poco::Path{name});
  }
  zip.close();
}

TEST_CASE("ScanRun: plain, compressed and archived logs say the same") {
  const testing::TempFolder folder;
  const std::string log = small_log(3000);
  folder.write("a.log", log);
  write_gzip(folder / "b.gz", log);
  write_gzip(folder / "c.gz", log.substr(0, log.size() / 2));
  write_gzip(folder / "c.gz", log.substr(log.size() / 2), "ab");  // two members, one log
  write_zip(folder / "d.zip", {{"en.log", log}, {"under/to.log", small_log(200)}});
  folder.write("tom.log", "");
  const Told told = scan_with({small_pack()}, {folder / "a.log", folder / "b.gz", folder / "c.gz",
                                               folder / "d.zip", folder / "tom.log"});
  std::vector<std::string> of_plain;
  for (const std::string& line : told.lines) {
    if (line.rfind(folder / "a.log", 0) == 0)
      of_plain.push_back(line.substr(folder.path().size() + 6));
  }
  CHECK(of_plain.size() == 31);
  for (const std::string name : {"b.gz", "c.gz", "d.zip!en.log"}) {
    CAPTURE(name);
    std::vector<std::string> same;
    for (const std::string& line : told.lines) {
      if (line.rfind(folder / name, 0) == 0) {
        same.push_back(line.substr(folder.path().size() + 1 + name.size()));
      }
    }
    CHECK(same == of_plain);
  }
  REQUIRE(told.ended_logs.size() == 6);
  CHECK(told.ended_logs[4].file == folder / "d.zip!under/to.log");
  CHECK(told.ended_logs[4].stats.lines == 200);
  CHECK(told.ended_logs[5].problem.empty());
  CHECK(told.ended_logs[5].stats.bytes == 0);
}

TEST_CASE("ScanRun: what comes out does not depend on the number of threads") {
  const testing::TempFolder folder;
  std::vector<std::string> files;
  for (int i = 0; i < 24; ++i) {
    const std::string name = "log" + std::to_string(i);
    // Some are so long that their findings do not wait for their turn in memory.
    folder.write(name, small_log(i % 7 == 0 ? 4000 : 30 * i, i));
    files.push_back(folder / name);
  }
  files.push_back(folder / "ikke-der");
  const Told one = scan_with({small_pack()}, files, 1);
  CHECK(one.lines.size() > 25);
  for (const std::size_t threads : {2U, 5U, 64U, 1000U}) {
    CAPTURE(threads);
    CHECK(scan_with({small_pack()}, files, threads).lines == one.lines);
  }
}

TEST_CASE("ScanRun: a damaged or missing file is told, and costs the others nothing") {
  const testing::TempFolder folder;
  const std::string log = small_log(20'000);
  write_gzip(folder / "hel.gz", log);
  const std::string whole = folder.read("hel.gz");
  folder.write("kuttet.gz", whole.substr(0, whole.size() / 2));
  std::string spoilt = whole;
  for (std::size_t i = spoilt.size() / 2; i < spoilt.size() / 2 + 64; ++i) spoilt[i] ^= 0x55;
  folder.write("skadet.gz", spoilt);
  folder.write("bare-navn.gz", small_log(300));  // its name says gzip, it is not
  write_zip(folder / "a.zip", {{"x.log", log}});
  const std::string zip = folder.read("a.zip");
  folder.write("kuttet.zip", zip.substr(0, zip.size() / 2));
  folder.write("soppel", std::string("\x1F\x8B\x08 og deretter bare tull", 26));
  const Told told =
      scan_with({small_pack()}, {folder / "kuttet.gz", folder / "skadet.gz", folder / "soppel",
                                 folder / "kuttet.zip", folder / "mangler.log", folder.path(),
                                 folder / "bare-navn.gz", folder / "hel.gz"});
  REQUIRE(told.ended_logs.size() == 8);
  for (std::size_t i = 0; i < 6; ++i) {
    CAPTURE(told.ended_logs[i].file);
    CAPTURE(told.ended_logs[i].problem);
    CHECK_FALSE(told.ended_logs[i].problem.empty());
  }
  // What was whole before the cut was read.
  CHECK(told.ended_logs[0].stats.lines > 1000);
  CHECK(told.ended_logs[6].problem.empty());
  CHECK(told.ended_logs[6].stats.lines == 300);
  CHECK(told.ended_logs[7].problem.empty());
  CHECK(told.ended_logs[7].stats.lines == 20'000);
}

TEST_CASE("ScanRun: a log that no pack fits is not called searched") {
  const testing::TempFolder folder;
  folder.write("brev.txt", "Kjære alle,\ndette er ingen logg.\n");
  folder.write("ekte.log", small_log(500));
  const std::shared_ptr<const Pack> other = [] {
    auto pack = load_pack(R"(
pack = "annen"
version = "1.0.0"
observes = ["db.timeout"]
[record]
starts = '\['
time = "[%Y-%m-%d %H:%M:%S]"
[[rule]]
id = "x"
signal = "db.timeout"
literal = "timeout"
)",
                          "annen.rules.toml");
    return pack ? pack.value() : nullptr;
  }();
  const Told told = scan_with({other, small_pack()}, {folder / "brev.txt", folder / "ekte.log"});
  REQUIRE(told.ended_logs.size() == 2);
  CHECK(told.ended_logs[0].pack == nullptr);
  CHECK(told.ended_logs[0].problem.find("--pack") != std::string::npos);
  REQUIRE(told.ended_logs[1].pack != nullptr);
  CHECK(told.ended_logs[1].pack->identity.id == "prove");
}

}  // namespace
}  // namespace meldevakt::agent
