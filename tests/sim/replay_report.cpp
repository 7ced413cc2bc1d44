#include "tests/sim/replay_report.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "tests/sim/log_text.h"

namespace meldevakt::sim {
namespace {

constexpr std::size_t kWrongShown = 20;

// How long it took in 2023 (DOMAIN.md section 8), in days.
struct RealDelay {
  std::string_view what;
  int days;
};
constexpr std::array<RealDelay, 7> kRealDelays{{
    {"generally available -> fault identified", 955},
    {"generally available -> known to the public", 983},
    {"a loss (01.02.23) -> its sender asks", 37},
    {"a loss (01.02.23) -> fault identified", 96},
    {"sender asks -> portal's operator contacted", 33},
    {"second loss (23.05.23) -> found by counting", 2},
    {"scope in one municipality known -> all have answered", 19},
}};

std::string length(Duration d) {
  std::array<char, 48> out{};
  const double s = static_cast<double>(d.ms) / 1000.0;
  if (d < minutes(2)) {
    std::snprintf(out.data(), out.size(), "%.0f seconds", s);
  } else if (d < hours(2)) {
    std::snprintf(out.data(), out.size(), "%.0f minutes", s / 60);
  } else if (d < days(2)) {
    std::snprintf(out.data(), out.size(), "%.1f hours", s / 3600);
  } else {
    std::snprintf(out.data(), out.size(), "%.1f days", s / 86'400);
  }
  return out.data();
}

std::string row(std::string_view what, std::uint64_t count) {
  std::array<char, 128> out{};
  std::snprintf(out.data(), out.size(), "  %-66.*s %6llu\n", static_cast<int>(what.size()),
                what.data(), static_cast<unsigned long long>(count));
  return out.data();
}

std::string table_2(const CountryResult& result) {
  const collector::FleetTotals& t = result.totals;
  std::string out = "Table 2, as the system finds it:\n";
  out += row("municipalities that use the case system with the portal", t.uses);
  out += row("with deviation (messages lost)", t.affected);
  out += row("confirmed without", t.clean);
  out += row("not answered yet", t.unanswered);
  out += row("messages lost", t.lost);
  for (const ServiceOutcome& service : result.services) {
    if (service.row.answer.answer != collector::Answer::kUnanswered) continue;
    out += "  unanswered: " + service.name + ": " + service.row.answer.reason + "\n";
  }
  return out + "\n";
}

std::string spread(const CountryResult& result) {
  std::string out =
      "By service (the split of what is not Bergen's or Kristiansand's is assumed):\n ";
  for (const ServiceOutcome& service : result.services) {
    if (service.row.answer.lost == 0) continue;
    out += " " + service.name + " " + std::to_string(service.row.answer.lost) + ";";
  }
  if (result.totals.lost == 0) out += " none";
  return out + "\n\n";
}

std::string delays(const CountryPlan& plan, const CountryResult& result, const TimeZone& zone) {
  std::string out = "Delays here:\n";
  if (result.latent_fault_seen) {
    out += "  the latent fault is first reported on " +
           portal_time(*result.latent_fault_seen, zone) + ", " +
           length(*result.latent_fault_seen - plan.span.from) +
           " after the case system became available\n";
  } else {
    out += "  the latent fault is never reported\n";
  }
  std::vector<Duration> found;
  for (const LossFound& loss : result.losses) {
    if (loss.found) found.push_back(*loss.found - loss.sent);
  }
  std::sort(found.begin(), found.end());
  if (!found.empty()) {
    out += "  loss -> found: median " + length(found[found.size() / 2]) + ", longest " +
           length(found.back()) + "\n";
  }
  out += "  losses that the portal still had when they were found: " +
         std::to_string(result.found_in_time) + " of " + std::to_string(result.losses.size()) +
         "\n";
  for (const LossFound& loss : result.losses) {
    const bool late = loss.found && hours(1) < *loss.found - loss.sent;
    if (loss.found && !late) continue;
    out += "  " + loss.service + ", sent " + portal_time(loss.sent, zone) + ": " +
           (loss.found
                ? "found after " + length(*loss.found - loss.sent) + ", when its statement came" +
                      (loss.in_time() ? "" : "; the portal had purged it")
                : std::string{"not found"}) +
           "\n";
  }
  return out;
}

std::string each_loss(const CountryResult& result, const TimeZone& zone) {
  std::string out = "Each loss: sent, and how long until it was found\n";
  std::size_t in_line = 0;
  for (const LossFound& loss : result.losses) {
    out += (in_line == 0 ? "  " : "   ") + portal_time(loss.sent, zone) + " " +
           (loss.found ? length(*loss.found - loss.sent) : "never");
    if (++in_line < 3) continue;
    out += "\n";
    in_line = 0;
  }
  return out + (in_line == 0 ? "\n" : "\n\n");
}

std::string real_delays() {
  std::string out = "Delays in 2020 to 2023:\n";
  for (const RealDelay& delay : kRealDelays) {
    out += "  " + std::string{delay.what} + ": " + std::to_string(delay.days) + " days\n";
  }
  return out + "  losses that the portal still had when they were found: 4 of 63\n\n";
}

}  // namespace

std::string replay_text(const CountryPlan& plan, const CountryResult& result,
                        const TimeZone& zone) {
  std::string out = std::to_string(result.messages) + " messages, " +
                    std::to_string(plan.services.size()) + " services, " +
                    std::to_string((plan.span.to - plan.span.from).ms / days(1).ms) + " days, " +
                    std::to_string(result.statements) + " statements\n\n";
  out += table_2(result);
  out += spread(result);
  if (!result.losses.empty()) out += each_loss(result, zone);
  out += delays(plan, result, zone);
  out += real_delays();
  out += "Compared with the truth: " + std::to_string(result.wrong.size()) + " wrong\n";
  for (std::size_t i = 0; i < std::min(kWrongShown, result.wrong.size()); ++i) {
    out += "  " + result.wrong[i] + "\n";
  }
  return out;
}

std::string replay_json(const CountryResult& result, double seconds) {
  const collector::FleetTotals& t = result.totals;
  nlohmann::ordered_json json{{"using", t.uses},
                              {"affected", t.affected},
                              {"clean", t.clean},
                              {"unanswered", t.unanswered},
                              {"lost", t.lost},
                              {"found_while_portal_had_it", result.found_in_time},
                              {"latent_fault_first_reported", nullptr},
                              {"wrong_verdicts", result.wrong.size()},
                              {"seconds", seconds}};
  if (result.latent_fault_seen) {
    json["latent_fault_first_reported"] = to_rfc3339(*result.latent_fault_seen);
  }
  return json.dump() + "\n";
}

}  // namespace meldevakt::sim
