#include "common/summary/json.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace meldevakt {
namespace {

// Builds JsonValues from the library's events and ends the parsing at the first bound exceeded.
// Its functions are called by the library, hence their names; false ends the parsing.
class Builder {
 public:
  using number_integer_t = nlohmann::json::number_integer_t;
  using number_unsigned_t = nlohmann::json::number_unsigned_t;
  using number_float_t = nlohmann::json::number_float_t;
  using string_t = nlohmann::json::string_t;
  using binary_t = nlohmann::json::binary_t;

  Builder(const JsonLimits& bounds, std::string_view list, const JsonSink* sink)
      : bounds_{bounds}, list_{list}, sink_{sink} {}

  bool null() { return scalar(JsonValue::Kind::kNull); }
  bool boolean(bool value) {
    return scalar(JsonValue::Kind::kBoolean, [&](JsonValue& v) { v.boolean = value; });
  }
  bool number_integer(number_integer_t value) {
    return scalar(JsonValue::Kind::kInteger, [&](JsonValue& v) { v.integer = value; });
  }
  bool number_unsigned(number_unsigned_t value) {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return scalar(JsonValue::Kind::kOtherNumber);
    }
    return number_integer(static_cast<number_integer_t>(value));
  }
  bool number_float(number_float_t, const string_t&) {
    return scalar(JsonValue::Kind::kOtherNumber);
  }
  bool string(string_t& value) {
    return scalar(JsonValue::Kind::kString, [&](JsonValue& v) { v.text = std::move(value); });
  }
  bool binary(binary_t&) { return refuse(Errc::kCorrupt, "JSON: binary value"); }

  bool start_object(std::size_t) { return open(JsonValue::Kind::kObject); }
  bool start_array(std::size_t) { return open(JsonValue::Kind::kArray); }
  bool end_object() { return close(); }
  bool end_array() { return close(); }

  bool key(string_t& name) {
    std::vector<std::string>& names = stack_.back()->names;
    if (names.size() >= bounds_.members_max) {
      return refuse(Errc::kLimit, "JSON: more than " + std::to_string(bounds_.members_max) +
                                      " members in one object");
    }
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return refuse(Errc::kCorrupt, "JSON: a name twice in one object");
    }
    names.push_back(std::move(name));
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::json::exception&) {
    return refuse(Errc::kCorrupt, "JSON: malformed at byte " + std::to_string(position));
  }

  [[nodiscard]] std::optional<Error>& error() { return error_; }
  [[nodiscard]] JsonValue& root() { return root_; }

 private:
  bool refuse(Errc code, std::string message) {
    error_.emplace(code, std::move(message));
    return false;
  }

  // The place for the next value, or nullptr when one more would be too many.
  JsonValue* add(JsonValue::Kind kind) {
    if (++values_ > bounds_.values_max) {
      refuse(Errc::kLimit, "JSON: more than " + std::to_string(bounds_.values_max) + " values");
      return nullptr;
    }
    JsonValue* const place = stack_.empty() ? &root_ : &stack_.back()->items.emplace_back();
    place->kind = kind;
    return place;
  }

  bool scalar(JsonValue::Kind kind) {
    return scalar(kind, [](JsonValue&) {});
  }
  template <typename Fill>
  bool scalar(JsonValue::Kind kind, const Fill& fill) {
    JsonValue* const place = add(kind);
    if (place == nullptr) return false;
    fill(*place);
    return completed();
  }

  bool open(JsonValue::Kind kind) {
    if (stack_.size() >= bounds_.depth_max) {
      return refuse(Errc::kLimit, "JSON: nested deeper than " + std::to_string(bounds_.depth_max));
    }
    JsonValue* const place = add(kind);
    if (place == nullptr) return false;
    const bool is_list = sink_ != nullptr && kind == JsonValue::Kind::kArray &&
                         stack_.size() == 1 && root_.kind == JsonValue::Kind::kObject &&
                         root_.names.back() == list_;
    if (is_list) list_array_ = place;
    // Stays valid: the container that holds it does not grow before this one is closed.
    stack_.push_back(place);
    return true;
  }

  bool close() {
    stack_.pop_back();
    return stack_.empty() || completed();
  }

  // A value was added to the innermost open container.
  bool completed() {
    if (stack_.empty() || stack_.back() != list_array_) return true;
    std::vector<JsonValue>& items = list_array_->items;
    if (Status status = (*sink_)(items.back()); !status) {
      error_ = std::move(status).error();
      return false;
    }
    items.clear();
    values_ = root_.items.size();
    return true;
  }

  const JsonLimits& bounds_;
  std::string_view list_;
  const JsonSink* sink_;
  JsonValue root_;
  std::vector<JsonValue*> stack_;
  JsonValue* list_array_ = nullptr;
  std::size_t values_ = 0;
  std::optional<Error> error_;
};

Result<JsonValue> parse(std::string_view text, const JsonLimits& bounds, std::string_view list,
                        const JsonSink* sink) {
  // The library takes a NUL for the end of its input and skips a byte order mark: what follows the
  // one, or comes before the other, would be signed but not seen.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Error{Errc::kCorrupt, "JSON: malformed at byte " + std::to_string(nul + 1)};
  }
  if (text.substr(0, 3) == "\xef\xbb\xbf") {
    return Error{Errc::kCorrupt, "JSON: malformed at byte 1"};
  }
  Builder builder{bounds, list, sink};
  const bool parsed = nlohmann::json::sax_parse(text.begin(), text.end(), &builder);
  if (builder.error()) return *std::move(builder.error());
  if (!parsed) return Error{Errc::kCorrupt, "JSON: malformed"};
  return std::move(builder.root());
}

}  // namespace

Result<JsonValue> parse_json(std::string_view text, const JsonLimits& bounds) {
  return parse(text, bounds, {}, nullptr);
}

Result<JsonValue> parse_json_list(std::string_view text, std::string_view list,
                                  const JsonSink& sink, const JsonLimits& bounds) {
  return parse(text, bounds, list, &sink);
}

JsonWriter& JsonWriter::name(std::string_view name) {
  separate();
  append_text(name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_text(text);
  return *this;
}

JsonWriter& JsonWriter::value(std::int64_t number) {
  separate();
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number);
  out_.append(digits, end.ptr);
  return *this;
}

JsonWriter& JsonWriter::value(std::uint64_t number) {
  separate();
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number);
  out_.append(digits, end.ptr);
  return *this;
}

JsonWriter& JsonWriter::value(bool boolean) {
  separate();
  out_ += boolean ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

void JsonWriter::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

void JsonWriter::append_text(std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  out_ += '"';
  std::size_t plain_from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out_ += text.substr(plain_from, i - plain_from);
    plain_from = i + 1;
    if (c >= 0x20) {
      (out_ += '\\') += text[i];
    } else {
      ((out_ += "\\u00") += hex[c >> 4]) += hex[c & 15];
    }
  }
  out_ += text.substr(plain_from);
  out_ += '"';
}

}  // namespace meldevakt
