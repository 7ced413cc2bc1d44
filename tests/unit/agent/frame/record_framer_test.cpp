#include "agent/frame/record_framer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

constexpr Instant kNow{1'000'000};

bool starts_with_hash(std::string_view line) {
  return line.substr(0, 1) == "#";
}

struct World {
  std::uint32_t lines_max = 100;
  std::uint32_t bytes_max = 100;
  std::vector<Encoding> encodings{Encoding::kUtf8};
  std::uint64_t offset = 0;
};

RecordFramer make_framer(const World& world) {
  RecordFramer::Settings settings;
  settings.encodings = world.encodings;
  settings.lines_max = world.lines_max;
  settings.record_bytes_max = world.bytes_max;
  return RecordFramer{settings, starts_with_hash, world.offset};
}

// The laws that hold after every step.
void check_laws(const RecordFramer& framer, const World& world) {
  const RecordFramer::Stats& s = framer.stats();
  REQUIRE(s.bytes_fed == s.record_bytes + s.dropped_bytes + framer.pending_bytes());
  REQUIRE(framer.low_water() == world.offset + s.record_bytes + s.dropped_bytes);
}

std::string in_words(const Record& record) {
  return std::to_string(record.offset) + "+" + std::to_string(record.bytes) +
         (record.orphan ? "o" : "") + (record.truncated ? "~" : "") + "[" + record.text + "]";
}

std::string drain(RecordFramer& framer, const World& world) {
  std::string out;
  while (const auto record = framer.next()) {
    out += in_words(*record);
    check_laws(framer, world);
    REQUIRE(framer.low_water() == record->offset + record->bytes);
  }
  check_laws(framer, world);
  return out;
}

std::string frame(const std::vector<std::string>& chunks, const World& world) {
  RecordFramer framer = make_framer(world);
  std::string out;
  std::uint64_t fed = 0;
  for (const std::string& chunk : chunks) {
    framer.feed(chunk, kNow);
    fed += chunk.size();
    out += drain(framer, world);
  }
  framer.finish();
  out += drain(framer, world);
  REQUIRE(framer.pending_bytes() == 0);
  REQUIRE(framer.low_water() == world.offset + fed);
  return out;
}

std::string as_utf16(std::string_view ascii) {
  std::string out;
  for (const char c : ascii) {
    out.push_back(c);
    out.push_back('\0');
  }
  return out;
}

TEST_CASE("RecordFramer: lines become records where one starts") {
  struct Case {
    std::string_view name;
    std::string bytes;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"nothing", "", ""},
      {"one record", "#a\n", "0+3[#a]"},
      {"two records", "#a\n#b\n", "0+3[#a]3+3[#b]"},
      {"continued", "#a\n at x\n at y\n#b\n", "0+15[#a\n at x\n at y]15+3[#b]"},
      {"blank and bare lines continue", "#a\n\nbar\n#b\n", "0+8[#a\n\nbar]8+3[#b]"},
      {"windows lines", "#a\r\n x\r\n#b\r\n", "0+8[#a\n x]8+4[#b]"},
      {"mixed lines", "#a\r\n x\n#b\n", "0+7[#a\n x]7+3[#b]"},
      {"a lone return is text", "#a\rb\n", "0+5[#a\rb]"},
      {"no terminator at the end of the file", "#a\n#b", "0+3[#a]3+2[#b]"},
      {"before the first header", "x\ny\n#a\n", "0+4o[x\ny]4+3[#a]"},
      {"byte order mark", "\xEF\xBB\xBF#a\n#b\n", "0+6[#a]6+3[#b]"},
      {"only a byte order mark", "\xEF\xBB\xBF", "0+3o[]"},
      {"half a byte order mark", "\xEF\xBB", "0+2o[\uFFFD]"},
      {"NUL bytes", std::string("#\0a\n\0\n", 6), {"0+6[#\0a\n\0]", 10}},
      {"not UTF-8", "#\xE5\n", "0+3[#\uFFFD]"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(frame({c.bytes}, {}) == c.want);
  }
}

TEST_CASE("RecordFramer: UTF-16 is cut at whole code units only") {
  const World world{.encodings = {Encoding::kUtf16Le}};
  CHECK(frame({as_utf16("#a\r\n x\n#b\n")}, world) == "0+14[#a\n x]14+6[#b]");
  CHECK(frame({"\xFF\xFE" + as_utf16("#a\n")}, {}) == "0+8[#a]");  // the mark decides
  // U+0A00 and U+000A side by side, U+0D0A: bytes that look like a line end across a unit's border.
  const std::string tricky =
      as_utf16("#") + std::string("\x00\x0A\x0A\x0D", 4) + as_utf16("\n#b\n");
  CHECK(frame({tricky}, world) == "0+8[#\u0A00\u0D0A]8+6[#b]");
  CHECK(frame({as_utf16("#a\n") + "x"}, world) == "0+7[#a\n\uFFFD]");  // half a unit at the end
}

