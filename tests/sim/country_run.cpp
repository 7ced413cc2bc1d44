#include "tests/sim/country_run.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>
#include <utility>

#include "collector/report/report.h"
#include "collector/store/sqlite_store.h"
#include "common/crypto/crypto.h"
#include "tests/sim/systemic_comparison.h"
#include "tests/sim/unsynced_vfs.h"

namespace meldevakt::sim {
namespace {

// Everything again from the stored bytes, all at once: must say the same as one piece at a time,
// byte for byte.
void check_rebuild(const std::string& service, const collector::Correlation& again,
                   const collector::Correlation& live, std::vector<std::string>& wrong) {
  bool same = again.messages.size() == live.messages.size();
  for (std::size_t i = 0; same && i < again.messages.size(); ++i) {
    same = collector::message_json(again.messages[i], "") ==
           collector::message_json(live.messages[i], "");
  }
  if (!same) wrong.push_back(service + ": the rebuilt ledger says something else");
}

// What the register says, and what is asked by it, against what the plan had it told.
void check_row(const ServicePlan& service, const collector::FleetRow& row, const Interval& asked,
               std::vector<std::string>& wrong) {
  if (collector::municipalities_of(row) != service.municipalities) {
    wrong.push_back(service.name + ": it is not said to serve its municipalities");
  }
  if (row.asked != asked) {
    wrong.push_back(service.name + ": it is asked from " + to_rfc3339(row.asked.from) + " until " +
                    to_rfc3339(row.asked.to));
  }
}

class CountryRun {
 public:
  CountryRun(const CountryPlan& plan, const CountrySettings& settings, collector::Store& store)
      : plan_{plan},
        settings_{settings},
        ledger_{store},
        outcomes_{plan.services.size()},
        parts_{plan.services.size()} {
    for (std::size_t i = 0; i < plan.services.size(); ++i) order_.push_back(i);
    // The longest first, so that no thread is left with one at the end.
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return plan.services[a].messages.size() > plan.services[b].messages.size();
    });
  }

  Result<CountryResult> run() {
    std::vector<std::thread> threads;
    for (unsigned i = 1; i < settings_.threads; ++i) threads.emplace_back([this] { work(); });
    work();
    for (std::thread& thread : threads) thread.join();
    if (!failed_) return failed_.error();
    return put_together();
  }

 private:
  void work() {
    auto reader =
        collector::SqliteStore::open({settings_.database, std::string{kUnsyncedVfs}, true});
    if (!reader) return fail(std::move(reader).error());
    while (failed_now_.load() == false) {
      const std::size_t next = next_++;
      if (next >= order_.size()) return;
      if (auto done = run_one(order_[next], *reader.value()); !done) return fail(done.error());
    }
  }

  Status run_one(std::size_t index, collector::Store& reader) {
    const ServicePlan& service = plan_.services[index];
    MELDEVAKT_TRY_ASSIGN(const ServiceResult result,
                         run_service(service, plan_.span, settings_.run, ledger_));
    MELDEVAKT_TRY_ASSIGN(collector::View view,
                         stored_view(reader, service.tenant, result.last.now));
    // Where nobody concludes anything, the store's reader must not do so either.
    if (!settings_.run.correlates) {
      view.correlation = result.last;
      view.incidents.clear();
    }
    ServiceOutcome& out = outcomes_[index];
    out.name = service.name;
    const Interval asked = collector::asked_of(view, {}, plan_.asked_until, result.last.now);
    out.row = collector::fleet_row_of(view, asked);
    if (!result.latent_changes.empty()) out.latent_fault_seen = result.latent_changes.front().at;
    // From here on the truth is open.
    out.comparison = compare(service, result, view, *settings_.run.zone);
    std::vector<std::string>& wrong = out.comparison.wrong;
    for (const collector::Alarm& alarm : view.alarms) {
      wrong.push_back(service.name + ": alarm " + alarm.kind + ": " + alarm.detail);
    }
    parts_[index] = {out.comparison.signs,
                     result.truth.size(),
                     collector::standing_of(view, asked),
                     {view.tenant, view.registry},
                     result.causes_seen};
    check_row(service, out.row, {plan_.span.from, plan_.asked_until}, wrong);
    if (settings_.run.correlates) {
      check_rebuild(service.name, view.correlation, result.last, wrong);
    }
    messages_ += result.truth.size();
    statements_ += result.statements;
    return {};
  }

  void fail(const Error& error) {
    const std::lock_guard lock{mutex_};
    failed_now_ = true;
    failed_ = error;
  }

  CountryResult put_together() {
    CountryResult out;
    std::vector<collector::FleetRow> rows;
    for (ServiceOutcome& one : outcomes_) {
      rows.push_back(one.row);
      const auto& wrong = one.comparison.wrong;
      out.wrong.insert(out.wrong.end(), wrong.begin(), wrong.end());
      const auto& losses = one.comparison.losses;
      out.losses.insert(out.losses.end(), losses.begin(), losses.end());
      if (!one.latent_fault_seen) continue;
      out.latent_fault_seen =
          std::min(*one.latent_fault_seen, out.latent_fault_seen.value_or(*one.latent_fault_seen));
    }
    std::sort(out.losses.begin(), out.losses.end(),
              [](const LossFound& a, const LossFound& b) { return a.sent < b.sent; });
    out.found_in_time = static_cast<std::uint64_t>(
        std::count_if(out.losses.begin(), out.losses.end(),
                      [](const LossFound& loss) { return loss.in_time(); }));
    compare_systemic(plan_, parts_, out.wrong);
    out.totals = collector::total(rows);
    out.services = std::move(outcomes_);
    out.messages = messages_;
    out.statements = statements_;
    return out;
  }

  const CountryPlan& plan_;
  const CountrySettings& settings_;
  Ledger ledger_;
  std::vector<ServiceOutcome> outcomes_;
  std::vector<SystemicPart> parts_;
  std::vector<std::size_t> order_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<bool> failed_now_ = false;
  std::atomic<std::uint64_t> messages_ = 0;
  std::atomic<std::uint64_t> statements_ = 0;
  std::mutex mutex_;
  Status failed_;
};

}  // namespace

Result<collector::View> stored_view(collector::Store& store, const std::string& tenant,
                                    Instant now) {
  MELDEVAKT_TRY_ASSIGN(const std::vector<collector::Tenant> tenants,
                       collector::chosen_tenants(store, tenant));
  return collector::view_of(store, collector::Config{}, tenants.front(), {now});
}

Result<CountryResult> run_country(const CountryPlan& plan, const CountrySettings& settings) {
  MELDEVAKT_TRY_ASSIGN(
      const std::unique_ptr<collector::SqliteStore> store,
      collector::SqliteStore::open({settings.database, std::string{kUnsyncedVfs}, false, nullptr,
                                    std::make_shared<OpenSslRandom>()}));
  MELDEVAKT_TRY(store->tenants());  // makes the database, so that readers find one
  return CountryRun{plan, settings, *store}.run();
}

}  // namespace meldevakt::sim
