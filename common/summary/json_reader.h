// Reads the members of one JSON object, strictly: each wrong, missing or unknown member is an
// error.
//
//   JsonReader reader{value, "clock"};
//   clock.source = reader.text("source", is_code);
//   clock.stepped = reader.boolean("stepped");
//   if (const JsonValue* v = reader.optional("note")) ...
//   MELDEVAKT_TRY(reader.finish());                    // "clock.source: not a code"
//
// The first error sticks: after it every function returns a default value, so that a decoder reads
// like the list of members it is; finish() tells. Borrowed: the value must outlive the reader.
//
// Thread-safety: none; a reader lives on one stack. Errors: kCorrupt with the member's path, kLimit
// for lists that are too long. They never repeat what the text says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/result.h"
#include "common/base/time.h"
#include "common/summary/json.h"

namespace meldevakt {

class JsonReader {
 public:
  static constexpr std::int64_t kIntegerMax = std::numeric_limits<std::int64_t>::max();

  JsonReader(const JsonValue& object, std::string_view path);

  [[nodiscard]] bool has(std::string_view name);
  // nullptr when the object has no such member; the value when it has. Not for required members.
  [[nodiscard]] const JsonValue* optional(std::string_view name);
  // A required member of any type, or nullptr after an error.
  [[nodiscard]] const JsonValue* required(std::string_view name);

  [[nodiscard]] std::int64_t integer(std::string_view name, std::int64_t min,
                                     std::int64_t max = kIntegerMax);
  [[nodiscard]] std::uint64_t count(std::string_view name, std::uint64_t max = kIntegerMax);
  [[nodiscard]] bool boolean(std::string_view name);
  [[nodiscard]] Instant instant(std::string_view name);    // in the years of kWireTimeMax
  [[nodiscard]] Interval interval(std::string_view name);  // {"from":_,"to":_}, from <= to
  [[nodiscard]] Sha256 sha256(std::string_view name);

  // A text for which `form` is true, or the empty one where `may_be_empty`.
  [[nodiscard]] std::string text(std::string_view name, bool (*form)(std::string_view),
                                 bool may_be_empty = false);
  // Exactly so many lower-case hexadecimal digits, or none where `may_be_empty`.
  [[nodiscard]] std::string hex(std::string_view name, std::size_t digits,
                                bool may_be_empty = false);

  // One of a closed list of words.
  template <typename Enum>
  [[nodiscard]] Enum word(std::string_view name,
                          std::optional<Enum> (*from_string)(std::string_view)) {
    if (const JsonValue* const v = required(name); v != nullptr) {
      if (v->kind == JsonValue::Kind::kString) {
        if (const std::optional<Enum> value = from_string(v->text)) return *value;
      }
      fail(name, "not a word of its list");
    }
    return Enum{};
  }

  // `read`: Result<T>(const JsonValue&). Errors carry the member's name and the element's index.
  template <typename T, typename Read>
  [[nodiscard]] std::vector<T> list(std::string_view name, std::size_t length_max,
                                    const Read& read) {
    std::vector<T> out;
    const JsonValue* const array = required_list(name, length_max);
    if (array == nullptr) return out;
    out.reserve(array->items.size());
    for (const JsonValue& item : array->items) {
      Result<T> element = read(item);
      if (!element) {
        adopt(std::move(element).error(), name, out.size());
        return out;
      }
      out.push_back(std::move(element).value());
    }
    return out;
  }

  // An object inside: `read` is Result<T>(const JsonValue&).
  template <typename T, typename Read>
  [[nodiscard]] T object(std::string_view name, const Read& read) {
    if (const JsonValue* const v = required(name); v != nullptr) {
      Result<T> result = read(*v);
      if (result) return std::move(result).value();
      adopt(std::move(result).error());
    }
    return T{};
  }

  // For a rule between members: "path.name: why". Keeps the first error.
  void fail(std::string_view name, std::string_view why);
  void require(bool condition, std::string_view name, std::string_view why) {
    if (!condition) fail(name, why);
  }
  [[nodiscard]] bool failed() const { return error_.has_value(); }

  // The first error; or, when members are left that nobody asked for, that.
  [[nodiscard]] Status finish();

 private:
  [[nodiscard]] const JsonValue* required_list(std::string_view name, std::size_t length_max);
  [[nodiscard]] const std::string* required_text(std::string_view name);
  void adopt(Error error);
  void adopt(Error error, std::string_view name, std::size_t index);

  const JsonValue& object_;
  std::string_view path_;
  std::size_t next_ = 0;    // where the next member lies when they come in our order
  std::uint64_t seen_ = 0;  // one bit a member: asked for
  std::optional<Error> error_;
};

}  // namespace meldevakt
