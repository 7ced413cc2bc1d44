#include "agent/recognise/pattern_syntax.h"

#include <array>
#include <optional>
#include <utility>

#include "agent/recognise/pack_words.h"
#include "common/base/text.h"

namespace meldevakt::agent {
namespace {

struct Template {
  std::string_view name;
  std::string_view pcre;
};
// Each is bounded and refuses to be a part of something longer: a number of at most nine digits can
// never be cut out of an identity number.
constexpr std::array<Template, 5> kTemplates{{
    {"uuid",
     "(?<![0-9A-Za-z-])[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
     "(?![0-9A-Za-z-])"},
    {"sqlstate", "(?<![0-9A-Za-z])[0-9A-Z]{5}(?![0-9A-Za-z])"},
    {"number", "(?<![0-9])-?[0-9]{1,9}(?![0-9])"},
    {"ms", "(?<![0-9.])[0-9]{1,9}(?:\\.[0-9]{1,6})?(?![0-9.])"},
    {"district", "(?<![0-9])[0-9]{2}(?![0-9])"},
}};

Error invalid(std::string message) {
  return Error{Errc::kInvalid, std::move(message)};
}

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
  const std::optional<std::string> nearest = nearest_name(name, known);
  return nearest ? "; did you mean '" + *nearest + "'?" : "";
}

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

Result<Field> field_from_name(std::string_view name) {
  constexpr std::string_view kRefPrefix = "ref:";
  if (name.substr(0, kRefPrefix.size()) == kRefPrefix) {
    const std::string_view type = name.substr(kRefPrefix.size());
    if (const auto known = reference_type_from_string(type)) {
      return Field{FieldType::kReference, *known};
    }
    return invalid("unknown reference type " + in_quotes(type) +
                   suggestion(type, all_reference_type_names()) + " (there are " +
                   joined(all_reference_type_names()) + ")");
  }
  if (name == "form") return Field{FieldType::kForm, {}};
  if (name == "district") return Field{FieldType::kDistrict, {}};
  if (name == "sqlstate") return Field{FieldType::kSqlstate, {}};
  if (name == "number") return Field{FieldType::kNumber, {}};
  if (name == "ms") return Field{FieldType::kMs, {}};
  if (name == "hours") return Field{FieldType::kHours, {}};
  if (name == "minutes") return Field{FieldType::kMinutes, {}};
  if (name == "seconds") return Field{FieldType::kSeconds, {}};
  std::vector<std::string> known{"form", "district", "sqlstate", "number",
                                 "ms",   "hours",    "minutes",  "seconds"};
  for (const std::string& type : all_reference_type_names()) known.push_back("ref:" + type);
  return invalid("unknown field " + in_quotes(name) + suggestion(name, known) +
                 "; fields are typed and free text has none (there are " + joined(known) + ")");
}

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Length of the character class that begins at `at` ("[...]").
std::size_t class_length(std::string_view text, std::size_t at) {
  std::size_t end = at + 1;
  if (end < text.size() && text[end] == '^') ++end;
  if (end < text.size() && text[end] == ']') ++end;
  while (end < text.size() && text[end] != ']') {
    if (text[end] == '\\') {
      end += 2;
    } else if (text.substr(end, 2) == "[:") {
      const std::size_t close = text.find(":]", end);
      end = close == std::string_view::npos ? end + 1 : close + 2;
    } else {
      ++end;
    }
  }
  return std::min(end + 1, text.size()) - at;
}

// "{2}", "{2,}", "{2,5}" at the start of `text`: its length, 0 when it is none.
struct Braces {
  std::size_t length = 0;
  bool unbounded = false;
};
Braces repetition_braces(std::string_view text) {
  std::size_t at = 1;
  const auto digits = [&] {
    const std::size_t from = at;
    while (at < text.size() && is_digit(text[at])) ++at;
    return at > from;
  };
  if (!digits()) return {};
  bool unbounded = false;
  if (at < text.size() && text[at] == ',') {
    ++at;
    unbounded = !digits();
  }
  if (at >= text.size() || text[at] != '}') return {};
  return {at + 1, unbounded};
}

// Reads the pattern once, keeping for each open group whether something in it repeats without
// bound.
class Checker {
 public:
  explicit Checker(std::string_view text) : text_{text} {}
  Status run();

