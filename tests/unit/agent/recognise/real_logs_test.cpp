// Real PostgreSQL logs, where they are at hand: nothing breaks, every byte is accounted for, times
// are read.
#include <doctest/doctest.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/record_framer.h"
#include "agent/recognise/recogniser.h"
#include "agent/rules/shipped_packs.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

std::string unpacked(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  const std::string tool = extension == ".gz"    ? "gzip -dc"
                           : extension == ".bz2" ? "bzip2 -dc"
                                                 : "cat";
  std::FILE* const pipe = popen((tool + " '" + path.string() + "'").c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  std::array<char, 65536> buffer{};
  for (std::size_t n = 0; (n = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
    out.append(buffer.data(), n);
  }
  pclose(pipe);
  return out;
}

struct Tally {
  std::uint64_t records = 0;  // with a header
  std::uint64_t timed = 0;
  std::uint64_t known = 0;
  std::uint64_t events = 0;
  std::uint64_t limited = 0;
};

Tally run(const std::string& text, const std::shared_ptr<const Pack>& pack, std::size_t chunk) {
  auto zone = testing::RuleTimeZones{}.find("Europe/Oslo");
  REQUIRE(zone.has_value());
  Recogniser recogniser{pack, zone.value(), PrivacyStep{""}};
  RecordFramer framer{framer_settings(*pack), recogniser.line_tests(), 0};
  Tally out;
  std::uint64_t next_offset = 0;
  const auto drain = [&] {
    while (const auto record = framer.next()) {
      REQUIRE(record->offset == next_offset);
      next_offset += record->bytes;
      const Recognised got = recogniser.recognise(*record);
      if (!record->orphan) {
        ++out.records;
        out.timed += got.has_own_time ? 1 : 0;
      }
      out.known += got.known ? 1 : 0;
      out.events += got.events.size();
      out.limited += got.limited ? 1 : 0;
      for (const SignalEvent& event : got.events) REQUIRE(event.references.empty());
    }
    const RecordFramer::Stats& s = framer.stats();
    REQUIRE(s.bytes_fed == s.record_bytes + s.dropped_bytes + framer.pending_bytes());
  };
  for (std::size_t at = 0; at < text.size(); at += chunk) {
    framer.feed(std::string_view{text}.substr(at, chunk), Instant{0});
    drain();
  }
  framer.finish();
  drain();
  REQUIRE(next_offset == text.size());
  return out;
}

TEST_CASE("real logs: PostgreSQL samples, where they are at hand") {
  const std::filesystem::path folder =
      std::filesystem::path{MELDEVAKT_SOURCE_DIR} / "../shared/data/logs";
  if (!std::filesystem::is_directory(folder)) {
    MESSAGE("skipped: no sample logs beside the source tree");
    return;
  }
  std::vector<std::shared_ptr<const Pack>> packs;
  for (const ShippedPack& file : shipped_packs()) {
    // The others have a test of their own: agent/rules/real_logs_count_test.cpp.
    const bool here = file.file_name.substr(0, 8) == "familia-" ||
                      file.file_name == "postgresql-stderr.rules.toml";
    if (!here) continue;
    auto pack = load_pack(file.text, file.file_name, find_shipped_shared_rules);
    REQUIRE(pack.has_value());
    packs.push_back(pack.value());
  }
  std::uint64_t with_header = 0;
  for (const std::string_view producer :
       {"darold_pgbadger", "chobostar_demo-single-1rt-statement-timeout", "tstack_lnav",
        "pganalyze_collector", "elodiecs_Simple.Todo", "jonathanread_ACP",
        "RXROW_Risk-management-system"}) {
    if (!std::filesystem::is_directory(folder / producer)) continue;
    for (const auto& entry : std::filesystem::recursive_directory_iterator{folder / producer}) {
      if (!entry.is_regular_file() || entry.file_size() > 4'000'000) continue;
      const std::string text = unpacked(entry.path());
      const std::string name = entry.path().filename().string();
      const bool is_postgresql =
          producer == "darold_pgbadger" || name.find("postgres") != std::string::npos;
      CAPTURE(name);
      for (const auto& pack : packs) {
        const Tally got = run(text, pack, 4096);
        CHECK(got.limited == 0);
        if (is_postgresql) CHECK(got.timed * 100 >= got.records * 99);
        if (pack->identity.id != "postgresql-stderr") {
          CHECK(got.events == 0);
          continue;
        }
        with_header += got.records;
        MESSAGE(entry.path().filename().string()
                << ": " << got.records << " records, " << got.timed << " timed, " << got.known
                << " known, " << got.events << " events");
      }
    }
  }
  CHECK(with_header > 4500);
}

}  // namespace
}  // namespace meldevakt::agent
