#include "agent/recognise/pack.h"

#include <algorithm>
#include <utility>

#include "agent/recognise/included_rules.h"
#include "agent/recognise/metric_loader.h"
#include "agent/recognise/pack_toml.h"
#include "agent/recognise/pack_values.h"
#include "agent/recognise/pack_words.h"
#include "agent/recognise/program.h"
#include "agent/recognise/record_table.h"
#include "agent/recognise/rule_loader.h"
#include "common/ports/sha256.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kPackBytesMax = 1024 * 1024;
constexpr std::size_t kRulesMax = 500;
constexpr std::int64_t kLookBackSignalsMax = 1000;

// Makes a Pack of what the file says, in the order a reader of the file would check it.
class Loader {
 public:
  explicit Loader(PackText text) : text_{std::move(text)} {}
  Result<std::shared_ptr<const Pack>> load(std::string_view bytes, const FindSharedRules& find);

 private:
  [[nodiscard]] Error error(std::uint32_t line, std::string_view what) const {
    return pack_error(text_.file, line, what);
  }
  Status head();
  Status names();
  Status scope();
  Result<Signal> signal(const Text& text);

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

Status Loader::scope() {
  const PackValues values{text_.file};
  MELDEVAKT_TRY(values.duration(text_.age_max, pack_.scope_age_max, hours(24)));
  MELDEVAKT_TRY(values.duration(text_.look_back, pack_.look_back_max, hours(1)));
  return values.bounded(text_.look_back_signals_max, 0, kLookBackSignalsMax,
                        pack_.look_back_signals_max);
}

Result<std::shared_ptr<const Pack>> Loader::load(std::string_view bytes,
                                                 const FindSharedRules& find) {
  MELDEVAKT_TRY(head());
  MELDEVAKT_TRY(load_record(text_, pack_, program_));
  MELDEVAKT_TRY(scope());
  std::string hashed{bytes};
  MELDEVAKT_TRY(include_rules(text_, find, hashed));
  if (text_.rules.empty() && text_.metrics.empty()) {
    return error(1, "the pack has no [[rule]] and no [[metric]]");
  }
  if (text_.rules.size() > kRulesMax) {
    return error(text_.rules[kRulesMax].line, "more than " + std::to_string(kRulesMax) + " rules");
  }
  RuleLoader rules{text_.file, pack_.observes, program_.literals};
  for (const RuleText& text : text_.rules) {
    MELDEVAKT_TRY_ASSIGN(Rule rule, rules.load(text));
    program_.rules.push_back(std::move(rule));
  }
  MELDEVAKT_TRY(load_metrics(text_, pack_, program_));
  MELDEVAKT_TRY(check_literals(text_.file, pack_, program_));
  program_.file_name = text_.file;
  for (const Text& name : text_.read_by) program_.read_by.push_back(name.value);
  program_.filter = LiteralFilter{program_.literals};
  pack_.identity.sha256 = sha256(hashed);
  pack_.program = std::make_shared<const PackProgram>(std::move(program_));
  return std::make_shared<const Pack>(std::move(pack_));
}

}  // namespace

Result<std::shared_ptr<const Pack>> load_pack(std::string_view toml, std::string_view file_name,
                                              const FindSharedRules& find_shared) {
  if (toml.size() > kPackBytesMax) {
    return pack_error(file_name, 0,
                      "a pack has at most " + std::to_string(kPackBytesMax) + " bytes");
  }
  MELDEVAKT_TRY_ASSIGN(PackText text, read_pack_toml(toml, file_name));
  return Loader{std::move(text)}.load(toml, find_shared);
}

}  // namespace meldevakt::agent
