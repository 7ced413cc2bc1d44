// A portal's CSV as a source: every row once, whatever cuts and restarts lie between; a bad row
// costs itself; and a file is called complete only when its name says so and all of it was read.
#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/rules/shipped_packs.h"
#include "tests/unit/agent/summarise/watched.h"
#include "tests/unit/common/property.h"

namespace meldevakt::agent {
namespace {

using meldevakt::testing::SeededRandom;
using testing::at;
using testing::Watched;

constexpr std::string_view kHeader = "bekymringsmeldingId;innsendt;bekreftet;skjemaType;kanal\n";

std::string id_of(int n) {
  const std::string digits = std::to_string(n);
  return "7e57a110-0000-4000-8000-" + std::string(12 - digits.size(), '0') + digits;
}
std::string row(int n, std::string_view confirmed = "2024-05-01T11:00:00") {
  return id_of(n) + ";2024-05-01T10:00:" + (n < 10 ? "0" : "") + std::to_string(n) + ";" +
         std::string{confirmed} + ";PRIVAT;Fagsystem\n";
}

SourcePipeline::Settings receipt_settings() {
  SourcePipeline::Settings settings = testing::trace_settings();
  static const std::shared_ptr<const Pack> pack = [] {
    for (const ShippedPack& shipped : shipped_packs()) {
      if (shipped.file_name != "portal-receipts.rules.toml") continue;
      return load_pack(shipped.text, shipped.file_name).value();
    }
    FAIL("no such pack");
    return std::shared_ptr<const Pack>{};
  }();
  settings.name = "portal";
  settings.pack = pack;
  meldevakt::testing::RuleTimeZones zones;
  settings.zone = zones.find("Europe/Oslo").value();
  settings.receipts = ReceiptSettings{"npb", {}, settings.zone};
  return settings;
}

std::string shown(const Fact& fact) {
  if (const auto* const receipt = std::get_if<Receipt>(&fact.what)) {
    return receipt->message_id.substr(34) + " " +
           (receipt->sent ? to_rfc3339(*receipt->sent).substr(11, 8) : "-") + " " +
           (receipt->confirmed ? to_rfc3339(*receipt->confirmed).substr(11, 8) : "-") + " " +
           receipt->channel;
  }
  const auto& complete = std::get<ReceiptCoverage>(fact.what);
  return "complete " + to_rfc3339(complete.span.from) + " " + to_rfc3339(complete.span.to);
}
std::vector<std::string> shown(const std::vector<Fact>& facts) {
  std::map<std::string, std::string> by_id;
  for (const Fact& fact : facts) by_id[fact.id] = shown(fact);
  std::vector<std::string> out;
  for (const auto& [id, text] : by_id) out.push_back(text);
  std::sort(out.begin(), out.end());
  return out;
}

// Feeds a whole file and lets it rest.
std::vector<std::string> read(std::string_view name, std::string_view text,
                              std::vector<std::string>* notes = nullptr) {
  Watched watched{at(0), receipt_settings()};
  watched.pipeline.name_file("k", name, "");
  watched.pipeline.begin_file("k", 0);
  watched.pipeline.feed("k", text, at(0));
  for (int second = 1; second <= 30; ++second) watched.pipeline.idle(at(second));
  if (notes != nullptr) *notes = watched.pipeline.take_notes();
  const SourceYield yield = watched.take(at(31));
  CHECK(yield.coverage.observes.empty());
  CHECK(yield.coverage.bytes.pending == 0);
  return shown(watched.facts);
}

using Lines = std::vector<std::string>;

TEST_CASE("receipts: of many bad rows the first are told, and how many more there were") {
  const auto notes_of = [](int bad) {
    std::string text{kHeader};
    for (int i = 0; i < bad; ++i) text += "no id;x\n";
    Lines notes;
    CHECK(read("a.csv", text, &notes).empty());
    return notes;
  };
  CHECK(notes_of(20).size() == 20);
  const Lines notes = notes_of(1023);
  REQUIRE(notes.size() == 21);
  CHECK(notes[19].find("row 21 is no receipt") != std::string::npos);
  CHECK(notes[20] == "and 1003 more rows are no receipts");
}

TEST_CASE("receipts: rows in every way of writing them") {
  const Lines want{"01 08:00:01 09:00:00 case_system", "02 08:00:02 - case_system"};
  const std::string rows = row(1) + row(2, "");
  CHECK(read("a.csv", std::string{kHeader} + rows) == want);
  SUBCASE("another delimiter, found from the header") {
    for (const char delimiter : {',', '\t'}) {
      std::string text = std::string{kHeader} + rows;
      std::replace(text.begin(), text.end(), ';', delimiter);
      CHECK(read("a.csv", text) == want);
    }
  }
  SUBCASE("no line end behind the last row; CR LF; a BOM; blank lines; the same row twice") {
    std::string text = std::string{kHeader} + rows;
    text.pop_back();
    CHECK(read("a.csv", text) == want);
    std::string windows = "\xEF\xBB\xBF";
    for (const char c : std::string{kHeader} + "\n" + rows + rows) {
      windows += c == '\n' ? "\r\n" : std::string(1, c);
    }
    CHECK(read("a.csv", windows) == want);
  }
  SUBCASE("quoted fields, other headings, another order, columns nobody asked for") {
    CHECK(read("a.csv",
               "Kommentar,Bekreftet mottatt,\"message_id\",Sendt inn,kanal\n"
               "\"ja, \"\"nei\"\"\",\"01.05.2024 11:00:00\"," +
                   id_of(1) + ",01.05.2024 10:00:01,Fagsystem\n,," + id_of(2) +
                   ",2024-05-01T08:00:02Z,Fagsystem\n") == want);
  }
}

TEST_CASE("receipts: a bad row costs itself, and is told with its number and without its text") {
  std::vector<std::string> notes;
  const std::string secret = "Kari Nordmann";
  const auto got =
      read("mai 2024-05-01 2024-05-01.csv",
           std::string{kHeader} + row(1) + secret + ";x;y;z;w\n" + row(2) + "\"" + secret +
               ";open quote\n" + row(3) + id_of(4) + ";igår;;;\n" + id_of(5) +
               ";2024-05-01T10:00:05\n" + row(6) + row(7).substr(0, 40) + "\n" + row(8),
           &notes);
  CHECK(got == Lines{"01 08:00:01 09:00:00 case_system", "02 08:00:02 09:00:00 case_system",
                     "03 08:00:03 09:00:00 case_system", "06 08:00:06 09:00:00 case_system",
                     "08 08:00:08 09:00:00 case_system"});  // and no claim of completeness
  REQUIRE(notes.size() == 5);
  for (const std::string& note : notes) {
    CHECK(note.find("mai 2024-05-01 2024-05-01.csv: row ") == 0);
    CHECK(note.find(secret) == std::string::npos);
  }
  CHECK(notes[0].find("row 3 is no receipt: message_id is not a UUID") != std::string::npos);
}

TEST_CASE("receipts: a file without a column is told what is missing") {
  std::vector<std::string> notes;
  CHECK(
      read("a.csv", "bekymringsmeldingId;innsendt\n" + id_of(1) + ";2024-05-01T10:00:00\n", &notes)
          .empty());
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("no column for confirmed") != std::string::npos);
}

TEST_CASE("receipts: complete as its name says, up to the newest message in it") {
  const std::string text = std::string{kHeader} + row(1) + row(2);
  const Lines rows{"01 08:00:01 09:00:00 case_system", "02 08:00:02 09:00:00 case_system"};
  Lines with_claim = rows;
  with_claim.push_back("complete 2024-04-29T22:00:00.000Z 2024-05-01T08:00:02.000Z");
  CHECK(read("uke 2024-04-30 til 2024-05-01.csv", text) == with_claim);
  CHECK(read("uke 2024-05-01.csv", text) == rows);
  CHECK(read("uke 2024-06-01 2024-06-02.csv", text) == rows);  // a claim before its own beginning
  // Not before it rests, and again when it has grown.
  Watched watched{at(0), receipt_settings()};
  watched.pipeline.name_file("k", "2024-05-01 2024-05-02.csv", "");
  watched.pipeline.begin_file("k", 0);
  watched.pipeline.feed("k", text, at(0));
  watched.pipeline.idle(at(9.9));
  static_cast<void>(watched.take(at(9.9)));
  CHECK(shown(watched.facts) == rows);
  watched.pipeline.idle(at(10));
  static_cast<void>(watched.take(at(10)));
  CHECK(shown(watched.facts).size() == 3);
  watched.pipeline.feed("k", row(3), at(11));
  watched.pipeline.idle(at(22));
  static_cast<void>(watched.take(at(22)));
  CHECK(shown(watched.facts).size() == 5);
}

TEST_CASE("receipts: cut, killed and read again anywhere: each row once, the same account") {
  const std::uint64_t seed = meldevakt::testing::property_seed();
  SeededRandom random{seed};
  for (int round = 0; round < 300; ++round) {
    std::string text{kHeader};
    const int rows = 1 + static_cast<int>(random.below(8));
    for (int n = 1; n <= rows; ++n) {
      text += random.below(6) == 0 ? "søppel;\"x\n" : row(n);
    }
    const std::string name = random.below(2) == 0 ? "a.csv" : "2024-05-01 2024-05-01.csv";
    const Lines want = read(name, text);
    Watched watched{at(0), receipt_settings()};
    watched.pipeline.name_file("k", name, "");
    watched.pipeline.begin_file("k", 0);
    std::size_t fed = 0;
    double time = 0;
    while (fed < text.size()) {
      const std::size_t size = 1 + random.below(text.size() - fed);
      time += 0.25;
      watched.pipeline.feed("k", std::string_view{text}.substr(fed, size), at(time));
      fed += size;
      if (random.below(3) == 0) static_cast<void>(watched.take(at(time)));
      if (random.below(3) != 0) continue;
      // Killed: what was taken and not stored is taken again; reading starts at the low water.
      watched.restart(at(time), at(time));
      fed = watched.pipeline.low_water("k");
      watched.pipeline.name_file("k", name, "");
      watched.pipeline.begin_file("k", fed);
    }
    for (int second = 0; second < 30; ++second) watched.pipeline.idle(at(time + second));
    static_cast<void>(watched.take(at(time + 31)));
    CHECK_MESSAGE(shown(watched.facts) == want, "seed " << seed << " round " << round);
  }
}

}  // namespace
}  // namespace meldevakt::agent
