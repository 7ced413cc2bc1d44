#include "agent/frame/field_view.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/csv.h"
#include "agent/frame/w3c_log.h"
#include "common/base/text.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

// The view's lines with '|' between them, "~" in front when it is malformed.
std::string in_words(const FieldView& view) {
  std::string out = view.malformed ? "~" : "";
  for (const char c : view.text) out.push_back(c == '\n' ? '|' : c);
  return out;
}

std::string json(std::string_view record) {
  return in_words(json_view(record, {"MESSAGE"}));
}
std::string xml(std::string_view record) {
  return in_words(xml_view(record, "msg"));
}

TEST_CASE("FieldView: different fields never have the same lines") {
  // Exhausted: every name and value of up to two characters from those that are escaped.
  const std::string alphabet = "a\n\r\\=";
  std::vector<std::string> texts{""};
  for (const char a : alphabet) {
    texts.emplace_back(1, a);
    for (const char b : alphabet) texts.push_back({a, b});
  }
  std::map<std::string, std::string> seen;
  for (const std::string& name : texts) {
    for (const std::string& value : texts) {
      FieldView view;
      view.add(name, value);
      CHECK(view.text.find('\n') == std::string::npos);
      const std::string what = std::to_string(name.size()) + name + value;
      const auto [at, is_new] = seen.emplace(view.text, what);
      CAPTURE(quoted(view.text));
      CHECK(is_new);
    }
  }
}

TEST_CASE("FieldView: bounds leave fields out, visibly") {
  FieldView view;
  view.add(std::string(FieldView::kNameBytesMax, 'n'), "x");
  CHECK_FALSE(view.malformed);
  view.add(std::string(FieldView::kNameBytesMax + 1, 'n'), "x");
  CHECK(view.malformed);
  CHECK(view.fields == 1);
  FieldView many;
  for (std::size_t i = 0; i < FieldView::kFieldsMax; ++i) many.add("n", "");
  CHECK_FALSE(many.malformed);
  many.add("n", "");
  CHECK(many.malformed);
  CHECK(many.fields == FieldView::kFieldsMax);
}

TEST_CASE("field_of: the first of its name, whole names only") {
  const std::string_view view = "ab=1\nb=2\nb=3\nc=";
  CHECK(field_of(view, "b") == "2");
  CHECK(field_of(view, "ab") == "1");
  CHECK(field_of(view, "c").empty());
  CHECK(field_of(view, "c").data() != nullptr);
  CHECK(field_of(view, "a").data() == nullptr);
  CHECK(field_of("", "a").data() == nullptr);
}

TEST_CASE("json_view: members with dots, arrays as repeated names") {
  struct Case {
    std::string_view name;
    std::string_view record;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"nothing", "{}", ""},
      {"scalars", R"({"a":"x","b":1,"c":-2.50,"d":true,"e":null})", "a=x|b=1|c=-2.50|d=true"},
      {"nested", R"({"a":{"b":{"c":1},"d":2},"e":3})", "a.b.c=1|a.d=2|e=3"},
      {"array", R"({"a":[1,"x",[2],{"b":3}],"c":4})", "a=1|a=x|a=2|a.b=3|c=4"},
      {"empty ones", R"({"a":{},"b":[],"c":""})", "c="},
      {"escapes", R"({"a":"1\n2\r\t\"\\ \u00e5","b=c":"d=e"})",
       R"(a=1\n2\r)"
       "\t\""
       R"(\\ å|b\=c=d=e)"},
      {"twice the same", R"({"a":1,"a":2})", "a=1|a=2"},
      {"bytes", R"({"MESSAGE":[98,108,195,165],"x":[98,108]})", "MESSAGE=blå|x=98|x=108"},
      {"bytes, not UTF-8", R"({"MESSAGE":[98,229]})", "MESSAGE=bå"},
      {"not all bytes", R"({"MESSAGE":[98,"x",300]})", "MESSAGE=98|MESSAGE=x|MESSAGE=300"},
      {"no bytes", R"({"MESSAGE":[]})", "MESSAGE="},
      {"blank around", " \t{\"a\":1} \r", "a=1"},
      {"cut", R"({"a":1,"b":"x)", "~a=1"},
      {"more behind", R"({"a":1} {"b":2})", "~a=1"},
      {"no object", R"([1])", "~"},
      {"text", "hello", "~"},
      {"a number beyond all", R"({"a":1,"b":1e999})", "~a=1"},
      {"half a pair", R"({"a":1,"b":"\ud800"})", "~a=1"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(json(c.record) == c.want);
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += R"({"a":)";
  CHECK(json(deep) == "~");
}