 private:
  Status escape();
  Status open_group();
  Status close_group();
  Status quantifier(bool operand_unbounded);

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<bool> open_groups_{false};  // contains an unbounded repetition
  std::size_t unbounded_ = 0;
};

Status Checker::escape() {
  const char c = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if ((c >= '1' && c <= '9') || c == 'g' || c == 'k') {
    return invalid(
        "back-references are refused: they cannot be matched in bounded time; write out what "
        "repeats");
  }
  if (c == 'C' || c == 'K') {
    return invalid(std::string{"\\"} + c + " is refused; use a named group for what to take");
  }
  if (c == 'Q' || c == 'E')
    return invalid("\\Q and \\E are refused; escape each character by itself");
  at_ += 2;
  // \p{Lu}, \x{41}, \N{...}: the braces belong to the escape.
  if ((c == 'p' || c == 'P' || c == 'x' || c == 'o' || c == 'N') && at_ < text_.size() &&
      text_[at_] == '{') {
    const std::size_t close = text_.find('}', at_);
    at_ = close == std::string_view::npos ? text_.size() : close + 1;
  }
  return quantifier(false);
}

Status Checker::open_group() {
  const std::string_view rest = text_.substr(at_);
  if (rest.substr(0, 2) == "(*") return invalid("verbs such as (*SKIP) are refused");
  if (rest.substr(0, 2) == "(?") {
    const char kind = rest.size() > 2 ? rest[2] : '\0';
    const char next = rest.size() > 3 ? rest[3] : '\0';
    if (kind == 'R' || kind == '&' || is_digit(kind) ||
        ((kind == '+' || kind == '-') && is_digit(next)) || (kind == 'P' && next == '>')) {
      return invalid("recursion is refused: it cannot be matched in bounded time");
    }
    if (kind == 'P' && next == '=')
      return invalid("back-references are refused; write out what repeats");
    if (kind == '(') return invalid("conditional groups are refused; use two rules");
    if (kind == 'C') return invalid("callouts are refused");
    if (kind == '#') return invalid("comments in patterns are refused; use TOML's");
    if (kind == '|') return invalid("branch reset groups are refused");
    if (kind == 'P' || kind == '\'') return invalid("write named groups as (?<name>...)");
    at_ += 2;
    if (kind == '<' && next != '=' && next != '!') {
      const std::size_t close = text_.find('>', at_);
      at_ = close == std::string_view::npos ? text_.size() : close + 1;
    } else {
      // (?: (?= (?! (?<= (?<! (?> (?i) (?i: : what stands between is not a quantifier.
      while (at_ < text_.size() &&
             std::string_view{":=!<>imsx-^n"}.find(text_[at_]) != std::string_view::npos) {
        const char c = text_[at_++];
        if (c == ':' || c == '=' || c == '!' || c == '>') break;
      }
    }
  } else {
    ++at_;
  }
  open_groups_.push_back(false);
  return {};
}

Status Checker::close_group() {
  if (open_groups_.size() == 1)
    return invalid("a ')' without its '('; write \\) for the character");
  const bool inner = open_groups_.back();
  open_groups_.pop_back();
  if (inner) open_groups_.back() = true;
  ++at_;
  return quantifier(inner);
}

// What may stand behind an operand: at most one quantifier.
Status Checker::quantifier(bool operand_unbounded) {
  if (at_ >= text_.size()) return {};
  const char c = text_[at_];
  bool unbounded = c == '*' || c == '+';
  std::size_t length = unbounded || c == '?' ? 1 : 0;
  if (c == '{') {
    const Braces braces = repetition_braces(text_.substr(at_));
    length = braces.length;
    unbounded = braces.unbounded;
  }
  if (length == 0) return {};
  at_ += length;
  if (at_ < text_.size() && (text_[at_] == '?' || text_[at_] == '+')) ++at_;
  if (!unbounded) return {};
  if (operand_unbounded) {
    return invalid(
        "unbounded repetition inside unbounded repetition, such as (a+)*, is refused; use one, "
        "e.g. "
        "[^\\n]*, or give one a bound, e.g. {0,200}");
  }
  if (++unbounded_ > Pattern::kUnboundedMax) {
    return invalid("more than " + std::to_string(Pattern::kUnboundedMax) +
                   " unbounded repetitions in one pattern; give some a bound, e.g. {0,200}");
  }
  open_groups_.back() = true;
  return {};
}

Status Checker::run() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '\\') {
      MELDEVAKT_TRY(escape());
    } else if (c == '(') {
      MELDEVAKT_TRY(open_group());
    } else if (c == ')') {
      MELDEVAKT_TRY(close_group());
    } else if (c == '[') {
      at_ += class_length(text_, at_);
      MELDEVAKT_TRY(quantifier(false));
    } else {
      ++at_;
      MELDEVAKT_TRY(quantifier(false));
    }
  }
  if (open_groups_.size() > 1) return invalid("a '(' without its ')'; write \\( for the character");
  return {};
}

