// Strict JSON (RFC 8259), bounded, for everything that comes from another program; and a writer.
//
//   MELDEVAKT_TRY_ASSIGN(JsonValue value, parse_json(text));
//   JsonReader reader{value, "invitation"};              // common/summary/json_reader.h
//
//   JsonWriter json;
//   json.begin_object().member("epoch", 7).member("state", "read").end_object();
//   std::string text = std::move(json).take();           // {"epoch":7,"state":"read"}
//
// Refused besides what RFC 8259 refuses: a name twice in one object, a byte order mark, a NUL byte
// anywhere, invalid UTF-8 (lone surrogates too), and whatever exceeds JsonLimits. The bounds hold
// while parsing, so a hostile text costs no more memory than they allow.
//
// Thread-safety: pure functions, plain values. Errors: kCorrupt with the byte's position, kLimit.
// Neither repeats what the text says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace meldevakt {

struct JsonLimits {
  std::size_t depth_max = 16;
  std::size_t members_max = 64;      // of one object
  std::size_t values_max = 100'000;  // held at a time
};

struct JsonValue {
  enum class Kind : std::uint8_t {
    kNull,
    kBoolean,
    kInteger,      // fits std::int64_t
    kOtherNumber,  // any other number; its value is not kept: nothing of ours is a fraction
    kString,
    kArray,
    kObject
  };
  Kind kind = Kind::kNull;
  bool boolean = false;
  std::int64_t integer = 0;
  std::string text;
  std::vector<JsonValue> items;    // of an array, or the values of an object
  std::vector<std::string> names;  // of an object, as long as `items`
};

[[nodiscard]] Result<JsonValue> parse_json(std::string_view text, const JsonLimits& bounds = {});

// As parse_json, but each element of the top object's array `list` goes to `sink` as soon as it is
// complete and is not kept: the array is empty in the result. values_max then bounds one element.
// An error of the sink ends the parsing and is returned.
using JsonSink = std::function<Status(const JsonValue& element)>;
[[nodiscard]] Result<JsonValue> parse_json_list(std::string_view text, std::string_view list,
                                                const JsonSink& sink,
                                                const JsonLimits& bounds = {});

// Compact JSON, members in the order they are given. REQUIRES: names and texts are UTF-8.
class JsonWriter {
 public:
  JsonWriter& begin_object() { return open('{'); }
  JsonWriter& end_object() { return close('}'); }
  JsonWriter& begin_array() { return open('['); }
  JsonWriter& end_array() { return close(']'); }

  JsonWriter& name(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view{text}); }
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(int number) { return value(std::int64_t{number}); }
  JsonWriter& value(std::uint32_t number) { return value(std::uint64_t{number}); }
  JsonWriter& value(bool boolean);

  template <typename T>
  JsonWriter& member(std::string_view member_name, const T& member_value) {
    return name(member_name).value(member_value);
  }

  // A finished JSON text, written as it is.
  JsonWriter& raw(std::string_view json);

  void reserve(std::size_t bytes) { out_.reserve(bytes); }
  [[nodiscard]] std::string take() && { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();
  void append_text(std::string_view text);

  std::string out_;
  bool comma_ = false;  // the next value or name needs a comma before it
};

}  // namespace meldevakt