TEST_CASE("RecordFramer: the mark of offset 0 is remembered over a restart") {
  RecordFramer first = make_framer({});
  first.feed("\xFF\xFE" + as_utf16("#a\n#b\n"), kNow);
  REQUIRE(first.next().has_value());
  REQUIRE(first.encoding() == Encoding::kUtf16Le);
  CHECK(first.low_water() == 8);

  const World world{.offset = 8};
  RecordFramer second = make_framer(world);
  CHECK(second.encoding() == Encoding::kUtf8);
  second.set_encoding(Encoding::kUtf16Le);
  second.feed(as_utf16("#b\n#c\n"), kNow);
  CHECK(drain(second, world) == "8+6[#b]");
}

TEST_CASE("RecordFramer: bounds cut, drop and count") {
  const World world{.lines_max = 3, .bytes_max = 8};
  struct Case {
    std::string_view name;
    std::string bytes;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"exactly the bound", "#2345678\n#b\n", "0+9[#2345678]9+3[#b]"},
      {"exactly the bound, windows", "#2345678\r\n#b\n", "0+10[#2345678]10+3[#b]"},
      {"one over", "#23456789\n#b\n", "0+10~[#2345678]10+3[#b]"},
      {"much over", "#234567890123456789012\n#b\n", "0+23~[#2345678]23+3[#b]"},
      {"over, no terminator", "#234567890123456789012", "0+22~[#2345678]"},
      {"the rest of a cut record is dropped", "#23456789\nx\ny\n#b\n", "0+14~[#2345678]14+3[#b]"},
      {"record over the bytes", "#a\n345678\n9\n#b\n", "0+12~[#a\n345678]12+3[#b]"},
      {"record over the bytes in a line", "#a\n34567890\n#b\n", "0+12~[#a\n345678]12+3[#b]"},
      {"record over the lines", "#a\nb\nc\nd\ne\n#b\n", "0+11~[#a\nb\nc]11+3[#b]"},
      {"orphans are cut into several", "a\nb\nc\nd\n#b\n", "0+6o[a\nb\nc]6+2o[d]8+3[#b]"},
      {"a character is not cut", "#234567å\n", "0+10~[#234567]"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(frame({c.bytes}, world) == c.want);
  }
}

TEST_CASE("RecordFramer: where chunks are cut never changes the records") {
  // Exhausted: every text of up to 7 bytes over {#, a, CR, LF}, every cut in two, and byte by byte.
  constexpr std::string_view kAlphabet = "#a\r\n";
  for (std::size_t length = 0; length <= 7; ++length) {
    std::size_t total = 1;
    for (std::size_t i = 0; i < length; ++i) total *= kAlphabet.size();
    for (std::size_t code = 0; code < total; ++code) {
      std::string text;
      for (std::size_t i = 0, rest = code; i < length; ++i, rest /= kAlphabet.size()) {
        text.push_back(kAlphabet[rest % kAlphabet.size()]);
      }
      const World world{.lines_max = 2, .bytes_max = 4};
      CAPTURE(text);
      const std::string whole = frame({text}, world);
      std::vector<std::string> bytes;
      for (const char c : text) bytes.emplace_back(1, c);
      REQUIRE(frame(bytes, world) == whole);
      for (std::size_t cut = 1; cut < length; ++cut) {
        CAPTURE(cut);
        REQUIRE(frame({text.substr(0, cut), text.substr(cut)}, world) == whole);
      }
    }
  }
}

TEST_CASE("RecordFramer: nor in UTF-16, at any byte") {
  // Exhausted: every text of up to 4 code units whose bytes are 00, 0A, 0D, 23 in every order.
  constexpr std::string_view kUnits{"\x0A\0\x0D\0#\0\0\x0A\x0A\x0A\x0D\x0A\0\xD8", 14};
  constexpr std::size_t kCount = kUnits.size() / 2;
  for (std::size_t length = 0; length <= 4; ++length) {
    std::size_t total = 1;
    for (std::size_t i = 0; i < length; ++i) total *= kCount;
    for (std::size_t code = 0; code < total; ++code) {
      std::string text;
      for (std::size_t i = 0, rest = code; i < length; ++i, rest /= kCount) {
        text.append(kUnits.substr(2 * (rest % kCount), 2));
      }
      const World world{.lines_max = 2, .bytes_max = 4, .encodings = {Encoding::kUtf16Le}};
      const std::string whole = frame({text}, world);
      for (std::size_t cut = 1; cut < text.size(); ++cut) {
        CAPTURE(code);
        CAPTURE(cut);
        REQUIRE(frame({text.substr(0, cut), text.substr(cut)}, world) == whole);
      }
    }
  }
}

