#include "collector/app/toml_reader.h"

#include <algorithm>

#include "common/base/text.h"

namespace meldevakt::collector {

const toml::node* TomlReader::find(std::string_view key) {
  asked_.emplace_back(key);
  return table_.get(key);
}

void TomlReader::complain(const toml::node& node, const std::string& what) {
  if (error_) return;
  error_ =
      Error{Errc::kInvalid, file_ + ":" + std::to_string(node.source().begin.line) + ": " + what};
}

void TomlReader::complain_at(std::string_view key, const std::string& what) {
  const toml::node* node = table_.get(key);
  complain(node != nullptr ? *node : static_cast<const toml::node&>(table_), what);
}

std::optional<std::string> TomlReader::text(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* value = node->as_string()) return value->get();
  complain(*node, "'" + std::string(key) + "' in " + label_ + " must be a text in quotes");
  return std::nullopt;
}

std::optional<Duration> TomlReader::duration(std::string_view key) {
  const std::optional<std::string> written = text(key);
  if (!written) return std::nullopt;
  const Result<Duration> parsed = parse_duration(*written);
  if (parsed) return parsed.value();
  complain_at(key, "'" + std::string(key) + "' in " + label_ + ": " + parsed.error().message());
  return std::nullopt;
}

std::vector<std::string> TomlReader::texts(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  std::vector<std::string> all;
  if (const auto* array = node->as_array()) {
    for (const toml::node& element : *array) {
      if (const auto* value = element.as_string()) all.push_back(value->get());
    }
    if (all.size() == array->size()) return all;
  }
  complain(*node, "'" + std::string(key) + "' in " + label_ +
                      " must be a list of texts, e.g. [\"one\", \"two\"]");
  return {};
}

const toml::table* TomlReader::table(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (const auto* found = node->as_table()) return found;
  complain(*node, "'" + std::string(key) + "' in " + label_ + " must be a table");
  return nullptr;
}

std::vector<const toml::table*> TomlReader::tables(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return {};
  std::vector<const toml::table*> all;
  if (const auto* array = node->as_array()) {
    for (const toml::node& element : *array) {
      if (const auto* found = element.as_table()) all.push_back(found);
    }
    if (all.size() == array->size()) return all;
  }
  complain(*node, "write [[" + std::string(key) + "]] with two pairs of brackets");
  return {};
}

Status TomlReader::finish() {
  for (const auto& [key, node] : table_) {
    const std::string name(key.str());
    if (std::find(asked_.begin(), asked_.end(), name) != asked_.end()) continue;
    const auto nearest = nearest_name(name, asked_);
    complain(node, "unknown key '" + quoted(name) + "' in " + label_ +
                       (nearest ? "; did you mean '" + *nearest + "'?" : ""));
  }
  if (error_) return *error_;
  return {};
}

}  // namespace meldevakt::collector
