#include "agent/recognise/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <array>
#include <atomic>
#include <memory>
#include <utility>

#include "agent/recognise/pattern_cost.h"
#include "agent/recognise/pattern_syntax.h"
#include "common/base/check.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kJitStackBytesMin = 32 * 1024;
constexpr std::size_t kJitStackBytesMax = 512 * 1024;
constexpr std::uint32_t kHeapLimitKib = 4096;
constexpr std::uint32_t kParensNestMax = 50;

// MATCH_INVALID_UTF: a subject that is not UTF-8 is no danger, whoever calls.
constexpr std::uint32_t kOptions = PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C |
                                   PCRE2_NEVER_UCP | PCRE2_DOLLAR_ENDONLY;

PCRE2_SPTR sptr(std::string_view text) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): PCRE2 reads bytes as unsigned.
  return reinterpret_cast<PCRE2_SPTR>(text.data() == nullptr ? "" : text.data());
}

std::string pcre_message(int code) {
  std::array<PCRE2_UCHAR, 160> buffer{};
  pcre2_get_error_message(code, buffer.data(), buffer.size());
  std::string text;
  for (const PCRE2_UCHAR c : buffer) {
    if (c == 0) break;
    text.push_back(static_cast<char>(c));
  }
  return text;
}

struct CompileContextFree {
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
};

}  // namespace

struct Pattern::Code {
  explicit Code(pcre2_code* compiled) : pcre{compiled} {}
  Code(const Code&) = delete;
  Code& operator=(const Code&) = delete;
  ~Code() {
    pcre2_code_free(pcre);
    delete prepared.load();
  }

  struct Prepared {
    explicit Prepared(pcre2_code* copy)
        : pcre{copy},
          // Without a JIT matching is slower, not different.
          is_jit{pcre2_jit_compile(copy, PCRE2_JIT_COMPLETE) == 0} {}
    Prepared(const Prepared&) = delete;
    Prepared& operator=(const Prepared&) = delete;
    ~Prepared() { pcre2_code_free(pcre); }
    pcre2_code* pcre;
    bool is_jit;
  };
  // Most patterns of most packs never meet a text that holds their literals: machine code is made
  // of a pattern when it is first used, of a copy, for others may read `pcre` meanwhile. Threads
  // that come at the same time make one each, and the first stays.
  const Prepared& ready() const {
    if (const Prepared* made = prepared.load(std::memory_order_acquire)) return *made;
    pcre2_code* const copy = pcre2_code_copy(pcre);
    MELDEVAKT_CHECK(copy != nullptr);
    auto own = std::make_unique<Prepared>(copy);
    const Prepared* first = nullptr;
    if (prepared.compare_exchange_strong(first, own.get(), std::memory_order_acq_rel)) {
      return *own.release();
    }
    return *first;
  }

  pcre2_code* pcre;
  mutable std::atomic<const Prepared*> prepared{nullptr};
};

Result<Pattern> Pattern::compile(std::string_view text, std::uint32_t options) {
  const std::unique_ptr<pcre2_compile_context, CompileContextFree> context{
      pcre2_compile_context_create(nullptr)};
  pcre2_set_parens_nest_limit(context.get(), kParensNestMax);
  int code = 0;
  std::size_t at = 0;
  pcre2_code* compiled =
      pcre2_compile(sptr(text), text.size(), kOptions | options, &code, &at, context.get());
  if (compiled == nullptr) {
    return Error{Errc::kInvalid, pcre_message(code) + " at byte " + std::to_string(at)};
  }
  Pattern pattern;
  pattern.code_ = std::make_shared<const Code>(compiled);
  return pattern;
}

Result<Pattern> Pattern::compile_rule(std::string_view text) {
  MELDEVAKT_TRY(check_pattern(text));
  MELDEVAKT_TRY_ASSIGN(Translated translated, translate_pattern(text));
  MELDEVAKT_TRY(check_cost(translated.pcre));
  MELDEVAKT_TRY_ASSIGN(Pattern pattern, compile(translated.pcre, PCRE2_NO_AUTO_CAPTURE));
  for (std::size_t i = 0; i < translated.fields.size(); ++i) {
    const std::string name = "f" + std::to_string(i);
    const int group = pcre2_substring_number_from_name(pattern.code_->pcre, sptr(name));
    MELDEVAKT_CHECK(group > 0);
    pattern.groups_.push_back(static_cast<std::uint32_t>(group));
  }
  pattern.fields_ = std::move(translated.fields);
  return pattern;
}