// Finds what is ours, {template} and (?<field>, outside character classes and escapes.
class Translator {
 public:
  explicit Translator(std::string_view text) : text_{text} {}
  Result<Translated> run();

 private:
  Status expand_template();
  Status name_field();
  void copy(std::size_t bytes);

  std::string_view text_;
  std::size_t at_ = 0;
  Translated out_;
};

void Translator::copy(std::size_t bytes) {
  bytes = std::min(bytes, text_.size() - at_);
  out_.pcre.append(text_.substr(at_, bytes));
  at_ += bytes;
}

Status Translator::expand_template() {
  const std::size_t close = text_.find('}', at_);
  if (close == std::string_view::npos || at_ + 1 >= text_.size() ||
      !is_name_start(text_[at_ + 1])) {
    copy(1);
    return {};
  }
  const std::string_view name = text_.substr(at_ + 1, close - at_ - 1);
  std::vector<std::string> known;
  for (const Template& candidate : kTemplates) {
    if (candidate.name == name) {
      out_.pcre.append("(?:").append(candidate.pcre).append(")");
      at_ = close + 1;
      return {};
    }
    known.emplace_back(candidate.name);
  }
  return invalid("unknown template {" + std::string{name} + "}" + suggestion(name, known) +
                 " (there are " + joined(known) + "; write \\{ for the character)");
}

Status Translator::name_field() {
  const std::size_t close = text_.find('>', at_);
  if (close == std::string_view::npos) return invalid("a group's name has no '>'");
  MELDEVAKT_TRY_ASSIGN(const Field field, field_from_name(text_.substr(at_ + 3, close - at_ - 3)));
  out_.pcre.append("(?<f").append(std::to_string(out_.fields.size())).append(">");
  out_.fields.push_back(field);
  at_ = close + 1;
  return {};
}

Result<Translated> Translator::run() {
  while (at_ < text_.size()) {
    const std::string_view rest = text_.substr(at_);
    const char next = rest.size() > 3 ? rest[3] : '\0';
    if (rest[0] == '\\') {
      const bool braced = rest.size() > 2 && rest[2] == '{' &&
                          std::string_view{"pPxoN"}.find(rest[1]) != std::string_view::npos;
      copy(braced ? rest.find('}') + 1 : 2);
    } else if (rest[0] == '[') {
      copy(class_length(text_, at_));
    } else if (rest[0] == '{') {
      MELDEVAKT_TRY(expand_template());
    } else if (rest.substr(0, 3) == "(?<" && next != '=' && next != '!') {
      MELDEVAKT_TRY(name_field());
    } else {
      copy(1);
    }
  }
  return std::move(out_);
}

}  // namespace

Result<Translated> translate_pattern(std::string_view text) {
  return Translator{text}.run();
}

Status check_pattern(std::string_view text) {
  if (text.empty()) return invalid("the pattern is empty");
  if (text.size() > Pattern::kPatternBytesMax) {
    return invalid("the pattern is longer than " + std::to_string(Pattern::kPatternBytesMax) +
                   " bytes");
  }
  if (!is_utf8(text)) return invalid("the pattern is not UTF-8");
  return Checker{text}.run();
}

}  // namespace meldevakt::agent
