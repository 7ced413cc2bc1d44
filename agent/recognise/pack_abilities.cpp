#include "agent/recognise/pack_abilities.h"

#include <algorithm>
#include <set>

#include "agent/recognise/program.h"

namespace meldevakt::agent {

PackAbilities abilities_of(const Pack& pack) {
  const PackProgram& program = *pack.program;
  PackAbilities out;
  out.times_carry_offset =
      program.time_is_arrival || program.utc_offset_at.has_value() ||
      program.utc_bias_at.has_value() ||
      (!program.times.empty() &&
       std::all_of(program.times.begin(), program.times.end(),
                   [](const TimeFormat& format) { return format.has_offset(); }));
  out.has_scopes = !program.scopes.empty();
  out.tells_restarts = std::any_of(program.rules.begin(), program.rules.end(),
                                   [](const Rule& rule) { return rule.restarts_process; });
  return out;
}

std::vector<ReferenceType> names_of_messages(const Pack& pack) {
  std::set<ReferenceType> out;
  const auto add = [&out](const Pattern& pattern) {
    for (const Field& field : pattern.fields()) {
      if (field.type == FieldType::kReference) out.insert(field.reference);
    }
  };
  for (const Rule& rule : pack.program->rules) {
    if (rule.pattern) add(*rule.pattern);
  }
  for (const ScopePattern& scope : pack.program->scopes) add(scope.pattern);
  return {out.begin(), out.end()};
}

}  // namespace meldevakt::agent
