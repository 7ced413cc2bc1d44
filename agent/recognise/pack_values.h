// Values of a pack that have bounds, and patterns: the checks that several of its tables share.
// Private to agent/recognise. Thread-safety: const and pure. Errors: kInvalid, with file and line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "agent/recognise/pack_toml.h"
#include "agent/recognise/pack_words.h"
#include "agent/recognise/pattern.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::agent {

class PackValues {
 public:
  explicit PackValues(std::string file) : file_{std::move(file)} {}

  [[nodiscard]] Error error(std::uint32_t line, std::string_view what) const {
    return pack_error(file_, line, what);
  }

  // What is not written stays as it is.
  template <typename Into>
  Status bounded(const std::optional<Whole>& value, std::int64_t min, std::int64_t max,
                 Into& into) const {
    if (!value) return {};
    if (value->value < min || value->value > max) {
      return error(value->line,
                   "must be between " + std::to_string(min) + " and " + std::to_string(max));
    }
    into = static_cast<Into>(value->value);
    return {};
  }

  Status duration(const std::optional<Text>& text, Duration& into, Duration max) const {
    if (!text) return {};
    const Result<Duration> parsed = parse_duration(text->value);
    if (!parsed) return error(text->line, parsed.error().message());
    if (parsed.value() < Duration{0} || parsed.value() > max) {
      return error(text->line, "must be at most " + std::to_string(max.ms / 1000) + "s");
    }
    into = parsed.value();
    return {};
  }

  // `what`: the key, for messages.
  [[nodiscard]] Result<Pattern> plain(const Text& text, std::size_t groups, bool anchored,
                                      std::string_view what) const {
    Result<Pattern> pattern = Pattern::compile_plain(text.value, groups, anchored);
    if (!pattern) return error(text.line, std::string{what} + ": " + pattern.error().message());
    return pattern;
  }

 private:
  std::string file_;
};

}  // namespace meldevakt::agent
