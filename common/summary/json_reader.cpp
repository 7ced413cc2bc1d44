#include "common/summary/json_reader.h"

#include <utility>

#include "common/summary/forms.h"

namespace meldevakt {
namespace {

static_assert(JsonLimits{}.members_max <= 64, "JsonReader marks members in 64 bits");

}  // namespace

JsonReader::JsonReader(const JsonValue& object, std::string_view path)
    : object_{object}, path_{path} {
  if (object.kind != JsonValue::Kind::kObject) {
    error_.emplace(Errc::kCorrupt, std::string{path} + ": not an object");
  } else if (object.names.size() > 64) {
    error_.emplace(Errc::kLimit, std::string{path} + ": more than 64 members");
  }
}

bool JsonReader::has(std::string_view name) {
  for (const std::string& candidate : object_.names) {
    if (candidate == name) return true;
  }
  return false;
}

const JsonValue* JsonReader::optional(std::string_view name) {
  if (error_) return nullptr;
  const std::vector<std::string>& names = object_.names;
  std::size_t at = next_;
  if (at >= names.size() || names[at] != name) {
    for (at = 0; at < names.size() && names[at] != name; ++at) {
    }
  }
  if (at == names.size()) return nullptr;
  next_ = at + 1;
  seen_ |= std::uint64_t{1} << at;
  return &object_.items[at];
}

const JsonValue* JsonReader::required(std::string_view name) {
  const JsonValue* const value = optional(name);
  if (value == nullptr) fail(name, "missing");
  return value;
}

std::int64_t JsonReader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  const JsonValue* const value = required(name);
  if (value == nullptr) return {};
  if (value->kind != JsonValue::Kind::kInteger) {
    fail(name, "not an integer");
    return {};
  }
  if (value->integer < min || value->integer > max) {
    fail(name, "out of range");
    return {};
  }
  return value->integer;
}

std::uint64_t JsonReader::count(std::string_view name, std::uint64_t max) {
  MELDEVAKT_CHECK(max <= static_cast<std::uint64_t>(kIntegerMax));
  return static_cast<std::uint64_t>(integer(name, 0, static_cast<std::int64_t>(max)));
}

bool JsonReader::boolean(std::string_view name) {
  const JsonValue* const value = required(name);
  if (value == nullptr) return false;
  require(value->kind == JsonValue::Kind::kBoolean, name, "not true or false");
  return value->boolean;
}

Instant JsonReader::instant(std::string_view name) {
  return {integer(name, 0, kWireTimeMax.ms)};
}

Interval JsonReader::interval(std::string_view name) {
  return object<Interval>(name, [name](const JsonValue& value) -> Result<Interval> {
    JsonReader reader{value, name};
    Interval out;
    out.from = reader.instant("from");
    out.to = reader.instant("to");
    reader.require(out.from <= out.to, "to", "before `from`");
    MELDEVAKT_TRY(reader.finish());
    return out;
  });
}

Sha256 JsonReader::sha256(std::string_view name) {
  const std::string digits = hex(name, 2 * Sha256::kBytes);
  if (failed()) return {};
  return Sha256::from_hex_text(digits).value();
}

std::string JsonReader::text(std::string_view name, bool (*form)(std::string_view),
                             bool may_be_empty) {
  const std::string* const value = required_text(name);
  if (value == nullptr) return {};
  if (!(may_be_empty && value->empty()) && !form(*value)) {
    fail(name, "not of the form it must have");
    return {};
  }
  return *value;
}

std::string JsonReader::hex(std::string_view name, std::size_t digits, bool may_be_empty) {
  const std::string* const value = required_text(name);
  if (value == nullptr) return {};
  if (!(may_be_empty && value->empty()) && !is_hex(*value, digits)) {
    fail(name, "not " + std::to_string(digits) + " lower-case hexadecimal digits");
    return {};
  }
  return *value;
}

void JsonReader::fail(std::string_view name, std::string_view why) {
  if (error_) return;
  std::string message{path_};
  message.append(".").append(name).append(": ").append(why);
  error_.emplace(Errc::kCorrupt, std::move(message));
}

Status JsonReader::finish() {
  if (error_) return *std::move(error_);
  for (std::size_t i = 0; i < object_.names.size(); ++i) {
    if ((seen_ >> i & 1) == 0) {
      return Error{Errc::kCorrupt,
                   std::string{path_} + ": unknown member, number " + std::to_string(i + 1)};
    }
  }
  return {};
}

const JsonValue* JsonReader::required_list(std::string_view name, std::size_t length_max) {
  const JsonValue* const value = required(name);
  if (value == nullptr) return nullptr;
  if (value->kind != JsonValue::Kind::kArray) {
    fail(name, "not a list");
    return nullptr;
  }
  if (value->items.size() > length_max) {
    std::string message{path_};
    message.append(".").append(name).append(": more than ").append(std::to_string(length_max));
    error_.emplace(Errc::kLimit, std::move(message));
    return nullptr;
  }
  return value;
}

const std::string* JsonReader::required_text(std::string_view name) {
  const JsonValue* const value = required(name);
  if (value == nullptr) return nullptr;
  if (value->kind != JsonValue::Kind::kString) {
    fail(name, "not a text");
    return nullptr;
  }
  return &value->text;
}

void JsonReader::adopt(Error error) {
  if (!error_) error_ = std::move(error).in(path_);
}

void JsonReader::adopt(Error error, std::string_view name, std::size_t index) {
  std::string at{name};
  at.append("[").append(std::to_string(index)).append("]");
  adopt(std::move(error).in(at));
}

}  // namespace meldevakt
