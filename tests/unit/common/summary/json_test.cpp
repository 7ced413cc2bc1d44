#include "common/summary/json.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "common/summary/forms.h"
#include "common/summary/json_reader.h"

namespace meldevakt {
namespace {

// Written again in our form: the whole outcome of a parse in one text.
void write(JsonWriter& json, const JsonValue& value) {
  switch (value.kind) {
    case JsonValue::Kind::kNull: json.raw("null"); break;
    case JsonValue::Kind::kBoolean: json.value(value.boolean); break;
    case JsonValue::Kind::kInteger: json.value(value.integer); break;
    case JsonValue::Kind::kOtherNumber: json.raw("#"); break;
    case JsonValue::Kind::kString: json.value(value.text); break;
    case JsonValue::Kind::kArray:
      json.begin_array();
      for (const JsonValue& item : value.items) write(json, item);
      json.end_array();
      break;
    case JsonValue::Kind::kObject:
      json.begin_object();
      for (std::size_t i = 0; i < value.items.size(); ++i) {
        json.name(value.names[i]);
        write(json, value.items[i]);
      }
      json.end_object();
      break;
  }
}

std::string parsed(std::string_view text, const JsonLimits& bounds = {}) {
  const Result<JsonValue> value = parse_json(text, bounds);
  if (!value) return std::string{to_string(value.error().code())};
  JsonWriter json;
  write(json, value.value());
  return std::move(json).take();
}

TEST_CASE("JSON: what is accepted, and as what") {
  struct Case {
    std::string_view text;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"{}", "{}"},
      {" [ ] ", "[]"},
      {R"({"a":1,"b":[true,false,null,"x"]})", R"({"a":1,"b":[true,false,null,"x"]})"},
      {"-1", "-1"},
      {"9223372036854775807", "9223372036854775807"},
      {"9223372036854775808", "#"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"1.0", "#"},
      {"1e2", "#"},
      {R"("\u00e6\"\\\/\n")", "\"æ\\\"\\\\/\\u000a\""},
      {R"("\ud83d\ude00")", "\"😀\""},
      {R"({"a":{"a":1},"b":{"a":1}})", R"({"a":{"a":1},"b":{"a":1}})"},  // not the same object
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    CHECK(parsed(c.text) == c.want);
  }
}

TEST_CASE("JSON: what is refused though a lenient reader would take it") {
  using namespace std::string_view_literals;
  for (const std::string_view text : {""sv,
                                      " "sv,
                                      "{"sv,
                                      "{} {}"sv,
                                      "{}x"sv,
                                      "[1,]"sv,
                                      "{\"a\":1,}"sv,
                                      "{a:1}"sv,
                                      "'a'"sv,
                                      "// x\n1"sv,
                                      "01"sv,
                                      "+1"sv,
                                      ".5"sv,
                                      "NaN"sv,
                                      "\"\xff\""sv,
                                      "\"a\tb\""sv,
                                      R"("\ud83d")"sv,
                                      R"("\ude00\ud83d")"sv,
                                      "\"\xed\xa0\x80\""sv,
                                      "\"a"sv,
                                      R"({"a":1,"a":2})"sv,
                                      R"({"a":1,"b":2,"\u0061":3})"sv,
                                      R"([{"a":{"b":1,"b":1}}])"sv,
                                      "\xef\xbb\xbf{}"sv,
                                      "{}\0"sv,
                                      "{}\0{\"hidden\":1}"sv,
                                      "\0{}"sv,
                                      "[1\0]"sv,
                                      "\"\0\""sv,
                                      "1e999"sv}) {
    CAPTURE(text);
    CHECK(parsed(text) == "corrupt");
  }
}

TEST_CASE("JSON: the bounds hold, one less is accepted") {
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  CHECK(parsed(nested(16)) != "limit");
  CHECK(parsed(nested(17)) == "limit");
  CHECK(parsed(std::string(1'000'000, '[')) == "limit");
  const JsonLimits three{.depth_max = 4, .members_max = 3, .values_max = 5};
  CHECK(parsed(R"({"a":1,"b":1,"c":1})", three) != "limit");
  CHECK(parsed(R"({"a":1,"b":1,"c":1,"d":1})", three) == "limit");
  CHECK(parsed("[1,1,1,1]", three) != "limit");
  CHECK(parsed("[1,1,1,1,1]", three) == "limit");
  CHECK(parsed("[[],[],[],[],[]]", three) == "limit");
}

