// The years 2020 to 2023 once more, with agents beside the case systems (scripts/replay-2023).
//
// Exit status: 0 the system found what the truth holds; 1 it did not; 2 bad usage; 3 the machine.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "agent/app/packs.h"
#include "collector/report/report.h"
#include "collector/store/sqlite_store.h"
#include "common/crypto/crypto.h"
#include "common/testing/doubles.h"
#include "tests/sim/country_run.h"
#include "tests/sim/kept_data.h"
#include "tests/sim/replay_report.h"
#include "tests/sim/sim_agent.h"
#include "tests/sim/unsynced_vfs.h"

namespace meldevakt::sim {
namespace {

constexpr Duration kFirstWeek = days(7);
constexpr Duration kRealCadence = seconds(60);

struct Arguments {
  std::string scale = "country";
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  PlanOptions plan;
  bool no_losses = false;
  bool without_correlator = false;
  bool check_cadence = false;
  unsigned threads = 2;
  std::string json;
  std::string keep;
};

// A folder that goes away, unless it is to be kept.
class Workplace {
 public:
  static Result<std::unique_ptr<Workplace>> make(const std::string& keep) {
    std::unique_ptr<Workplace> out{new Workplace};
    if (!keep.empty()) {
      MELDEVAKT_TRY_ASSIGN(out->folder_, make_kept_folder(keep));
      return out;
    }
    std::string name = (std::filesystem::temp_directory_path() / "replay-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) return Error{Errc::kIo, name + ": cannot be made"};
    out->folder_ = name;
    out->temporary_ = true;
    return out;
  }
  ~Workplace() {
    std::error_code ignored;
    if (temporary_) std::filesystem::remove_all(folder_, ignored);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  [[nodiscard]] std::string database() const { return folder_ + "/collector.db"; }

 private:
  Workplace() = default;
  std::string folder_;
  bool temporary_ = false;
};

CountryShape shape_of(const Arguments& arguments, std::uint64_t seed) {
  if (arguments.scale == "small") return small_country(seed);
  if (arguments.scale == "month") return one_month();
  return whole_country();
}

// What must come out, by the plan alone.
collector::FleetTotals expected_totals(const CountryPlan& plan) {
  collector::FleetTotals out;
  for (const ServicePlan& service : plan.services) {
    std::uint64_t losses = 0;
    for (const PlannedMessage& message : service.messages)
      losses += is_loss(message.fate) ? 1U : 0U;
    bool blind = service.silent_from.has_value();
    for (const Outage& outage : service.outages) {
      blind = blind || outage.kind == Outage::Kind::kLogDestroyed;
    }
    const std::uint64_t municipalities = service.municipalities.size();
    out.uses += municipalities;
    out.lost += losses;
    (losses > 0 ? out.affected : blind ? out.unanswered : out.clean) += municipalities;
  }
  return out;
}

// What everybody knows of the whole country, written out: a plan that drifts is found here. Of
// `silent` municipalities nobody can say it; without losses all others are clean.
collector::FleetTotals known_totals(const Arguments& arguments) {
  collector::FleetTotals out{242, 22, 220, 0, 63};
  if (arguments.no_losses) out = {242, 0, 242, 0, 0};
  const std::uint64_t blind = arguments.plan.silent + arguments.plan.destroyed;
  out.clean -= blind;
  out.unanswered += blind;
  return out;
}
constexpr std::uint64_t kKnownMessages = 26'730;
// By the default seed; the one too late lies in an outage on purpose.
constexpr std::uint64_t kKnownSeed = 1;
constexpr std::uint64_t kKnownInTime = 62;

bool was_blinded(const ServicePlan& service) {
  return service.silent_from.has_value() ||
         std::any_of(service.outages.begin(), service.outages.end(), [](const Outage& outage) {
           return outage.kind == Outage::Kind::kLogDestroyed;
         });
}

// Why nothing can be said: which source was not read, and when.
bool names_source_and_time(const std::string& reason) {
  const auto config = agent_config(days(1));
  const bool source = std::any_of(config.sources.begin(), config.sources.end(), [&](const auto& s) {
    return reason.find("'" + s.name + "'") != std::string::npos;
  });
  for (std::size_t at = 0; source && at < reason.size(); ++at) {
    if (from_rfc3339(reason.substr(at, std::string_view{"2023-06-05T00:00:00.000Z"}.size()))) {
      return true;
    }
  }
  return false;
}

void complain(const std::string& what) {
  std::fprintf(stderr, "replay-2023: %s\n", what.c_str());
}

bool is_as_expected(const Arguments& arguments, const CountryPlan& plan,
                    const CountryResult& result, std::uint64_t seed) {
  bool good = true;
  const auto require = [&](bool condition, const std::string& what) {
    if (!condition) complain("seed " + std::to_string(seed) + ": " + what);
    good = good && condition;
  };
  require(result.wrong.empty(),
          std::to_string(result.wrong.size()) +
              " wrong verdicts, the first: " + (result.wrong.empty() ? "" : result.wrong.front()));
  require(result.totals == expected_totals(plan), "table 2 is not what truly happened");
  if (arguments.scale == "country") {
    require(result.totals == known_totals(arguments) && result.messages == kKnownMessages,
            "table 2 or the number of messages is not that of 2023");
    const bool known = seed == kKnownSeed && !arguments.no_losses;
    require(!known || result.found_in_time == kKnownInTime,
            std::to_string(result.found_in_time) +
                " losses were found while the portal had them, " + std::to_string(kKnownInTime) +
                " were to be");
  }
  for (std::size_t i = 0; i < plan.services.size(); ++i) {
    const std::string& reason = result.services[i].row.answer.reason;
    require(!was_blinded(plan.services[i]) || names_source_and_time(reason),
            "it is not said which source was not read, and when: " + plan.services[i].name + ": '" +
                reason + "'");
  }
  // What each service has to report, and when, is compared; this is what 2023 would have had.
  const bool early =
      result.latent_fault_seen && *result.latent_fault_seen <= plan.span.from + kFirstWeek;
  require(early || arguments.scale != "country",
          "the latent fault was not reported in its first week");
  const auto in_time = static_cast<std::uint64_t>(
      std::count_if(result.losses.begin(), result.losses.end(),
                    [](const LossFound& loss) { return loss.findable < loss.purged; }));
  require(result.found_in_time == in_time, std::to_string(result.found_in_time) +
                                               " losses were found while the portal had them, " +
                                               std::to_string(in_time) + " could be");
  return good;
}

struct Played {
  CountryPlan plan;
  CountryResult result;
};

Result<Played> play(const Arguments& arguments, std::uint64_t seed, const agent::Packs& packs,
                    const std::shared_ptr<const TimeZone>& zone, const std::string& keep) {
  PlanOptions options = arguments.plan;
  options.seed = seed;
  options.losses = !arguments.no_losses;
  MELDEVAKT_TRY_ASSIGN(const auto place, Workplace::make(keep));
  CountrySettings settings;
  settings.run.correlates = !arguments.without_correlator;
  settings.run.packs = &packs;
  settings.run.zone = zone;
  settings.threads = arguments.threads;
  settings.database = place->database();
  Played out;
  out.plan = plan_country(shape_of(arguments, seed), options);
  MELDEVAKT_TRY_ASSIGN(out.result, run_country(out.plan, settings));
  return out;
}

// One municipality's month at the cadence of a real agent says the same as the quick way.
Result<bool> same_at_real_cadence(const Arguments& arguments, const agent::Packs& packs,
                                  const std::shared_ptr<const TimeZone>& zone, bool apart) {
  const CountryPlan plan = plan_country(one_month(apart), {.seed = arguments.seed});
  std::vector<std::string> said;
  for (const bool real : {false, true}) {
    MELDEVAKT_TRY_ASSIGN(const auto place, Workplace::make(""));
    MELDEVAKT_TRY_ASSIGN(const auto store, collector::SqliteStore::open(
                                               {place->database(), std::string{kUnsyncedVfs}, false,
                                                nullptr, std::make_shared<OpenSslRandom>()}));
    Ledger ledger{*store};
    RunSettings settings;
    settings.packs = &packs;
    settings.zone = zone;
    settings.every_second = real;
    if (real) settings.seal_every = kRealCadence;
    MELDEVAKT_TRY_ASSIGN(const ServiceResult result,
                         run_service(plan.services.front(), plan.span, settings, ledger));
    std::string all;
    for (const collector::MessageVerdict& message : result.last.messages) {
      all += collector::message_json(message, "") + "\n";
    }
    MELDEVAKT_TRY_ASSIGN(const collector::View view,
                         stored_view(*store, plan.services.front().tenant, result.last.now));
    const Comparison comparison = compare(plan.services.front(), result, view, *zone);
    if (!comparison.wrong.empty()) complain(comparison.wrong.front());
    std::printf("one month, a statement every %s: %llu statements, %zu messages, %zu wrong\n",
                real ? "minute" : "day", static_cast<unsigned long long>(result.statements),
                result.last.messages.size(), comparison.wrong.size());
    if (!comparison.wrong.empty()) return false;
    said.push_back(std::move(all));
  }
  if (said.front() != said.back()) complain("the verdicts at the real cadence are not the same");
  return said.front() == said.back();
}

Error misused(const std::string& what) {
  return Error{Errc::kInvalid, what};
}

// What cannot be meant, before anything is played.
Status check(const Arguments& arguments) {
  if (arguments.seeds > 1 && !arguments.keep.empty()) {
    return misused("--keep leaves one country: leave out --seeds");
  }
  if (arguments.seeds > 1 && !arguments.json.empty()) {
    return misused("--json tells of one country: leave out --seeds");
  }
  if (arguments.check_cadence && !(arguments.keep.empty() && arguments.json.empty())) {
    return misused("--check-cadence leaves nothing: leave out --keep and --json");
  }
  const std::uint64_t blind =
      std::uint64_t{arguments.plan.silent} + std::uint64_t{arguments.plan.destroyed};
  for (std::uint64_t i = 0; blind > 0 && i < arguments.seeds; ++i) {
    const std::uint64_t seed = arguments.seed + i;
    const unsigned unaffected = shape_of(arguments, seed).unaffected;
    if (blind <= unaffected) continue;
    return misused("--silent and --destroyed are for services that lose nothing, and the country " +
                   std::to_string(seed) + " has " + std::to_string(unaffected) + " of them, not " +
                   std::to_string(blind));
  }
  return {};
}

Status write_json(const std::string& path, const std::string& text) {
  std::ofstream file{path, std::ios::binary};
  file << text;
  file.close();  // what did not fit is noticed here at the latest
  if (!file) return Error{Errc::kIo, path + ": cannot be written"};
  return {};
}

Result<int> run(const Arguments& arguments) {
  MELDEVAKT_TRY(check(arguments));
  // Not only after the country's minute; the result takes this one's place.
  if (!arguments.json.empty()) MELDEVAKT_TRY(write_json(arguments.json, "\n"));
  const auto begun = std::chrono::steady_clock::now();
  const UnsyncedVfs vfs;
  testing::RuleTimeZones zones;
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, zones.find("Europe/Oslo"));
  MELDEVAKT_TRY_ASSIGN(const agent::Packs packs,
                       agent::load_used_packs(
                           agent_config(days(1), {kTraceSource, kDatabaseSource, kBackupSource})));
  if (arguments.check_cadence) {
    MELDEVAKT_TRY_ASSIGN(const bool same, same_at_real_cadence(arguments, packs, zone, false));
    MELDEVAKT_TRY_ASSIGN(const bool same_apart, same_at_real_cadence(arguments, packs, zone, true));
    return same && same_apart ? 0 : 1;
  }
  std::uint64_t failed = 0;
  for (std::uint64_t seed = arguments.seed; seed < arguments.seed + arguments.seeds; ++seed) {
    MELDEVAKT_TRY_ASSIGN(const Played played, play(arguments, seed, packs, zone, arguments.keep));
    if (!is_as_expected(arguments, played.plan, played.result, seed)) ++failed;
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    if (arguments.seeds == 1) {
      const std::string text = replay_text(played.plan, played.result, *zone);
      std::printf("%s(seed %llu, %u threads, %.1f seconds)\n", text.c_str(),
                  static_cast<unsigned long long>(seed), arguments.threads, seconds);
    }
    if (!arguments.keep.empty()) {
      std::printf(
          "kept; ask: meldevakt-collector fleet report --config %s/collector.toml --until %s\n",
          arguments.keep.c_str(), to_rfc3339(played.plan.asked_until).c_str());
    }
    if (!arguments.json.empty()) {
      MELDEVAKT_TRY(write_json(arguments.json, replay_json(played.result, seconds)));
    }
  }
  if (arguments.seeds > 1) {
    std::printf("%llu seeds, %llu failed\n", static_cast<unsigned long long>(arguments.seeds),
                static_cast<unsigned long long>(failed));
  }
  return failed == 0 ? 0 : 1;
}

int main_of(int count, char** values) {
  Arguments arguments;
  CLI::App app{"Plays 2020 to 2023 with agents and a collector, and compares with the truth."};
  app.add_option("--scale", arguments.scale, "country, small or month")
      ->check(CLI::IsMember({"country", "small", "month"}));
  app.add_option("--seed", arguments.seed, "which world");
  app.add_option("--seeds", arguments.seeds, "so many worlds, from --seed on")
      ->check(CLI::Range(1, 1'000'000));
  app.add_flag("--no-losses", arguments.no_losses, "every save succeeds in the end");
  app.add_option("--silent", arguments.plan.silent, "so many agents fall silent half way");
  app.add_option("--destroyed", arguments.plan.destroyed,
                 "so many agents find a log deleted before they read it");
  app.add_flag("--without-correlator", arguments.without_correlator,
               "nobody concludes anything: must fail");
  app.add_flag("--hide-commit", arguments.plan.hide_commit,
               "one commit is not in the log: what is said is not the truth, must fail");
  app.add_flag("--check-cadence", arguments.check_cadence,
               "one month at the real cadence of 60 seconds must give the same verdicts");
  app.add_option("--threads", arguments.threads, "1 or more")->check(CLI::Range(1, 64));
  app.add_option("--json", arguments.json, "write the result there");
  app.add_option("--keep", arguments.keep, "leave the collector's data and collector.toml there");
  try {
    app.parse(count, values);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  const Result<int> done = run(arguments);
  if (done) return done.value();
  complain(done.error().message());
  return done.error().code() == Errc::kInvalid ? 2 : 3;
}

}  // namespace
}  // namespace meldevakt::sim

int main(int count, char** values) {
  return meldevakt::sim::main_of(count, values);
}
