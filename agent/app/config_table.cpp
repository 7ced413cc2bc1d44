#include "agent/app/config_table.h"

#include <algorithm>
#include <cmath>

#include "common/base/text.h"

namespace meldevakt::agent {

void Mistakes::add(std::uint32_t line, const std::string& what) {
  if (line_ && *line_ <= line) return;
  line_ = line;
  what_ = what;
}

Status Mistakes::status() const {
  if (!line_) return {};
  return Error{Errc::kInvalid, file_name_ + ":" + std::to_string(*line_) + ": " + what_};
}

const toml::node* ConfigTable::ask(std::string_view key) {
  asked_.emplace_back(key);
  return table_.get(key);
}

std::uint32_t ConfigTable::line_of(std::string_view key) const {
  const toml::node* node = table_.get(key);
  return node == nullptr ? line() : node->source().begin.line;
}

void ConfigTable::mistake(std::string_view key, const std::string& what) {
  mistakes_.add(line_of(key), what);
}

std::string ConfigTable::text(std::string_view key, std::string otherwise) {
  const toml::node* node = ask(key);
  if (node == nullptr) return otherwise;
  const auto value = node->value_exact<std::string>();
  if (!value) {
    mistake(key, "'" + std::string{key} + "' in " + name_ + " must be a text in quotation marks");
    return otherwise;
  }
  if (value->empty()) mistake(key, "'" + std::string{key} + "' in " + name_ + " is empty");
  return *value;
}

std::string ConfigTable::required(std::string_view key) {
  if (!has(key)) {
    asked_.emplace_back(key);
    missing(key);
    return {};
  }
  return text(key);
}

std::vector<std::string> ConfigTable::texts(std::string_view key) {
  const toml::node* node = ask(key);
  if (node == nullptr) return {};
  const std::string shape =
      "'" + std::string{key} + "' in " + name_ + " must be a list of texts: [\"...\"]";
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    mistake(key, shape);
    return {};
  }
  std::vector<std::string> out;
  for (const toml::node& element : *array) {
    const auto value = element.value_exact<std::string>();
    if (!value || value->empty()) {
      mistakes_.add(element.source().begin.line, shape);
      continue;
    }
    out.push_back(*value);
  }
  return out;
}

std::optional<Duration> ConfigTable::duration(std::string_view key, Duration least, Duration most) {
  const toml::node* node = ask(key);
  if (node == nullptr) return std::nullopt;
  const auto value = node->value_exact<std::string>();
  if (!value) {
    mistake(key, "'" + std::string{key} + "' in " + name_ + " must be a duration like \"10s\"");
    return std::nullopt;
  }
  const auto parsed = parse_duration(*value);
  if (!parsed) {
    mistake(key, "'" + std::string{key} + "' in " + name_ + ": " + parsed.error().message());
    return std::nullopt;
  }
  if (parsed.value() < least || parsed.value() > most) {
    mistake(key, "'" + std::string{key} + "' in " + name_ + " must be between " +
                     std::to_string(least.ms) + "ms and " + std::to_string(most.ms / 1000) + "s");
    return std::nullopt;
  }
  return parsed.value();
}

std::map<std::string, double> ConfigTable::numbers(std::string_view key) {
  std::map<std::string, double> out;
  const toml::node* node = ask(key);
  if (node == nullptr) return out;
  const std::string shape = "'" + std::string{key} + "' in " + name_ +
                            " must be a table of names and numbers: { \"cpu.busy\" = 95 }";
  const toml::table* found = node->as_table();
  if (found == nullptr) {
    mistake(key, shape);
    return out;
  }
  for (const auto& [name, value] : *found) {
    const auto number = value.is_number() ? value.value<double>() : std::nullopt;
    if (!number || !std::isfinite(*number) || *number < 0) {
      mistakes_.add(name.source().begin.line, shape);
      continue;
    }
    out[std::string{name.str()}] = *number;
  }
  return out;
}

bool ConfigTable::flag(std::string_view key, bool otherwise) {
  const toml::node* node = ask(key);
  if (node == nullptr) return otherwise;
  const auto value = node->value_exact<bool>();
  if (!value) mistake(key, "'" + std::string{key} + "' in " + name_ + " must be true or false");
  return value.value_or(otherwise);
}

std::int64_t ConfigTable::whole(std::string_view key, std::int64_t otherwise, std::int64_t least,
                                std::int64_t most) {
  const toml::node* node = ask(key);
  if (node == nullptr) return otherwise;
  const auto value = node->value_exact<std::int64_t>();
  if (value && *value >= least && *value <= most) return *value;
  mistake(key, "'" + std::string{key} + "' in " + name_ + " must be a whole number from " +
                   std::to_string(least) + " to " + std::to_string(most));
  return otherwise;
}

const toml::table* ConfigTable::table(std::string_view key) {
  const toml::node* node = ask(key);
  if (node == nullptr) return nullptr;
  const toml::table* found = node->as_table();
  if (found == nullptr)
    mistake(key, "'" + std::string{key} + "' must be a table: [" + std::string{key} + "]");
  return found;
}

std::vector<const toml::table*> ConfigTable::tables(std::string_view key) {
  std::vector<const toml::table*> out;
  const toml::node* node = ask(key);
  if (node == nullptr) return out;
  const std::string shape = "write [[" + std::string{key} + "]], with double brackets";
  const toml::array* array = node->as_array();
  if (array == nullptr) {
    mistake(key, shape);
    return out;
  }
  for (const toml::node& element : *array) {
    const toml::table* one = element.as_table();
    if (one == nullptr) {
      mistakes_.add(element.source().begin.line, shape);
      continue;
    }
    out.push_back(one);
  }
  return out;
}

void ConfigTable::finish() {
  for (const auto& [key, node] : table_) {
    const std::string name{key.str()};
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    std::string what = "unknown key '" + quoted(name) + "' in " + name_;
    if (const auto near = nearest_name(name, asked_)) {
      what += "; did you mean '" + *near + "'?";
      std::erase(missing_, *near);  // explained
    }
    mistakes_.add(key.source().begin.line, what);
  }
  for (const std::string& key : missing_) {
    mistakes_.add(line(), "'" + key + "' is missing in " + name_);
  }
}

}  // namespace meldevakt::agent
