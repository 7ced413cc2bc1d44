// One table of a TOML file, read key by key: each key is asked for once, and finish() refuses those
// that nobody asked for, with the nearest name that exists. The first error is kept.
// Thread-safety: none. Errors: kInvalid, "file:line: ...".
#pragma once

#include <toml++/toml.h>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::collector {

class TomlReader {
 public:
  // `label`: how the table is called in messages, e.g. "[agents]" or "the file".
  TomlReader(const toml::table& table, std::string file, std::string label)
      : table_{table}, file_{std::move(file)}, label_{std::move(label)} {}

  [[nodiscard]] std::optional<std::string> text(std::string_view key);
  [[nodiscard]] std::optional<Duration> duration(std::string_view key);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  [[nodiscard]] const toml::table* table(std::string_view key);
  [[nodiscard]] std::vector<const toml::table*> tables(std::string_view key);

  void complain(const toml::node& node, const std::string& what);
  void complain_at(std::string_view key, const std::string& what);
  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
  [[nodiscard]] const toml::table& raw() const { return table_; }
  [[nodiscard]] const std::string& file() const { return file_; }

  // Ok, or the first error of this table.
  [[nodiscard]] Status finish();

 private:
  [[nodiscard]] const toml::node* find(std::string_view key);

  const toml::table& table_;
  std::string file_;
  std::string label_;
  std::vector<std::string> asked_;
  std::optional<Error> error_;
};

}  // namespace meldevakt::collector
