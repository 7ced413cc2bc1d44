// The patterns of a rule pack: PCRE2 syntax, made safe, with templates and typed fields.
//
//   MELDEVAKT_TRY_ASSIGN(Pattern pattern, Pattern::compile_rule("Melding
//   (?<ref:portal_message_id>{uuid})")); Matcher matcher; if (matcher.match(pattern, text) ==
//   MatchOutcome::kMatch) ... matcher.field(0)
//
// Templates: {uuid} {sqlstate} {number} {ms} {district}. Fields: a closed list of types
// (FieldType), written as named groups; there is none that could carry free text. Refused, each
// with the reason and a remedy: back-references, recursion, conditionals, callouts, verbs, \C and
// \K, unbounded repetition inside unbounded repetition, and whatever else could be tried in very
// many ways (pattern_cost.h). What the checks cannot see is bounded when matching. PACK.md is the
// manual.
//
// Thread-safety: a Pattern is const and may be shared; one Matcher belongs to one thread.
// Bounds: kPatternBytesMax; match and depth limits, reaching one is MatchOutcome::kLimited.
// Errors: kInvalid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/summary/signal.h"

namespace meldevakt::agent {

enum class FieldType : std::uint8_t {
  kReference,
  kForm,
  kDistrict,  // a bydel's number, two digits
  kSqlstate,
  kNumber,
  kMs,
  kHours,  // these three together: for how long what the record tells of had run
  kMinutes,
  kSeconds,
};

struct Field {
  FieldType type = FieldType::kReference;
  ReferenceType reference = ReferenceType::kPortalMessageId;  // for kReference
};

class Pattern {
 public:
  static constexpr std::size_t kPatternBytesMax = 4096;
  static constexpr std::uint32_t kMatchLimit = 200'000;
  static constexpr std::uint32_t kDepthLimit = 2'000;
  static constexpr std::size_t kUnboundedMax = 8;  // unbounded repetitions in one pattern

  // A rule's pattern: found anywhere in the text; fields by name, plain groups do not capture.
  [[nodiscard]] static Result<Pattern> compile_rule(std::string_view text);
  // A pattern with exactly `groups` plain groups and no fields. `anchored`: matches at the start.
  [[nodiscard]] static Result<Pattern> compile_plain(std::string_view text, std::size_t groups,
                                                     bool anchored);

  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }

 private:
  friend class Matcher;
  struct Code;

  [[nodiscard]] static Result<Pattern> compile(std::string_view text, std::uint32_t options);

  std::shared_ptr<const Code> code_;
  std::vector<Field> fields_;          // in the order they are written
  std::vector<std::uint32_t> groups_;  // the PCRE2 group of each field
};

enum class MatchOutcome : std::uint8_t { kNoMatch, kMatch, kLimited };

class Matcher {
 public:
  Matcher();
  ~Matcher();
  Matcher(Matcher&&) noexcept;
  Matcher& operator=(Matcher&&) noexcept;

  [[nodiscard]] MatchOutcome match(const Pattern& pattern, std::string_view text);

  // Of the last kMatch; the views point into its text. nullopt when the group took no part.
  [[nodiscard]] std::optional<std::string_view> field(std::size_t index) const;
  [[nodiscard]] std::optional<std::string_view> group(std::size_t index) const;  // 1 is the first

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meldevakt::agent
