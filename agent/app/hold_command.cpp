// `hold list|erase|key`: beside a running agent or without one. The state is read only.
#include <nlohmann/json.hpp>
#include <utility>

#include "agent/app/hold_keys.h"
#include "agent/app/hold_place.h"
#include "common/platform/clock.h"
#include "common/platform/disk.h"
#include "common/ports/sealed_box.h"

namespace meldevakt::agent {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json gaps_json(const HoldSource& source) {
  Json out = Json::array();
  for (const HoldGap& gap : source.gaps) {
    Json one{{"reason", gap.reason}};
    if (!gap.key.empty()) {
      one["file"] = gap.path;
      one["from"] = gap.from;
      one["to"] = gap.to;
    }
    out.push_back(std::move(one));
  }
  return out;
}

Json hold_json(const Hold& hold) {
  Json json{{"id", hold.id},
            {"tenant", hold.tenant},
            {"time", to_rfc3339(hold.made)},
            {"state", to_string(hold.state)},
            {"complete", hold.complete()},
            {"from", to_rfc3339(hold.window.from)},
            {"to", to_rfc3339(hold.window.to)},
            {"kept_until", to_rfc3339(hold.keep_until)},
            {"stored_bytes", hold.stored_bytes}};
  auto& findings = json["findings"] = Json::array();
  for (const HoldFinding& one : hold.findings) {
    findings.push_back({{"id", one.id},
                        {"kind", one.kind},
                        {"time", to_rfc3339(one.time)},
                        {"source", one.source},
                        {"code", one.code}});
  }
  json["more_findings"] = hold.more_findings;
  auto& sources = json["sources"] = Json::array();
  for (const HoldSource& one : hold.sources) {
    sources.push_back({{"source", one.name},
                       {"pack", one.pack},
                       {"done", one.done},
                       {"log_bytes", one.bytes},
                       {"gaps", gaps_json(one)}});
  }
  json["see_also"] = hold.shares;
  json["erased"] = hold.state == HoldState::kErased && hold.erased.ms > 0
                       ? Json(to_rfc3339(hold.erased))
                       : Json(nullptr);
  json["erased_why"] = hold.erased_why;
  return json;
}

std::string hold_text(const Hold& hold) {
  std::string state{to_string(hold.state)};
  if (hold.state == HoldState::kClosed) state = hold.complete() ? "complete" : "with gaps";
  std::string out = hold.id + "  " + state + ", log of " + to_rfc3339(hold.window.from) + " to " +
                    to_rfc3339(hold.window.to) + "\n";
  if (hold.state == HoldState::kErased) {
    return out + "  erased" + (hold.erased.ms > 0 ? " " + to_rfc3339(hold.erased) : "") + ": " +
           hold.erased_why + "\n";
  }
  out += "  kept until " + to_rfc3339(hold.keep_until) + ", " + std::to_string(hold.stored_bytes) +
         " bytes on disk\n";
  for (const HoldFinding& one : hold.findings) {
    out += "  finding " + one.kind + " " + to_rfc3339(one.time) + " source " + one.source +
           (one.code.empty() ? "" : " " + one.code) + "\n";
  }
  if (hold.more_findings > 0) out += "  and " + std::to_string(hold.more_findings) + " more\n";
  for (const HoldSource& one : hold.sources) {
    out += "  source " + one.name + ": " + std::to_string(one.bytes) + " bytes of log" +
           (one.done ? "" : ", more is to come") + "\n";
    for (const HoldGap& gap : one.gaps) {
      out += "    missing (" + gap.reason + ")";
      if (!gap.key.empty()) {
        out += ": " + gap.path + ", bytes " + std::to_string(gap.from) + " to " +
               std::to_string(gap.to);
      }
      out += "\n";
    }
  }
  for (const std::string& id : hold.shares) out += "  see also " + id + "\n";
  return out;
}

// --- erase, key

Status erase_now(const HoldOptions& options) {
  MELDEVAKT_TRY_ASSIGN(HoldPlace place, look_at_holds(options.common));
  MELDEVAKT_TRY_ASSIGN(const std::string id, find_hold_id(place, options.id));
  const Hold* hold = place.stored_hold(id);
  if (hold != nullptr && hold->state == HoldState::kErased) {
    return Error{Errc::kInvalid, "hold " + id + " is erased already: " + hold->erased_why};
  }
  if (options.reason.empty() || options.reason.size() > 1000) {
    return Error{Errc::kInvalid, "--reason needs a sentence of at most 1000 characters"};
  }
  SystemClock clock;
  MELDEVAKT_TRY(place.disk.write(id, kTombstoneFile,
                                 "by hand " + to_rfc3339(clock.now()) + ": " + options.reason));
  for (const std::string& name : place.disk.names(id)) {
    if (name != kTombstoneFile) MELDEVAKT_TRY(place.disk.remove(id, name));
  }
  print("hold " + id + " is erased; that it was, when and why stays in the list\n");
  return {};
}

Result<std::string> tenant_for(const HoldPlace& place, const HoldOptions& options) {
  if (!place.problem.empty()) return Error{Errc::kInvalid, place.problem};
  std::vector<std::string> found;
  for (const TenantRow& row : place.tenants) {
    if (options.tenant.empty() || row.name == options.tenant) found.push_back(row.id);
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) return Error{Errc::kInvalid, "no such tenant is enrolled here"};
  return Error{Errc::kInvalid, "several tenants are enrolled here; say which with --tenant"};
}

Status make_key(const HoldOptions& options) {
  MELDEVAKT_TRY_ASSIGN(HoldPlace place, look_at_holds(options.common));
  MELDEVAKT_TRY_ASSIGN(const std::string tenant, tenant_for(place, options));
  std::string passphrase;
  if (!options.no_passphrase) {
    MELDEVAKT_TRY_ASSIGN(passphrase, take_passphrase(options.passphrase_file, Confirm::kYes));
  }
  MELDEVAKT_TRY_ASSIGN(BoxKeys keys, make_box_keys());
  auto pem = box_key_to_pem(keys.private_key, passphrase);
  cleanse(passphrase);
  cleanse(keys.private_key);
  if (!pem) return std::move(pem).error();
  // The private half first: a public key without it would seal what nobody can open.
  const Status written =
      write_file_atomically(options.to, pem.value(), FileMode::kOwnerOnly, Replace::kNever);
  cleanse(pem.value());
  if (!written) return written.error();
  MELDEVAKT_TRY_ASSIGN(const std::string public_pem, public_box_key_to_pem(keys.public_key));
  MELDEVAKT_TRY(write_file_atomically(place.files.hold_public_key(tenant), public_pem,
                                      FileMode::kEveryoneReads, Replace::kAllowed));
  print("Hold key " + box_key_id(keys.public_key) +
        ": from now on the log around findings is "
        "sealed to it.\nThe private half is " +
        options.to +
        ". Take it off this host, to a safe, "
        "and keep a copy: without it no hold can be opened.\nHolds made before open as before.\n");
  return {};
}

int status_of(const Status& done) {
  return done ? kExitDone : complain(done.error());
}

}  // namespace

int run_hold_list(const CommonOptions& options) {
  auto place = look_at_holds(options);
  if (!place) return complain(place.error());
  if (!place.value().problem.empty()) return complain({Errc::kIo, place.value().problem});
  for (const Hold& hold : place.value().stored.holds) {
    print(options.format == Format::kJson ? line_of(hold_json(hold)) : hold_text(hold));
  }
  return kExitDone;
}

int run_hold_erase(const HoldOptions& options) {
  return status_of(erase_now(options));
}

int run_hold_key(const HoldOptions& options) {
  return status_of(make_key(options));
}

}  // namespace meldevakt::agent
