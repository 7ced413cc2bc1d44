// `check`: one look at everything an agent needs, before it runs or beside it, and at what it will
// not see. Changes nothing.
#include <nlohmann/json.hpp>

#include "agent/app/check_items.h"
#include "agent/app/commands.h"
#include "common/platform/time_zones.h"

namespace meldevakt::agent {
namespace {

void show_packs(const Packs& packs, CheckItems& out) {
  for (const auto& [id, loaded] : packs) {
    if (loaded.origin == "built in") continue;
    out.push_back({true, "pack " + id, loaded.origin + ", all samples hold"});
  }
}

void show(const CheckItems& items, Format format) {
  for (const CheckItem& item : items) {
    const bool blind = item.kind == CheckItem::Kind::kBlindSpot;
    if (format == Format::kJson) {
      nlohmann::ordered_json json{{"kind", blind ? "blind_spot" : "check"}};
      if (!blind) json["good"] = item.kind == CheckItem::Kind::kGood;
      json["what"] = item.what;
      json["detail"] = item.detail;
      if (blind) json["remedy"] = item.remedy;
      print(json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
      continue;
    }
    std::string what = item.what;
    if (what.size() < 24) what.resize(24, ' ');
    if (blind) {
      print("blind " + what + " " + item.detail + "\n" + std::string(31, ' ') + "-> " +
            item.remedy + "\n");
      continue;
    }
    const bool good = item.kind == CheckItem::Kind::kGood;
    print((good ? "ok    " : "LOOK  ") + what + " " + item.detail + "\n");
  }
}

}  // namespace

int run_check(const CommonOptions& options) {
  auto config = load_config(options.config);
  if (!config) return complain(config.error());
  auto packs = load_used_packs(config.value());
  if (!packs) return complain(packs.error());
  if (auto samples = check_pack_samples(packs.value()); !samples) {
    return complain(samples.error());
  }
  SystemTimeZones zones;
  if (auto sources = check_sources(config.value(), packs.value(), zones); !sources) {
    return complain(sources.error());
  }
  CheckItems items;
  const Config::Budget& budget = config.value().budget;
  items.push_back({true, "configuration",
                   options.config + ": " + std::to_string(config.value().sources.size()) +
                       " source(s); budget: outbox " +
                       std::to_string(budget.outbox_bytes / 1'000'000) + " MB, memory " +
                       std::to_string(budget.memory_bytes / 1'000'000) + " MB, cpu " +
                       std::to_string(budget.cpu_percent) + " %"});
  show_packs(packs.value(), items);
  check_source_files(config.value(), items);
  check_state(config.value(), items);
  look_for_blind_spots(config.value(), packs.value(), items);
  show(items, options.format);
  for (const CheckItem& item : items) {
    if (item.kind == CheckItem::Kind::kLook) return kExitFindings;
  }
  return kExitDone;
}

}  // namespace meldevakt::agent
