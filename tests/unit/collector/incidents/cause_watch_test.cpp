#include "collector/incidents/cause_watch.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "common/testing/doubles.h"

namespace meldevakt::collector {
namespace {

using meldevakt::testing::SeededRandom;

// What group_incidents() makes of the same messages, cause by cause.
std::vector<CausePart> grouped(const std::map<std::string, MessageVerdict>& messages) {
  Correlation all;
  for (const auto& [name, message] : messages) {
    if (message.verdict != Verdict::kStoredAfterReceipt) all.messages.push_back(message);
  }
  std::map<std::string, CausePart> parts;
  for (const Incident& incident : group_incidents(all)) {
    for (const CausePart& part : incident.causes) {
      const auto [at, added] = parts.try_emplace(part.cause, part);
      if (added) continue;
      CausePart& sum = at->second;
      sum.first = std::min(sum.first, part.first);
      sum.last = std::max(sum.last, part.last);
      sum.messages += part.messages;
      if (severity(sum.worst) < severity(part.worst)) sum.worst = part.worst;
    }
  }
  std::vector<CausePart> out;
  for (const auto& [cause, part] : parts) out.push_back(part);
  return out;
}

TEST_CASE("CauseWatch property: one change at a time, it tells what the incidents tell") {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    SeededRandom random{seed};
    CauseWatch watch;
    std::map<std::string, MessageVerdict> messages;
    for (int step = 0; step < 60; ++step) {
      const std::string name = "m" + std::to_string(random.below(12));
      if (random.below(5) == 0) {
        watch.drop(name);
        messages.erase(name);
      } else {
        MessageVerdict message;
        message.message = name;
        message.verdict =
            static_cast<Verdict>(random.below(static_cast<std::size_t>(Verdict::kUnreceipted) + 1));
        message.cause = "cause" + std::to_string(random.below(3));
        const Instant time = Instant{} + hours(static_cast<std::int64_t>(random.below(100)));
        (random.below(3) == 0 ? message.first_seen : message.receipted) = time;
        watch.note(message);
        messages[name] = message;
      }
      REQUIRE(watch.parts() == grouped(messages));
    }
    watch.clear();
    CHECK(watch.parts().empty());
  }
}

}  // namespace
}  // namespace meldevakt::collector