TEST_CASE("JSON: errors do not repeat what the text says") {
  const std::string message = parse_json(R"({"navn":"Kari Nordmann",})").error().message();
  CHECK(message == "JSON: malformed at byte 25");
  CHECK(parse_json(R"({"Kari":1,"Kari":2})").error().message() ==
        "JSON: a name twice in one object");
}

// What another strict parser makes of it, which takes a name twice, skips a byte order mark, takes
// a NUL for the end and refuses what its numbers cannot hold.
std::string parsed_by_another(std::string_view text) {
  const auto value = nlohmann::ordered_json::parse(text, nullptr, false);
  return value.is_discarded() ? "corrupt" : value.dump();
}

std::string as_dumped(std::string_view text) {
  const std::string ours = parsed(text);
  if (ours == "corrupt" || ours.find('#') != std::string::npos) return ours;
  return nlohmann::ordered_json::parse(ours).dump();
}

TEST_CASE("JSON: another strict parser says the same of every text that differs in one place") {
  const std::vector<std::string> texts{
      R"({"a":[1,-20,3.5e+7,true,null],"å\u00e5\ud83d\ude00":"\"\\/\n"})",
      " [ \"\xf0\x9f\x98\x80\xe2\x82\xac\" , {} , [ ] ,\t-0 ]\r\n",
      R"([9223372036854775807,-9223372036854775808,0.1,1E2,"\ud83d"])"};
  const auto compare = [](const std::string& text) {
    CAPTURE(text);
    const std::string another = parsed_by_another(text);
    const std::string ours = as_dumped(text);
    if (ours.find('#') != std::string::npos) {
      CHECK(another != "corrupt");  // a number whose value is not kept
    } else {
      CHECK(ours == another);
    }
  };
  for (const std::string& text : texts) {
    compare(text);
    for (std::size_t at = 0; at < text.size(); ++at) {
      compare(std::string{text}.erase(at, 1));
      compare(text.substr(0, at));
      for (int byte = 1; byte < 256; ++byte) {
        std::string other = text;
        other[at] = static_cast<char>(byte);
        compare(other);
        other = text;
        other.insert(at, 1, static_cast<char>(byte));
        compare(other);
      }
    }
  }
}

TEST_CASE("parse_json_list: elements go to the sink one by one and are not kept") {
  std::vector<std::string> seen;
  const auto sink = [&seen](const JsonValue& element) -> Status {
    JsonWriter json;
    write(json, element);
    seen.push_back(std::move(json).take());
    return {};
  };
  const JsonLimits small{.depth_max = 8, .members_max = 4, .values_max = 8};
  const auto run = [&](std::string_view text) {
    seen.clear();
    const auto value = parse_json_list(text, "list", sink, small);
    if (!value) return std::string{to_string(value.error().code())};
    JsonWriter json;
    write(json, value.value());
    return std::move(json).take();
  };
  // Ten elements of three values: more than values_max together, but not at a time.
  CHECK(run(R"({"a":[7],"list":[[1,2],[1,2],[1,2],[1,2],[1,2],[1,2],[1,2]],"b":{"list":[1]}})") ==
        R"({"a":[7],"list":[],"b":{"list":[1]}})");
  CHECK(seen == std::vector<std::string>(7, "[1,2]"));
  CHECK(run(R"({"list":[[1,2,3,4,5,6,7,8,9]]})") == "limit");
  CHECK(run(R"({"list":[1,"x",null]})") == R"({"list":[]})");
  CHECK(seen == std::vector<std::string>{"1", "\"x\"", "null"});
  CHECK(run(R"({"list":{"list":[1,2]}})") == R"({"list":{"list":[1,2]}})");
  CHECK(seen.empty());
  CHECK(run(R"([["list"],[1,2]])") == R"([["list"],[1,2]])");
  CHECK(run(R"({"list":[1],"list":[2]})") == "corrupt");

  const auto refusing = [](const JsonValue&) -> Status { return Error{Errc::kRejected, "enough"}; };
  const auto refused = parse_json_list(R"({"list":[1,2]})", "list", refusing);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message() == "enough");
}

