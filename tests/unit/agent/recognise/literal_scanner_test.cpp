#include "agent/recognise/literal_scanner.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/testing/doubles.h"

namespace meldevakt::agent {
namespace {

bool stands_at(const ScanLiteral& literal, std::string_view text, std::size_t at) {
  if (at + literal.bytes.size() > text.size()) return false;
  for (std::size_t i = 0; i < literal.bytes.size(); ++i) {
    const char a = text[at + i];
    const char b = literal.bytes[i];
    const bool same = literal.ignore_case ? folded(a) == folded(b) : a == b;
    if (!same) return false;
  }
  return true;
}

// Where any of the literals stands, found the plain way.
std::set<std::size_t> naive(const std::vector<ScanLiteral>& literals, std::string_view text,
                            std::size_t unit) {
  std::set<std::size_t> places;
  for (std::size_t at = 0; at < text.size(); at += unit) {
    for (const ScanLiteral& literal : literals) {
      if (stands_at(literal, text, at)) places.insert(at);
    }
  }
  return places;
}

// A text that ends where its memory does, so that AddressSanitizer sees a read beyond it.
struct Exactly {
  explicit Exactly(const std::string& text) : bytes{text.begin(), text.end()} {
    bytes.shrink_to_fit();
  }
  [[nodiscard]] std::string_view view() const { return {bytes.data(), bytes.size()}; }
  std::vector<char> bytes;
};

// Every hit is a true one, and the caller who skips to behind each hit's literal misses none that
// lies beyond: so the first hit at or after any place is not later than the first true place.
void check_finds(const LiteralScanner& scanner, std::string_view text, std::size_t unit) {
  const std::set<std::size_t> want = naive(scanner.literals(), text, unit);
  std::set<std::size_t> found;
  for (std::size_t from = 0; const auto hit = scanner.find(text, from);) {
    REQUIRE(hit->next > from);
    REQUIRE(stands_at(scanner.literals()[hit->literal], text, hit->at));
    found.insert(hit->at);
    from = hit->next;
  }
  for (const std::size_t at : want) {
    // Literals that share their gram are found by it once: one that covers the same place.
    const bool covered = std::any_of(found.begin(), found.end(), [&](std::size_t hit) {
      return hit == at || (hit < at + 64 && at < hit + 64);
    });
    CAPTURE(at);
    REQUIRE(covered);
  }
  REQUIRE(found.empty() == want.empty());
}

std::string wide(std::string_view text) {
  std::string out;
  for (const char c : text) out.append(1, c).append(1, c == 'z' ? '\1' : '\0');
  return out;
}

class World {
 public:
  explicit World(std::uint64_t seed) : random{seed} {}

  std::string word(std::size_t length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i) text.push_back("aAbBx \0\xC3\xA5z"[random.below(10)]);
    return text;
  }
  std::vector<ScanLiteral> literals(std::size_t unit) {
    std::vector<ScanLiteral> out;
    const bool fold = random.below(3) == 0;
    for (std::size_t i = 0, n = 1 + random.below(20); i < n; ++i) {
      std::string text = word(1 + random.below(9));
      if (random.below(4) == 0) text = "ORA-" + text;  // many that share a gram
      out.push_back({unit == 2 ? wide(text) : text, fold && random.below(2) == 0});
    }
    return out;
  }