TEST_CASE("xml_view: text and attributes by their place below the record") {
  struct Case {
    std::string_view name;
    std::string_view record;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"attributes, of both quotes", "<msg time='t' level=\"1\"\n pid = '7'/>",
       "time=t|level=1|pid=7"},
      {"text", "<msg a='1'>\n <txt>ORA-00060\n  more\n </txt>\n</msg>",
       R"(a=1|txt=ORA-00060\n  more)"},
      {"its own text", "<msg>x</msg>", "msg=x"},
      {"nested", "<msg><a><b c='1'>x</b><b/></a></msg>", "a.b.c=1|a.b=x|a.b="},
      {"named", "<msg><D Name='x'>1</D><d name='y'><v>2</v></d></msg>",
       "D.Name=x|D[x]=1|d.name=y|d[y].v=2"},
      {"named, empty", "<msg><P Name='disk' Id='7'/></msg>", "P.Name=disk|P.Id=7"},
      {"entities", "<msg a='&apos;&quot;'>&lt;&gt;&amp;&#229;&#xE5;&nbsp;&#0;&</msg>",
       "a='\"|msg=<>&åå&nbsp;&#0;&"},
      {"cdata", "<msg><![CDATA[<x>&amp;]]></msg>", "msg=<x>&amp;"},
      {"comment and instruction", "<msg>a<!-- <b> --><?c ?>d</msg>", "msg=ad"},
      {"namespaces are left out", "<msg xmlns='u' xmlns:x='v' y='z'/>", "y=z"},
      {"text in front", "<?xml?><log> <msg a='1'/>", "a=1"},
      {"behind its end", "<msg>x</msg></log> <y", "msg=x"},
      {"one that was never ended", "<msg><txt>a <msg>b</msg>", "msg=b"},
      {"a longer name", "<msgs/><msg>a</msg>", "msg=a"},
      {"no end", "<msg><a>1</a><b>2", "~a=1"},
      {"the wrong end", "<msg><a>1</b></msg>", "~"},
      {"no value", "<msg a>1</msg>", "~"},
      {"no quotes", "<msg a=1>1</msg>", "~"},
      {"declaration", "<msg><!DOCTYPE x></msg>", "~"},
      {"no element", "text", "~"},
      {"half a tag", "<msg", "~"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(xml(c.record) == c.want);
  }
  std::string deep = "<msg>";
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  CHECK(xml(deep) == "~");
}

