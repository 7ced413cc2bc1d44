#include "common/receipts/receipts.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "common/receipts/counting_rows.h"
#include "common/receipts/headings.h"
#include "common/receipts/values.h"
#include "common/testing/doubles.h"

namespace meldevakt::collector {
namespace {

constexpr std::string_view kId = "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
constexpr std::string_view kOther = "6b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
const std::string kHeader =
    "bekymringsmeldingId;innsendt;bekreftet;skjemaType;kanal;bydelRessursId\n";

constexpr Instant kTold{1'772'582'400'000};  // 2026-03-04T00:00:00Z

std::shared_ptr<const TimeZone> oslo() {
  meldevakt::testing::RuleTimeZones zones;
  return zones.find("Europe/Oslo").value();
}

Result<Imported> parse(const std::string& csv, const ColumnMapping& columns = {}) {
  return parse_receipts(csv, "npb", columns, *oslo(), kTold);
}

// The newest that counts of all that a file says of one message.
Receipt counting(const Imported& imported) {
  std::vector<WeighedRow> rows;
  for (const Receipt& row : imported.receipts) rows.push_back({row, telling_of(row, kTold)});
  const std::vector<Receipt> counting = counting_rows(rows);
  return *std::max_element(counting.begin(), counting.end(),
                           [](const Receipt& a, const Receipt& b) { return is_newer(b, a); });
}

std::string time_text(const std::optional<Instant>& time) {
  return time ? to_rfc3339(*time) : "-";
}

std::string text_of(const Receipt& r) {
  return r.message_id.substr(0, 2) + " " + time_text(r.sent) + " " + time_text(r.confirmed) + " " +
         std::string{to_string(r.form)} + " " + r.channel + " " + r.district;
}

TEST_CASE("parse_receipts: one row") {
  const auto imported = parse(kHeader + std::string{kId} +
                              ";2026-03-02T10:00:00;02.03.2026 10:00:01;PRIVAT;Fagsystem;b-7\n");
  REQUIRE(imported);
  CHECK(imported.value().rows == 1);
  CHECK(imported.value().errors.empty());
  REQUIRE(imported.value().receipts.size() == 1);
  const Receipt& receipt = imported.value().receipts.front();
  CHECK(receipt.portal == "npb");
  CHECK(text_of(receipt) ==
        "5b 2026-03-02T09:00:00.000Z 2026-03-02T09:00:01.000Z PRIVAT case_system b-7");
}

TEST_CASE("parse_receipts: headings, separators and encodings") {
  const std::string row = std::string{kId} + ";2026-03-02T10:00:00Z;;OFFENTLIG;Print;";
  const std::string want = "5b 2026-03-02T10:00:00.000Z - OFFENTLIG print ";
  std::string commas = kHeader + row;
  std::replace(commas.begin(), commas.end(), ';', ',');
  std::string tabs = kHeader + row;
  std::replace(tabs.begin(), tabs.end(), ';', '\t');
  const std::string files[] = {
      kHeader + row,
      "\xEF\xBB\xBF" + kHeader + row,
      commas,
      tabs,
      "BEKYMRINGSMELDING-ID; Innsendt ;BEKREFTET;skjema type;Kanal;bydels ressurs id\r\n" + row,
      "\"bekymringsmeldingId\";\"innsendt\";\"bekreftet\";\"skjemaType\";\"kanal\";\"x\"\n" + row,
      "innsendt_tidspunkt;Bekymringsmelding ID;b\xC3\xA8kreftet;form;channel;district\n"
      "2026-03-02T10:00:00Z;" +
          std::string{kId} + ";;OFFENTLIG;Print;",
      // Windows-1252, an o with a stroke in a heading nobody asks for
      "bekymringsmeldingId;innsendt;bekreftet;skjemaType;kanal;s\xF8knad\n" + row,
  };
  for (const std::string& file : files) {
    CAPTURE(file);
    const auto imported = parse(file);
    REQUIRE(imported);
    REQUIRE(imported.value().receipts.size() == 1);
    CHECK(text_of(imported.value().receipts.front()) == want);
  }
}

TEST_CASE("parse_receipts: columns by configuration") {
  const ColumnMapping columns{{"message_id", {"Referanse"}}, {"confirmed", {"Kvittert p\xC3\xA5"}}};
  const auto imported = parse("REFERANSE;innsendt;kvittert pa\n" + std::string{kId} +
                                  ";2026-03-02T10:00:00Z;2026-03-02T10:00:01Z",
                              columns);
  REQUIRE(imported);
  REQUIRE(imported.value().receipts.size() == 1);
  CHECK(text_of(imported.value().receipts.front()) ==
        "5b 2026-03-02T10:00:00.000Z 2026-03-02T10:00:01.000Z UKJENT  ");
}

TEST_CASE("parse_receipts: what cannot be read at all says what is missing") {
  struct Case {
    std::string file;
    ColumnMapping columns;
    std::string says;
  };
  const std::vector<Case> cases{
      {"", {}, "empty"},
      {"\"", {}, "header: a quote is not closed"},
      {"a;b;c\n", {}, "no column for message_id; its heading may be bekymringsmeldingId"},
      {"bekymringsmeldingId;innsendt\n", {}, "no column for confirmed"},
      {"bekymringsmeldingId;innsendt;bekreftet;Innsendt\n", {}, "two columns"},
      {kHeader, {{"mesage_id", {"x"}}}, "did you mean 'message_id'"},
      {std::string("\xFF\xFE") + std::string("b\0e\0", 4), {}, "UTF-16"},
      {std::string("b\0e\0", 4), {}, "UTF-16"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.says);
    const auto imported = parse(c.file, c.columns);
    REQUIRE(!imported);
    CHECK(imported.error().code() == Errc::kInvalid);
    CHECK(imported.error().message().find(c.says) != std::string::npos);
  }
  const auto large = parse(std::string(kCsvBytesMax + 1, 'a'));
  REQUIRE(!large);
  CHECK(large.error().code() == Errc::kLimit);
}

TEST_CASE("parse_receipts: a bad row costs itself only, and its text is not repeated") {
  const std::string id{kId};
  const std::string good = std::string{kOther} + ";2026-03-02T10:00:00Z;;PRIVAT;;\n";
  struct Case {
    std::string row;
    std::string says;
  };
  const std::vector<Case> cases{
      {"hemmelig;2026-03-02T10:00:00Z;;;;", "message_id is not a UUID"},
      {"5b0c8f0e-6f0e-1a44-9a39-1d6f0c1b7a10;2026-03-02T10:00:00Z;;;;", "UUID of version 4"},
      {";2026-03-02T10:00:00Z;;;;", "message_id is not a UUID"},
      {id + ";hemmelig;;;;", "sent is not a time; understood are"},
      {id + ";2026-02-30T10:00:00;;;;", "sent is not a time"},
      {id + ";2026-03-02T10:00:00Z;hemmelig;;;", "confirmed is not a time"},
      {id + ";2026-03-02T10:00:00Z;;;", "the row has 5 fields, the header 6"},
      {id + ";2026-03-02T10:00:00Z;;;;;hemmelig", "the row has 7 fields, the header 6"},
      {id + ";;;;;", "both empty"},
      {id + ";\"hemmelig;;;;", "a quote is not closed"},
      {id + ";\"hemmelig\"x;;;;", "follows the closing quote"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.row);
    const auto imported = parse(kHeader + good + c.row + "\n" + good);
    REQUIRE(imported);
    REQUIRE(imported.value().errors.size() == 1);
    CHECK(imported.value().errors[0].row == 3);
    CHECK(imported.value().errors[0].message.find(c.says) != std::string::npos);
    CHECK(imported.value().errors[0].message.find("hemmelig") == std::string::npos);
    CHECK(imported.value().rows == 3);
    CHECK(imported.value().bad_rows == 1);
    CHECK(imported.value().repeated == 1);
    REQUIRE(imported.value().receipts.size() == 1);
    CHECK(imported.value().receipts[0].message_id == kOther);
  }
}

TEST_CASE("parse_receipts: rows of another organisation are told and cost nothing else") {
  const std::string a = "0a0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
  const std::string b = "0B0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10";
  const std::string list = "bekymringsmeldingId;innsendt;bekreftet;fiksOrgId\n" + std::string{kId} +
                           ";2026-03-02T10:00:00Z;;" + a + "\n" + std::string{kOther} +
                           ";2026-03-02T10:00:00Z;; " + b + " \n";
  struct Case {
    std::string_view name;
    ListOwner owner;
    std::vector<std::uint64_t> refused;
    std::string_view says;
  };
  const std::vector<Case> cases{
      {"nobody said whose it is", {}, {}, ""},
      {"both", {{a, b}, {}}, {}, ""},
      {"one, in other letters",
       {{"0b0C8F0E-6f0e-4a44-9a39-1d6f0c1b7a10"}, {}},
       {2},
       "none of those named for this tenant"},
      {"somebody else's", {{}, {b}}, {3}, "another tenant"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const auto imported = parse_receipts(list, "npb", {}, *oslo(), kTold, c.owner);
    REQUIRE(imported);
    CHECK(imported.value().receipts.size() == 2 - c.refused.size());
    REQUIRE(imported.value().errors.size() == c.refused.size());
    for (std::size_t i = 0; i < c.refused.size(); ++i) {
      CHECK(imported.value().errors[i].row == c.refused[i]);
      CHECK(imported.value().errors[i].message.find(c.says) != std::string::npos);
    }
  }
}

TEST_CASE("parse_receipts: blank rows are none, and bad ones beyond the bound are counted") {
  std::string file = kHeader + "\n;;;;;\n \n";
  for (std::size_t i = 0; i < kRowErrorsMax + 5; ++i) file += "x\n";
  const auto imported = parse(file);
  REQUIRE(imported);
  CHECK(imported.value().rows == kRowErrorsMax + 5);
  CHECK(imported.value().bad_rows == kRowErrorsMax + 5);
  CHECK(imported.value().errors.size() == kRowErrorsMax);
  CHECK(imported.value().errors[0].row == 5);
}

TEST_CASE("parse_receipts: several rows of one message, in whatever order") {
  const std::string id{kId};
  std::vector<std::string> rows{
      id + ";2026-03-02T10:00:00Z;;;Fagsystem;b-7",
      id + ";2026-03-02T10:00:01Z;2026-03-02T10:05:00Z;;Fagsystem;",
      id + ";;2026-03-03T08:00:00Z;PRIVAT;Manuelt mottak;",
      id + ";2026-03-02T10:00:01Z;2026-03-02T10:05:00Z;;Fagsystem;",
  };
  std::sort(rows.begin(), rows.end());
  std::size_t orders = 0;
  do {
    std::string file = kHeader;
    for (const std::string& row : rows) file += row + "\n";
    const auto imported = parse(file);
    REQUIRE(imported);
    CHECK(imported.value().repeated == 1);
    REQUIRE(imported.value().receipts.size() == 3);  // none is given up for another
    REQUIRE(text_of(counting(imported.value())) == "5b - 2026-03-03T08:00:00.000Z PRIVAT manual ");
    ++orders;
  } while (std::next_permutation(rows.begin(), rows.end()));
  CHECK(orders == 12);
}

TEST_CASE("parse_receipts: a row with times still to come counts only where it stands alone") {
  const std::string good =
      std::string{kId} + ";2026-03-02T10:00:00Z;2026-03-02T10:05:00Z;;Fagsystem;\n";
  const std::string fast =
      std::string{kId} + ";2026-03-02T10:00:00Z;2026-03-04T00:10:00Z;;Print;\n";
  const std::string ahead =
      std::string{kId} + ";2026-03-02T10:00:00Z;2027-03-02T10:05:00Z;;Print;\n";
  const std::string sent_ahead = std::string{kId} + ";2026-03-04T00:10:01Z;;;Print;b-7\n";
  struct Case {
    std::string rows;
    std::uint64_t ahead;
    std::string_view counts;
  };
  const Case cases[] = {
      {good + ahead, 1, "5b 2026-03-02T10:00:00.000Z 2026-03-02T10:05:00.000Z UKJENT case_system "},
      {good + sent_ahead, 1,
       "5b 2026-03-02T10:00:00.000Z 2026-03-02T10:05:00.000Z UKJENT case_system "},
      {ahead + sent_ahead, 2, "5b 2026-03-02T10:00:00.000Z 2027-03-02T10:05:00.000Z UKJENT print "},
      {good + fast, 0, "5b 2026-03-02T10:00:00.000Z 2026-03-04T00:10:00.000Z UKJENT print "},
  };
  for (const Case& c : cases) {
    CAPTURE(c.rows);
    const auto imported = parse(kHeader + c.rows);
    REQUIRE(imported);
    CHECK(imported.value().ahead == c.ahead);
    REQUIRE(imported.value().receipts.size() == 2);
    CHECK(text_of(counting(imported.value())) == c.counts);
  }
}

TEST_CASE("parse_receipts: of two unconfirmed rows the one that prints is the newer") {
  const std::string svarut = std::string{kId} + ";2026-03-02T10:00:00Z;;;SvarUt;\n";
  const std::string print = std::string{kId} + ";2026-03-02T10:00:00Z;;;Print;\n";
  for (const std::string& file : {kHeader + svarut + print, kHeader + print + svarut}) {
    const auto imported = parse(file);
    REQUIRE(imported);
    REQUIRE(imported.value().receipts.size() == 2);
    CHECK(counting(imported.value()).channel == kPrintChannel);
  }
}

TEST_CASE("parse_cell_time: how Norwegian systems write it") {
  struct Case {
    std::string_view text;
    std::string_view early;  // "!" = no time
    std::string_view late;
  };
  const Case cases[] = {
      {"", "-", "-"},
      {"  ", "-", "-"},
      {"2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z", ""},
      {"2026-01-02T03:04:05.678+01:00", "2026-01-02T02:04:05.678Z", ""},
      {" 2026-01-02T03:04:05 ", "2026-01-02T02:04:05.000Z", ""},
      {"2026-07-02T03:04:05", "2026-07-02T01:04:05.000Z", ""},
      {"2026-07-02 03:04:05.1239", "2026-07-02T01:04:05.123Z", ""},
      {"2026-07-02 03:04", "2026-07-02T01:04:00.000Z", ""},
      {"02.07.2026 03:04:05", "2026-07-02T01:04:05.000Z", ""},
      {"02.07.2026 03:04", "2026-07-02T01:04:00.000Z", ""},
      {"1772445600000", "2026-03-02T10:00:00.000Z", ""},
      {"253402300799999", "9999-12-31T23:59:59.999Z", ""},
      // The hour that autumn repeats, and its edges.
      {"2026-10-25T01:59:59", "2026-10-24T23:59:59.000Z", ""},
      {"2026-10-25T02:00:00", "2026-10-25T00:00:00.000Z", "2026-10-25T01:00:00.000Z"},
      {"25.10.2026 02:59:59", "2026-10-25T00:59:59.000Z", "2026-10-25T01:59:59.000Z"},
      {"2026-10-25T03:00:00", "2026-10-25T02:00:00.000Z", ""},
      // The hour that spring skips is read with the offset before.
      {"2026-03-29T02:30:00", "2026-03-29T01:30:00.000Z", ""},
      {"253402300800000", "!", "!"},
      {"1772445600", "!", "!"},  // seconds, or a number
      {"99999999999999999999", "!", "!"},
      {"2026-13-02T03:04:05", "!", "!"},
      {"2026-02-29T03:04:05", "!", "!"},
      {"2026-01-02T24:04:05", "!", "!"},
      {"2026-01-02", "!", "!"},
      {"2026-01-02T03:04:05.", "!", "!"},
      {"2026-01-02T03:04:05x", "!", "!"},
      {"2.7.2026 03:04:05", "!", "!"},
      {"02.07.26 03:04:05", "!", "!"},
      {"07/02/2026 03:04", "!", "!"},
      {"true", "!", "!"},
      {"1969-12-31T23:59:59", "!", "!"},
  };
  const auto zone = oslo();
  for (const Case& c : cases) {
    CAPTURE(c.text);
    for (const Reading reading : {Reading::kEarlier, Reading::kLater}) {
      const auto got = parse_cell_time(c.text, *zone, reading);
      const std::string text = got ? time_text(got.value()) : "!";
      const bool late = reading == Reading::kLater && !c.late.empty();
      CHECK(text == (late ? c.late : c.early));
    }
  }
}

TEST_CASE("parse_receipts: in the repeated hour sent is early, confirmed is late") {
  const auto imported =
      parse(kHeader + std::string{kId} + ";25.10.2026 02:10:00;25.10.2026 02:10:01;;;");
  REQUIRE(imported);
  REQUIRE(imported.value().receipts.size() == 1);
  CHECK(text_of(imported.value().receipts[0]) ==
        "5b 2026-10-25T00:10:00.000Z 2026-10-25T01:10:01.000Z UKJENT  ");
}

TEST_CASE("cells: channels, forms, districts, headings") {
  const std::pair<std::string_view, std::string_view> channels[] = {{"Fagsystem", "case_system"},
                                                                    {"FIKS_IO", "case_system"},
                                                                    {"SvarUt", "svarut"},
                                                                    {"SVARINN", "svarut"},
                                                                    {"Manuelt mottak", "manual"},
                                                                    {"nedlasting", "manual"},
                                                                    {"Print", "print"},
                                                                    {"SENDT_PRINT", "print"},
                                                                    {"post", "print"},
                                                                    {"Altinn", "other"},
                                                                    {"", ""},
                                                                    {"  ", ""}};
  for (const auto& [text, channel] : channels) {
    CAPTURE(text);
    CHECK(channel_from_text(text) == channel);
  }
  CHECK(form_from_cell("privat") == FormType::kPrivate);
  CHECK(form_from_cell(" OFFENTLIG ") == FormType::kPublic);
  CHECK(form_from_cell("noe annet") == FormType::kUnknown);
  CHECK(district_from_cell(" b-7 ") == "b-7");
  CHECK(district_from_cell("5b0c8f0e-6f0e-4a44-9a39-12345678901a") ==
        "5b0c8f0e-6f0e-4a44-9a39-12345678901a");
  CHECK(district_from_cell("Kari Nordmann") == "");
  CHECK(district_from_cell("12345678901") == "");
  CHECK(district_from_cell(std::string(65, 'a')) == "");
  CHECK(folded("Sendt-INN p\xC3\xA5") == "sendtinnpa");
  CHECK(folded("\xC3\x98ST \xC3\x86re\xC2\xA0") == "ostaere");
}

TEST_CASE("parse_receipts: any bytes at all") {
  const std::uint64_t seed = 7;
  CAPTURE(seed);
  meldevakt::testing::SeededRandom random{seed};
  const std::string good = kHeader + std::string{kId} + ";2026-03-02T10:00:00Z;\"a\";PRIVAT;;x\n";
  for (int i = 0; i < 3000; ++i) {
    std::string file = good + good.substr(good.find('\n') + 1);
    for (std::uint64_t change = 0; change <= random.below(6); ++change) {
      const auto at = static_cast<std::size_t>(random.below(file.size()));
      constexpr std::string_view odd = "\";\n\r,\t\xC3\xFF 0";
      if (random.below(3) == 0) {
        file.erase(at, 1);
      } else {
        file[at] = odd[random.below(odd.size())];
      }
    }
    const auto imported = parse(file);
    if (!imported) continue;
    const Imported& got = imported.value();
    REQUIRE(got.bad_rows <= got.rows);
    REQUIRE(got.receipts.size() + got.repeated + got.bad_rows == got.rows);
    for (const Receipt& receipt : got.receipts) REQUIRE(receipt.message_id.size() == 36);
  }
}

}  // namespace
}  // namespace meldevakt::collector
