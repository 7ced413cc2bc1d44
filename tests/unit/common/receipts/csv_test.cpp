#include "common/receipts/csv.h"

#include <doctest/doctest.h>

#include "common/receipts/receipts.h"

namespace meldevakt::collector {
namespace {

// "1[a|b] 2!" : row 1 with two fields, row 2 bad.
std::string read(std::string_view text, char separator = ';') {
  CsvReader reader{text, separator};
  std::string out;
  while (const auto row = reader.next()) {
    out += (out.empty() ? "" : " ") + std::to_string(row->number);
    if (!row->problem.empty()) {
      CHECK(row->fields.empty());
      out += "!";
      continue;
    }
    out += "[";
    for (std::size_t i = 0; i < row->fields.size(); ++i) {
      out += (i == 0 ? "" : "|") + row->fields[i];
    }
    out += "]";
  }
  return out;
}

TEST_CASE("CsvReader: rows") {
  struct Case {
    std::string_view name;
    std::string_view text;
    std::string_view rows;
  };
  const Case cases[] = {
      {"nothing", "", ""},
      {"one field", "a", "1[a]"},
      {"line ends", "a\nb\r\nc\rd", "1[a] 2[b] 3[c] 4[d]"},
      {"a line end at the end begins no row", "a\n", "1[a]"},
      {"blank rows count", "a\n\nb", "1[a] 2[] 3[b]"},
      {"fields", "a;b;c", "1[a|b|c]"},
      {"empty fields", ";a;\n;", "1[|a|] 2[|]"},
      {"quoted", "\"a\";\"b\"", "1[a|b]"},
      {"empty quoted", "\"\";\"\"", "1[|]"},
      {"separator in quotes", "\"a;b\";c", "1[a;b|c]"},
      {"line end in quotes", "\"a\r\nb\";c\nd", "1[a\r\nb|c] 2[d]"},
      {"doubled quotes", "\"a\"\"b\"\"\";c", "1[a\"b\"|c]"},
      {"a quote within a plain field", "a\"b;c\nd", "1! 2[d]"},
      {"text after the closing quote", "\"a\"b;c\nd", "1! 2[d]"},
      {"a quote that is never closed costs its row only", "\"a;b\nc;d\ne", "1! 2[c|d] 3[e]"},
      {"closed by the next row's quote", "\"a;b\n\"c\";d\ne", "1! 2[c|d] 3[e]"},
      {"a lone quote", "\"", "1!"},
      {"a lone quote and a line end", "\"\n", "1!"},
      {"two of them", "\"x\ny;\"z\nw", "1! 2! 3[w]"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(read(c.text) == c.rows);
  }
}

TEST_CASE("CsvReader: every short text ends, rows are numbered, good rows survive bad ones") {
  constexpr std::string_view alphabet = "a\";\n\r";
  for (std::size_t length = 0; length <= 6; ++length) {
    std::size_t total = 1;
    for (std::size_t i = 0; i < length; ++i) total *= alphabet.size();
    for (std::size_t code = 0; code < total; ++code) {
      std::string text;
      for (std::size_t i = 0, rest = code; i < length; ++i, rest /= alphabet.size()) {
        text.push_back(alphabet[rest % alphabet.size()]);
      }
      std::uint64_t rows = 0;
      CsvReader reader{text, ';'};
      while (const auto row = reader.next()) REQUIRE(row->number == ++rows);
      REQUIRE(rows <= length + 1);
      // Whatever stands before, a row on a line of its own is read when no quote is open.
      const bool quotes = text.find('"') != std::string::npos;
      if (quotes) continue;
      const std::string with_row = read(text + "\nx;y");
      REQUIRE(with_row.substr(with_row.rfind('[')) == "[x|y]");
    }
  }
}

TEST_CASE("CsvReader: bounds") {
  const std::string longest(kFieldBytesMax, 'a');
  CHECK(read(longest) == "1[" + longest + "]");
  CHECK(read(longest + "a;b\nc") == "1! 2[c]");
  CHECK(read("\"" + longest + "\";b\nc") == "1[" + longest + "|b] 2[c]");
  CHECK(read("\"" + longest + "a\";b\nc") == "1! 2[c]");
  std::string doubled;  // one quote more than the bound, in pieces that are within it
  for (std::size_t i = 0; i < kFieldBytesMax; i += 2) doubled += "a\"\"";
  CHECK(read("\"" + doubled + "\"\nc").substr(0, 2) == "1[");
  CHECK(read("\"" + doubled + "a\"\nc") == "1! 2[c]");
  std::string wide(kCsvFieldsMax - 1, ';');
  CHECK(read(wide + "\nc").substr(0, 2) == "1[");
  CHECK(read(wide + ";\nc") == "1! 2[c]");
}

TEST_CASE("CsvReader: files made of stray quotes come to an end") {
  for (const std::string_view piece :
       {"\"", "\"\n", "a;\"\n\",\"x;\"\n", "\"\n\";\"\n\";", ";\"\n", "\"x\n", "\"\"\"\n;"}) {
    CAPTURE(piece);
    std::string text;
    while (text.size() < 1'000'000) text += piece;
    CsvReader reader{text, ';'};
    std::uint64_t rows = 0;
    while (reader.next()) ++rows;
    CHECK(rows > 0);
  }
}

}  // namespace
}  // namespace meldevakt::collector