TEST_CASE("csv_view: names by the number of fields") {
  const std::vector<std::vector<std::string>> columns{{"a", "b"}, {"x", "y", "z"}};
  struct Case {
    std::string_view name;
    std::string_view record;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"two", "1,2", "a=1|b=2"},
      {"three", "1,,3", "x=1|y=|z=3"},
      {"quotes", R"("1,""x""",2)", R"(a=1,"x"|b=2)"},
      {"line end in quotes", "\"1\n2\",3", R"(a=1\n2|b=3)"},
      {"a stray quote", R"(5" disk,2)", R"(a=5" disk|b=2)"},
      {"text behind a quote", R"("1"x,2)", "a=1x|b=2"},
      {"too many", "1,2,3,4", "~x=1|y=2|z=3|column_4=4"},
      {"too few", "1", "~a=1"},
      {"never closed", R"(1,"2)", "~a=1|b=2"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(in_words(csv_view(c.record, ',', columns)) == c.want);
  }
  CHECK(in_words(csv_view("1;2", ';', columns)) == "a=1|b=2");
  CHECK(in_words(csv_view("1,2", ',', {})) == "~column_1=1|column_2=2");
}

TEST_CASE("csv: where a record ends and what its fields are agree, whatever the text") {
  // Exhausted: every text of six characters of those that matter.
  const std::string alphabet = "a,\"\n";
  for (std::size_t code = 0; code < 4096; ++code) {
    std::string text;
    for (std::size_t i = 0, rest = code; i < 6; ++i, rest /= 4) text.push_back(alphabet[rest % 4]);
    CsvScan scan{','};
    std::string record;
    for (std::size_t at = 0; at <= text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      const std::string line = text.substr(at, end - at);
      record += (at == 0 ? "" : "\n") + line;
      scan.add(line);
      at = end + 1;
      if (!scan.in_quotes()) break;
    }
    CAPTURE(quoted(text));
    const CsvFields fields = csv_fields(record, ',');
    REQUIRE(fields.closed == !scan.in_quotes());
    REQUIRE(fields.values.size() == scan.fields());
  }
}

TEST_CASE("W3cLog: fields named in mid-file, dates and midnights") {
  W3cLog log;
  const auto view = [&log](std::string_view line) { return in_words(log.view(line)); };
  CHECK(view("1 2") == "~column_1=1|column_2=2");
  log.direct("#Software: Internet Information Services");
  log.direct("#Fields: date time sc-status");
  CHECK(view("2024-01-15 10:30:00 503") ==
        "datetime=2024-01-15 10:30:00Z|date=2024-01-15|time=10:30:00|sc-status=503");
  log.direct("#Date: 2024-02-28 23:59:58");
  log.direct("#Fields: time sc-status");
  CHECK(view("23:59:59 503") == "datetime=2024-02-28 23:59:59Z|time=23:59:59|sc-status=503");
  CHECK(view("00:00:01 503") == "datetime=2024-02-29 00:00:01Z|time=00:00:01|sc-status=503");
  CHECK(view("00:00:00 503") == "datetime=2024-02-29 00:00:00Z|time=00:00:00|sc-status=503");
  W3cLog restored;
  restored.restore(log.saved());
  CHECK(in_words(restored.view("00:00:02 200")) ==
        "datetime=2024-02-29 00:00:02Z|time=00:00:02|sc-status=200");
  CHECK(view("00:00:03 200 7") ==
        "~datetime=2024-02-29 00:00:03Z|time=00:00:03|sc-status=200|column_3=7");
  restored.restore({});
  restored.restore({"2024-99-99", "x", "time"});
  CHECK(in_words(restored.view("00:00:02")) == "time=00:00:02");
}

TEST_CASE("views: whatever the record, the view is UTF-8 and within its bounds") {
  testing::SeededRandom random{4103};
  MESSAGE("seed 4103");
  const std::string alphabet = "{}[]\"',:\\/<>=&;#! \n\rab01msg-.?";
  for (int round = 0; round < 20'000; ++round) {
    std::string text = round % 2 == 0 ? "<msg " : "{\"a\":";
    for (std::uint64_t length = random.next() % 40; length > 0; --length) {
      text.push_back(alphabet[random.next() % alphabet.size()]);
    }
    CAPTURE(quoted(text));
    for (const FieldView& view :
         {json_view(text, {"a"}), xml_view(text, "msg"), csv_view(text, ',', {{"a", "b"}})}) {
      REQUIRE(is_utf8(view.text));
      REQUIRE(view.text.size() <=
              2 * text.size() + view.fields * (2 * FieldView::kNameBytesMax + 2));
    }
  }
}

}  // namespace
}  // namespace meldevakt::agent
