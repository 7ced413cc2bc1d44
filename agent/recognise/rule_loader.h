// Makes the rules of a pack from what its file says. Private to agent/recognise; load_pack() uses
// it.
//
//   RuleLoader loader{file_name, observes, literals};   // `literals` grows by those of each rule
//   MELDEVAKT_TRY_ASSIGN(Rule rule, loader.load(text));
//
// Thread-safety: none. Errors: kInvalid, with file, line and remedy.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "agent/recognise/pack_toml.h"
#include "agent/recognise/program.h"
#include "common/base/result.h"

namespace meldevakt::agent {

class RuleLoader {
 public:
  RuleLoader(std::string file, const std::vector<Signal>& observes,
             std::vector<std::string>& literals)
      : file_{std::move(file)}, observes_{observes}, literals_{literals} {}

  [[nodiscard]] Result<Rule> load(const RuleText& text);

 private:
  [[nodiscard]] Error error(std::uint32_t line, std::string_view what) const;
  Status name(const RuleText& text);
  Status literals(const RuleText& text, Rule& rule);
  Result<std::size_t> literal_id(const Text& literal);
  Status pattern(const RuleText& text, Rule& rule);
  Status meaning(const RuleText& text, Rule& rule);
  Status is_observed(const Text& name, Signal signal);
  Status code(const RuleText& text, Rule& rule);
  Status effects(const RuleText& text, Rule& rule);

  std::string file_;
  std::string rule_file_;  // of the rule at hand, when the pack includes it
  const std::vector<Signal>& observes_;
  std::vector<std::string>& literals_;
  std::set<std::string> ids_;
};

}  // namespace meldevakt::agent
