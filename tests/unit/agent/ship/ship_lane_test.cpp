#include "agent/ship/ship_lane.h"

#include <doctest/doctest.h>

#include <map>
#include <string>
#include <vector>

#include "agent/ship/backoff.h"
#include "agent/ship/carry.h"

namespace meldevakt::agent {
namespace {

TEST_CASE("backoff: grows from half a second to the bound, spread over its upper half") {
  struct Case {
    std::uint32_t failures;
    std::int64_t low;
    std::int64_t high;
  };
  const std::vector<Case> cases{{1, 250, 500},        {2, 500, 1000},
                                {3, 1000, 2000},      {7, 16'000, 32'000},
                                {8, 30'000, 60'000},  {9, 30'000, 60'000},
                                {40, 30'000, 60'000}, {4'000'000'000U, 30'000, 60'000}};
  for (const Case& c : cases) {
    CAPTURE(c.failures);
    CHECK(backoff(c.failures, seconds(60), 0).ms == c.low);
    CHECK(backoff(c.failures, seconds(60), 0xFFFFFFFFU).ms <= c.high);
    CHECK(backoff(c.failures, seconds(60), 0xFFFFFFFFU).ms >= c.high - 1);
  }
  CHECK(backoff(1, milliseconds(100), 0).ms == 50);
  CHECK(backoff(9, milliseconds(100), 0xFFFFFFFFU).ms <= 100);
}

std::vector<OutgoingFrame> frames(std::uint64_t from, std::uint64_t to) {
  std::vector<OutgoingFrame> out;
  for (std::uint64_t i = from; i < to; ++i)
    out.push_back({"t", "a", 0, i, "f" + std::to_string(i)});
  return out;
}

std::string text_of(const std::vector<ShipEvent>& events) {
  std::string out;
  for (const ShipEvent& event : events) {
    const char* kind = "";
    switch (event.kind) {
      case ShipEvent::Kind::kAcknowledged: kind = "ack"; break;
      case ShipEvent::Kind::kWanted: kind = "wanted"; break;
      case ShipEvent::Kind::kTrouble: kind = "trouble"; break;
      case ShipEvent::Kind::kRefused: kind = "refused"; break;
      case ShipEvent::Kind::kWell: kind = "well"; break;
      case ShipEvent::Kind::kFork: kind = "fork"; break;
      case ShipEvent::Kind::kFalseLog: kind = "false"; break;
    }
    out += std::string{kind} + std::to_string(event.sequence) + " ";
  }
  return out;
}

// Plays answers against a lane that has frames 5, 6, 7: "s5" = 5 was sent; then the events.
std::string play(const std::vector<HandoverResult>& answers) {
  ShipLane lane{seconds(60)};
  lane.offer(frames(5, 8));
  Duration now{};
  std::string out;
  for (const HandoverResult& answer : answers) {
    if (lane.next(now) == nullptr && lane.due()) now = *lane.due();
    const OutgoingFrame* next = lane.next(now);
    if (next == nullptr) {
      out += "- ";
      continue;
    }
    out += "s" + std::to_string(next->sequence) + " ";
    const OutgoingFrame sent = *next;
    lane.result(sent, answer, now, 0);
    out += text_of(lane.take_events());
  }
  return out;
}

TEST_CASE("ShipLane: what each answer leads to") {
  const HandoverResult stored{Handover::kStored, 0, ""};
  const HandoverResult retry{Handover::kRetry, 0, "away"};
  const HandoverResult refused{Handover::kRefused, 0, "no"};
  const HandoverResult fork{Handover::kFork, 0, ""};
  struct Case {
    std::string_view name;
    std::vector<HandoverResult> answers;
    std::string_view want;
  };
  const std::vector<Case> cases{
      {"in order", {stored, stored, stored, stored}, "s5 ack5 s6 ack6 s7 ack7 - "},
      {"trouble is said once, then well",
       {retry, retry, stored, stored},
       "s5 trouble5 s5 s5 well5 ack5 s6 ack6 "},
      {"a refusal is said once and tried again",
       {refused, refused, stored},
       "s5 refused5 s5 s5 well5 ack5 "},
      {"the collector wants an earlier one", {{Handover::kAhead, 2, ""}, stored}, "s5 wanted2 - "},
      {"wanting a later one makes no sense",
       {{Handover::kAhead, 9, ""}, stored},
       "s5 trouble5 s5 well5 ack5 "},
      {"wanting the very one makes no sense", {{Handover::kAhead, 5, ""}}, "s5 trouble5 "},
      {"a fork ends it", {fork, stored}, "s5 fork5 - "},
      {"a false log ends it",
       {stored, {Handover::kFalseLog, 0, ""}, stored},
       "s5 ack5 s6 false6 - "},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    CHECK(play(c.answers) == c.want);
  }
}

TEST_CASE("ShipLane: waits between attempts, and an answer to an old offer changes nothing") {
  ShipLane lane{seconds(60)};
  CHECK(lane.next({}) == nullptr);
  CHECK_FALSE(lane.due());
  lane.offer(frames(5, 8));
  const OutgoingFrame five = *lane.next({});
  lane.result(five, {Handover::kRetry, 0, ""}, Duration{1000}, 0);
  CHECK(lane.next(Duration{1249}) == nullptr);
  CHECK(lane.due() == Duration{1250});
  CHECK(lane.next(Duration{1250}) != nullptr);
  lane.offer(frames(2, 8));
  lane.result(five, {Handover::kStored, 0, ""}, Duration{1300}, 0);
  CHECK(lane.waiting() == 6);
}

TEST_CASE("CarrySender: a file a frame, the same bytes again are fine, others are a fork") {
  std::map<std::string, std::string> disk;
  std::string calls;
  bool full = false;
  const auto write = [&](const char* how) {
    return [&, how](const std::string& path, std::string_view bytes) -> Status {
      calls += how;
      if (full) return Error{Errc::kIo, "No space left on device"};
      disk[path] = bytes;
      return {};
    };
  };
  CarrySender sender{"/out",
                     {[&](const std::string& path) -> Result<std::string> {
                        const auto found = disk.find(path);
                        if (found == disk.end()) return Error{Errc::kNotFound, path};
                        return found->second;
                      },
                      write("write "), write("rewrite ")}};
  const OutgoingFrame frame{"t", std::string(32, 'a'), 0, 7, "bytes"};
  full = true;
  CHECK(sender.send(frame).outcome == Handover::kRetry);
  full = false;
  CHECK(sender.send(frame).outcome == Handover::kStored);
  CHECK(disk.at("/out/" + std::string(32, 'a') + "-000000-000000000007.frame") == "bytes");
  // The name may not be synced yet: it is made durable before the frame is let go.
  CHECK(sender.send(frame).outcome == Handover::kStored);
  full = true;
  CHECK(sender.send(frame).outcome == Handover::kRetry);
  CHECK(calls == "write write rewrite rewrite ");
  CHECK(sender.send({"t", std::string(32, 'a'), 0, 7, "other"}).outcome == Handover::kFork);
}

}  // namespace
}  // namespace meldevakt::agent
