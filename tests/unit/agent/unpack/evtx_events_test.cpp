#include "agent/unpack/evtx_events.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "common/testing/doubles.h"
#include "tests/support/evtx_writer.h"

namespace meldevakt::agent {
namespace {

using testing::EvtxWriter;
using testing::WrittenEvent;

ReadRaw reader_of(const std::string& bytes) {
  return [&bytes](std::uint64_t offset, char* to, std::size_t size) -> Result<std::size_t> {
    const std::size_t from = std::min<std::size_t>(offset, bytes.size());
    const std::size_t got = std::min(size, bytes.size() - from);
    std::copy_n(bytes.data() + from, got, to);
    return got;
  };
}

struct Read {
  std::vector<EvtxEvent> events;
  EvtxDamage damage;
  std::string error;
  [[nodiscard]] std::string ids() const {
    std::string out;
    for (const EvtxEvent& event : events)
      out += (out.empty() ? "" : " ") + std::to_string(event.id);
    return out;
  }
};

Read read_all(const std::string& bytes, RenderEvtx render = render_apart) {
  Read out;
  auto events = EvtxEvents::open(reader_of(bytes), bytes.size(), std::move(render));
  if (!events) {
    out.error = events.error().message();
    return out;
  }
  while (!events.value()->done()) {
    auto event = events.value()->next();
    if (!event) out.error = event.error().message();
    if (!event) break;
    if (event.value()) out.events.push_back(std::move(*event.value()));
  }
  out.damage = events.value()->damage();
  return out;
}

// Where the chunk begins in the file.
std::size_t chunk_at(std::size_t chunk) {
  return kEvtxHeaderBytes + chunk * kEvtxChunkBytes;
}

EvtxWriter written(std::size_t events, std::size_t events_a_chunk) {
  EvtxWriter log;
  log.events_a_chunk = events_a_chunk;
  log.add(events, {.data = {{"", "\\Device\\Harddisk0\\DR0"}}});
  return log;
}

TEST_CASE("EvtxEvents: every event once, oldest first, in the form that Windows renders") {
  const Read got = read_all(written(7, 3).file());
  CHECK(got.ids() == "1 2 3 4 5 6 7");
  CHECK_FALSE(got.damage.any());
  CHECK(got.damage.chunks_in_all == 3);
  REQUIRE(got.events.size() == 7);
  CHECK(got.events[1].written_ms == 1'675'239'263'101);
  const std::string& xml = got.events[1].xml;
  CHECK(xml.find("<Event xmlns=\"http://schemas.microsoft.com/win/2004/08/events/event\">") == 0);
  for (const char* part :
       {"<Provider Name=\"disk\"/>", "<EventID Qualifiers=\"32772\">153</EventID>",
        "<TimeCreated SystemTime=\"2023-02-01T08:14:23.101", "<EventRecordID>2</EventRecordID>",
        "<Channel>System</Channel>", "<Data>\\Device\\Harddisk0\\DR0</Data>"}) {
    CAPTURE(part);
    CHECK(xml.find(part) != std::string::npos);
  }
}

TEST_CASE("EvtxEvents: what a value holds can end no event and begin none") {
  EvtxWriter log;
  log.add({.provider = "a\"/><x y=\"&", .data = {{"n", "</Data></Event><Event>&lt;'\""}}});
  const Read got = read_all(log.file());
  REQUIRE(got.events.size() == 1);
  const std::string& xml = got.events[0].xml;
  CHECK(xml.find("<Event>") == std::string::npos);
  CHECK(xml.find("</Event>") == xml.rfind("</Event>"));
  CHECK(xml.find("&lt;/Data&gt;") != std::string::npos);
}

TEST_CASE("EvtxEvents: a log that began again at its first chunk, unused room, an empty log") {
  CHECK(read_all(written(7, 3).file(false, 2, 1)).ids() == "1 2 3 4 5 6 7");
  CHECK(read_all(written(9, 3).file(false, 1, 2)).ids() == "1 2 3 4 5 6 7 8 9");
  const Read empty = read_all(EvtxWriter{}.file(false, 1));
  CHECK(empty.ids() == "");
  CHECK(empty.error == "");
  CHECK_FALSE(empty.damage.any());
  EvtxWriter high;
  high.next_record = 0xffff'ffff'0000'0000;
  high.add(2, {});
  CHECK(read_all(high.file()).ids() == "18446744069414584320 18446744069414584321");
}

TEST_CASE("EvtxEvents: a log that was not closed is read to its last whole record") {
  std::string bytes = written(7, 5).file(true);
  // The header of the newest chunk is as old as its first record.
  EvtxWriter::set(bytes, chunk_at(1) + 16, 6, 8);
  EvtxWriter::set(bytes, chunk_at(1) + 32, 6, 8);
  EvtxWriter::set(bytes, chunk_at(1) + 48, 600, 4);
  EvtxWriter::set(bytes, chunk_at(1) + 52, 0, 4);
  const Read got = read_all(bytes);
  CHECK(got.ids() == "1 2 3 4 5 6 7");
  CHECK_FALSE(got.damage.any());
  // Half a record, as it is while Windows writes.
  const std::size_t last = bytes.rfind(std::string{"\x2a\x2a\0\0", 4});
  std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(last) + 40, bytes.end(), '\0');
  CHECK(read_all(bytes).ids() == "1 2 3 4 5 6");
  CHECK_FALSE(read_all(bytes).damage.any());
  // The same in a log that was closed is damage.
  EvtxWriter::set(bytes, 120, 0, 4);
  EvtxWriter::set(bytes, 124, EvtxWriter::sum(bytes, 0, 120), 4);
  CHECK(read_all(bytes).damage.chunks == 1);
}

TEST_CASE("EvtxEvents: a chunk that is used again shows nothing of what it held before") {
  std::string bytes = written(6, 6).file(true);
  // As if it had been taken for numbers 101 and 102, with older records behind.
  std::size_t at = chunk_at(0) + kEvtxChunkHeaderBytes;
  for (std::uint64_t id : {101U, 102U}) {
    EvtxWriter::set(bytes, at + 8, id, 8);
    at += static_cast<unsigned char>(bytes[at + 4]) +
          256U * static_cast<unsigned char>(bytes[at + 5]);
  }
  CHECK(read_all(bytes).ids() == "101 102");
}

TEST_CASE("EvtxEvents: damage costs what it struck, and is told") {
  const std::string whole = written(9, 3).file();
  struct Case {
    std::string_view name;
    std::size_t at;
    std::string_view ids;
    std::string_view told;
  };
  const std::vector<Case> cases{
      {"a chunk's first bytes", chunk_at(1), "1 2 3 7 8 9",
       "damaged chunks: 1 of 3; everything else was read"},
      {"a record's size", chunk_at(1) + kEvtxChunkHeaderBytes + 5, "1 2 3 7 8 9",
       "damaged chunks: 1 of 3; everything else was read"},
      {"a chunk's checksum", chunk_at(1) + 52, "1 2 3 4 5 6 7 8 9",
       "damaged chunks: 1 of 3; everything else was read"},
      {"a value", whole.find(std::string{"H\0a\0r\0d\0", 8}, chunk_at(1)), "1 2 3 4 5 6 7 8 9",
       "damaged chunks: 1 of 3; everything else was read"},
      {"the file's header", 24, "1 2 3 4 5 6 7 8 9", "everything else was read"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    std::string bytes = whole;
    bytes[c.at] = static_cast<char>(bytes[c.at] ^ 0x01);
    const Read got = read_all(bytes);
    CHECK(got.error == "");
    CHECK(got.ids() == c.ids);
    CHECK(to_string(got.damage) == c.told);
  }
  for (std::size_t keep :
       {std::size_t{20}, kEvtxHeaderBytes, chunk_at(1) + 7, chunk_at(2) - 1, chunk_at(2) + 900}) {
    CAPTURE(keep);
    const Read got = read_all(whole.substr(0, keep));
    CHECK(got.error == "");
    CHECK(got.events.size() == (keep < chunk_at(1) ? 0 : keep < chunk_at(2) - 1 ? 3 : 6));
    CHECK(got.damage.cut == (keep != kEvtxHeaderBytes));
  }
  CHECK(read_all("ElfFilf").error == "it is no .evtx file");
  const auto large = EvtxEvents::open(reader_of(whole), (1ULL << 33U) + 1);
  REQUIRE_FALSE(large);
  CHECK(large.error().code() == Errc::kLimit);
}

// Binary XML that counts more values than there are: libevtx reads beyond its memory.
std::string hostile_record() {
  std::string body;
  EvtxWriter::put(body, 0x0001010f, 4);
  EvtxWriter::put(body, 0x010c, 2);
  EvtxWriter::put(body, 7, 4);
  EvtxWriter::put(body, 0xfffffff0, 4);
  body += std::string(200, '\xff');
  return body;
}

TEST_CASE("EvtxEvents: a record that cannot be shown costs itself") {
  EvtxWriter log;
  log.add(2, {});
  log.add_record(hostile_record());
  log.add(2, {});
  const Read got = read_all(log.file());
  CHECK(got.ids() == "1 2 4 5");
  CHECK(to_string(got.damage) == "events that cannot be shown: 1; everything else was read");
}

TEST_CASE("render_apart: a child that crashes costs the record it crashed in, up to a bound") {
  constexpr EvtxShow kCrashes = [](const char*, std::size_t from,
                                   const std::vector<EvtxRecord>& records, const EvtxTell& tell) {
    for (std::size_t i = from; i < records.size(); ++i) {
      if (records[i].id % 4 == 0) std::raise(SIGSEGV);
      if (!tell(i, std::to_string(records[i].id))) return;
    }
  };
  const auto shown = [&](std::uint64_t count) {
    std::vector<EvtxRecord> records(count);
    for (std::size_t i = 0; i < records.size(); ++i) records[i].id = i + 1;
    const auto events = render_apart_with(kCrashes, "file", records);
    REQUIRE(events);
    std::string out;
    for (const std::string& event : events.value()) out += (event.empty() ? "-" : event) + " ";
    return out;
  };
  CHECK(shown(0) == "");
  CHECK(shown(6) == "1 2 3 - 5 6 ");
  CHECK(shown(9) == "1 2 3 - 5 6 7 - 9 ");
  CHECK(shown(19) == "1 2 3 - 5 6 7 - 9 10 11 - 13 14 15 - - - - ");

  constexpr EvtxShow kTellsMuch = [](const char*, std::size_t from,
                                     const std::vector<EvtxRecord>& records, const EvtxTell& tell) {
    const std::string text(kEvtxEventBytesMax, 'x');
    for (std::size_t i = from; i < records.size(); ++i) {
      if (!tell(i, text)) return;
    }
  };
  const auto events = render_apart_with(kTellsMuch, "file", std::vector<EvtxRecord>(20));
  REQUIRE(events);
  std::size_t bytes = 0;
  for (const std::string& event : events.value()) bytes += event.size();
  CHECK(bytes == kEvtxRenderedBytesMax - kEvtxEventBytesMax);  // each has a few bytes beside it
}

// Of this process and the children that it forks.
int* children_so_far() {
  static int* const shared = [] {
    void* const page =
        ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    REQUIRE(page != MAP_FAILED);
    return static_cast<int*>(page);
  }();
  return shared;
}

TEST_CASE("render_apart: a child that hangs before it says anything costs no record") {
  constexpr EvtxShow kHangsFirst = [](const char*, std::size_t from,
                                      const std::vector<EvtxRecord>& records,
                                      const EvtxTell& tell) {
    if (++*children_so_far() == 1) ::pause();  // as on a lock that nobody holds any more
    for (std::size_t i = from; i < records.size(); ++i) {
      if (!tell(i, "shown")) return;
    }
  };
  *children_so_far() = 0;
  const auto events = render_apart_with(kHangsFirst, "file", std::vector<EvtxRecord>(3));
  REQUIRE(events);
  CHECK(events.value() == std::vector<std::string>(3, "shown"));
  CHECK(*children_so_far() == 2);
}

TEST_CASE("render_apart: random changes with right checksums end no process but the child") {
  EvtxWriter log;
  log.add(6, {.data = {{"param1", "30000"}, {"param2", "tjeneste"}}});
  const std::string whole = log.file().substr(kEvtxHeaderBytes);
  constexpr std::uint64_t kSeed = 20250304;
  MESSAGE("seed " << kSeed);
  testing::SeededRandom random{kSeed};
  std::size_t shown = 0;
  std::size_t not_shown = 0;
  for (int run = 0; run < 60; ++run) {
    std::string bytes = whole;
    for (int change = 0; change < 3; ++change) {
      const std::size_t at = kEvtxChunkHeaderBytes + random.below(5000);
      bytes[at] = static_cast<char>(random.below(256));
    }
    const EvtxChunk chunk = look_at_chunk(bytes);
    const auto events = render_apart(alone_in_a_file(bytes, chunk), chunk.records);
    REQUIRE(events);
    REQUIRE(events.value().size() == chunk.records.size());
    for (const std::string& event : events.value()) {
      CHECK(event.size() <= kEvtxEventBytesMax);
      ++(event.empty() ? not_shown : shown);
    }
  }
  CHECK(shown > 100);
  CHECK(not_shown > 0);
}

TEST_CASE("EvtxText: the events as one text, whatever the size of a read, and then the damage") {
  std::string bytes = written(5, 3).file();
  bytes[chunk_at(0) + 52] ^= 1;
  std::string all;
  for (const std::size_t size : {std::size_t{1000}, std::size_t{7}}) {
    auto text = EvtxText::open(reader_of(bytes), bytes.size());
    REQUIRE(text);
    std::string out;
    std::string buffer(size, '\0');
    while (true) {
      const auto got = text.value()->read(buffer.data(), size);
      if (!got) {
        CHECK(got.error().code() == Errc::kCorrupt);
        CHECK(got.error().message() == "damaged chunks: 1 of 2; everything else was read");
        break;
      }
      REQUIRE(got.value() > 0);
      out.append(buffer, 0, got.value());
    }
    CHECK(out.ends_with("</Event>\n"));
    CHECK((all.empty() || all == out));
    all = out;
  }
}

TEST_CASE("EvtxEvents: the real logs") {
  const std::filesystem::path logs = MELDEVAKT_SOURCE_DIR "/../shared/data/logs";
  if (!std::filesystem::exists(logs)) {
    MESSAGE("no real logs here (" << logs.string() << "): skipped");
    return;
  }
  std::size_t files = 0;
  std::size_t events = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator{logs}) {
    if (entry.path().extension() != ".evtx") continue;
    std::ifstream file{entry.path(), std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
    const Read got = read_all(bytes);
    CAPTURE(entry.path().string());
    CHECK(got.error == "");
    CHECK(got.damage.records == 0);
    CHECK(got.damage.chunks == 0);
    CHECK(got.damage.cut == ((bytes.size() - kEvtxHeaderBytes) % kEvtxChunkBytes != 0));
    CHECK(std::is_sorted(got.events.begin(), got.events.end(),
                         [](const EvtxEvent& a, const EvtxEvent& b) { return a.id < b.id; }));
    for (const EvtxEvent& event : got.events) {
      CHECK(event.xml.find("<EventRecordID>") != std::string::npos);
    }
    ++files;
    events += got.events.size();
  }
  MESSAGE(files << " files, " << events << " events");
}

}  // namespace
}  // namespace meldevakt::agent
