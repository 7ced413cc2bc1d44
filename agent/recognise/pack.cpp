#include "agent/recognise/pack.h"

#include <algorithm>
#include <utility>

#include "agent/recognise/pack_toml.h"
#include "agent/recognise/pack_words.h"
#include "agent/recognise/program.h"
#include "agent/recognise/rule_loader.h"
#include "common/ports/sha256.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kPackBytesMax = 1024 * 1024;
constexpr std::size_t kRulesMax = 500;
constexpr std::size_t kScopesMax = 4;
constexpr std::int64_t kLinesMax = 100'000;
constexpr std::int64_t kBytesMin = 1024;
constexpr std::int64_t kBytesMax = 16 * 1024 * 1024;
constexpr std::int64_t kLookBackSignalsMax = 1000;

// Makes a Pack of what the file says, in the order a reader of the file would check it.
class Loader {
 public:
  explicit Loader(PackText text) : text_{std::move(text)} {}
  Result<std::shared_ptr<const Pack>> load(std::string_view bytes);

 private:
  [[nodiscard]] Error error(std::uint32_t line, std::string_view what) const {
    return pack_error(text_.file, line, what);
  }
  Status head();
  Status names();
  Status record();
  Status record_patterns();
  Status record_bounds();
  Status scope();
  Status duration(const std::optional<Text>& text, Duration& into, Duration max);
  Result<Signal> signal(const Text& text);
  template <typename Into>
  Status bounded(const std::optional<Whole>& value, std::int64_t min, std::int64_t max, Into& into);
  Result<Pattern> plain(const Text& text, std::size_t groups, bool anchored, std::string_view what);

  PackText text_;
  Pack pack_;
  PackProgram program_;
};

Status Loader::head() {
  const auto required = [this](const std::optional<Text>& text, std::string_view key) -> Status {
    if (text && !text->value.empty()) return {};
    return error(text ? text->line : 1, "the key '" + std::string{key} + "' is missing");
  };
  MELDEVAKT_TRY(required(text_.pack, "pack"));
  MELDEVAKT_TRY(required(text_.version, "version"));
  for (const Text* name : {&*text_.pack, &*text_.version}) {
    if (!is_plain_name(name->value)) {
      return error(name->line, "a name has at most 64 of a-z, 0-9, '.', '_' and '-', not " +
                                   in_quotes(name->value));
    }
  }
  pack_.identity.id = text_.pack->value;
  pack_.identity.version = text_.version->value;
  if (text_.product) pack_.product = text_.product->value;
  return names();
}

Status Loader::names() {
  if (text_.observes.empty()) {
    return error(1,
                 "the key 'observes' is missing: a list of the signals this product logs at all");
  }
  for (const Text& name : text_.observes) {
    MELDEVAKT_TRY_ASSIGN(const Signal signal, this->signal(name));
    pack_.observes.push_back(signal);
  }
  std::sort(pack_.observes.begin(), pack_.observes.end());
  pack_.observes.erase(std::unique(pack_.observes.begin(), pack_.observes.end()),
                       pack_.observes.end());
  for (const Text& name : text_.encoding) {
    const auto encoding = encoding_from_string(name.value);
    if (!encoding) {
      return error(name.line, "unknown encoding " + in_quotes(name.value) +
                                  did_you_mean(name.value, all_encoding_names()));
    }
    pack_.encodings.push_back(*encoding);
  }
  if (pack_.encodings.empty()) pack_.encodings.push_back(Encoding::kUtf8);
  return {};
}

Result<Signal> Loader::signal(const Text& text) {
  if (const auto signal = signal_from_string(text.value)) return *signal;
  return error(text.line, "unknown signal " + in_quotes(text.value) +
                              did_you_mean(text.value, all_signal_names()));
}

Result<Pattern> Loader::plain(const Text& text, std::size_t groups, bool anchored,
                              std::string_view what) {
  Result<Pattern> pattern = Pattern::compile_plain(text.value, groups, anchored);
  if (!pattern) return error(text.line, std::string{what} + ": " + pattern.error().message());
  return pattern;
}

Status Loader::record() {
  if (text_.record_line == 0) return error(1, "the table [record] is missing");
  if (!text_.starts) return error(text_.record_line, "the key 'starts' is missing in [record]");
  MELDEVAKT_TRY_ASSIGN(program_.starts, plain(*text_.starts, 0, true, "starts"));
  program_.starts_shape = FixedShape::of(text_.starts->value);
  if (text_.time.empty()) {
    return error(text_.record_line,
                 "the key 'time' is missing in [record], e.g. "
                 "\"%Y-%m-%d %H:%M:%S,%f\"");
  }
  for (const Text& format : text_.time) {
    Result<TimeFormat> parsed = TimeFormat::parse(format.value);
    if (!parsed) return error(format.line, parsed.error().message());
    program_.times.push_back(std::move(parsed).value());
  }
  MELDEVAKT_TRY(record_patterns());
  return record_bounds();
}

