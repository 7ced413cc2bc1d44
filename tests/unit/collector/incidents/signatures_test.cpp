#include "collector/incidents/signatures.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace meldevakt::collector {
namespace {

constexpr Instant kStart{1'772'445'600'000};

Incident incident(std::string cause, std::int64_t hour, std::size_t messages,
                  Verdict worst = Verdict::kLost) {
  Incident out;
  out.cause = std::move(cause);
  out.first = kStart + hours(hour);
  out.last = out.first;
  out.worst = worst;
  for (std::size_t i = 0; i < messages; ++i) out.messages.push_back(std::to_string(i));
  return out;
}

TenantStanding tenant(std::string id, std::vector<Incident> incidents = {}) {
  TenantStanding out;
  out.tenant = std::move(id);
  out.product = "Fagsystem";
  out.version = "3.1";
  out.covered = true;
  out.answered = true;
  out.incidents = std::move(incidents);
  return out;
}

std::string told(std::vector<TenantStanding> tenants) {
  std::string out;
  for (const SystemicIncident& one : systemic_incidents(tenants)) {
    out += one.cause + " in";
    for (const std::string& t : one.tenants) out += " " + t;
    out += " exposed";
    for (const Exposed& exposed : one.exposed) {
      out += " " + exposed.tenant;
      for (const ExposedWhy why : exposed.why) out += ":" + std::string{to_string(why)};
    }
    out += ";";
  }
  std::reverse(tenants.begin(), tenants.end());
  std::string again;
  for (const SystemicIncident& one : systemic_incidents(tenants)) again += one.id + one.reason;
  std::reverse(tenants.begin(), tenants.end());
  std::string first;
  for (const SystemicIncident& one : systemic_incidents(tenants)) first += one.id + one.reason;
  CHECK(first == again);
  return out;
}

TEST_CASE("signatures: the second municipality makes it systemic, not the first") {
  std::vector<TenantStanding> tenants{tenant("a", {incident("pg/55P03", 0, 2)}), tenant("b")};
  CHECK(told(tenants).empty());
  tenants[0].incidents.push_back(incident("pg/55P03", 48, 1));  // twice in one is once
  CHECK(told(tenants).empty());
  tenants[1].incidents = {incident("pg/55P03", 9, 1, Verdict::kInDoubt)};
  CHECK(told(tenants) == "pg/55P03 in a b exposed;");
  const auto found = systemic_incidents(tenants);
  CHECK(found[0].first == kStart);
  CHECK(found[0].raised == kStart + hours(9));
  CHECK(found[0].last == kStart + hours(48));
  CHECK(found[0].messages == 4);
  CHECK(found[0].worst == Verdict::kLost);
  CHECK(found[0].reason.find("4 messages in 2 municipalities") == 0);
}

TEST_CASE("signatures: the latent fault is one, what we cannot see is none") {
  for (const char* cause : {"coverage_gap", "no_coverage", "unclear_signals", ""}) {
    CHECK(
        told({tenant("a", {incident(cause, 0, 1)}), tenant("b", {incident(cause, 0, 1)})}).empty());
  }
  const auto early = [] {
    return incident("receipt_before_commit", 0, 1, Verdict::kStoredAfterReceipt);
  };
  CHECK(told({tenant("a", {early()}), tenant("b", {early()})}) ==
        "receipt_before_commit in a b exposed;");
}

TEST_CASE("signatures: another product is another signature") {
  std::vector<TenantStanding> tenants{tenant("a", {incident("pg/55P03", 0, 1)}),
                                      tenant("b", {incident("pg/55P03", 0, 1)})};
  tenants[1].product = "Et annet";
  CHECK(told(tenants).empty());
}

TEST_CASE(
    "signatures: a product that nobody says hides nothing and exposes nobody by its version") {
  std::vector<TenantStanding> tenants{tenant("a", {incident("pg/55P03", 0, 1)}),
                                      tenant("b", {incident("pg/55P03", 0, 1)})};
  tenants[1].product = tenants[1].version = "";
  // Neither missed where one of them is said ...
  CHECK(told(tenants) == "pg/55P03 in a b exposed;");
  auto found = systemic_incidents(tenants);
  CHECK(found[0].product == "Fagsystem");
  CHECK(found[0].reason.find("of 1 of them nobody says which product") != std::string::npos);
  tenants.push_back(tenant("c", {incident("pg/55P03", 0, 1)}));
  tenants[2].product = "Et annet";  // ... b may use either of two
  CHECK(told(tenants) == "pg/55P03 in b c exposed;pg/55P03 in a b exposed;");
  // ... nor where none is.
  tenants[0].product = tenants[0].version = "";
  tenants.pop_back();
  CHECK(told(tenants) == "pg/55P03 in a b exposed;");
  CHECK(systemic_incidents(tenants)[0].product.empty());
  // Who is read and has answered is not exposed, whatever nobody says of it.
  tenants.push_back(tenant("well"));
  tenants.back().product = tenants.back().version = "";
  CHECK(told(tenants) == "pg/55P03 in a b exposed;");
  tenants.push_back(tenant("dark"));
  tenants.back().product = tenants.back().version = "";
  tenants.back().covered = false;
  CHECK(told(tenants) == "pg/55P03 in a b exposed dark:no_coverage;");
  tenants[0].product = tenants[1].product = "Fagsystem";
  tenants[0].version = tenants[1].version = "3.1";
  CHECK(told(tenants) == "pg/55P03 in a b exposed dark:no_coverage;");
}

TEST_CASE("signatures: an upgrade afterwards takes nothing back of where a cause was seen") {
  std::vector<TenantStanding> tenants{tenant("a", {incident("pg/55P03", 0, 2)}),
                                      tenant("b", {incident("pg/55P03", 1, 2)}), tenant("c")};
  CHECK(told(tenants) == "pg/55P03 in a b exposed c:same_version;");
  for (TenantStanding* one : {&tenants[0], &tenants[1]}) {
    one->version = "3.2";
    one->seen_in["pg/55P03"] = {"Fagsystem", {"3.1"}};
  }
  CHECK(told(tenants) == "pg/55P03 in a b exposed c:same_version;");
  tenants[0].product = "Annet";  // changed to another system since
  CHECK(told(tenants) == "pg/55P03 in a b exposed c:same_version;");
  tenants[2].version = "3.2";
  CHECK(told(tenants) == "pg/55P03 in a b exposed;");
  tenants[1].seen_in["pg/55P03"].versions.insert("3.2");  // and it came again after the upgrade
  CHECK(told(tenants) == "pg/55P03 in a b exposed c:same_version;");
}

TEST_CASE("signatures: of an incident that people merged each cause counts") {
  Incident merged = incident("pg/55P03", 0, 3);
  merged.causes = {{"nothing_logged", Verdict::kMissing, kStart, kStart + hours(1), 1},
                   {"pg/55P03", Verdict::kLost, kStart, kStart, 2}};
  const std::vector<TenantStanding> tenants{
      tenant("a", {merged}), tenant("b", {incident("nothing_logged", 5, 1, Verdict::kMissing)})};
  CHECK(told(tenants) == "nothing_logged in a b exposed;");
  CHECK(systemic_incidents(tenants)[0].messages == 2);
  CHECK(systemic_incidents(tenants)[0].worst == Verdict::kMissing);
}

TEST_CASE("signatures: who is exposed, and whom to sample first") {
  std::vector<TenantStanding> tenants{tenant("a", {incident("pg/55P03", 0, 1)}),
                                      tenant("b", {incident("pg/55P03", 0, 1)})};
  tenants.push_back(tenant("patched"));
  tenants.back().patched = true;
  tenants.push_back(tenant("small"));
  tenants.back().messages = 10;
  tenants.push_back(tenant("large"));
  tenants.back().messages = 500;
  tenants.push_back(tenant("dark"));
  tenants.back().covered = false;
  tenants.back().answered = false;
  tenants.push_back(tenant("newer"));
  tenants.back().version = "3.2";
  tenants.push_back(tenant("nobody-says"));
  tenants.back().version = "";
  tenants.push_back(tenant("other"));
  tenants.back().product = "Et annet";
  tenants.back().covered = false;
  CHECK(told(tenants) ==
        "pg/55P03 in a b exposed dark:same_version:no_coverage:not_answered large:same_version "
        "small:same_version nobody-says:same_version;");
}

TEST_CASE(
    "signatures: where the product or its version was never said, nobody is left out for it") {
  std::vector<TenantStanding> tenants{tenant("a", {incident("pg/55P03", 0, 1)}),
                                      tenant("b", {incident("pg/55P03", 9, 1)}), tenant("c")};
  tenants[0].version = tenants[1].version = "";
  CHECK(told(tenants) == "pg/55P03 in a b exposed c:same_version;");
  tenants[2].patched = true;
  CHECK(told(tenants) == "pg/55P03 in a b exposed;");
  tenants[0].product = tenants[1].product = "";
  tenants[2].covered = false;
  CHECK(told(tenants) == "pg/55P03 in a b exposed c:no_coverage;");
}

}  // namespace
}  // namespace meldevakt::collector
