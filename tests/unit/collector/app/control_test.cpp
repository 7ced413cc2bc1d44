#include "collector/app/control.h"

#include <doctest/doctest.h>

#include "collector/app/view.h"
#include "collector/store/sqlite_store.h"
#include "common/testing/doubles.h"
#include "common/testing/fault_vfs.h"
#include "tests/unit/collector/fake_agent.h"

namespace meldevakt::collector {
namespace {

using testing::kStart;

struct World {
  meldevakt::testing::FaultVfs disk{"control-test"};
  meldevakt::testing::ManualClock clock{kStart};
  meldevakt::testing::SeededRandom random{1};
  std::unique_ptr<SqliteStore> store =
      SqliteStore::open({"collector.db", "control-test", false, nullptr, testing::random_bytes()})
          .value();
  ControlActions actions{*store, clock, random, std::string("https://k.example:8443")};
  std::size_t lines = 0;
  std::size_t longest = 0;
  ControlCall call = [this](const std::string& line) -> Result<std::string> {
    ++lines;
    longest = std::max(longest, line.size());
    return actions.handle(line);
  };
};

Receipt receipt_number(std::uint64_t n) {
  char id[37];
  std::snprintf(id, sizeof id, "%08x-0000-4000-8000-000000000000", static_cast<unsigned>(n));
  Receipt row;
  row.portal = "npb";
  row.message_id = id;
  row.sent = kStart - seconds(static_cast<std::int64_t>(n));
  row.form = FormType::kPrivate;
  row.channel = "case_system";
  row.district = "bydel \"ø\"";
  return row;
}

TEST_CASE("invite: a tenant is made once, its invitation enrols") {
  World world;
  testing::FakeAgent agent{'a', "?"};
  const auto first =
      call_invite(world.call, "Bø", "123456785", agent.token_hash(), kStart + hours(1));
  REQUIRE(first);
  CHECK(first.value().created);
  CHECK(first.value().collector == "https://k.example:8443");
  const auto second = call_invite(world.call, "Bø", "", sha256("2"), kStart + hours(1)).value();
  CHECK_FALSE(second.created);
  CHECK(second.tenant == first.value().tenant);
  CHECK(call_invite(world.call, "Bø", "974760673", sha256("3"), kStart + hours(1)).error().code() ==
        Errc::kInvalid);
  CHECK(call_invite(world.call, "Bø", "", sha256("4"), kStart).error().code() == Errc::kInvalid);
  CHECK(call_invite(world.call, "", "", sha256("5"), kStart + hours(1)).error().code() ==
        Errc::kInvalid);
  testing::FakeAgent admitted{'a', second.tenant};
  CHECK(world.store->enrol(admitted.record(), admitted.token_hash(), admitted.enrolment(), kStart)
            .value());
}

TEST_CASE("names: who writes reaches whom the register calls so now; who reads, also of old") {
  World world;
  REQUIRE(world.store->add_tenant({"t1", "Bø", "", kStart}));
  REQUIRE(world.store->add_tenant({"t2", "Aure", "", kStart}));
  const auto named = [](const char* name, Instant from, Instant to) {
    return RegistryEntry{EntryKind::kName, name, "", {from, to}};
  };
  REQUIRE(world.store->add_registry_entries("t1",
                                            {named("Gamlebø", kStart - days(9), kStart - days(3)),
                                             named("Nybø", kStart - days(3), kAlways.to)},
                                            kStart));
  const auto invited = [&](const char* name) {
    return call_invite(world.call, name, "", sha256(name), kStart + hours(1)).value();
  };
  CHECK(invited("Nybø").tenant == "t1");
  CHECK(invited("Gamlebø").created);  // somebody else has that name now
  CHECK(call_import(world.call, "Nybø", {receipt_number(1)}, {}).value().added == 1);
  CHECK(chosen_tenants(*world.store, "Nybø", kStart).value().front().id == "t1");
  CHECK(chosen_tenants(*world.store, "Nybø", kStart - days(4)).error().code() == Errc::kInvalid);
  // Two are called so: nobody is chosen in silence.
  REQUIRE(
      world.store->add_registry_entries("t2", {named("Nybø", kAlways.from, kAlways.to)}, kStart));
  CHECK(call_invite(world.call, "Nybø", "", sha256("x"), kStart + hours(1)).error().code() ==
        Errc::kInvalid);
  CHECK(chosen_tenants(*world.store, "Nybø").error().message().find("give the id of one: t") !=
        std::string::npos);
  CHECK(chosen_tenants(*world.store, "t1").value().front().id == "t1");
}

TEST_CASE("import: many rows go over in bounded lines, the coverage with the last") {
  World world;
  REQUIRE(world.store->add_tenant({"t1", "Bø", "", kStart}));
  std::vector<Receipt> receipts;
  for (std::uint64_t i = 0; i < 2 * kReceiptsPerLineMax + 1; ++i) {
    receipts.push_back(receipt_number(i));
  }
  receipts[7].confirmed = kStart + minutes(1);
  for (std::size_t i = 0; i < 600; ++i) receipts[i].district = std::string(4000, '\1');
  const ReceiptCoverage coverage{"npb", {kStart - days(1), kStart}};
  const auto result = call_import(world.call, "Bø", receipts, coverage).value();
  CHECK(result.added == receipts.size());
  CHECK(world.lines > 3);
  CHECK(world.longest < kControlLineBytesMax);
  std::vector<Alarm> alarms;
  const TenantInput input = world.store->tenant_input("t1", alarms).value();
  CHECK(input.receipts == receipts);
  CHECK(input.receipt_coverage == std::vector<ReceiptCoverage>{coverage});
  CHECK(call_import(world.call, "Bø", receipts, std::nullopt).value().unchanged == receipts.size());
  CHECK(call_import(world.call, "Bø", {}, coverage));
  // A list that is made now holds nothing that is sent later, whatever is said of it.
  CHECK(call_import(world.call, "Bø", {}, ReceiptCoverage{"npb", {kStart, kStart + days(1)}})
            .error()
            .message()
            .find("still to come") != std::string::npos);
  CHECK(call_import(world.call, "Bø", {},
                    ReceiptCoverage{"npb", {kStart - hours(1), kStart + days(9)}}));
  const TenantInput cut = world.store->tenant_input("t1", alarms).value();
  for (const ReceiptCoverage& list : cut.receipt_coverage) CHECK(list.span.to == kStart);
}

TEST_CASE("import: a failing line leaves no claim of completeness") {
  World world;
  REQUIRE(world.store->add_tenant({"t1", "Bø", "", kStart}));
  std::vector<Receipt> receipts;
  for (std::uint64_t i = 0; i < kReceiptsPerLineMax + 1; ++i) receipts.push_back(receipt_number(i));
  const ControlCall failing = [&](const std::string& line) -> Result<std::string> {
    if (++world.lines == 2) world.disk.fail_at(0, meldevakt::testing::Fault::kDiskFull);
    return world.actions.handle(line);
  };
  const ReceiptCoverage coverage{"npb", {kStart - days(1), kStart}};
  CHECK(call_import(failing, "Bø", receipts, coverage).error().code() == Errc::kIo);
  world.disk.clear_fault();
  std::vector<Alarm> alarms;
  CHECK(world.store->tenant_input("t1", alarms).value().receipt_coverage.empty());
}

TEST_CASE("import: an unknown tenant is refused with the nearest name") {
  World world;
  REQUIRE(world.store->add_tenant({"t1", "Eksempel kommune", "", kStart}));
  const auto refused = call_import(world.call, "Eksempel komune", {}, std::nullopt);
  CHECK(refused.error().code() == Errc::kInvalid);
  CHECK(refused.error().message().find("did you mean 'Eksempel kommune'?") != std::string::npos);
}

TEST_CASE("lines that are none of ours are answered, not believed") {
  World world;
  REQUIRE(world.store->add_tenant({"t1", "Bø", "", kStart}));
  const char* lines[] = {
      "",
      "x",
      "[]",
      "{}",
      R"({"command":5})",
      R"({"command":"drop"})",
      R"({"command":"invite"})",
      R"({"command":"invite","tenant":"Bø","token_hash":"zz","expires":1})",
      R"({"command":"import","tenant":"Bø"})",
      R"({"command":"import","tenant":"Bø","receipts":[[1,2,3]]})",
      R"({"command":"import","tenant":"Bø","receipts":[["npb","x",1.5,null,"PRIVAT","",""]]})",
      R"({"command":"import","tenant":"Bø","receipts":[],"coverage":["npb",5,5]})",
      R"({"command":"import","tenant":"Bø","receipts":[],"coverage":["npb","a","b"]})"};
  for (const char* line : lines) {
    CAPTURE(line);
    CHECK(world.actions.handle(line).rfind(R"({"ok":false,"code":)", 0) == 0);
  }
  std::vector<Alarm> alarms;
  CHECK(world.store->tenant_input("t1", alarms).value().receipts.empty());
}

TEST_CASE("the address in invitations: the one that is set, else name and port") {
  Config config;
  config.names = {"k.example", "127.0.0.1"};
  CHECK(agents_url(config, 8443).value() == "https://k.example:8443");
  CHECK(agents_url(config, 0).error().code() == Errc::kInvalid);
  config.names = {"::1"};
  CHECK(agents_url(config, 1).value() == "https://[::1]:1");
  config.agents_url = "https://public.example:443";
  CHECK(agents_url(config, 0).value() == "https://public.example:443");
}

}  // namespace
}  // namespace meldevakt::collector
