#include "collector/store/entry_words.h"

#include <utility>

namespace meldevakt::collector {

Result<EntryWords> EntryWords::parse(std::string_view bytes) {
  MELDEVAKT_TRY_ASSIGN(JsonValue value, parse_json(bytes));
  if (value.kind != JsonValue::Kind::kObject) {
    return Error{Errc::kCorrupt, "an entry that is no JSON object"};
  }
  return EntryWords{std::move(value)};
}

const JsonValue* EntryWords::member(std::string_view name) const {
  for (std::size_t i = 0; i < value_.names.size(); ++i) {
    if (value_.names[i] == name) return &value_.items[i];
  }
  return nullptr;
}

std::optional<std::int64_t> EntryWords::integer(std::string_view name) const {
  const JsonValue* const value = member(name);
  if (value == nullptr || value->kind != JsonValue::Kind::kInteger) return std::nullopt;
  return value->integer;
}

std::string EntryWords::text(std::string_view name) const {
  const JsonValue* const value = member(name);
  if (value == nullptr || value->kind != JsonValue::Kind::kString) return "";
  return value->text;
}

}  // namespace meldevakt::collector
