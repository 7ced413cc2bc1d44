// RecordFramer over every kind of record, every encoding, and what goes wrong in real files.
#include "agent/frame/record_framer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/field_view.h"
#include "common/base/text.h"
#include "common/testing/doubles.h"
#include "tests/unit/agent/frame/stored.h"

namespace meldevakt::agent {
namespace {

using testing_stored::stored;
constexpr Instant kNow{1'000'000};
constexpr std::size_t kPadding = 16;

struct World {
  RecordShape shape;
  LineTests tests;
  std::vector<Encoding> encodings{Encoding::kUtf8};
  std::uint32_t lines_max = 100;
  std::uint32_t bytes_max = 1000;

  [[nodiscard]] RecordFramer framer(std::uint64_t offset = 0) const {
    RecordFramer::Settings settings;
    settings.encodings = encodings;
    settings.lines_max = lines_max;
    settings.record_bytes_max = bytes_max;
    settings.shape = shape;
    return RecordFramer{settings, tests, offset};
  }
};

bool starts_with_hash(std::string_view line) {
  return line.substr(0, 1) == "#";
}

World lines() {
  World world;
  world.tests.starts = starts_with_hash;
  return world;
}
World csv() {
  World world;
  world.shape.kind = RecordKind::kCsv;
  world.shape.columns = {{"a", "b"}, {"a", "b", "c"}};
  return world;
}
World of_kind(RecordKind kind) {
  World world;
  world.shape.kind = kind;
  world.shape.element = "msg";
  return world;
}

// "0+3[#a]": offset, bytes, text, with o(rphan), ~ truncated, ! malformed, c(ontext).
std::string in_words(const Record& record) {
  std::string text = record.text;
  std::replace(text.begin(), text.end(), '\n', '|');
  return std::to_string(record.offset) + "+" + std::to_string(record.bytes) +
         (record.orphan ? "o" : "") + (record.truncated ? "~" : "") +
         (record.malformed ? "!" : "") + (record.context ? "c" : "") + "[" + text + "]";
}

// Records lie in the file one behind the other, with nothing between them but padding, and the
// account is right after each.
std::string drain(RecordFramer& framer, std::uint64_t start = 0) {
  std::string out;
  while (true) {
    const std::uint64_t padding = framer.stats().padding_bytes;
    const std::uint64_t before = framer.low_water();
    const auto record = framer.next();
    const RecordFramer::Stats& s = framer.stats();
    REQUIRE(s.bytes_fed == s.record_bytes + s.dropped_bytes + framer.pending_bytes());
    REQUIRE(framer.low_water() == start + s.record_bytes + s.dropped_bytes);
    REQUIRE(s.padding_bytes <= s.dropped_bytes);
    if (!record) return out;
    REQUIRE(is_utf8(record->text));
    REQUIRE(record->offset >= before);
    REQUIRE(record->offset <= before + (s.padding_bytes - padding));
    REQUIRE(framer.low_water() == record->offset + record->bytes);
    out += in_words(*record);
  }
}

std::string frame(const World& world, const std::vector<std::string_view>& chunks) {
  RecordFramer framer = world.framer();
  std::string out;
  std::uint64_t fed = 0;
  for (const std::string_view chunk : chunks) {
    framer.feed(chunk, kNow);
    fed += chunk.size();
    out += drain(framer);
  }
  framer.finish();
  out += drain(framer);
  REQUIRE(framer.pending_bytes() == 0);
  REQUIRE(framer.low_water() == fed);
  return out;
}

std::string frame(const World& world, std::string_view bytes) {
  return frame(world, std::vector<std::string_view>{bytes});
}

struct Case {
  std::string_view name;
  std::string bytes;
  std::string_view want;
};

void check(const World& world, const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(frame(world, c.bytes) == c.want);
  }
}

TEST_CASE("framing csv: records end outside quotes, and a lost quote costs a bounded part") {
  check(csv(), {{"two", "1,2\n3,4,5\n", "0+4[a=1|b=2]4+6[a=3|b=4|c=5]"},
                {"a line end in quotes", "1,\"x\ny\"\n3,4\n", R"(0+8[a=1|b=x\ny]8+4[a=3|b=4])"},
                {"windows lines", "1,\"x\r\ny\"\r\n3,4\r\n", R"(0+10[a=1|b=x\ny]10+5[a=3|b=4])"},
                {"a blank line in quotes", "1,\"\n\n\"\n", R"(0+7[a=1|b=\n\n])"},
                {"blank lines between", "1,2\n\n3,4\n", "0+4[a=1|b=2]4+1o[]5+4[a=3|b=4]"},
                {"the wrong number", "1\n3,4\n", "0+2![a=1]2+4[a=3|b=4]"},
                {"no end", "1,2\n3,4", "0+4[a=1|b=2]4+3[a=3|b=4]"},
                {"never closed", "1,\"x\n3,4\n", R"(0+9![a=1|b=x\n3,4])"}});
  World bounded = csv();
  bounded.lines_max = 3;
  check(bounded, {{"at the bound it looks for a likely line", "1,\"x\n3,4\n5,6\n7\n7,8\n9,9\n",
                   R"(0+15~![a=1|b=x\n3,4\n5,6]15+4[a=7|b=8]19+4[a=9|b=9])"},
                  {"a quote that closes is as good", "1,\"x\na\nb\nc\nd\"\n7,8\n",
                   R"(0+14~![a=1|b=x\na\nb]14+4[a=7|b=8])"},
                  {"a likely line may end in quotes", "1,\"x\na\nb\nc\n7,\"8\n9\"\n",
                   R"(0+11~![a=1|b=x\na\nb]11+8[a=7|b=8\n9])"}});
  bounded.bytes_max = 8;
  check(bounded, {{"a line over the bound", "1,\"34567890\"\n7,8\n",
                   R"(0+13~![a=1|b=34567]13+4[a=7|b=8])"}});
  World started = bounded;
  started.tests.starts = starts_with_hash;
  check(started, {{"likely is what the pack says", "#,\"x\na\nb\nc\n7,8\n#,8\n",
                   R"(0+15~![a=#|b=x\na\nb]15+4[a=#|b=8])"}});
}

TEST_CASE("framing csv: the file names its columns") {
  World world = csv();
  world.shape.columns.clear();
  world.shape.columns_from_header = true;
  check(world, {{"the first line", "t,\"x\"\n1,2\n3\n", "0+6c[t,\"x\"]6+4[t=1|x=2]10+2![t=3]"}});
  world.tests.header_only = starts_with_hash;
  check(world, {{"where the pack says", "1,2\n#t,x\n1,2\n#y\n3\n",
                 "0+4![column_1=1|column_2=2]4+5c[#t,x]9+4[#t=1|x=2]13+3c[#y]16+2[#y=3]"}});
}

TEST_CASE("framing csv: completed by idle amid quotes, what follows waits for a likely line") {
  const World world = csv();
  RecordFramer framer = world.framer();
  framer.feed("1,\"x\n", kNow);
  CHECK(drain(framer).empty());
  framer.idle(kNow + seconds(2));
  CHECK(drain(framer) == R"(0+5![a=1|b=x])");
  RecordFramer restarted = world.framer(framer.low_water());
  restarted.set_carried(framer.carried());
  for (RecordFramer* const each : {&framer, &restarted}) {
    each->feed("y\"\n7,8\n9,9\n", kNow);
    CHECK(drain(*each, each == &framer ? 0 : 5) == "5+3o[y\"]8+4[a=7|b=8]12+4[a=9|b=9]");
  }
}

TEST_CASE("framing JSON lines, XML and W3C") {
  check(of_kind(RecordKind::kJsonLines),
        {{"two", "{\"a\":1}\r\n{\"a\":2}\n", "0+9[a=1]9+8[a=2]"},
         {"with a mark", "\xEF\xBB\xBF{\"a\":1}\n", "0+11[a=1]"},
         {"between them", "{\"a\":1}\n\nnot\n{\"a\":2}", "0+8[a=1]8+1o[]9+4![]13+7[a=2]"},
         {"torn", "{\"a\":1,\"b{\"a\":2}\n{\"a\":3}\n", "0+17![a=1]17+8[a=3]"}});
  World xml = of_kind(RecordKind::kXml);
  check(xml, {{"rootless", "<msg a='1'\n b='2'>\n<t>x</t>\n</msg>\n<msg/>\n",
               "0+35[a=1|b=2|t=x]35+7[msg=]"},
              {"on one line", "<log><msg>a</msg><msg>b</msg></log>\n", "0+17[msg=a]17+19[msg=b]"},
              {"in front", "<?xml?>\n<log>\n<msg>a</msg>\n", "0+14o[<?xml?>|<log>]14+13[msg=a]"},
              {"never ended", "<msg><t>a</t>\n<msg>b</msg>\n", "0+14![t=a]14+13[msg=b]"}});
  check(
      xml,
      {{"in CDATA", "<msg><t><![CDATA[x</msg>y]]></t></msg><msg>b</msg>\n",
        "0+38[t=x</msg>y]38+13[msg=b]"},
       {"a whole one in CDATA", "<msg><t><![CDATA[\n<msg>no</msg>\n]]></t></msg>\n<msg>b</msg>\n",
        "0+46[t=<msg>no</msg>]46+13[msg=b]"},
       {"comment", "<msg><!-- </msg><msg> -->a</msg>\n<msg>b</msg>\n", "0+33[msg=a]33+13[msg=b]"},
       {"value", "<msg a='x</msg>y'>c</msg>\n<msg>b</msg>\n", "0+26[a=x</msg>y|msg=c]26+13[msg=b]"},
       {"start in one", "<msg a='<msg>'>c</msg>\n<msg>b</msg>\n",
        "0+23[a=<msg>|msg=c]23+13[msg=b]"},
       {"torn in a value", "<msg a='x\n<msg>b</msg>\n", "0+10![]10+13[msg=b]"},
       {"an apostrophe is no value", "<msg it's>a</msg>\n<msg>b</msg>\n", "0+18![]18+13[msg=b]"}});
  World torn = xml;
  torn.lines_max = 3;
  check(torn, {{"torn in CDATA", "<msg><![CDATA[x\n<msg>1</msg>\ny\nz\n<msg>b</msg>\n",
                "0+33~![]33+13[msg=b]"}});
  xml.bytes_max = 20;
  check(xml, {{"over the bound", "<msg><t>" + std::string(30, 'x') + "</t></msg>\n<msg>b</msg>\n",
               "0+49~![]49+13[msg=b]"}});
  World w3c = of_kind(RecordKind::kW3c);
  check(w3c, {{"fields that change", "#Fields: time s\n10:00:00 1\n#Fields: s\n2\n",
               "0+16c[#Fields: time s]16+11[time=10:00:00|s=1]27+11c[#Fields: s]38+2[s=2]"}});
  RecordFramer first = w3c.framer();
  first.feed("#Fields: time s\n10:00:00 1\n", kNow);
  CHECK(drain(first) == "0+16c[#Fields: time s]16+11[time=10:00:00|s=1]");
  RecordFramer second = w3c.framer(27);
  second.set_carried(first.carried());
  second.feed("10:00:01 2\n", kNow);
  CHECK(drain(second, 27) == "27+11[time=10:00:01|s=2]");
}

TEST_CASE("framing lines: headers over several records, and records that are joined") {
  World oracle;
  oracle.tests.starts = [](std::string_view line) { return !line.empty() && line[0] != ' '; };
  oracle.tests.header_only = starts_with_hash;
  check(oracle,
        {{"one header, two messages", "#t\na\n b\nc\n#u\n#v\nd\n",
          "0+3c[#t]3+5[a| b]8+2[c]10+3c[#u]13+3c[#v]16+2[d]"},
         {"a message in front of all", "a\n#t\n b\n b\nc\n", "0+2[a]2+3c[#t]5+6o[ b| b]11+2[c]"}});
  World sql;
  sql.tests.starts = [](std::string_view line) { return line.substr(0, 1) == "#"; };
  sql.tests.join_key = [](std::string_view line) -> std::string_view {
    return line.substr(0, 2) == "#E" ? line.substr(3, 1) : std::string_view{};
  };
  check(sql, {{"joined", "#E 7 x\n#T 7 y\n#T 7 z\n", "0+14[#E 7 x|#T 7 y]14+7[#T 7 z]"},
              {"of another", "#E 7 x\n#T 8 y\n", "0+7[#E 7 x]7+7[#T 8 y]"},
              {"with what continues it", "#E 7\n.\n#T 7\n.\n#T\n", "0+14[#E 7|.|#T 7|.]14+3[#T]"},
              {"at most four", "#E 7\n#E 7\n#E 7\n#E 7\n#E 7\n#T 7\n",
               "0+20[#E 7|#E 7|#E 7|#E 7]20+10[#E 7|#T 7]"},
              {"too short", "#E 7\n#\n", "0+5[#E 7]5+2[#]"}});
}

TEST_CASE("framing: NUL bytes of a preallocated file are skipped, wherever they stand") {
  const std::string nul(kPadding, '\0');
  const std::string few(kPadding - 1, '\0');
  const std::string many(100'000, '\0');
  check(lines(),
        {{"at the beginning", nul + "#a\n", "16+3[#a]"},
         {"between records", "#a\n" + nul + "#b\n", "0+19[#a]19+3[#b]"},
         {"in a line", "#a" + nul + "#b\n", "0+18[#a]18+3[#b]"},
         {"at the end", "#a\n" + many, "0+100003[#a]"},
         {"nothing else", many, ""},
         {"too few are text", "#" + few + "\n", {"0+17[#\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0]", 22}}});
  // What was read of the padding is not given up before something follows it.
  RecordFramer framer = lines().framer();
  framer.feed("#a\n" + many, kNow);
  CHECK(drain(framer).empty());
  framer.idle(kNow + seconds(2));
  CHECK(drain(framer) == "0+3[#a]");
  CHECK(framer.low_water() == 3);
  CHECK(framer.pending_bytes() == many.size());
  framer.feed("#b\n", kNow);
  CHECK(drain(framer).empty());
  framer.finish();
  CHECK(drain(framer) == "100003+3[#b]");
  CHECK(framer.stats().padding_bytes == many.size());
}

TEST_CASE("framing: marks in mid-file, and encodings that change there") {
  const std::string le = stored("#b\r\n", Encoding::kUtf16Le);
  const std::string be = stored("#c\n", Encoding::kUtf16Be);
  check(lines(),
        {{"a stray mark", "#a\n\xEF\xBB\xBF#b\n", "0+3[#a]3+6[#b]"},
         {"UTF-16 appended", "#a\n\xFF\xFE" + le + "\xFE\xFF" + be + "\xEF\xBB\xBF#dddd\n",
          "0+3[#a]3+10[#b]13+8[#c]21+9[#dddd]"},
         {"UTF-16, a mark on each", "\xFF\xFE" + le + "\xFF\xFE" + le, "0+10[#b]10+10[#b]"}});
}

TEST_CASE("framing: UTF-16 that lost a byte is read again from the next Windows line end") {
  for (const Encoding encoding : {Encoding::kUtf16Le, Encoding::kUtf16Be}) {
    CAPTURE(to_string(encoding));
    World world = lines();
    world.encodings = {encoding};
    const std::string text = stored("#b\r\n#c\r\n", encoding);
    const std::string torn = stored("#a\r\n", encoding) + "x" + text;
    const std::string got = frame(world, torn);
    CHECK(got.substr(0, 8) == "0+17[#a|");  // the torn line starts nothing any more
    CHECK(got.substr(got.size() - 8) == "17+8[#c]");
  }
}

// --- where chunks are cut ----------------------------------------------------------------------

struct Sample {
  std::string_view name;
  World world;
  std::string_view text;
};

std::vector<Sample> samples() {
  World joined = lines();
  joined.tests.join_key = [](std::string_view line) { return line.substr(1, 1); };
  joined.tests.header_only = [](std::string_view line) { return line.substr(0, 2) == "#h"; };
  World header = csv();
  header.shape.columns.clear();
  header.shape.columns_from_header = true;
  World bounded = csv();
  bounded.lines_max = 2;
  bounded.bytes_max = 12;
  World short_lines = lines();
  short_lines.bytes_max = 8;
  short_lines.lines_max = 2;
  World short_xml = of_kind(RecordKind::kXml);
  short_xml.bytes_max = 20;
  return {
      {"lines", joined, "x\n#h1\n#a\r\n b\n\n#a\n#bb\r\n\r\n#h\n y\n#c"},
      {"lines, bounds", short_lines,
       "#123456\r\n#1234567\r\n#12345678\r\n#123456789\r\n a\n b\nc\n#d\n"},
      {"csv", csv(), "1,\"x\r\ny\"\"\"\r\n\r\n3,4,5\n6\n7,\"8"},
      {"csv, bounds", bounded, "1,\"x\na\nb\nc\n7,8\n9,\"0123456789abcdef\"\n1,2\n"},
      {"csv, header", header, "t,\"v\nw\"\n1,2\n3,4\n"},
      {"JSON lines", of_kind(RecordKind::kJsonLines), "{\"a\":1}\r\n\n{\"b\":[1,2]}\nx\n{\"c"},
      {"XML", of_kind(RecordKind::kXml),
       "<l>\r\n<msg a='1'>x</msg><msg>y\n</msg>\n<msg/></l>\n<msg>z"},
      {"XML, text that looks like tags", of_kind(RecordKind::kXml),
       "<msg a='</msg>'><![CDATA[</msg>\r\n<msg>]]></msg><msg>x</msg>\n<msg><!--</msg>\n-->"},
      {"XML, bounds", short_xml, "<msg>01234567890123456789</msg><msg>x</msg>\n"},
      {"W3C", of_kind(RecordKind::kW3c), "#Fields: time a\r\n10:00:00 1\r\n#Fields: a\n2\n3 4"},
  };
}

TEST_CASE("framing: where chunks are cut changes nothing, in any kind and encoding") {
  testing::SeededRandom random{77};
  MESSAGE("seed 77");
  for (const Sample& sample : samples()) {
    for (const Encoding encoding : {Encoding::kUtf8, Encoding::kUtf16Le, Encoding::kUtf16Be,
                                    Encoding::kWindows1252, Encoding::kCp865}) {
      World world = sample.world;
      world.encodings = {encoding};
      if (unit_bytes(encoding) == 2) world.bytes_max *= 2;
      std::string bytes = stored(sample.text, encoding);
      // The same behind a mark, with padding in it, and torn by a byte.
      std::string padded = bytes;
      const std::size_t half = bytes.size() / 2 / unit_bytes(encoding) * unit_bytes(encoding);
      padded.insert(half, std::string(40, '\0'));
      std::string torn = bytes;
      torn.insert(half + 1, "\0", 1);
      const std::string marked = encoding == Encoding::kUtf16Le   ? "\xFF\xFE" + bytes
                                 : encoding == Encoding::kUtf16Be ? "\xFE\xFF" + bytes
                                                                  : "\xEF\xBB\xBF" + bytes;
      for (const std::string& text : {bytes, padded, torn, marked, bytes + marked}) {
        const std::string whole = frame(world, text);
        CAPTURE(sample.name);
        CAPTURE(to_string(encoding));
        CAPTURE(quoted(text, 400));
        for (std::size_t cut = 0; cut <= text.size(); ++cut) {
          CAPTURE(cut);
          const std::string_view view = text;
          REQUIRE(frame(world, {view.substr(0, cut), view.substr(cut)}) == whole);
        }
        for (int round = 0; round < 20; ++round) {
          std::vector<std::string_view> chunks;
          std::string_view rest = text;
          while (!rest.empty()) {
            const std::size_t length = std::min<std::size_t>(1 + random.below(6), rest.size());
            chunks.push_back(rest.substr(0, length));
            rest.remove_prefix(length);
          }
          REQUIRE(frame(world, chunks) == whole);
        }
      }
    }
  }
}

TEST_CASE("framing: restarted at any low water, the rest comes out the same") {
  for (const Sample& sample : samples()) {
    CAPTURE(sample.name);
    const std::string text{sample.text};
    RecordFramer framer = sample.world.framer();
    framer.feed(text, kNow);
    std::vector<std::string> records;
    std::vector<std::uint64_t> ends;
    std::vector<std::string> carried;
    while (const auto record = framer.next()) {
      records.push_back(in_words(*record));
      ends.push_back(framer.low_water());
      carried.push_back(framer.carried());
    }
    for (std::size_t i = 0; i < ends.size(); ++i) {
      RecordFramer again = sample.world.framer(ends[i]);
      again.set_carried(carried[i]);
      again.feed(std::string_view{text}.substr(ends[i]), kNow);
      std::string want;
      for (std::size_t j = i + 1; j < records.size(); ++j) want += records[j];
      CHECK(drain(again, ends[i]) == want);
    }
  }
}

}  // namespace
}  // namespace meldevakt::agent