  testing::SeededRandom random;
};

TEST_CASE("LiteralScanner: every path finds what a search one by one finds") {
  const std::uint64_t seed = 4242;
  MESSAGE("seed " << seed);
  World world{seed};
  for (int round = 0; round < 400; ++round) {
    const std::size_t unit = 1 + world.random.below(2);
    const std::vector<ScanLiteral> literals = world.literals(unit);
    std::string plain = world.word(world.random.below(400));
    for (std::size_t i = world.random.below(4); i > 0; --i) {
      const std::string& some = literals[world.random.below(literals.size())].bytes;
      if (unit == 1) plain.insert(world.random.below(plain.size() + 1), some);
    }
    std::string text = unit == 2 ? wide(plain) : plain;
    if (unit == 2) text += literals[world.random.below(literals.size())].bytes;
    if (unit == 2 && world.random.below(3) == 0) text.push_back('a');  // half a character
    const Exactly exactly{text};
    const std::string sample = world.random.below(2) == 0 ? std::string{} : text;
    std::vector<std::vector<std::size_t>> answers;
    for (const CpuPath path : cpu_paths()) {
      const LiteralScanner scanner{literals, sample, unit, path};
      CAPTURE(round);
      CAPTURE(to_string(path));
      check_finds(scanner, exactly.view(), unit);
      std::vector<std::size_t> answer;
      std::uint64_t candidates = 0;
      for (std::size_t from = 0;
           const auto hit = scanner.find(exactly.view(), from, &candidates);) {
        answer.insert(answer.end(), {hit->at, hit->next, hit->literal});
        from = hit->next;
      }
      answer.push_back(candidates);
      answers.push_back(answer);
    }
    for (const auto& answer : answers) REQUIRE(answer == answers.front());
  }
}

TEST_CASE("LiteralScanner: a literal is found at every place of a text of every length") {
  const std::vector<std::string> words{"x", "ab", "feil", "ødelagt", "Mottatt melding ", "øøø"};
  for (const std::size_t unit : {std::size_t{1}, std::size_t{2}}) {
    for (const std::string& word : words) {
      const std::string literal = unit == 2 ? wide(word) : word;
      for (const CpuPath path : cpu_paths()) {
        const LiteralScanner scanner{{{literal, false}}, "", unit, path};
        for (std::size_t before = 0; before < 140; ++before) {
          for (const std::size_t after : {0U, 1U, 2U, 63U, 64U, 65U}) {
            const std::string text =
                std::string(before * unit, '-') + literal + std::string(after * unit, '-');
            const Exactly exactly{text};
            const auto hit = scanner.find(exactly.view(), 0);
            CAPTURE(word);
            CAPTURE(before);
            CAPTURE(after);
            CAPTURE(to_string(path));
            REQUIRE(hit.has_value());
            REQUIRE(hit->at == before * unit);
            const Exactly cut{text.substr(0, before * unit + literal.size() - 1)};
            REQUIRE_FALSE(scanner.find(cut.view(), 0).has_value());
          }
        }
      }
    }
  }
}

TEST_CASE("LiteralScanner: the plan's sample changes the work, not the answer") {
  std::string log;
  for (int i = 0; i < 800; ++i) {
    log += "2023-02-01 09:14:22,101 [17] INFO Innboks - melding behandlet uten feil nr " +
           std::to_string(i * 7919) + "\n";
  }
  // "INFO" and " - m" are in every line; a plan that knows takes another part of the literal.
  const std::vector<ScanLiteral> literals{{"INFO Innboks - meldingstap", false}};
  const LiteralScanner blind{literals, ""};
  const LiteralScanner trained{literals, log};
  std::uint64_t blind_candidates = 0;
  std::uint64_t trained_candidates = 0;
  CHECK_FALSE(blind.find(log, 0, &blind_candidates).has_value());
  CHECK_FALSE(trained.find(log, 0, &trained_candidates).has_value());
  CHECK(trained_candidates == 0);
  CHECK(blind_candidates >= 800);
  const std::string hit = log + "INFO Innboks - meldingstap\n";
  CHECK(blind.find(hit, 0)->at == log.size());
  CHECK(trained.find(hit, 0)->at == log.size());
}

TEST_CASE("LiteralScanner: nothing to look for, nothing to look in") {
  CHECK_FALSE(LiteralScanner({}, "text").find("text", 0).has_value());
  const LiteralScanner one{{{"text", false}}, ""};
  CHECK_FALSE(one.find("", 0).has_value());
  CHECK_FALSE(one.find("text", 4).has_value());
  CHECK_FALSE(one.find("text", 1).has_value());
  CHECK(one.find("text", 0).has_value());
}

TEST_CASE("count_lines: every path counts what there is") {
  const std::uint64_t seed = 7;
  MESSAGE("seed " << seed);
  testing::SeededRandom random{seed};
  for (int round = 0; round < 90; ++round) {
    // Of one kind only, mostly, so that what is odd is rare enough to matter.
    const std::string_view alphabet =
        round % 3 == 0 ? std::string_view{"\n\0a\n", 4} : std::string_view{"\nab \n", 5};
    const std::size_t size = round < 80 ? random.below(700) : 40'000;
    std::string text;
    for (std::size_t i = 0; i < size; ++i) {
      text.push_back(round % 3 == 2 && i % 2 == 1 ? '\0' : alphabet[random.below(alphabet.size())]);
    }
    if (size > 0 && round % 4 == 0) text[random.below(size)] = "\0\x21\x20"[random.below(3)];
    const Exactly exactly{text};
    LineCount bytes;
    LineCount units;
    for (std::size_t i = 0; i < size; ++i) {
      bytes.newlines += text[i] == '\n' ? 1U : 0U;
      bytes.odd |= text[i] == '\0';
      if (i % 2 == 0 || i == 0) continue;
      units.newlines += text[i - 1] == '\n' && text[i] == '\0' ? 1U : 0U;
      units.odd |= static_cast<unsigned char>(text[i]) > 0x20;
    }
    for (const CpuPath path : cpu_paths()) {
      CAPTURE(round);
      CAPTURE(to_string(path));
      CHECK(count_lines(path, exactly.view(), 1).newlines == bytes.newlines);
      CHECK(count_lines(path, exactly.view(), 1).odd == bytes.odd);
      CHECK(count_lines(path, exactly.view(), 2).newlines == units.newlines);
      CHECK(count_lines(path, exactly.view(), 2).odd == units.odd);
    }
  }
}

}  // namespace
}  // namespace meldevakt::agent
