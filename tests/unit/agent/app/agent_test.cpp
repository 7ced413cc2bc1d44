#include "agent/app/agent.h"

#include <doctest/doctest.h>
#include <poll.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>
#include <string>

#include "common/testing/fault_vfs.h"
#include "tests/unit/agent/app/agent_world.h"

namespace meldevakt::agent {
namespace {

using testing::AgentWorld;
using testing::kIdA;
using testing::kIdB;

TEST_CASE("Agent: from lines to the collector, acknowledged") {
  AgentWorld w;
  w.enrol("t1", "A");
  w.start();
  w.run(seconds(1));
  w.received(kIdA);
  w.clock.advance(milliseconds(10));
  w.committed(kIdA);
  w.clock.advance(milliseconds(10));
  w.acknowledged(kIdA);
  w.run(seconds(8));
  CHECK(w.steps() == "received A, committed A, acknowledged A");
  w.run(seconds(65));
  const auto& tenant = w.collector.tenants.at("t1");
  CHECK(tenant.statements.size() >= 3);
  CHECK(tenant.statements.back().sources.at(0).bytes.read > 100);
  CHECK(tenant.statements.back().sources.at(0).complete);
  CHECK_FALSE(tenant.statements.back().sources.at(0).shared);
  CHECK(w.logged("finding") == 0);
  CHECK(w.logged("ERROR") == 0);
}

TEST_CASE("Agent: where nothing is written the loop waits longer, until something is") {
  AgentWorld w;
  w.enrol("t1", "A");
  w.start();
  w.run(seconds(1));
  const Duration busy = w.agent->rest();
  CHECK(busy < kIdlePollMax);
  w.run(seconds(11));
  CHECK(w.agent->rest() == kIdlePollMax);
  w.received(kIdA);
  w.run(seconds(1));
  CHECK(w.agent->rest() == busy);
}

TEST_CASE("Agent: not enrolled is said with the remedy") {
  AgentWorld w;
  const auto created = w.create();
  REQUIRE_FALSE(created);
  CHECK(created.error().code() == Errc::kInvalid);
  CHECK(created.error().message() ==
        "the tenant 'A' is not enrolled; run: meldevakt-agent enroll --config agent.toml "
        "--invitation FILE");
}

TEST_CASE("Agent: a receipt without commit is told once, over restarts too") {
  AgentWorld w;
  w.enrol("t1", "A");
  w.start();
  w.received(kIdA);
  w.clock.advance(milliseconds(10));
  w.acknowledged(kIdA);
  w.run(seconds(75));
  CHECK(w.logged("ERROR agent: finding kind=receipt_without_commit message=" + std::string{kIdA}) ==
        1);
  w.start();
  w.run(seconds(75));
  CHECK(w.logged("finding kind=") == 1);
}

TEST_CASE("Agent: on_finding's program has every finding once, whenever the agent is stopped") {
  const testing::TempFolder outside;
  outside.write("alarm", "#!/bin/sh\nsed 's/.*\"id\":\"\\([0-9a-f]*\\)\".*/\\1/' >>" +
                             (outside / "given") + "\n");
  std::filesystem::permissions(outside / "alarm", std::filesystem::perms::owner_all);
  AgentWorld w{"on_finding = \"" + (outside / "alarm") + "\"\n"};
  w.enrol("t1", "A");
  w.start();
  constexpr int kMessages = 5;
  for (int i = 0; i < kMessages; ++i) {
    std::string id{kIdA};
    id.back() = static_cast<char>('1' + i);
    w.received(id);
    w.clock.advance(milliseconds(10));
    w.acknowledged(id);
    w.clock.advance(milliseconds(10));
  }
  for (int turns = 0; turns < 1000 && w.logged("finding kind=") < kMessages; ++turns) w.turn();
  REQUIRE(w.logged("finding kind=receipt_without_commit") == kMessages);
  const auto given = [&] {
    std::multiset<std::string> ids;
    std::istringstream in{outside.read("given")};
    for (std::string id; std::getline(in, id);) ids.insert(id);
    return ids;
  };
  CHECK(w.agent->stop());
  const std::size_t before = given().size();
  CHECK(before < kMessages);  // one at a time: the others wait in the state
  w.start();
  for (int looks = 0; looks < 10'000 && given().size() < kMessages; ++looks) {
    static_cast<void>(w.agent->turn());  // on a clock that stands: nobody's time is over
    ::poll(nullptr, 0, 1);
  }
  CHECK(w.agent->stop());
  w.start();
  w.run(seconds(5));
  CHECK(w.agent->stop());
  const auto ids = given();
  CHECK(ids.size() == kMessages);
  CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == kMessages);
  CHECK(w.logged("finding kind=") == kMessages);
}

// Event time up to which the collector knows the trace completely.
Instant covered(AgentWorld& w) {
  Instant until;
  for (const Statement& statement : w.collector.tenants.at("t1").statements) {
    const auto& complete = statement.sources.at(0).complete;
    if (complete) until = std::max(until, complete->to);
  }
  return until;
}

TEST_CASE("Agent: silence after a receipt is told and covered as soon as it can be known") {
  const LifeTracker::Settings lives;
  const Duration flush_lag = seconds(1);  // familia-like's
  struct Case {
    std::string_view name;
    bool restart;
  };
  for (const Case& c : {Case{"running on", false}, Case{"killed meanwhile", true}}) {
    CAPTURE(c.name);
    AgentWorld w;
    w.enrol("t1", "A");
    w.start();
    w.run(seconds(1));
    w.received(kIdA);
    w.clock.advance(milliseconds(10));
    w.acknowledged(kIdA);
    const Instant receipt = w.clock.now();
    w.run(seconds(10));
    if (c.restart) w.start();
    w.run(lives.grace - seconds(10));
    CHECK(w.logged("finding kind=") == 0);
    CHECK(covered(w) < receipt + lives.grace);
    w.run(flush_lag + milliseconds(500));
    CHECK(w.logged("finding kind=receipt_without_commit") == 1);
    CHECK(covered(w) >= receipt + lives.grace);
    const std::size_t statements = w.collector.tenants.at("t1").statements.size();
    w.run(seconds(20));  // it is said once
    CHECK(w.collector.tenants.at("t1").statements.size() == statements);
  }
}

TEST_CASE("Agent: a receipt before its commit is told when the commit is covered") {
  AgentWorld w;
  w.enrol("t1", "A");
  w.start();
  w.run(seconds(1));
  w.received(kIdA);
  w.acknowledged(kIdA);
  w.clock.advance(milliseconds(100));
  w.committed(kIdA);
  w.run(seconds(6));
  CHECK(w.logged("finding kind=receipt_before_commit") == 1);
}

TEST_CASE("Agent: the collector away loses nothing") {
  AgentWorld w;
  w.enrol("t1", "A");
  w.start();
  w.collector.away = true;
  w.received(kIdA);
  w.run(seconds(5));
  w.start();  // restarted meanwhile
  w.committed(kIdA);
  w.run(seconds(5));
  CHECK(w.steps() == "");
  CHECK(w.logged("WARN agent: ship: not handed over") == 2);
  w.collector.away = false;
  w.run(seconds(5));
  CHECK(w.steps() == "received A, committed A");
  CHECK(w.logged("INFO agent: ship: works again") == 1);
}

TEST_CASE("Agent: a collector that was set back gets its statements again") {
  AgentWorld w;
  w.enrol("t1", "A");
  w.start();
  const auto before = w.collector.tenants.at("t1");
  w.received(kIdA);
  w.run(seconds(5));
  CHECK(w.steps() == "received A");
  w.collector.tenants.at("t1") = before;
  w.committed(kIdA);
  w.run(seconds(10));
  CHECK(w.steps() == "received A, committed A");
  CHECK(w.logged("asks for earlier statements") == 1);
}

constexpr const char* kTwoTenants = "[[tenant]]\nname = \"A\"\n[[tenant]]\nname = \"B\"\n";

void start_for_two(AgentWorld& w) {
  w.enrol("t1", "A");
  w.enrol("t2", "B");
  w.start();
}

TEST_CASE("Agent: two tenants get their own chains of one source") {
  AgentWorld w{kTwoTenants};
  start_for_two(w);
  w.received(kIdA);
  w.run(seconds(6));
  CHECK(w.steps("t1") == "received A");
  CHECK(w.steps("t2") == "received A");
  const auto id = [&](const char* tenant) {
    return w.collector.tenants.at(tenant).facts.begin()->first;
  };
  CHECK(id("t1") != id("t2"));
  CHECK(w.collector.tenants.at("t1").statements[0].agent !=
        w.collector.tenants.at("t2").statements[0].agent);
  CHECK(w.collector.tenants.at("t1").statements[0].sources.at(0).shared);
}

TEST_CASE("Agent: of a source that two tenants share the log says whose a finding is") {
  AgentWorld w{kTwoTenants};
  start_for_two(w);
  w.received(kIdA);
  w.clock.advance(milliseconds(10));
  w.acknowledged(kIdA);
  w.run(seconds(75));
  CHECK(w.logged("finding kind=receipt_without_commit") == 2);
  CHECK(w.logged(" source=trace tenant=t1") == 1);
  CHECK(w.logged(" source=trace tenant=t2") == 1);
}

TEST_CASE("Agent: the outbox full stops reading, and room starts it again") {
  AgentWorld w{"[budget]\noutbox = \"1 MB\"\n"};
  w.enrol("t1", "A");
  w.start();
  w.collector.away = true;
  for (int i = 0; i < 400 && w.logged("the outbox is full") == 0; ++i) {
    for (int j = 0; j < 400; ++j) {
      std::string id{kIdB};
      const std::string number = std::to_string(100'000'000'000 + i * 1000 + j);
      id.replace(24, 12, number);
      w.received(id);
    }
    w.run(seconds(3));
  }
  REQUIRE(w.logged("the outbox is full") == 1);
  w.received(kIdA);
  w.run(seconds(10));
  w.collector.away = false;
  w.run(seconds(20));
  CHECK(w.logged("has room again") == 1);
  CHECK(w.steps().find("received A") != std::string::npos);
  bool gap = false;
  for (const Statement& statement : w.collector.tenants.at("t1").statements) {
    for (const ReadingInterval& reading : statement.sources.at(0).reading) {
      gap = gap || reading.reason == "outbox_full";
    }
  }
  CHECK(gap);
}

TEST_CASE("Agent: killed anywhere, nothing is lost and nothing doubled") {
  // The same lines at the same times; killed or not, the same facts come of it.
  const auto play = [](std::uint64_t seed) {
    AgentWorld w;
    w.enrol("t1", "A");
    w.start();
    testing::SeededRandom kills{seed};
    for (int i = 0; i < 120; ++i) {
      if (i % 6 == 0) w.received(i % 12 == 0 ? kIdA : kIdB);
      if (i % 6 == 3) w.committed(i % 12 == 3 ? kIdA : kIdB);
      if (i % 6 == 5) w.acknowledged(i % 12 == 5 ? kIdA : kIdB);
      if (i % 40 == 39) {
        w.folder.rename("app.log", "app.log." + std::to_string(1000 - i));
        w.folder.write("app.log", "");
      }
      w.turn();
      if (seed != 0 && kills.below(5) == 0) w.start();
    }
    w.run(seconds(10));
    return w.steps();
  };
  const std::string expected = play(0);
  CHECK(expected.find("received A") != std::string::npos);
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    CHECK(play(seed) == expected);
  }
}

TEST_CASE("Agent: the disk full for a while: said once, nothing lost, recovered by itself") {
  meldevakt::testing::FaultVfs disk{"agent-world"};
  AgentWorld w{{}, "file:state.db?vfs=agent-world"};
  w.enrol("t1", "A");
  w.start();
  w.received(kIdA);
  w.run(seconds(10));  // idle record, decided step, facts within two seconds
  CHECK(w.steps() == "received A");
  disk.fail_at(0, meldevakt::testing::Fault::kDiskFull);
  w.committed(kIdA);
  w.run(seconds(20));
  CHECK_FALSE(w.agent->state_works());
  CHECK(w.steps() == "received A");
  CHECK(w.logged("ERROR agent: the state cannot be written") == 1);
  CHECK(w.logged("disk full") >= 1);
  CHECK(w.logged("ERROR") <= 2);
  w.acknowledged(kIdA);
  disk.clear_fault();
  w.run(seconds(20));
  CHECK(w.agent->state_works());
  CHECK(w.logged("INFO agent: the state works again") == 1);
  CHECK(w.steps() == "received A, committed A, acknowledged A");
  w.agent.reset();
}

TEST_CASE("Agent: a stop seals what waits") {
  AgentWorld w;
  w.enrol("t1", "A");
  w.start();
  w.run(seconds(1));
  w.received(kIdA);
  w.acknowledged(kIdA);
  w.run(milliseconds(2600));
  CHECK(w.agent->stop());
  CHECK(w.steps().find("received A") != std::string::npos);
}

TEST_CASE("agent: a portal's CSV that is dropped into a folder reaches the collector, row by row") {
  meldevakt::testing::TempFolder dropped;
  AgentWorld world{"[[source]]\nname = \"portal\"\nreceipts = [\"" + (dropped / "*.csv") +
                   "\"]\nportal = \"npb\"\nzone = \"UTC\"\n"};
  world.enrol("t1", "A");
  world.start();
  const auto row = [](std::string_view id) {
    return std::string{id} + ";2023-02-01T09:14:20;2023-02-01T09:14:24;PRIVAT\n";
  };
  const std::string header = "bekymringsmeldingId;innsendt;bekreftet;skjemaType\n";
  dropped.append("2023-02-01 2023-02-01.csv", header + row(kIdA) + "Ola Nordmann;;;\n");
  world.run(seconds(15));
  dropped.append("2023-02-01_2023-02-01.csv", header + row(kIdA) + row(kIdB));
  world.start();  // a restart before it was read
  world.run(seconds(20));
  std::vector<std::string> got;
  for (const auto& [id, fact] : world.collector.tenants.at("t1").facts) {
    if (const auto* receipt = std::get_if<Receipt>(&fact.what)) {
      CHECK(receipt->portal == "npb");
      got.push_back(receipt->message_id);
    }
    if (const auto* complete = std::get_if<ReceiptCoverage>(&fact.what)) {
      got.push_back("complete until " + to_rfc3339(complete->span.to));
    }
  }
  std::sort(got.begin(), got.end());
  std::vector<std::string> want{std::string{kIdA}, std::string{kIdB},
                                "complete until 2023-02-01T09:14:20.000Z"};
  std::sort(want.begin(), want.end());
  CHECK(got == want);
  CHECK(world.logged("row 3 is no receipt") == 1);
  CHECK(world.logged("Nordmann") == 0);
}

}  // namespace
}  // namespace meldevakt::agent
