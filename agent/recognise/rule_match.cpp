#include "agent/recognise/rule_match.h"

#include <algorithm>

#include "common/base/text.h"
#include "common/summary/forms.h"

namespace meldevakt::agent {
namespace {

constexpr Duration kLastedMax = days(366);

// A rule without a pattern matches by its literals, where rules look: in the body.
bool literals_occur(const Rule& rule, std::string_view body) {
  const auto occurs = [body](const std::string& literal) {
    return body.find(literal) != std::string_view::npos;
  };
  return std::all_of(rule.literal_text.begin(), rule.literal_text.end(), occurs) &&
         (rule.any_text.empty() || std::any_of(rule.any_text.begin(), rule.any_text.end(), occurs));
}

bool is_sqlstate(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

bool is_number(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  return text.size() <= 9 && parse_u64(text).has_value();
}

FormType form_of(std::string_view text) {
  if (text == "PRIVAT" || text == "privat") return FormType::kPrivate;
  if (text == "OFFENTLIG" || text == "offentlig") return FormType::kPublic;
  return FormType::kUnknown;
}

// Whole milliseconds of "1234.567"; nullopt when it is no such number.
std::optional<std::uint64_t> whole_ms(std::string_view text) {
  return parse_u64(text.substr(0, text.find('.')));
}

// At most a year: what ran longer is a misprint.
std::optional<Duration> duration_of(std::string_view text, Duration unit) {
  const std::optional<std::uint64_t> number = text.size() > 9 ? std::nullopt : parse_u64(text);
  if (!number) return std::nullopt;
  const Duration out{static_cast<std::int64_t>(*number) * unit.ms};
  return out <= kLastedMax ? std::optional{out} : std::nullopt;
}

Duration unit_of(FieldType type) {
  if (type == FieldType::kHours) return hours(1);
  return type == FieldType::kMinutes ? minutes(1) : seconds(1);
}

// Takes the fields of the match; false when a field's value is not of its type, or too small.
bool take_fields(const Rule& rule, const PrivacyStep& privacy, const Matcher& matcher,
                 RuleMatch& out) {
  const std::vector<Field>& fields = rule.pattern->fields();
  for (std::size_t i = 0; i < fields.size(); ++i) {
    const std::optional<std::string_view> value = matcher.field(i);
    if (!value) continue;
    switch (fields[i].type) {
      case FieldType::kReference:
        if (auto reference = privacy.reference(fields[i].reference, *value)) {
          out.references.push_back(std::move(*reference));
        } else {
          ++out.references_dropped;
        }
        break;
      case FieldType::kForm: out.form = form_of(*value); break;
      case FieldType::kDistrict:
        if (!is_district_number(*value)) return false;
        out.district = *value;
        break;
      case FieldType::kSqlstate:
        if (!is_sqlstate(*value)) return false;
        out.code = rule.code_prefix + std::string{*value};
        break;
      case FieldType::kNumber:
        if (!is_number(*value)) return false;
        out.code = rule.code_prefix + std::string{*value};
        break;
      case FieldType::kMs: {
        const std::optional<std::uint64_t> ms = whole_ms(*value);
        if (!ms || *ms < rule.ms_min.value_or(0)) return false;
        break;
      }
      case FieldType::kHours:
      case FieldType::kMinutes:
      case FieldType::kSeconds: {
        const std::optional<Duration> part = duration_of(*value, unit_of(fields[i].type));
        if (!part) return false;
        out.lasted = out.lasted.value_or(Duration{}) + *part;
        break;
      }
    }
  }
  return true;
}

}  // namespace

RuleMatch match_rule(const Rule& rule, std::string_view body, const PrivacyStep& privacy,
                     Matcher& matcher) {
  RuleMatch out;
  if (!rule.pattern) {
    if (!literals_occur(rule, body)) return out;
    out.outcome = MatchOutcome::kMatch;
  } else {
    out.outcome = matcher.match(*rule.pattern, body);
    if (out.outcome != MatchOutcome::kMatch) return out;
    if (!take_fields(rule, privacy, matcher, out)) return RuleMatch{};
  }
  if (out.code.empty()) out.code = rule.code;
  if (!out.form) out.form = rule.form;
  return out;
}

}  // namespace meldevakt::agent
