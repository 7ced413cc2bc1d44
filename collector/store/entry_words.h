// What an entry of a log says of its members, for whoever holds it against what is stored.
//
// Private to collector/store. Thread-safety: a plain value. Errors: kCorrupt when the bytes are no
// JSON object.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/summary/json.h"

namespace meldevakt::collector {

class EntryWords {
 public:
  [[nodiscard]] static Result<EntryWords> parse(std::string_view bytes);

  [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name) const;  // "": it does not say

 private:
  explicit EntryWords(JsonValue value) : value_{std::move(value)} {}
  [[nodiscard]] const JsonValue* member(std::string_view name) const;
  JsonValue value_;
};

}  // namespace meldevakt::collector
