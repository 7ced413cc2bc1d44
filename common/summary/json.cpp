#include "common/summary/json.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

namespace meldevakt {
namespace {

namespace library = boost::json;

// Builds JsonValues from the library's events and ends the parsing at the first bound exceeded.
// Its functions are called by the library, hence their names; false ends the parsing, and then the
// error code must say something. Pieces of a text come in order, the last one by its own function.
class Builder {
 public:
  // Ours are counted in values, and by JsonLimits.
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  using Ended = library::error_code;
  using Piece = library::string_view;

  Builder(const JsonLimits& bounds, std::string_view list, const JsonSink* sink)
      : bounds_{bounds}, list_{list}, sink_{sink} {}

  bool on_document_begin(Ended&) { return true; }
  bool on_document_end(Ended&) { return true; }
  bool on_comment_part(Piece, Ended&) { return false; }
  bool on_comment(Piece, Ended&) { return false; }

  bool on_null(Ended& ended) { return goes_on(scalar(JsonValue::Kind::kNull), ended); }
  bool on_bool(bool value, Ended& ended) {
    const auto fill = [&](JsonValue& v) { v.boolean = value; };
    return goes_on(scalar(JsonValue::Kind::kBoolean, fill), ended);
  }
  bool on_number_part(Piece, Ended&) { return true; }
  bool on_int64(std::int64_t value, Piece, Ended& ended) {
    const auto fill = [&](JsonValue& v) { v.integer = value; };
    return goes_on(scalar(JsonValue::Kind::kInteger, fill), ended);
  }
  bool on_uint64(std::uint64_t, Piece, Ended& ended) {  // only those that are no std::int64_t
    return goes_on(scalar(JsonValue::Kind::kOtherNumber), ended);
  }
  bool on_double(double value, Piece, Ended& ended) {
    const bool fits = std::isfinite(value) || refuse(Errc::kCorrupt, "JSON: a number too large");
    return goes_on(fits && scalar(JsonValue::Kind::kOtherNumber), ended);
  }
  bool on_string_part(Piece piece, std::size_t, Ended&) { return append(piece); }
  bool on_string(Piece piece, std::size_t, Ended& ended) {
    append(piece);
    const auto fill = [&](JsonValue& v) { v.text = std::exchange(text_, {}); };
    return goes_on(scalar(JsonValue::Kind::kString, fill), ended);
  }
  bool on_key_part(Piece piece, std::size_t, Ended&) { return append(piece); }
  bool on_key(Piece piece, std::size_t, Ended& ended) {
    append(piece);
    return goes_on(name(std::exchange(text_, {})), ended);
  }

  bool on_object_begin(Ended& ended) { return goes_on(open(JsonValue::Kind::kObject), ended); }
  bool on_array_begin(Ended& ended) { return goes_on(open(JsonValue::Kind::kArray), ended); }
  bool on_object_end(std::size_t, Ended& ended) { return goes_on(close(), ended); }
  bool on_array_end(std::size_t, Ended& ended) { return goes_on(close(), ended); }

  [[nodiscard]] std::optional<Error>& error() { return error_; }
  [[nodiscard]] JsonValue& root() { return root_; }

 private:
  // Room for so many at the first: growing one by one costs more than all the rest.
  static constexpr std::size_t kUsualMembers = 4;

  static bool goes_on(bool good, Ended& ended) {
    if (!good) ended = library::error::syntax;
    return good;
  }

  bool append(Piece piece) {
    text_.append(piece.data(), piece.size());
    return true;
  }

  bool name(std::string name) {
    std::vector<std::string>& names = stack_.back()->names;
    if (names.size() >= bounds_.members_max) {
      return refuse(Errc::kLimit, "JSON: more than " + std::to_string(bounds_.members_max) +
                                      " members in one object");
    }
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return refuse(Errc::kCorrupt, "JSON: a name twice in one object");
    }
    if (names.empty()) {
      names.reserve(kUsualMembers);
      stack_.back()->items.reserve(kUsualMembers);
    }
    names.push_back(std::move(name));
    return true;
  }

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
  std::string text_;  // the pieces so far
  JsonValue root_;
  std::vector<JsonValue*> stack_;
  JsonValue* list_array_ = nullptr;
  std::size_t values_ = 0;
  std::optional<Error> error_;
};

Error malformed_at(std::size_t byte) {
  return {Errc::kCorrupt, "JSON: malformed at byte " + std::to_string(byte)};
}

Result<JsonValue> parse(std::string_view text, const JsonLimits& bounds, std::string_view list,
                        const JsonSink* sink) {
  library::parse_options strict;
  strict.max_depth = bounds.depth_max + 1;  // the builder says which bound it was
  library::basic_parser<Builder> parser{strict, bounds, list, sink};
  library::error_code failed;
  const std::size_t read = parser.write_some(false, text.data(), text.size(), failed);
  Builder& builder = parser.handler();
  if (builder.error()) return *std::move(builder.error());
  if (failed || read < text.size()) return malformed_at(read + 1);
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
