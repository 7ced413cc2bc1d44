// What the rows of a message say together, and beside what the logs tell.
#include "collector/correlate/settled_rows.h"

#include <doctest/doctest.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/report/latent_fault.h"
#include "tests/unit/collector/correlate/small_world.h"

namespace meldevakt::collector {
namespace {

using testing::at;
using testing::SmallWorld;
using W = SmallWorld&;

constexpr double kDay = 86'400;
constexpr double kHour = 3600;

struct Case {
  std::string_view name;
  std::function<void(W)> world;
  Verdict want;
  std::optional<double> receipted;
  std::string_view in_words = "";
};

void check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    CAPTURE(c.name);
    SmallWorld w;
    w.trace_covered(-kDay, 4 * kDay);
    c.world(w);
    const MessageVerdict got = w.verdict(3 * kDay);
    CAPTURE(got.explanation);
    CHECK(to_string(got.verdict) == to_string(c.want));
    CHECK(got.receipted == (c.receipted ? std::optional{at(*c.receipted)} : std::nullopt));
    CHECK(got.explanation.find(c.in_words) != std::string::npos);
  }
}

// The row of a sending that was receipted then, and the same as a list in another zone has it.
void two_zones(W w, double confirmed, double apart) {
  w.row(1, at(confirmed - 5), at(confirmed));
  w.row(1, at(confirmed - 5 + apart), at(confirmed + apart));
}

TEST_CASE("rows of two zones: what the logs tell says which is right") {
  check({
      {"the wrong one is later, and the fault stays",
       [](W w) { two_zones(w, 0, kHour), w.committed(30); }, Verdict::kStoredAfterReceipt, 0},
      {"the wrong one is earlier: no fault", [](W w) { two_zones(w, 0, -kHour), w.committed(-1); },
       Verdict::kStored, 0},
      {"the wrong one is earlier, and the fault is there",
       [](W w) { two_zones(w, 0, -kHour), w.committed(30); }, Verdict::kStoredAfterReceipt, 0},
      {"half an hour, and a quarter beside it",
       [](W w) { two_zones(w, 0, kHour / 2), two_zones(w, 0, kHour / 4), w.committed(30); },
       Verdict::kStoredAfterReceipt, 0},
      {"lost: as of the right one", [](W w) { two_zones(w, 0, -kHour), w.failed(1); },
       Verdict::kLost, 0},
      {"nothing is near: the earlier counts", [](W w) { two_zones(w, 0, kHour); },
       Verdict::kMissing, 0},
      {"stored between them, near none: it may have come after",
       [](W w) { two_zones(w, 0, kHour), w.committed(kHour / 2); }, Verdict::kStoredAfterReceipt,
       0},
      {"sent twice, whole hours apart: it was lost",
       [](W w) {
         two_zones(w, 0, 2 * kHour);
         w.received(0), w.failed(1), w.received(2 * kHour), w.committed(2 * kHour + 1);
       },
       Verdict::kRecovered, 0, "before that it was lost"},
      {"and not whole hours apart",
       [](W w) {
         two_zones(w, 0, 2 * kHour + 60);
         w.received(0), w.failed(1), w.received(2 * kHour + 60), w.committed(2 * kHour + 61);
       },
       Verdict::kRecovered, 0, "before that it was lost"},
  });
}

TEST_CASE("rows of two zones: how near what is seen must lie") {
  for (const double seconds : {-421.0, -420.0, 420.0, 421.0}) {
    CAPTURE(seconds);
    SmallWorld w;
    w.trace_covered(-kDay, 4 * kDay);
    two_zones(w, 0, -kHour);
    w.failed(seconds);
    const bool near = seconds >= -420 && seconds <= 420;
    CHECK(w.verdict(3 * kDay).receipted == at(near ? 0 : -kHour));
  }
}

TEST_CASE("rows of two zones: the portal keeps it no longer than the earlier says") {
  SmallWorld one;
  one.trace_covered(-kDay, 2 * kDay);
  one.row(1, at(-5), at(0));
  SmallWorld two = one;
  two.row(1, at(7195), at(7200));
  REQUIRE(one.verdict(kDay).verdict == Verdict::kMissing);
  CHECK(two.verdict(kDay).purge_deadline == one.verdict(kDay).purge_deadline);
  // Confirmed twice, of one sending: it keeps it from the later on.
  one.row(1, at(-5), at(7200));
  CHECK(one.verdict(kDay).purge_deadline > two.verdict(kDay).purge_deadline);
}

TEST_CASE("rows of two zones: one list in a wrong zone does not take the latent fault away") {
  for (const double apart : {kHour, -kHour}) {
    SmallWorld w;
    w.trace_covered(-kDay, 4 * kDay);
    for (std::uint64_t m = 1; m <= 20; ++m) {
      const double confirmed = 600.0 * static_cast<double>(m);
      w.row(m, at(confirmed - 5), at(confirmed));
      w.committed(confirmed + 30, m);
      w.row(m, at(confirmed - 5 + apart), at(confirmed + apart));
    }
    const auto fault = latent_fault(correlate(w.input, at(3 * kDay)));
    REQUIRE(fault);
    CHECK(fault->present);
    CHECK(fault->messages == 20);
  }
}

TEST_CASE("a row without a channel is of the letter whose posting it tells") {
  check({
      {"a letter, told by a list without a channel, too",
       [](W w) {
         w.rejected(0);
         w.row(1, at(-5), at(kHour), kPrintChannel), w.row(1, at(-5), at(kHour), "");
       },
       Verdict::kFallback, std::nullopt},
      {"told to the millisecond by one of them",
       [](W w) {
         w.rejected(0);
         w.row(1, at(-5), at(kHour), kPrintChannel), w.row(1, at(-5), at(kHour + 0.4), "");
       },
       Verdict::kFallback, std::nullopt},
      {"another time is another receipt",
       [](W w) { w.row(1, at(-5), at(kHour), kPrintChannel), w.row(1, at(-5), at(0), ""); },
       Verdict::kMissing, 0},
      {"two lists say otherwise: the receipt counts",
       [](W w) {
         w.row(1, at(-5), at(0), kPrintChannel), w.row(1, at(-5), at(0), "");
         w.row(1, at(-5), at(0), kCaseSystemChannel);
       },
       Verdict::kMissing, 0},
      {"another portal's letter",
       [](W w) {
         w.row(1, at(-5), at(0), kPrintChannel).portal = "other";
         w.row(1, at(-5), at(0), "");
       },
       Verdict::kMissing, 0},
  });
}

TEST_CASE("fetched by hand, and the newest row leaves the channel open") {
  SmallWorld w;
  w.trace_covered(-kDay, 2 * kDay);
  w.row(1, at(-5), at(kHour), kManualChannel);
  w.row(1, at(-5), at(kHour), "").form = FormType::kPrivate;
  CHECK(w.verdict(kDay).verdict == Verdict::kUnverifiable);
  CHECK(w.verdict(kDay).channel == kManualChannel);
}

TEST_CASE("sent again: of very many deliveries the first and the last are looked at") {
  SmallWorld w;
  w.trace_covered(-kDay, 4 * kDay);
  w.acknowledged(0);
  const int many = 200;
  for (int i = 1; i <= many; ++i) w.received(1000.0 * i);
  w.committed(1000.0 * many + 1);
  const MessageVerdict got = w.verdict(3 * kDay);
  CHECK(got.verdict == Verdict::kRecovered);
  CHECK(got.explanation.find("Delivered again at " + to_rfc3339(at(2000))) != std::string::npos);
}

}  // namespace
}  // namespace meldevakt::collector
