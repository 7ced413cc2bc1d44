#include "collector/report/latent_fault.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "common/testing/doubles.h"
#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector {
namespace {

constexpr Instant kFrom{1'600'984'800'000};  // 2020-09-24T22:00:00Z

// One message an hour: 'f' stored after its receipt, 's' stored before it, 'u' stored, and the
// clocks leave open which came first, 'l' lost, 'm' missing, 'p' pending, 'n' stored without a
// receipt.
Correlation world(std::string_view messages) {
  Correlation out;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    MessageVerdict one;
    one.message = std::to_string(i);
    one.receipted = kFrom + hours(static_cast<std::int64_t>(i));
    switch (messages[i]) {
      case 'f': one.verdict = Verdict::kStoredAfterReceipt; break;
      case 's':
        one.verdict = Verdict::kStored;
        one.stored_first = true;
        break;
      case 'u': one.verdict = Verdict::kStored; break;
      case 'l': one.verdict = Verdict::kLost; break;
      case 'm': one.verdict = Verdict::kMissing; break;
      case 'n':
        one.verdict = Verdict::kStored;
        one.receipted.reset();
        break;
      default: one.verdict = Verdict::kPending; break;
    }
    out.messages.push_back(std::move(one));
  }
  return out;
}

TEST_CASE("latent fault: from the first message on, until it is proved to be over") {
  const std::string sound(kSoundMessages, 's');
  struct Case {
    std::string messages;
    bool seen;
    bool present;
  };
  const std::vector<Case> cases{
      {"", false, false},
      {"ssp", false, false},
      {"l", false, false},
      {"f", true, true},
      {"sf", true, true},
      {"f" + sound.substr(1), true, true},
      {"f" + sound, true, false},
      {"f" + sound + "f", true, true},
      {"f" + sound + "l", true, true},
      {"f" + sound + "m", true, true},
      {"lf" + sound, true, false},
      {"f" + std::string(40, 'n'), true, true},
      {"f" + std::string(200, 'u'), true, true},
      {"f" + sound.substr(1) + std::string(40, 'u'), true, true},
      {"f" + std::string(40, 'u') + sound, true, false},
      {"f" + sound + std::string(40, 'u'), true, false},
      {std::string(40, 'u'), false, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.messages);
    const auto fault = latent_fault(world(c.messages));
    CHECK(fault.has_value() == c.seen);
    if (fault) CHECK(fault->present == c.present);
    // In whatever order the messages stand.
    Correlation turned = world(c.messages);
    std::reverse(turned.messages.begin(), turned.messages.end());
    CHECK(latent_fault(turned) == fault);
  }
  const auto fault = latent_fault(world("sfsfs"));
  CHECK(fault->first == kFrom + hours(1));
  CHECK(fault->last == kFrom + hours(3));
  CHECK(fault->messages == 2);
  CHECK(fault->since_then == 1);
}

TEST_CASE(
    "latent fault: the register may say that it was fixed, and what comes later contradicts") {
  CHECK(latent_fault(world("f"), kFrom + hours(1))->present == false);
  CHECK(latent_fault(world("f"), kFrom)->present);  // not before, but at that time
  CHECK(latent_fault(world("sf"), kFrom + minutes(30))->present);
  CHECK(latent_fault(world("fsl"), kFrom + minutes(30))->present);
}

// A case system whose receipts only the portal's rows tell of, `lead` seconds before each commit;
// one of them so early that no clock explains it.
Correlation portal_alone(double lead) {
  testing::SmallWorld world;
  world.covered("trace", {Signal::kMessageCommitted}, -3600, 36'000);
  for (std::uint64_t m = 0; m < 60; ++m) {
    const double receipt = 60.25 * static_cast<double>(m + 1);
    world.row(m, testing::at(receipt - 20), testing::at(receipt));
    world.committed(receipt + (m == 20 ? 10 : lead), m);
  }
  return correlate(world.input, testing::at(36'000));
}

TEST_CASE("latent fault: receipts before commits within what clocks err do not end it") {
  // Every message is still receipted too early, but only one by more than clocks can err.
  const auto wrong = latent_fault(portal_alone(1.5));
  REQUIRE(wrong.has_value());
  CHECK(wrong->messages == 1);
  CHECK(wrong->since_then == 0);
  CHECK(wrong->present);
  const auto open = latent_fault(portal_alone(-1.5));
  CHECK(open->present);
  CHECK(latent_fault(portal_alone(-1.5), testing::at(3600))->present == false);
  const auto right = latent_fault(portal_alone(-4.5));
  CHECK(right->since_then == 39);
  CHECK_FALSE(right->present);
}

TEST_CASE("latent fault: said in a line, and as JSON") {
  meldevakt::testing::RuleTimeZones zones;
  const auto zone = zones.find("Europe/Oslo").value();
  const LatentFault one = *latent_fault(world("f"));
  CHECK(latent_fault_text(one, "Bø\n kommune", *zone) ==
        "LATENT FAULT at Bø? kommune: the case system receipts messages before it has stored them; "
        "1 message, on 25.09.2020 00:00:00. A save that fails loses a message: have it "
        "corrected.\n");
  CHECK(latent_fault_json(one, "t1") ==
        R"({"tenant":"t1","kind":"receipt_before_commit","first":"2020-09-24T22:00:00.000Z",)"
        R"("last":"2020-09-24T22:00:00.000Z","messages":1,"sound_since":0,"present":true})");
}

}  // namespace
}  // namespace meldevakt::collector