Status Loader::record_patterns() {
  if (text_.time_at) {
    MELDEVAKT_TRY_ASSIGN(program_.time_at, plain(*text_.time_at, 1, false, "time_at"));
  }
  if (text_.body) {
    MELDEVAKT_TRY_ASSIGN(program_.body, plain(*text_.body, 1, true, "body"));
  }
  if (text_.process) {
    MELDEVAKT_TRY_ASSIGN(program_.process, plain(*text_.process, 1, false, "process"));
  }
  if (text_.scope.size() > kScopesMax) {
    return error(text_.scope.back().second.line,
                 "more than " + std::to_string(kScopesMax) + " scopes");
  }
  for (const auto& [name, pattern] : text_.scope) {
    if (!is_plain_name(name)) {
      return error(pattern.line, "a scope's name has a-z, 0-9, '.', '_' and '-' only");
    }
    MELDEVAKT_TRY_ASSIGN(Pattern compiled, plain(pattern, 1, false, "scope " + name));
    program_.scopes.push_back({name, std::move(compiled)});
  }
  if (text_.zone) pack_.default_zone = text_.zone->value;
  return {};
}

template <typename Into>
Status Loader::bounded(const std::optional<Whole>& value, std::int64_t min, std::int64_t max,
                       Into& into) {
  if (!value) return {};
  if (value->value < min || value->value > max) {
    return error(value->line,
                 "must be between " + std::to_string(min) + " and " + std::to_string(max));
  }
  into = static_cast<Into>(value->value);
  return {};
}

Status Loader::duration(const std::optional<Text>& text, Duration& into, Duration max) {
  if (!text) return {};
  const Result<Duration> parsed = parse_duration(text->value);
  if (!parsed) return error(text->line, parsed.error().message());
  if (parsed.value() < Duration{0} || parsed.value() > max) {
    return error(text->line, "must be at most " + std::to_string(max.ms / 1000) + "s");
  }
  into = parsed.value();
  return {};
}

Status Loader::record_bounds() {
  MELDEVAKT_TRY(bounded(text_.lines_max, 1, kLinesMax, pack_.record_lines_max));
  MELDEVAKT_TRY(bounded(text_.bytes_max, kBytesMin, kBytesMax, pack_.record_bytes_max));
  MELDEVAKT_TRY(duration(text_.idle, pack_.record_idle, minutes(10)));
  return duration(text_.flush_lag, pack_.flush_lag, hours(24));
}

Status Loader::scope() {
  MELDEVAKT_TRY(duration(text_.age_max, pack_.scope_age_max, hours(24)));
  MELDEVAKT_TRY(duration(text_.look_back, pack_.look_back_max, hours(1)));
  return bounded(text_.look_back_signals_max, 0, kLookBackSignalsMax, pack_.look_back_signals_max);
}

Result<std::shared_ptr<const Pack>> Loader::load(std::string_view bytes) {
  MELDEVAKT_TRY(head());
  MELDEVAKT_TRY(record());
  MELDEVAKT_TRY(scope());
  if (text_.rules.empty()) return error(1, "the pack has no [[rule]]");
  if (text_.rules.size() > kRulesMax) {
    return error(text_.rules[kRulesMax].line, "more than " + std::to_string(kRulesMax) + " rules");
  }
  RuleLoader rules{text_.file, pack_.observes, program_.literals};
  for (const RuleText& text : text_.rules) {
    MELDEVAKT_TRY_ASSIGN(Rule rule, rules.load(text));
    program_.rules.push_back(std::move(rule));
  }
  program_.file_name = text_.file;
  program_.filter = LiteralFilter{program_.literals};
  pack_.identity.sha256 = sha256(bytes);
  pack_.program = std::make_shared<const PackProgram>(std::move(program_));
  return std::make_shared<const Pack>(std::move(pack_));
}

}  // namespace

Result<std::shared_ptr<const Pack>> load_pack(std::string_view toml, std::string_view file_name) {
  if (toml.size() > kPackBytesMax) {
    return pack_error(file_name, 0,
                      "a pack has at most " + std::to_string(kPackBytesMax) + " bytes");
  }
  MELDEVAKT_TRY_ASSIGN(PackText text, read_pack_toml(toml, file_name));
  return Loader{std::move(text)}.load(toml);
}

}  // namespace meldevakt::agent
