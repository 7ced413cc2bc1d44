// One table of agent.toml, read key by key. A key is asked for once; finish() refuses those that
// nobody asked for. The first mistake, by line, is kept. Thread-safety: none.
#pragma once

#include <toml++/toml.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::agent {

// The first mistake of a file, by line.
class Mistakes {
 public:
  explicit Mistakes(std::string file_name) : file_name_{std::move(file_name)} {}
  void add(std::uint32_t line, const std::string& what);
  [[nodiscard]] Status status() const;

 private:
  std::string file_name_;
  std::optional<std::uint32_t> line_;
  std::string what_;
};

class ConfigTable {
 public:
  // `name`: as people see it, "[[source]]" or "the file".
  ConfigTable(const toml::table& table, std::string name, Mistakes& mistakes)
      : table_{table}, name_{std::move(name)}, mistakes_{mistakes} {}

  [[nodiscard]] std::string text(std::string_view key, std::string otherwise = {});
  [[nodiscard]] std::string required(std::string_view key);
  [[nodiscard]] std::vector<std::string> texts(std::string_view key);
  [[nodiscard]] std::optional<Duration> duration(std::string_view key, Duration least,
                                                 Duration most);
  // A table of names and numbers: { a = 1, b = 2.5 }.
  [[nodiscard]] std::map<std::string, double> numbers(std::string_view key);
  [[nodiscard]] bool flag(std::string_view key, bool otherwise);
  [[nodiscard]] std::int64_t whole(std::string_view key, std::int64_t otherwise, std::int64_t least,
                                   std::int64_t most);
  [[nodiscard]] const toml::table* table(std::string_view key);
  [[nodiscard]] std::vector<const toml::table*> tables(std::string_view key);

  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }
  [[nodiscard]] std::uint32_t line() const { return table_.source().begin.line; }
  [[nodiscard]] std::uint32_t line_of(std::string_view key) const;
  void mistake(std::string_view key, const std::string& what);
  void missing(std::string_view key) { missing_.emplace_back(key); }
  // Says what is missing and what is unknown; of a misspelt key only that it is.
  void finish();

 private:
  [[nodiscard]] const toml::node* ask(std::string_view key);

  const toml::table& table_;
  std::string name_;
  Mistakes& mistakes_;
  std::vector<std::string> asked_;
  std::vector<std::string> missing_;
};

}  // namespace meldevakt::agent