TEST_CASE("JsonWriter: compact, in order, escaped") {
  JsonWriter json;
  json.begin_object().member("æ", "a\"b\\c\x01").member("n", -5).member("yes", true);
  json.name("list").begin_array().value(1).value("x").begin_object().end_object().end_array();
  json.member("big", UINT64_MAX).end_object();
  CHECK(std::move(json).take() ==
        "{\"æ\":\"a\\\"b\\\\c\\u0001\",\"n\":-5,\"yes\":true,\"list\":[1,\"x\",{}],"
        "\"big\":18446744073709551615}");
}

TEST_CASE("JsonReader: the first error sticks and names the member") {
  const auto error_of = [](std::string_view text) {
    const JsonValue value = parse_json(text).value();
    JsonReader reader{value, "thing"};
    static_cast<void>(reader.integer("n", 0, 9));
    static_cast<void>(reader.boolean("b"));
    static_cast<void>(reader.text("t", is_code));
    static_cast<void>(reader.interval("span"));
    const Status status = reader.finish();
    return status ? std::string{"ok"} : status.error().message();
  };
  constexpr std::string_view good = R"({"n":1,"b":true,"t":"x","span":{"from":1,"to":2}})";
  CHECK(error_of(good) == "ok");
  CHECK(error_of(R"({"span":{"to":2,"from":1},"t":"x","b":true,"n":1})") == "ok");
  const std::vector<std::pair<std::string_view, std::string_view>> cases{
      {"[]", "thing: not an object"},
      {R"({"n":1,"b":true,"t":"x"})", "thing.span: missing"},
      {R"({"n":10,"b":true,"t":"x","span":{"from":1,"to":2}})", "thing.n: out of range"},
      {R"({"n":-1,"b":true,"t":"x","span":{"from":1,"to":2}})", "thing.n: out of range"},
      {R"({"n":1.0,"b":true,"t":"x","span":{"from":1,"to":2}})", "thing.n: not an integer"},
      {R"({"n":"1","b":true,"t":"x","span":{"from":1,"to":2}})", "thing.n: not an integer"},
      {R"({"n":1,"b":1,"t":"x","span":{"from":1,"to":2}})", "thing.b: not true or false"},
      {R"({"n":1,"b":true,"t":7,"span":{"from":1,"to":2}})", "thing.t: not a text"},
      {R"({"n":1,"b":true,"t":"","span":{"from":1,"to":2}})",
       "thing.t: not of the form it must have"},
      {R"({"n":1,"b":true,"t":"x","span":{"from":3,"to":2}})", "thing: span.to: before `from`"},
      {R"({"n":1,"b":true,"t":"x","span":{"from":-3,"to":2}})", "thing: span.from: out of range"},
      {R"({"n":1,"b":true,"t":"x","span":{"from":1,"to":253402300800000}})",
       "thing: span.to: out of range"},
      {R"({"n":1,"b":true,"t":"x","u":0,"span":{"from":1,"to":2}})",
       "thing: unknown member, number 4"},
      {R"({"n":1,"b":true,"t":"x","span":{"from":1,"to":2,"u":0}})",
       "thing: span: unknown member, number 3"},
      {R"({"b":1,"n":99})", "thing.n: out of range"},
  };
  for (const auto& [text, want] : cases) {
    CAPTURE(text);
    CHECK(error_of(text) == want);
  }
}

TEST_CASE("JSON: the parsing suite of Nicolas Seriot") {
  const std::filesystem::path folder = std::filesystem::path{MELDEVAKT_SOURCE_DIR} /
                                       "../shared/data/vectors/jsontestsuite/test_parsing";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: the JSON vectors are not there");
    return;
  }
  // Doubled names are JSON to the suite and a forgery to us.
  const std::vector<std::string> doubled{"y_object_duplicated_key.json",
                                         "y_object_duplicated_key_and_value.json"};
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator{folder}) {
    const std::string name = entry.path().filename().string();
    std::ifstream file{entry.path(), std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    CAPTURE(name);
    const bool accepted = parse_json(text).has_value();
    const bool is_doubled = std::find(doubled.begin(), doubled.end(), name) != doubled.end();
    if (name[0] == 'y') CHECK(accepted == !is_doubled);
    if (name[0] == 'n') CHECK_FALSE(accepted);
    ++files;
  }
  CHECK(files > 300);
}

}  // namespace
}  // namespace meldevakt