Result<Pattern> Pattern::compile_plain(std::string_view text, std::size_t groups, bool anchored) {
  MELDEVAKT_TRY(check_pattern(text));
  MELDEVAKT_TRY_ASSIGN(const Translated translated, translate_pattern(text));
  MELDEVAKT_TRY(check_cost(translated.pcre));
  if (!translated.fields.empty()) {
    return Error{Errc::kInvalid, "named groups belong in the patterns of rules"};
  }
  MELDEVAKT_TRY_ASSIGN(Pattern pattern, compile(translated.pcre, anchored ? PCRE2_ANCHORED : 0));
  std::uint32_t captures = 0;
  pcre2_pattern_info(pattern.code_->pcre, PCRE2_INFO_CAPTURECOUNT, &captures);
  if (captures != groups) {
    return Error{Errc::kInvalid, "the pattern has " + std::to_string(captures) +
                                     " capturing groups, not " + std::to_string(groups) +
                                     "; write (?:...) for groups that take nothing"};
  }
  return pattern;
}

struct Matcher::State {
  pcre2_match_context* context = nullptr;
  pcre2_jit_stack* stack = nullptr;
  pcre2_match_data* data = nullptr;
  std::string_view text;
  const Pattern* pattern = nullptr;  // of the last match
  int matched = 0;                   // groups set by it, 0 when there was none

  ~State() {
    pcre2_match_data_free(data);
    pcre2_jit_stack_free(stack);
    pcre2_match_context_free(context);
  }
};

namespace {
constexpr std::uint32_t kGroupsMax = 32;
}  // namespace

Matcher::Matcher() : state_{std::make_unique<State>()} {
  state_->context = pcre2_match_context_create(nullptr);
  state_->stack = pcre2_jit_stack_create(kJitStackBytesMin, kJitStackBytesMax, nullptr);
  state_->data = pcre2_match_data_create(kGroupsMax, nullptr);
  MELDEVAKT_CHECK(state_->context != nullptr && state_->data != nullptr);
  pcre2_set_match_limit(state_->context, Pattern::kMatchLimit);
  pcre2_set_depth_limit(state_->context, Pattern::kDepthLimit);
  pcre2_set_heap_limit(state_->context, kHeapLimitKib);
  if (state_->stack != nullptr) pcre2_jit_stack_assign(state_->context, nullptr, state_->stack);
}

Matcher::~Matcher() = default;
Matcher::Matcher(Matcher&&) noexcept = default;
Matcher& Matcher::operator=(Matcher&&) noexcept = default;

MatchOutcome Matcher::match(const Pattern& pattern, std::string_view text) {
  State& s = *state_;
  s.text = text;
  s.pattern = &pattern;
  const Pattern::Code::Prepared& code = pattern.code_->ready();
  const auto run = code.is_jit ? pcre2_jit_match : pcre2_match;
  s.matched = run(code.pcre, sptr(text), text.size(), 0, 0, s.data, s.context);
  if (s.matched > 0) return MatchOutcome::kMatch;
  // 0 would mean more groups than kGroupsMax: the first ones are there.
  if (s.matched == 0) {
    s.matched = static_cast<int>(kGroupsMax);
    return MatchOutcome::kMatch;
  }
  const bool no_match = s.matched == PCRE2_ERROR_NOMATCH;
  s.matched = 0;
  return no_match ? MatchOutcome::kNoMatch : MatchOutcome::kLimited;
}

std::optional<std::string_view> Matcher::field(std::size_t index) const {
  MELDEVAKT_CHECK(state_->pattern != nullptr && index < state_->pattern->groups_.size());
  return group(state_->pattern->groups_[index]);
}

std::optional<std::string_view> Matcher::group(std::size_t index) const {
  if (index >= static_cast<std::size_t>(state_->matched)) return std::nullopt;
  const std::size_t* offsets = pcre2_get_ovector_pointer(state_->data);
  const std::size_t from = offsets[2 * index];
  const std::size_t to = offsets[2 * index + 1];
  if (from == PCRE2_UNSET || from > to || to > state_->text.size()) return std::nullopt;
  return state_->text.substr(from, to - from);
}

}  // namespace meldevakt::agent
