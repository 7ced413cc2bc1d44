#include "agent/recognise/pattern_cost.h"

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace meldevakt::agent {
namespace {

// Bytes; a character beyond ASCII counts as all bytes beyond ASCII.
using Bytes = std::bitset<256>;
constexpr std::uint32_t kUnbounded = std::numeric_limits<std::uint32_t>::max();
// So few turns of something that is bounded itself cannot explode.
constexpr std::uint32_t kFewTurns = 3;

// What is known of a part of the pattern. Nothing, to begin with: an empty part.
struct Part {
  bool nullable = true;        // may match nothing
  bool varies = false;         // matches of different length may begin at one place
  bool has_unbounded = false;  // an unbounded repetition is in it
  bool forks = false;          // it is alternatives that begin alike
  Bytes first;                 // bytes it may begin with
  Bytes last;                  // bytes it may end with
  Bytes bytes;                 // all of it
  Bytes tail;                  // bytes by which a match of it may go on
  Bytes lead_loops;            // bytes of unbounded repetitions it may begin with
  Bytes trail_loops;           // and end with
  Bytes varying;               // bytes of what varies in it
  std::vector<Bytes> musts;    // of places in it where there must be a byte
};

Bytes range(unsigned from, unsigned to) {
  Bytes out;
  for (unsigned byte = from; byte <= to; ++byte) out.set(byte);
  return out;
}

Bytes only(char c) {
  return Bytes{}.set(static_cast<std::uint8_t>(c));
}

Bytes all_but(const Bytes& bytes) {
  return ~bytes;
}

Part one_of(const Bytes& bytes) {
  Part part;
  part.nullable = false;
  part.first = bytes;
  part.last = bytes;
  part.bytes = bytes;
  part.musts = {bytes};
  return part;
}

// Of "\d" and the like, by the letter. What is not looked into counts as anything.
Bytes bytes_of_escape(char c) {
  const Bytes digits = range('0', '9');
  const Bytes word = digits | range('a', 'z') | range('A', 'Z') | only('_');
  const Bytes space = range('\t', '\r') | only(' ');
  switch (c) {
    case 'd': return digits;
    case 'w': return word;
    case 's':
    case 'h':
    case 'v':
    case 'R': return space;
    case 'D': return all_but(digits);
    case 'W': return all_but(word);
    case 'S': return all_but(space);
    case 'N': return all_but(only('\n'));
    case 'n': return only('\n');
    case 'r': return only('\r');
    case 't': return only('\t');
    default: break;
  }
  const bool stands_for_itself = std::string_view{"pPXxoHVaefc0"}.find(c) == std::string_view::npos;
  return stands_for_itself ? only(c) : all_but({});
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// Is there a place at which the part can be told apart from what varies in it? Then a text of many
// of it can be divided in one way only.
bool has_landmark(const Part& part) {
  return std::any_of(part.musts.begin(), part.musts.end(),
                     [&part](const Bytes& must) { return (must & part.varying).none(); });
}

Status refuse(const char* what) {
  return Error{Errc::kInvalid, what};
}

class CostChecker {
 public:
  explicit CostChecker(std::string_view text)
      : text_{text}, ignores_case_{text.find("(?i") != std::string_view::npos} {}
  Status run() {
    const Result<Part> part = alternatives();
    return part ? Status{} : Status{part.error()};
  }

 private:
  Result<Part> alternatives();
  Result<Part> sequence();
  Result<Part> group();
  Result<Part> repeated(const Part& part);
  Status append(Part& whole, const Part& next) const;
  Part operand();
  Part character_class();
  Bytes class_item();
  Bytes escape();
  [[nodiscard]] Bytes in_any_case(Bytes bytes) const;
  bool quantifier(std::uint32_t& min, std::uint32_t& max, bool& possessive);
  std::uint32_t number();

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
  [[nodiscard]] char look(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void skip_to(char c) { at_ = std::min(text_.find(c, at_), text_.size() - 1) + 1; }

  std::string_view text_;
  std::size_t at_ = 0;
  bool ignores_case_;
};

Bytes CostChecker::in_any_case(Bytes bytes) const {
  for (unsigned c = 'a'; ignores_case_ && c <= 'z'; ++c) {
    const bool either = bytes.test(c) || bytes.test(c - 'a' + 'A');
    bytes.set(c, either).set(c - 'a' + 'A', either);
  }
  return bytes;
}

// Behind the backslash and what belongs to it; none for what matches no character (\b, \A).
Bytes CostChecker::escape() {
  const char c = look(1);
  at_ = std::min(at_ + 2, text_.size());
  if (look() == '{' && std::string_view{"pPxoN"}.find(c) != std::string_view::npos) {
    skip_to('}');
  } else if (c == 'x') {
    for (int i = 0; i < 2 && is_hex(look()); ++i) ++at_;
  }
  if (std::string_view{"AzZbBG"}.find(c) != std::string_view::npos) return {};
  return bytes_of_escape(c);
}

Bytes CostChecker::class_item() {
  if (look() == '\\') return escape();
  if (look() == '[' && look(1) == ':') {
    skip_to(']');
    return all_but({});
  }
  const char c = text_[at_++];
  if (static_cast<std::uint8_t>(c) < 0x80) return only(c);
  while ((static_cast<std::uint8_t>(look()) & 0xC0U) == 0x80) ++at_;
  return range(0x80, 0xFF);
}

Part CostChecker::character_class() {
  ++at_;
  const bool negated = look() == '^';
  if (negated) ++at_;
  Bytes bytes;
  for (bool is_first = true; !at_end() && (look() != ']' || is_first); is_first = false) {
    Bytes item = class_item();
    if (look() == '-' && look(1) != ']' && item.count() == 1) {
      ++at_;
      const Bytes end = class_item();
      unsigned from = 0;
      unsigned to = 255;
      while (!item.test(from)) ++from;
      while (to > from && !end.test(to)) --to;
      item = range(from, to);
    }
    bytes |= item;
  }
  ++at_;
  return one_of(in_any_case(negated ? all_but(bytes) : bytes));
}

Part CostChecker::operand() {
  const char c = look();
  if (c == '[') return character_class();
  if (c == '\\') {
    const Bytes bytes = escape();
    return bytes.none() ? Part{} : one_of(in_any_case(bytes));
  }
  if (c == '^' || c == '$') {
    ++at_;
    return {};
  }
  if (c == '.') {
    ++at_;
    return one_of(all_but(only('\n')));
  }
  return one_of(in_any_case(class_item()));
}

Result<Part> CostChecker::group() {
  ++at_;
  bool consumes = true;
  bool is_atomic = false;
  if (look() == '?') {
    ++at_;
    const bool behind = look() == '<' && (look(1) == '=' || look(1) == '!');
    consumes = !behind && look() != '=' && look() != '!';
    is_atomic = look() == '>';
    if (look() == '<' && !behind) {
      skip_to('>');
    } else {
      if (behind) ++at_;
      while (!at_end() && std::string_view{":=!>)"}.find(look()) == std::string_view::npos) ++at_;
      if (look() == ')') {  // (?i): no group, a setting
        ++at_;
        return Part{};
      }
      ++at_;
    }
  }
  MELDEVAKT_TRY_ASSIGN(Part part, alternatives());
  ++at_;  // the ')'
  if (!consumes) return Part{};
  if (is_atomic) {
    part.varies = false;
    part.forks = false;
    part.tail.reset();
    part.trail_loops.reset();
  }
  return part;
}

std::uint32_t CostChecker::number() {
  std::uint32_t value = 0;
  for (; look() >= '0' && look() <= '9'; ++at_) {
    value = std::min<std::uint32_t>(value * 10 + static_cast<std::uint32_t>(look() - '0'), 100'000);
  }
  return value;
}

bool CostChecker::quantifier(std::uint32_t& min, std::uint32_t& max, bool& possessive) {
  const char c = look();
  if (c == '*' || c == '+' || c == '?') {
    ++at_;
    min = c == '+' ? 1 : 0;
    max = c == '?' ? 1 : kUnbounded;
  } else if (c == '{' && look(1) >= '0' && look(1) <= '9') {
    const std::size_t was = at_++;
    min = number();
    max = min;
    if (look() == ',') {
      ++at_;
      max = look() == '}' ? kUnbounded : number();
    }
    if (look() != '}') {
      at_ = was;
      return false;
    }
    ++at_;
  } else {
    return false;
  }
  possessive = look() == '+';
  if (possessive || look() == '?') ++at_;
  return true;
}

Result<Part> CostChecker::repeated(const Part& part) {
  std::uint32_t min = 1;
  std::uint32_t max = 1;
  bool possessive = false;
  if (!quantifier(min, max, possessive)) return part;
  const bool few = max <= kFewTurns && !part.has_unbounded;
  if (max > 1 && !few) {
    if (part.nullable) {
      MELDEVAKT_TRY(refuse(
          "what is repeated may be empty, such as (a?)*: that can be divided in endless ways; "
          "leave out the inner ? or *"));
    }
    if (part.forks) {
      MELDEVAKT_TRY(
          refuse("alternatives under a repetition begin alike, such as (a|ab)*; write their common "
                 "beginning once, a(?:b)?, or make the repetition possessive, (?:...)*+"));
    }
    if (part.varies && ((part.tail & part.first).any() || !has_landmark(part))) {
      MELDEVAKT_TRY(refuse(
          "a repetition ends with what the next turn of the one around it may begin with, such as "
          "(a{1,5}){0,20}; put something that must stand between them, or use one repetition"));
    }
  }
  Part out = part;
  out.nullable |= min == 0;
  out.varies |= min != max;
  if (min == 0) out.musts.clear();
  if (min != max) {
    out.tail |= part.first;
    out.varying |= part.bytes;
  }
  if (max == kUnbounded) {
    out.has_unbounded = true;
    out.lead_loops |= part.first;
    out.trail_loops |= part.last;
  }
  if (possessive) {
    out.varies = false;
    out.forks = false;
    out.tail.reset();
    out.trail_loops.reset();
  }
  return out;
}

Status CostChecker::append(Part& whole, const Part& next) const {
  if ((whole.trail_loops & next.lead_loops).any()) {
    return refuse(
        "two unbounded repetitions of the same characters side by side, such as \\d+\\d+ or "
        ".*\\s*: leave out one of them, give one a bound, or make the first possessive, \\d++");
  }
  whole.forks = false;
  whole.varies |= next.varies;
  whole.has_unbounded |= next.has_unbounded;
  whole.bytes |= next.bytes;
  whole.varying |= next.varying;
  whole.musts.insert(whole.musts.end(), next.musts.begin(), next.musts.end());
  if (whole.nullable) {
    whole.first |= next.first;
    whole.lead_loops |= next.lead_loops;
  }
  whole.last = next.nullable ? whole.last | next.last : next.last;
  whole.tail = next.nullable ? whole.tail | next.tail : next.tail;
  whole.trail_loops = next.nullable ? whole.trail_loops | next.trail_loops : next.trail_loops;
  whole.nullable &= next.nullable;
  return {};
}

Result<Part> CostChecker::sequence() {
  Part whole;
  bool is_first = true;
  while (!at_end() && look() != '|' && look() != ')') {
    Part part;
    if (look() == '(') {
      MELDEVAKT_TRY_ASSIGN(part, group());
    } else {
      part = operand();
    }
    MELDEVAKT_TRY_ASSIGN(const Part next, repeated(part));
    if (is_first) {
      whole = next;
    } else {
      MELDEVAKT_TRY(append(whole, next));
    }
    is_first = false;
  }
  return whole;
}

Result<Part> CostChecker::alternatives() {
  MELDEVAKT_TRY_ASSIGN(Part whole, sequence());
  while (look() == '|') {
    ++at_;
    MELDEVAKT_TRY_ASSIGN(const Part next, sequence());
    const bool forks = next.forks || (whole.first & next.first).any();
    whole.forks |= forks;
    whole.varying |= next.varying;
    whole.bytes |= next.bytes;
    if (forks) whole.varying |= whole.bytes;
    // One place of either: of the first that both have.
    const std::size_t places = std::min(whole.musts.size(), next.musts.size());
    whole.musts.resize(places);
    for (std::size_t i = 0; i < places; ++i) whole.musts[i] |= next.musts[i];
    whole.nullable |= next.nullable;
    whole.varies = true;
    whole.has_unbounded |= next.has_unbounded;
    whole.first |= next.first;
    whole.last |= next.last;
    whole.tail |= next.tail;
    whole.lead_loops |= next.lead_loops;
    whole.trail_loops |= next.trail_loops;
  }
  return whole;
}

}  // namespace

Status check_cost(std::string_view pcre) {
  return CostChecker{pcre}.run();
}

}  // namespace meldevakt::agent
