#include "agent/recognise/included_rules.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "agent/recognise/pack_words.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kIndent = "      ";  // Microsoft.Extensions.Logging's

std::string with_replaced(std::string_view text, std::string_view (*replacement)(char)) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const std::string_view instead = replacement(c);
    if (instead.empty()) {
      out += c;
    } else {
      out += instead;
    }
  }
  return out;
}

std::string_view json_escape(char c) {
  switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: return {};
  }
}

std::string_view xml_escape(char c) {
  switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    default: return {};
  }
}

std::string_view csv_escape(char c) {
  return c == '"' ? std::string_view{"\"\""} : std::string_view{};
}

std::string indented(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    if (c == '\n') out += kIndent;
  }
  return out;
}

// Line `number` (1 to 9) of the sample; nullopt when it has not so many.
std::optional<std::string_view> line_of(std::string_view sample, int number) {
  for (; number > 1; --number) {
    const std::size_t end = sample.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    sample.remove_prefix(end + 1);
  }
  return sample.substr(0, sample.find('\n'));
}

// What stands at a place, "{sample}", "{sample:json}", "{sample.2:csv}": the sample, or one line of
// it, in the form that is asked for; nullopt when there is no such place.
std::optional<std::string> at_place(std::string_view sample, std::string_view place) {
  place.remove_prefix(std::string_view{"{sample"}.size());
  place.remove_suffix(1);
  if (place.size() >= 2 && place[0] == '.' && place[1] >= '1' && place[1] <= '9') {
    const std::optional<std::string_view> line = line_of(sample, place[1] - '0');
    if (!line) return std::nullopt;
    sample = *line;
    place.remove_prefix(2);
  }
  if (place.empty()) return std::string{sample};
  if (place == ":json") return with_replaced(sample, json_escape);
  if (place == ":csv") return with_replaced(sample, csv_escape);
  if (place == ":xml") return with_replaced(sample, xml_escape);
  if (place == ":indented") return indented(sample);
  return std::nullopt;
}

Status lay_out_samples(const Text& layout, const std::string& file, std::vector<Sample>& samples) {
  for (Sample& sample : samples) {
    Result<std::string> text = laid_out(layout.value, sample.text);
    if (!text) return pack_error(file, layout.line, "include_sample: " + text.error().message());
    sample.text = std::move(text).value();
  }
  return {};
}

Status include_one(PackText& pack, const Text& name, const Text& layout,
                   const FindSharedRules& find, std::string& hashed) {
  if (!is_plain_name(name.value)) {
    return pack_error(pack.file, name.line,
                      "a shared file's name has at most 64 of a-z, 0-9, '.', '_' and '-', not " +
                          in_quotes(name.value));
  }
  const std::optional<SharedRules> shared = find ? find(name.value) : std::nullopt;
  if (!shared) {
    return pack_error(pack.file, name.line,
                      "there is no file '" + name.value + ".shared.toml' beside the pack, and " +
                          "none of that name is built in");
  }
  if (shared->text.size() > kSharedBytesMax) {
    return pack_error(shared->file_name, 0,
                      "a shared file has at most " + std::to_string(kSharedBytesMax) + " bytes");
  }
  MELDEVAKT_TRY_ASSIGN(std::vector<RuleText> rules,
                       read_shared_toml(shared->text, shared->file_name));
  for (RuleText& rule : rules) {
    rule.file = shared->file_name;
    MELDEVAKT_TRY(lay_out_samples(layout, pack.file, rule.match));
    MELDEVAKT_TRY(lay_out_samples(layout, pack.file, rule.no_match));
    pack.rules.push_back(std::move(rule));
  }
  hashed += shared->text;
  return {};
}

}  // namespace

Result<std::string> laid_out(std::string_view layout, std::string_view sample) {
  std::string out;
  bool placed = false;
  for (std::size_t at = 0; at < layout.size();) {
    const std::size_t open = layout.find("{sample", at);
    const std::size_t close = layout.find('}', std::min(open, layout.size()));
    if (close == std::string_view::npos) {
      out += layout.substr(at);
      break;
    }
    out += layout.substr(at, open - at);
    const std::string_view place = layout.substr(open, close + 1 - open);
    const std::optional<std::string> text = at_place(sample, place);
    if (!text) {
      return Error{Errc::kInvalid, "unknown place " + in_quotes(place) +
                                       ", or a line that the sample has not (there are {sample}, "
                                       "{sample:json}, {sample:csv}, {sample:xml}, "
                                       "{sample:indented}, and {sample.2} for its second line)"};
    }
    out += *text;
    placed = true;
    at = close + 1;
  }
  if (!placed) return Error{Errc::kInvalid, "it has no place {sample} for the shared samples"};
  return out;
}

Status include_rules(PackText& pack, const FindSharedRules& find, std::string& hashed) {
  const std::vector<Text>& layouts = pack.include_sample;
  if (pack.include.empty()) {
    if (layouts.empty()) return {};
    return pack_error(pack.file, layouts.front().line, "'include_sample' without 'include'");
  }
  if (layouts.size() != 1 && layouts.size() != pack.include.size()) {
    return pack_error(pack.file, pack.include.front().line,
                      "'include' needs 'include_sample': a record of this log with {sample} where "
                      "the shared rules' samples belong; or one such record for each file");
  }
  if (pack.include.size() > kIncludesMax) {
    return pack_error(pack.file, pack.include[kIncludesMax].line,
                      "more than " + std::to_string(kIncludesMax) + " included files");
  }
  for (std::size_t i = 0; i < pack.include.size(); ++i) {
    const Text& name = pack.include[i];
    for (std::size_t before = 0; before < i; ++before) {
      if (pack.include[before].value == name.value) {
        return pack_error(pack.file, name.line, in_quotes(name.value) + " is included twice");
      }
    }
    MELDEVAKT_TRY(
        include_one(pack, name, layouts.size() == 1 ? layouts[0] : layouts[i], find, hashed));
  }
  return {};
}

}  // namespace meldevakt::agent