TEST_CASE("RecordFramer: reading again from any low water gives the same records") {
  const std::uint64_t seed = 20230605;
  MESSAGE("seed " << seed);
  testing::SeededRandom random{seed};
  for (int round = 0; round < 200; ++round) {
    std::string text;
    const std::size_t pieces = random.below(30);
    for (std::size_t i = 0; i < pieces; ++i) {
      constexpr std::string_view kPieces[] = {
          "#head\n", " at x\n", "\n", "#lang linje som er for lang\r\n", "æøå\n", "uten slutt"};
      text += kPieces[random.below(6)];
    }
    const World world{.lines_max = 4, .bytes_max = 12};
    RecordFramer framer = make_framer(world);
    std::vector<std::string> whole;
    framer.feed(text, kNow);
    framer.finish();
    while (const auto record = framer.next()) whole.push_back(in_words(*record));

    // A crash after any number of records.
    for (std::size_t kept = 0; kept <= whole.size(); ++kept) {
      RecordFramer before = make_framer(world);
      before.feed(text, kNow);
      before.finish();
      for (std::size_t i = 0; i < kept; ++i) REQUIRE(before.next().has_value());
      const World rest{.lines_max = 4, .bytes_max = 12, .offset = before.low_water()};
      RecordFramer after = make_framer(rest);
      after.feed(std::string_view{text}.substr(static_cast<std::size_t>(rest.offset)), kNow);
      after.finish();
      std::size_t at = kept;
      while (const auto record = after.next()) {
        REQUIRE(at < whole.size());
        REQUIRE(in_words(*record) == whole[at++]);
      }
      REQUIRE(at == whole.size());
    }
  }
}

TEST_CASE("RecordFramer: a last record waits for `idle`, an unterminated line for its end") {
  const World world;
  RecordFramer framer = make_framer(world);
  framer.feed("#a\n x\n", kNow);
  CHECK(drain(framer, world).empty());
  framer.idle(kNow + milliseconds(1999));
  CHECK(drain(framer, world).empty());
  framer.idle(kNow + milliseconds(2000));
  CHECK(drain(framer, world) == "0+6[#a\n x]");

  // What continues it too late is an orphan.
  framer.feed(" y\n", kNow + seconds(3));
  framer.idle(kNow + seconds(5));
  CHECK(drain(framer, world) == "6+3o[ y]");

  framer.feed("#half", kNow + seconds(6));
  framer.idle(kNow + hours(1));
  CHECK(drain(framer, world).empty());
  framer.feed(" and whole\n#next", kNow + hours(2));
  framer.idle(kNow + hours(3));
  CHECK(drain(framer, world) == "9+16[#half and whole]");
}

TEST_CASE("RecordFramer: a wall clock that is set back does not hold a record for hours") {
  const World world;
  RecordFramer framer = make_framer(world);
  framer.feed("#a\n", kNow);
  framer.idle(kNow - hours(1));
  framer.idle(kNow - hours(1) + seconds(2));
  CHECK(drain(framer, world) == "0+3[#a]");
}

TEST_CASE("RecordFramer: a file that grows after its end was called goes on") {
  const World world;
  RecordFramer framer = make_framer(world);
  framer.feed("#a", kNow);
  framer.finish();
  CHECK(drain(framer, world) == "0+2[#a]");
  framer.feed("\n#b\n#c\n", kNow);
  CHECK(drain(framer, world) == "2+1o[]3+3[#b]");
}

TEST_CASE("RecordFramer: a line of 100 MB in bounded memory") {
  const World world{.bytes_max = 256 * 1024};
  RecordFramer framer = make_framer(world);
  framer.feed("#a\n#", kNow);
  framer.idle(kNow + hours(1));
  CHECK(drain(framer, world) == "0+3[#a]");
  const std::string chunk(64 * 1024, 'x');
  constexpr std::uint64_t kChunks = 1600;
  for (std::uint64_t i = 0; i < kChunks; ++i) {
    framer.feed(chunk, kNow);
    framer.idle(kNow + hours(1));
    REQUIRE_FALSE(framer.next().has_value());
  }
  check_laws(framer, world);
  framer.feed("\n#b\n#c\n", kNow);
  const auto record = framer.next();
  REQUIRE(record.has_value());
  CHECK(record->truncated);
  CHECK(record->text.size() == world.bytes_max);
  CHECK(record->bytes == kChunks * chunk.size() + 2);
  CHECK(framer.stats().dropped_bytes == record->bytes - world.bytes_max);
  CHECK(framer.stats().lines_truncated == 1);
  CHECK(drain(framer, world) == std::to_string(3 + record->bytes) + "+3[#b]");
}

}  // namespace
}  // namespace meldevakt::agent
