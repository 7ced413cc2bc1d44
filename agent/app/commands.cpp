#include "agent/app/commands.h"

#include <cstdio>
#include <utility>

#include "agent/app/config.h"
#include "agent/app/enrol.h"
#include "agent/app/packs.h"
#include "common/crypto/crypto.h"
#include "common/platform/clock.h"
#include "common/platform/time_zones.h"
#include "common/summary/json.h"

namespace meldevakt::agent {
namespace {

std::string failure_line(const SampleFailure& failure, Format format) {
  if (format == Format::kText) return failure.message + "\n";
  JsonWriter json;
  json.begin_object().member("good", false).member("rule", failure.rule);
  json.member("detail", failure.message).end_object();
  return std::move(json).take() + "\n";
}

std::string good_line(const Pack& pack, Format format) {
  const PackIdentity& identity = pack.identity;
  if (format == Format::kText) {
    return identity.id + " " + identity.version + ": all samples hold\n";
  }
  JsonWriter json;
  json.begin_object().member("good", true).member("pack", identity.id);
  json.member("version", identity.version).end_object();
  return std::move(json).take() + "\n";
}

}  // namespace

int exit_status_of(const Error& error) {
  switch (error.code()) {
    case Errc::kInvalid:
    case Errc::kNotFound: return kExitUsage;
    case Errc::kExists:
    case Errc::kCorrupt:
    case Errc::kLimit:
    case Errc::kIo:
    case Errc::kUnavailable:
    case Errc::kRejected: return kExitEnvironment;
  }
  return kExitEnvironment;
}

int complain(const Error& error) {
  const std::string line = "meldevakt-agent: " + error.message() + "\n";
  std::fwrite(line.data(), 1, line.size(), stderr);
  return exit_status_of(error);
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

int run_enroll(const EnrollOptions& options) {
  auto config = load_config(options.common.config);
  if (!config) return complain(config.error());
  SystemClock clock;
  OpenSslRandom random;
  auto enrolled = enrol_agent(config.value(), options.invitation, options.tenant, clock, random,
                              kSoftwareVersion);
  if (!enrolled) return complain(enrolled.error());
  const Enrolled& e = enrolled.value();
  if (options.common.format == Format::kJson) {
    JsonWriter json;
    json.begin_object().member("agent", e.agent).member("tenant", e.tenant);
    json.member("collector", e.collector).member("first_agent", e.first_agent);
    json.member("log_key", e.log_key).end_object();
    print(std::move(json).take() + "\n");
    return kExitDone;
  }
  print("Enrolled as agent " + e.agent + " of tenant " + e.tenant + " at " + e.collector + "\n");
  if (!e.log_key.empty()) {
    print("The collector's log of this tenant is signed with " + e.log_key +
          ",\nwhich should be what the collector's operator tells you. No other key is ever "
          "taken.\n");
  }
  if (e.first_agent) {
    print(
        "This is the tenant's first agent: it made the tenant's key, " + e.tenant_key_file +
        ".\nGive the other agents of the tenant a copy by a way you trust; keep one in a safe.\n");
  } else if (e.tenant_key_file.empty()) {
    print("The tenant's key is not here yet: copy tenant-" + e.tenant +
          ".key from the tenant's first agent into the state folder.\n"
          "Until then only portal message ids are sent, no other references.\n");
  }
  return kExitDone;
}

int run_rules_test(const RulesTestOptions& options) {
  std::vector<std::shared_ptr<const Pack>> packs;
  for (const std::string& file : options.files) {
    auto pack = load_pack_file(file);
    if (!pack) {
      static_cast<void>(complain(pack.error()));
      return kExitUsage;
    }
    packs.push_back(pack.value().pack);
  }
  std::vector<SampleFailure> failures;
  for (const auto& pack : packs) {
    for (SampleFailure& failure : check_samples(*pack)) failures.push_back(std::move(failure));
  }
  // Against each other, and against the packs that every agent has.
  auto built_in = built_in_packs();
  if (!built_in) return complain(built_in.error());
  std::vector<std::shared_ptr<const Pack>> all = packs;
  for (const auto& [id, loaded] : built_in.value()) {
    bool replaced = false;
    for (const auto& pack : packs) replaced = replaced || pack->identity.id == id;
    if (!replaced) all.push_back(loaded.pack);
  }
  for (SampleFailure& failure : check_samples_across(all)) failures.push_back(std::move(failure));
  for (const SampleFailure& failure : failures) print(failure_line(failure, options.format));
  if (!failures.empty()) return kExitFindings;
  for (const auto& pack : packs) print(good_line(*pack, options.format));
  return kExitDone;
}

}  // namespace meldevakt::agent
