#include "collector/app/standing_control.h"

#include <algorithm>
#include <utility>

#include "collector/app/view.h"
#include "collector/report/times_ahead.h"
#include "common/crypto/crypto.h"
#include "common/platform/time_zones.h"
#include "common/seal/dsse.h"

namespace meldevakt::collector {
namespace {

Result<std::optional<StoredControl>> newest_of(Store& store, const std::string& tenant) {
  MELDEVAKT_TRY_ASSIGN(std::vector<StoredControl> newest, store.controls(tenant, 1));
  if (newest.empty()) return std::optional<StoredControl>{};
  return std::optional<StoredControl>{std::move(newest.front())};
}

Result<ControlRecord> opened(const StoredControl& stored, std::string_view public_key,
                             const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(const Envelope envelope, parse_envelope(stored.envelope));
  MELDEVAKT_TRY(verify_envelope(envelope, kControlType, public_key, verifier));
  if (link_hash(kControlType, envelope.payload) != stored.link) {
    return Error{Errc::kCorrupt, "the record is not the one that was stored"};
  }
  MELDEVAKT_TRY_ASSIGN(ControlRecord record, decode_control(envelope.payload));
  if (record.number != stored.number) return Error{Errc::kCorrupt, "the record has another number"};
  return record;
}

// The collector's own key, made when it is first needed; never in place of one that was lost.
Result<std::unique_ptr<Signer>> control_signer(Store& store, const Config& config) {
  const std::string path = config.in_data("control.key");
  auto signer = load_signer(path);
  if (signer || signer.error().code() != Errc::kNotFound) return signer;
  MELDEVAKT_TRY_ASSIGN(const std::vector<Tenant> tenants, store.tenants());
  for (const Tenant& tenant : tenants) {
    MELDEVAKT_TRY_ASSIGN(const std::optional<StoredControl> last, newest_of(store, tenant.id));
    if (last) {
      return Error{Errc::kInvalid,
                   path +
                       " is missing, and controls that it signed are stored: restore it from "
                       "a backup; with another key none of them could be verified"};
    }
  }
  return create_signer(path);
}

constexpr std::size_t kControlsAtOnce = 64;

// One that cannot be read shows no control; `control list` and the audit name it.
bool is_daily(const StoredControl& stored) {
  const Result<Envelope> envelope = parse_envelope(stored.envelope);
  if (!envelope) return false;
  const Result<ControlRecord> record = decode_control(envelope.value().payload);
  return record && !record.value().on_demand;
}

}  // namespace

Result<std::optional<StoredControl>> newest_daily(Store& store, const std::string& tenant,
                                                  Instant now) {
  std::uint64_t before = kControlNumberMax;
  for (;;) {
    MELDEVAKT_TRY_ASSIGN(std::vector<StoredControl> some,
                         store.controls_before(before, tenant, kControlsAtOnce));
    for (StoredControl& stored : some) {
      before = stored.number;
      if (now + kAheadMax < stored.ran || !is_daily(stored)) continue;
      return std::optional<StoredControl>{std::move(stored)};
    }
    if (some.size() < kControlsAtOnce) return std::optional<StoredControl>{};
  }
}

Result<std::optional<Instant>> controlled_since(Store& store, const std::string& tenant,
                                                const std::vector<AgentRecord>& agents) {
  if (agents.empty()) return store.first_import(tenant);
  std::optional<Instant> out;
  for (const AgentRecord& agent : agents) {
    out = std::min(out.value_or(agent.enrolled), agent.enrolled);
  }
  return out;
}

Result<std::optional<Alarm>> missed_control(Store& store, const ControlSchedule& schedule,
                                            const std::string& tenant, Instant now,
                                            const TimeZone& zone) {
  const Instant due = scheduled_before(schedule, now - kControlLate, zone);
  MELDEVAKT_TRY_ASSIGN(const std::vector<AgentRecord> agents, store.agents(tenant));
  MELDEVAKT_TRY_ASSIGN(const std::optional<Instant> begun, controlled_since(store, tenant, agents));
  if (!begun || due < *begun) return std::optional<Alarm>{};
  MELDEVAKT_TRY_ASSIGN(const std::optional<StoredControl> newest, newest_daily(store, tenant, now));
  if (newest && due <= newest->ran) return std::optional<Alarm>{};
  const std::string last = newest ? "the last one ran " + to_rfc3339(newest->ran) : "none ever ran";
  return std::optional<Alarm>{
      Alarm{tenant, "", std::string{kControlMissed},
            "the standing control of " + to_rfc3339(due) + " has not run (" + last + ")", now}};
}

Result<std::unique_ptr<StandingControl>> make_standing_control(Store& store, const Config& config,
                                                               Clock& clock) {
  MELDEVAKT_TRY_ASSIGN(std::unique_ptr<Signer> signer, control_signer(store, config));
  SystemTimeZones zones;
  MELDEVAKT_TRY_ASSIGN(std::shared_ptr<const TimeZone> zone, zones.find(config.control.zone));
  return std::make_unique<StandingControl>(StandingControl::Parts{
      store, config, clock, std::move(signer), std::move(zone), MELDEVAKT_VERSION});
}

Result<bool> StandingControl::is_due(const Tenant& tenant) {
  const Instant now = parts_.clock.now();
  const Instant since = scheduled_before(parts_.config.control.schedule, now, *parts_.zone);
  MELDEVAKT_TRY_ASSIGN(const std::vector<AgentRecord> agents, parts_.store.agents(tenant.id));
  MELDEVAKT_TRY_ASSIGN(const std::optional<StoredControl> last,
                       newest_daily(parts_.store, tenant.id, now));
  if (last && since <= last->ran) return false;
  MELDEVAKT_TRY_ASSIGN(const std::optional<Instant> begun,
                       controlled_since(parts_.store, tenant.id, agents));
  return begun && *begun <= since;
}

StandingControl::Due StandingControl::due() {
  const auto tenants = parts_.store.tenants();
  if (!tenants) return {{}, tenants.error()};
  Due out;
  for (const Tenant& tenant : tenants.value()) {
    const Result<bool> due = is_due(tenant);
    if (!due && out.done) out.done = due.error();
    if (due && due.value()) out.tenants.push_back(tenant);
  }
  return out;
}

Result<ControlRecord> StandingControl::run(const Tenant& tenant, std::optional<Interval> period,
                                           bool on_demand) {
  const Instant now = parts_.clock.now();
  MELDEVAKT_TRY_ASSIGN(const View view, view_of(parts_.store, parts_.config, tenant, {.now = now}));
  if (view.agents.empty() && view.input.receipts.empty() && view.input.rows_ahead.empty()) {
    return Error{Errc::kNotFound,
                 "no agent is enrolled and no receipt is known: nothing to control"};
  }
  const Instant until = receipts_known_until(view.input, now - kAnsweredWithin);
  Interval looked = period.value_or(Interval{until - parts_.config.control.look_back, until});
  if (!period) {
    // Not before there was anything to look at.
    const Instant begin = asked_of(view, {}, until, now).from;
    looked.from = std::max(looked.from, std::min(begin, looked.to));
  }
  ControlRecord record = control_of(view.input, view.correlation, looked, view.counts);
  record.tenant = tenant.id;
  for (const Membership& one : view.registry.memberships(looked)) {
    const bool known = std::find(record.municipalities.begin(), record.municipalities.end(),
                                 one.municipality) != record.municipalities.end();
    if (!known) record.municipalities.push_back(one.municipality);
  }
  record.ran = now;
  record.on_demand = on_demand;
  record.software_version = parts_.software_version;
  MELDEVAKT_TRY_ASSIGN(const std::optional<StoredControl> last, newest_of(parts_.store, tenant.id));
  const ControlSchedule& schedule = parts_.config.control.schedule;
  MELDEVAKT_TRY_ASSIGN(const std::optional<StoredControl> daily,
                       newest_daily(parts_.store, tenant.id, now));
  MELDEVAKT_TRY_ASSIGN(const std::optional<Instant> begun,
                       controlled_since(parts_.store, tenant.id, view.agents));
  const Instant before = daily ? daily->ran : begun.value_or(now);
  const std::uint64_t times = scheduled_between(schedule, before, now, *parts_.zone);
  // Of those since then a daily one is one itself. What a person asked leaves them to it.
  record.missed = times > 0 && !on_demand ? times - 1 : 0;
  if (last) {
    record.number = last->number + 1;
    record.previous = last->link;
  }
  const std::string payload = encode_control(record);
  MELDEVAKT_TRY_ASSIGN(std::string envelope, seal(kControlType, payload, *parts_.signer));
  MELDEVAKT_TRY(parts_.store.add_control(
      tenant.id,
      {record.number, link_hash(kControlType, payload), record.ran, std::move(envelope)}));
  return record;
}

namespace {

// `before`: the next one in the list; nullptr where the list ends.
std::string problem_before(const ControlRecord& record, const StoredControl* before, bool whole) {
  if (before != nullptr) {
    const bool follows = before->number + 1 == record.number && before->link == record.previous;
    return follows ? "" : "it does not follow the record before it";
  }
  if (record.number == 0) {
    return record.previous == Sha256{} ? "" : "it is the first one and names one before it";
  }
  return whole ? "the records before it are missing" : "";
}

}  // namespace

std::vector<CheckedControl> check_controls(const std::vector<StoredControl>& stored, bool whole,
                                           std::string_view public_key, const Verifier& verifier) {
  std::vector<CheckedControl> out;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    CheckedControl one;
    auto record = opened(stored[i], public_key, verifier);
    if (record) {
      one.record = std::move(record).value();
    } else {
      one.record.number = stored[i].number;
      one.record.ran = stored[i].ran;
      one.problem = record.error().message();
    }
    if (one.problem.empty()) {
      one.problem =
          problem_before(one.record, i + 1 < stored.size() ? &stored[i + 1] : nullptr, whole);
    }
    out.push_back(std::move(one));
  }
  return out;
}

}  // namespace meldevakt::collector
