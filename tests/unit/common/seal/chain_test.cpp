#include "common/seal/chain.h"

#include <doctest/doctest.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace meldevakt {
namespace {

Sha256 link(int n) {
  Sha256 out;
  out.value[0] = static_cast<std::uint8_t>(n);
  return out;
}

Statement statement(std::uint64_t epoch, std::uint64_t sequence, int previous, std::int64_t from,
                    std::int64_t to) {
  Statement out;
  out.epoch = epoch;
  out.sequence = sequence;
  out.previous = link(previous);
  out.span = {{from}, {to}};
  return out;
}

TEST_CASE("chain: one step from a head in the middle") {
  const ChainHead head{.epoch = 1, .next_sequence = 3, .link = link(7), .until = {100}};
  const Sha256 own = link(8);
  const Sha256 other = link(9);
  struct Case {
    std::string_view name;
    Statement next;
    const Sha256* stored;
    ChainDecision want;
  };
  const std::vector<Case> cases{
      {"the next link", statement(1, 3, 7, 100, 110), nullptr, ChainDecision::kExtends},
      {"the next link, no time passed", statement(1, 3, 7, 100, 100), nullptr,
       ChainDecision::kExtends},
      {"the next number on another history", statement(1, 3, 6, 100, 110), nullptr,
       ChainDecision::kFork},
      {"a hole in time", statement(1, 3, 7, 101, 110), nullptr, ChainDecision::kFork},
      {"time told twice", statement(1, 3, 7, 99, 110), nullptr, ChainDecision::kFork},
      {"one link missing", statement(1, 4, 8, 110, 120), nullptr, ChainDecision::kAhead},
      {"an old link again", statement(1, 2, 6, 90, 100), &own, ChainDecision::kDuplicate},
      {"an old number, other bytes", statement(1, 2, 6, 90, 100), &other, ChainDecision::kFork},
      {"an old number that is not stored", statement(1, 2, 6, 90, 100), nullptr,
       ChainDecision::kFork},
      {"an old epoch, again", statement(0, 5, 1, 10, 20), &own, ChainDecision::kDuplicate},
      {"an old epoch, other bytes", statement(0, 5, 1, 10, 20), &other, ChainDecision::kFork},
      {"an old epoch grows", statement(0, 9, 1, 10, 20), nullptr, ChainDecision::kFork},
      {"the next epoch opens", statement(2, 0, 7, 100, 110), nullptr, ChainDecision::kExtends},
      {"the next epoch, the end of this one missing", statement(2, 0, 8, 110, 120), nullptr,
       ChainDecision::kAhead},
      {"the next epoch, its first missing", statement(2, 1, 8, 110, 120), nullptr,
       ChainDecision::kAhead},
      {"the next epoch, its second number in the place of its first", statement(2, 1, 7, 100, 110),
       nullptr, ChainDecision::kAhead},
      {"an epoch skipped", statement(3, 0, 7, 100, 110), nullptr, ChainDecision::kAhead},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(to_string(decide(head, c.next, own, c.stored)) == to_string(c.want));
  }
  CHECK(advance(statement(1, 3, 7, 100, 110), own) ==
        ChainHead{.epoch = 1, .next_sequence = 4, .link = own, .until = {110}});
  CHECK(advance(statement(2, 0, 7, 100, 110), own) ==
        ChainHead{.epoch = 2, .next_sequence = 1, .link = own, .until = {110}});
}

TEST_CASE("chain: the first statement hangs on the enrolment and may begin at any time") {
  const ChainHead head{.epoch = 0, .next_sequence = 0, .link = link(1), .until = {}};
  CHECK(decide(head, statement(0, 0, 1, 500, 600), link(2), nullptr) == ChainDecision::kExtends);
  CHECK(decide(head, statement(0, 0, 2, 500, 600), link(2), nullptr) == ChainDecision::kFork);
  CHECK(decide(head, statement(0, 1, 2, 500, 600), link(2), nullptr) == ChainDecision::kAhead);
}

// --- a small world, exhausted ---------------------------------------------------------------
//
// Statements with two epochs, two numbers and two histories ('a' honest, 'b' forked at any place)
// arrive in every order. The model keeps whole histories and looks, naively, whether what it has is
// a prefix of the history that the statement belongs to.

struct Item {
  std::uint64_t epoch;
  std::uint64_t sequence;
  std::string history;  // of all links up to this one: "a", "aa", "ab", ...
};

int number_of(std::string_view history) {
  int n = 1;
  for (const char c : history) n = n * 2 + (c == 'b' ? 1 : 0);
  return n;
}

Statement statement_of(const Item& item) {
  const std::string_view before = std::string_view{item.history}.substr(0, item.history.size() - 1);
  const auto length = static_cast<std::int64_t>(item.history.size());
  return statement(item.epoch, item.sequence, number_of(before), length * 10, length * 10 + 10);
}

ChainDecision expected(const std::string& have, const Item& item) {
  if (item.history.size() <= have.size()) {
    return have.substr(0, item.history.size()) == item.history ? ChainDecision::kDuplicate
                                                               : ChainDecision::kFork;
  }
  if (item.history.size() > have.size() + 1) return ChainDecision::kAhead;
  if (item.history.substr(0, have.size()) == have) return ChainDecision::kExtends;
  // The one exception: at the border of an epoch a gap cannot be told from a fork yet.
  return item.sequence == 0 && item.epoch > 0 ? ChainDecision::kAhead : ChainDecision::kFork;
}

TEST_CASE("chain: every order of arrival of every history agrees with a model that keeps all") {
  // Numbers (0,0) (0,1) (1,0) (1,1); each with every history of its length: 2 + 4 + 8 + 16.
  std::vector<Item> items;
  for (std::size_t length = 1; length <= 4; ++length) {
    for (std::size_t code = 0; code < (std::size_t{1} << length); ++code) {
      Item item{(length - 1) / 2, (length - 1) % 2, ""};
      for (std::size_t i = 0; i < length; ++i) item.history += (code >> i & 1) != 0 ? 'b' : 'a';
      items.push_back(item);
    }
  }
  std::size_t decisions = 0;
  // Every sequence of three arrivals, from every history that can be held already.
  std::vector<std::string> holdings{""};
  for (const Item& item : items) holdings.push_back(item.history);
  for (const std::string& held : holdings) {
    for (const Item& first : items) {
      for (const Item& second : items) {
        std::string have;
        ChainHead head{.epoch = 0, .next_sequence = 0, .link = link(number_of("")), .until = {}};
        std::map<std::pair<std::uint64_t, std::uint64_t>, Sha256> stored;
        std::vector<Item> arrivals;
        for (std::size_t n = 1; n <= held.size(); ++n) {
          arrivals.push_back({(n - 1) / 2, (n - 1) % 2, held.substr(0, n)});
        }
        arrivals.push_back(first);
        arrivals.push_back(second);
        for (const Item& item : arrivals) {
          const Sha256 own = link(number_of(item.history));
          const auto known = stored.find({item.epoch, item.sequence});
          const ChainDecision decision = decide(head, statement_of(item), own,
                                                known == stored.end() ? nullptr : &known->second);
          if (decision != expected(have, item)) {
            CAPTURE(have);
            CAPTURE(item.history);
            REQUIRE(to_string(decision) == to_string(expected(have, item)));
          }
          ++decisions;
          if (decision != ChainDecision::kExtends) continue;
          head = advance(statement_of(item), own);
          stored[{item.epoch, item.sequence}] = own;
          have = item.history;
        }
      }
    }
  }
  CHECK(decisions > 50'000);
}

}  // namespace
}  // namespace meldevakt
