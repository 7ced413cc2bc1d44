#include "collector/incidents/ledger_entry.h"

#include <doctest/doctest.h>

namespace meldevakt::collector {
namespace {

constexpr Instant kTold{1'772'445'600'000};

Testimony testimony(decltype(Testimony::what) what) {
  return {7, kTold, "Åse Øvrebø", "hentet på nytt", std::move(what)};
}

IncidentDecision decision(DecisionKind kind) {
  IncidentDecision out;
  out.number = 8;
  out.told = kTold;
  out.person = "Ola";
  out.kind = kind;
  if (kind == DecisionKind::kTakenBack) {
    out.entry = 3;
  } else {
    out.messages = {"case_id:0a", "m1"};
  }
  if (kind == DecisionKind::kAware) out.aware = kTold - hours(1);
  if (kind == DecisionKind::kNotified) {
    out.notified = kTold - hours(1);
    out.reference = "24/01234-2";
  }
  return out;
}

std::vector<LedgerEntry> one_of_each() {
  std::vector<LedgerEntry> out{
      testimony(MessageRecovered{"m1", kTold - hours(1), RecoveredHow::kDownloaded}),
      testimony(SenderMistaken{"m1"}),
      testimony(StoredCount{{kTold - days(2), kTold - days(1)}, FormType::kPrivate, 12}),
      testimony(StoredCount{{kTold - days(2), kTold - days(1)}, std::nullopt, 0}),
      testimony(TakenBack{3}),
  };
  for (const DecisionKind kind :
       {DecisionKind::kMerge, DecisionKind::kSplit, DecisionKind::kClose, DecisionKind::kReopen,
        DecisionKind::kAware, DecisionKind::kNotified}) {
    out.emplace_back(decision(kind));
  }
  IncidentDecision closed = decision(DecisionKind::kClose);
  closed.verdicts = {Verdict::kUnverifiable, Verdict::kLost};
  out.emplace_back(std::move(closed));
  return out;
}

TEST_CASE("ledger entries: what is written is read again") {
  for (const LedgerEntry& entry : one_of_each()) {
    const std::string json = encode_entry(entry);
    CAPTURE(json);
    const auto read = decode_entry(json);
    REQUIRE(read.has_value());
    CHECK(read.value() == entry);
    CHECK(encode_entry(read.value()) == json);
  }
  CHECK(encode_entry(one_of_each()[1]) ==
        R"({"version":1,"number":7,"told":1772445600000,"person":"Åse Øvrebø",)"
        R"("note":"hentet på nytt","kind":"mistaken","message":"m1"})");
}

TEST_CASE(
    "ledger entries: any member that is missing, unknown or no value of its kind is refused") {
  for (const LedgerEntry& entry : one_of_each()) {
    const std::string json = encode_entry(entry);
    CAPTURE(json);
    std::string more = json;
    more.insert(more.size() - 1, R"(,"other":1)");
    CHECK(!decode_entry(more));
    for (std::size_t at = json.find("\":"); at != std::string::npos;
         at = json.find("\":", at + 1)) {
      std::string changed = json;
      changed.replace(at - 1, 1, "?");  // a member of another name
      CHECK(!decode_entry(changed));
    }
    for (std::size_t cut = 0; cut < json.size(); ++cut) CHECK(!decode_entry(json.substr(0, cut)));
  }
  std::string json = encode_entry(one_of_each()[1]);
  json.replace(json.find("hentet"), 6, "hen\\u0007");
  CHECK(!decode_entry(json));
  const std::string closed = encode_entry(one_of_each().back());
  for (const std::string_view verdicts :
       {"[]", R"(["lost"])", R"(["lost","found"])", R"(["lost",1])", R"(["lost","lost","lost"])",
        R"("lost")", "null"}) {
    CAPTURE(verdicts);
    std::string changed = closed;
    const std::string_view was = R"(["unverifiable","lost"])";
    REQUIRE(changed.find(was) != std::string::npos);
    changed.replace(changed.find(was), was.size(), verdicts);
    CHECK(!decode_entry(changed));
  }
}

TEST_CASE("ledger entries: a closing of an earlier build, which does not say what was, is read") {
  const LedgerEntry old = decision(DecisionKind::kClose);
  const std::string json = encode_entry(old);
  CHECK(json.find("verdicts") == std::string::npos);
  CHECK(decode_entry(json).value() == old);
}

TEST_CASE("ledger entries: what is taken back, and given back by taking that back") {
  const auto back = [](std::uint64_t number, std::uint64_t entry) {
    Testimony out = testimony(TakenBack{entry});
    out.number = number;
    return LedgerEntry{out};
  };
  using Numbers = std::set<std::uint64_t>;
  CHECK(taken_back({}) == Numbers{});
  CHECK(taken_back({testimony(SenderMistaken{"m"}), back(8, 7)}) == Numbers{7});
  CHECK(taken_back({back(9, 8), back(8, 7)}) == Numbers{8});
  CHECK(taken_back({back(8, 7), back(9, 8), back(10, 9)}) == Numbers{7, 9});
  CHECK(taken_back({back(8, 8), back(9, 12)}) == Numbers{});  // only what was told before
  IncidentDecision decided = decision(DecisionKind::kTakenBack);
  CHECK(taken_back({decided}) == Numbers{3});
}

TEST_CASE("ledger entries: the writer's clock and the store's number go in") {
  LedgerEntry entry{testimony(SenderMistaken{"m"})};
  set_told(entry, kTold + hours(1));
  set_number(entry, 12);
  CHECK(person_of(entry) == "Åse Øvrebø");
  const auto read = decode_entry(encode_entry(entry)).value();
  CHECK(std::get<Testimony>(read).told == kTold + hours(1));
  CHECK(number_of(read) == 12);
  IncidentDecision late = decision(DecisionKind::kAware);
  late.aware = kTold + seconds(1);
  CHECK(check_entry_of_people(late).error().code() == Errc::kInvalid);
}

TEST_CASE("ledger entries: who takes back is heard by both lists") {
  const EntriesOfPeople all = split_entries(one_of_each());
  CHECK(all.testimony.size() == 5);
  CHECK(all.decisions.size() == 8);
  const EntriesOfPeople back = split_entries({decision(DecisionKind::kTakenBack)});
  REQUIRE(back.testimony.size() == 1);
  CHECK(std::get<TakenBack>(back.testimony[0].what).entry == 3);
  CHECK(back.decisions.size() == 1);
  LedgerEntry entry = decision(DecisionKind::kClose);
  set_number(entry, 99);
  CHECK(number_of(entry) == 99);
}

}  // namespace
}  // namespace meldevakt::collector
