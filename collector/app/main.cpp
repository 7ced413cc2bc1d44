// meldevakt-collector: receives the agents' summaries, keeps them, and says what they mean.
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "collector/app/audit.h"
#include "collector/app/command_basics.h"
#include "collector/app/commands.h"
#include "collector/app/config.h"
#include "collector/app/coverage_command.h"
#include "collector/app/inspect.h"
#include "collector/app/log.h"
#include "collector/app/registry_command.h"
#include "collector/app/serve.h"
#include "collector/app/tell_command.h"
#include "collector/registry/registry_csv.h"
#include "common/platform/clock.h"
#include "common/platform/unknown_command.h"

namespace meldevakt::collector {
namespace {

struct Arguments {
  std::string config;
  std::string format = "text";
  std::string tenant;
  std::string verdict;
  std::string now;
  std::string expires = "1h";
  std::string from;
  std::string until;
  std::string file;
  bool everything = false;
  InviteOptions invite;
  ImportOptions import;
  CoverageOptions coverage;
  RegistrySetOptions registry;
  TellOptions tell;

  [[nodiscard]] bool json() const { return format == "json"; }
};

// What a command does once its configuration is read.
using Action = Result<int> (*)(const Config&, Clock&, const Arguments&);
using Inspect = Result<Inspected> (*)(const Config&, const TimeZone&, const InspectOptions&);

Result<int> do_init(const Config& config, Clock& clock, const Arguments& arguments) {
  return run_init(config, clock, arguments.json());
}

Result<int> do_serve(const Config& config, Clock& clock, const Arguments&) {
  MELDEVAKT_TRY(serve(config, clock, stderr_log(clock)));
  return kExitDone;
}

Result<int> do_invite(const Config& config, Clock& clock, const Arguments& arguments) {
  InviteOptions options = arguments.invite;
  options.tenant = arguments.tenant;
  options.json = arguments.json();
  auto expires = parse_duration(arguments.expires);
  if (!expires) return std::move(expires).error().in("--expires");
  options.expires = expires.value();
  return run_invite(config, clock, options);
}

Result<int> do_import(const Config& config, Clock& clock, const Arguments& arguments) {
  ImportOptions options = arguments.import;
  options.tenant = arguments.tenant;
  options.json = arguments.json();
  return run_import(config, clock, options);
}

Status read_time(const std::string& text, const char* option, std::optional<Instant>& into) {
  if (text.empty()) return {};
  MELDEVAKT_TRY_ASSIGN(into, time_given(text, option));
  return {};
}

Result<InspectOptions> inspect_options(Clock& clock, const Arguments& arguments) {
  InspectOptions options;
  options.tenant = arguments.tenant;
  options.now = clock.now();
  options.json = arguments.json();
  if (!arguments.now.empty()) {
    auto now = from_rfc3339(arguments.now);
    if (!now) return std::move(now).error().in("--now");
    options.now = now.value();
    options.what_if = true;
  }
  MELDEVAKT_TRY(read_time(arguments.from, "--from", options.from));
  MELDEVAKT_TRY(read_time(arguments.until, "--until", options.until));
  if (!arguments.verdict.empty()) {
    MELDEVAKT_TRY_ASSIGN(options.verdict, verdict_named(arguments.verdict));
  }
  return options;
}

Result<Inspected> inspect(Inspect what, const Config& config, Clock& clock,
                          const Arguments& arguments) {
  MELDEVAKT_TRY_ASSIGN(const InspectOptions options, inspect_options(clock, arguments));
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, oslo());
  auto seen = what(config, *zone, options);
  if (seen) print(seen.value().text, arguments.json(), *zone);
  return seen;
}

Result<int> do_registry_set(const Config& config, Clock& clock, const Arguments& arguments) {
  RegistrySetOptions options = arguments.registry;
  options.tenant = arguments.tenant;
  options.from = arguments.from;
  options.until = arguments.until;
  options.json = arguments.json();
  return run_registry_set(config, clock, options);
}

Result<int> do_registry_import(const Config& config, Clock& clock, const Arguments& arguments) {
  return run_registry_import(config, clock, arguments.file, arguments.json());
}

Result<int> do_registry_list(const Config& config, Clock& clock, const Arguments& arguments) {
  MELDEVAKT_TRY_ASSIGN(const InspectOptions options, inspect_options(clock, arguments));
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, oslo());
  MELDEVAKT_TRY_ASSIGN(const Inspected seen,
                       list_registry(config, *zone, options, arguments.everything));
  print(seen.text, arguments.json(), *zone);
  return kExitDone;
}

template <MakeEntry make>
Result<int> do_tell(const Config& config, Clock& clock, const Arguments& arguments) {
  TellOptions options = arguments.tell;
  options.tenant = arguments.tenant;
  options.from = arguments.from;
  options.until = arguments.until;
  options.json = arguments.json();
  return run_tell(config, clock, make, options);
}

template <Inspect what>
Result<int> do_list_verified(const Config& config, Clock& clock, const Arguments& arguments) {
  MELDEVAKT_TRY_ASSIGN(const Inspected seen, inspect(what, config, clock, arguments));
  return seen.open ? kExitFindings : kExitDone;
}

template <Inspect what>
Result<int> do_list(const Config& config, Clock& clock, const Arguments& arguments) {
  MELDEVAKT_TRY(inspect(what, config, clock, arguments));
  return kExitDone;
}

Result<int> do_coverage(const Config& config, Clock& clock, const Arguments& arguments) {
  CoverageOptions options = arguments.coverage;
  options.tenant = arguments.tenant;
  MELDEVAKT_TRY_ASSIGN(const InspectOptions asked, inspect_options(clock, arguments));
  options.now = asked.now;
  options.json = arguments.json();
  MELDEVAKT_TRY_ASSIGN(const CoverageText told, tell_coverage(config, options));
  MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, oslo());
  print(told.text, arguments.json(), *zone);
  return told.complete ? kExitDone : kExitFindings;
}

// What would be said at another time is said only; what is said now is kept, signed.
Result<int> do_control(const Config& config, Clock& clock, const Arguments& arguments) {
  MELDEVAKT_TRY_ASSIGN(const Inspected seen, inspect(run_control, config, clock, arguments));
  bool agree = true;
  if (arguments.now.empty()) {
    MELDEVAKT_TRY_ASSIGN(const InspectOptions options, inspect_options(clock, arguments));
    MELDEVAKT_TRY_ASSIGN(const std::shared_ptr<const TimeZone> zone, oslo());
    MELDEVAKT_TRY_ASSIGN(const ControlsRun run, run_controls(config, clock, *zone, options));
    print(run.text, arguments.json(), *zone);
    agree = run.agree;
  }
  return seen.open || seen.nothing_known || !agree ? kExitFindings : kExitDone;
}

Result<int> do_audit(const Config& config, Clock&, const Arguments& arguments) {
  MELDEVAKT_TRY_ASSIGN(const Inspected seen, audit_store(config, arguments.json()));
  print(seen.text);
  return seen.open ? kExitFindings : kExitDone;
}

// Builds the command line; `chosen` is set when it is parsed.
class CommandLine {
 public:
  CommandLine(Arguments& arguments, Action& chosen) : arguments_{arguments}, chosen_{chosen} {
    app_.set_version_flag("--version", "meldevakt-collector " MELDEVAKT_VERSION);
    app_.require_subcommand(1);
    add_writers();
    add_registry();
    add_tell();
    add_readers();
  }
  CLI::App& app() { return app_; }

 private:
  CLI::App& command(CLI::App& parent, const std::string& name, const std::string& what,
                    Action action) {
    CLI::App& sub = *parent.add_subcommand(name, what);
    sub.set_version_flag("--version", "meldevakt-collector " MELDEVAKT_VERSION);
    sub.add_option("--config", arguments_.config, "collector.toml")->required();
    sub.add_option("--format", arguments_.format, "text or json")
        ->check(CLI::IsMember({"text", "json"}));
    sub.callback([this, action] { chosen_ = action; });
    return sub;
  }
  CLI::App& group(const std::string& name, const std::string& what) {
    CLI::App& sub = *app_.add_subcommand(name, what);
    sub.require_subcommand(1);
    sub.set_version_flag("--version", "meldevakt-collector " MELDEVAKT_VERSION);
    return sub;
  }
  void add_writers();
  void add_registry();
  void add_tell();
  CLI::App& telling(CLI::App& tell, const std::string& name, const std::string& what,
                    Action action);
  CLI::App& about_incident(CLI::App& sub) {
    sub.add_option("--incident", arguments_.tell.incidents, "its id by 'incidents list'")
        ->required();
    return sub;
  }
  CLI::App& about_message(CLI::App& sub) {
    sub.add_option("--message", arguments_.tell.messages, "any of its names")->required();
    return sub;
  }
  void add_readers();
  void add_reader_options(CLI::App& sub, bool has_tenant) {
    if (has_tenant) sub.add_option("--tenant", arguments_.tenant, "one tenant, by name");
    sub.add_option("--now", arguments_.now, "judge as at this time, RFC 3339");
  }

  void add_period(CLI::App& sub, const std::string& what) {
    sub.add_option("--from", arguments_.from, what);
    sub.add_option("--until", arguments_.until, "... until this time");
  }

  CLI::App app_{
      "Finds messages that a portal believes delivered and the case system never stored."};
  Arguments& arguments_;
  Action& chosen_;
};

void CommandLine::add_writers() {
  command(app_, "init", "make the data folder, its authority and its database", do_init);
  command(app_, "serve", "receive from agents until stopped", do_serve);

  CLI::App& invite = command(app_, "invite", "let one agent enrol, once", do_invite);
  invite.add_option("--tenant", arguments_.tenant, "its tenant, by name; made when new")
      ->required();
  invite.add_option("--organisation", arguments_.invite.organisation,
                    "organisation number of a new tenant");
  invite.add_option("--expires", arguments_.expires, "how long it is good, e.g. 1h");
  invite.add_option("--out", arguments_.invite.out, "the file to write, mode 0600")->required();

  CLI::App& receipts = group("receipts", "the portal's word");
  CLI::App& import = command(receipts, "import", "read the portal's CSV", do_import);
  import.add_option("--tenant", arguments_.tenant, "whose messages, by name")->required();
  import.add_option("--portal", arguments_.import.portal, "which portal, e.g. npb")->required();
  import.add_option("--from", arguments_.import.from,
                    "the file holds every message sent from this time on; a date or RFC 3339");
  import.add_option("--until", arguments_.import.until, "... until this time");
  import.add_option("FILE", arguments_.import.file, "the CSV file")->required();
}

void CommandLine::add_registry() {
  CLI::App& registry = group("registry", "who is who: numbers, names, contacts, versions, dated");
  CLI::App& set = command(registry, "set", "add one entry", do_registry_set);
  set.add_option("--tenant", arguments_.tenant, "whose, by name")->required();
  set.add_option("--kind", arguments_.registry.kind,
                 "organisation, name, municipality, district, district_id, contact, portal, "
                 "portal_organisation, product, patch or unused")
      ->required();
  set.add_option("--value", arguments_.registry.value, "e.g. 4601, or dpo for a contact")
      ->required();
  set.add_option("--label", arguments_.registry.label,
                 "who a contact is; the municipality that another one went into");
  add_period(set, "holds from this time on; a date or RFC 3339");
  CLI::App& import = command(registry, "import", "add many entries from a CSV", do_registry_import);
  import.add_option("FILE", arguments_.file, "tenant;kind;value;label;from;until")->required();
  CLI::App& list = command(registry, "list", "what holds now, or at --now", do_registry_list);
  add_reader_options(list, true);
  list.add_flag("--all", arguments_.everything, "whatever held at any time");
}

CLI::App& CommandLine::telling(CLI::App& tell, const std::string& name, const std::string& what,
                               Action action) {
  CLI::App& sub = command(tell, name, what, action);
  sub.add_option("--tenant", arguments_.tenant, "whose, by name")->required();
  sub.add_option("--by", arguments_.tell.by, "who says so: a name and role; kept as it is")
      ->required();
  sub.add_option("--note", arguments_.tell.note, "why, in a line; kept as it is");
  return sub;
}

void CommandLine::add_tell() {
  CLI::App& tell = group("tell", "what people know and decide: kept, and taken back by more");
  CLI::App& recovered = about_message(
      telling(tell, "recovered", "a message is there after all", do_tell<tell_recovered>));
  recovered
      .add_option("--how", arguments_.tell.how, "sent_again, downloaded, found or stored_by_hand")
      ->required();
  about_message(telling(tell, "mistaken", "the sender took it for a mistake and sent again (D)",
                        do_tell<tell_mistaken>));
  CLI::App& count = telling(tell, "stored-count", "so many messages are stored of those receipted",
                            do_tell<tell_count>);
  add_period(count, "receipted from this time on; a date or RFC 3339");
  count.add_option("--form", arguments_.tell.form, "only PRIVAT, OFFENTLIG or UKJENT");
  count.add_option("--count", arguments_.tell.count, "as counted in the database")->required();
  about_incident(telling(tell, "merge", "these incidents are one", do_tell<tell_merge>));
  about_message(about_incident(
      telling(tell, "split", "these messages are another incident", do_tell<tell_split>)));
  about_incident(telling(tell, "close", "the incident is dealt with", do_tell<tell_close>));
  about_incident(telling(tell, "reopen", "... and it is not after all", do_tell<tell_reopen>));
  CLI::App& aware =
      telling(tell, "aware", "since when somebody knows of it: 72 hours run", do_tell<tell_aware>);
  CLI::App& notified = telling(tell, "notified", "the authority was notified: they are over",
                               do_tell<tell_notified>);
  for (CLI::App* one : {&recovered, &about_incident(aware), &about_incident(notified)}) {
    one->add_option("--when", arguments_.tell.when, "a date or RFC 3339")->required();
  }
  notified.add_option("--reference", arguments_.tell.reference, "of the notification");
  telling(tell, "take-back", "an entry says nothing any more", do_tell<tell_back>)
      .add_option("--entry", arguments_.tell.entry, "its number by 'tell list'")
      ->required();
  add_reader_options(
      command(tell, "list", "what was told, oldest first", do_list_verified<list_told>), true);
}

void CommandLine::add_readers() {
  CLI::App& incidents = group("incidents", "what went wrong, by cause");
  add_reader_options(
      command(incidents, "list", "list incidents and alarms", do_list<list_incidents>), true);
  CLI::App& messages = group("messages", "message by message");
  CLI::App& list = command(messages, "list", "list messages", do_list<list_messages>);
  add_reader_options(list, true);
  list.add_option("--verdict", arguments_.verdict, "only these, e.g. lost");
  CLI::App& coverage = command(app_, "coverage",
                               "what is known between two times, and by which packs; exit 1 when "
                               "something was not read",
                               do_coverage);
  coverage.add_option("--tenant", arguments_.tenant, "one tenant, by name")->required();
  add_reader_options(coverage, false);
  coverage.add_option("--source", arguments_.coverage.source, "one source, by its name");
  coverage.add_option("--from", arguments_.coverage.from, "a date or RFC 3339")->required();
  coverage.add_option("--until", arguments_.coverage.until, "not included")->required();
  CLI::App& fleet = group("fleet", "all tenants");
  CLI::App& report = command(fleet, "report", "one line a tenant, and the municipalities in all",
                             do_list<report_fleet>);
  add_reader_options(report, false);
  add_period(report, "messages receipted from this time on; a date or RFC 3339");
  CLI::App& control = group("control", "do receipts and stored messages agree?");
  CLI::App& run = command(control, "run",
                          "control now and keep the signed record; exit 1 when something is open "
                          "or nothing could be controlled",
                          do_control);
  add_reader_options(run, true);
  add_period(run, "control receipts from this time on; a date or RFC 3339");
  add_reader_options(command(control, "list", "the controls that ran, newest first, verified",
                             do_list_verified<list_controls>),
                     true);
  command(app_, "audit",
          "tell everything again from the stored bytes; exit 1 when it does not hold", do_audit);
}

int fail(const Error& error, int status) {
  std::fprintf(stderr, "meldevakt-collector: %s\n", error.message().c_str());
  return status;
}

int run(int count, char** values) {
  ::umask(S_IRWXG | S_IRWXO);  // whatever is made here is the owner's alone
  Arguments arguments;
  Action chosen = nullptr;
  CommandLine line{arguments, chosen};
  try {
    line.app().parse(count, values);
  } catch (const CLI::ParseError& error) {
    const std::string unknown = unknown_command(line.app(), count, values);
    if (!unknown.empty()) return fail({Errc::kInvalid, unknown}, kExitUsage);
    return line.app().exit(error) == 0 ? kExitDone : kExitUsage;
  }
  const Result<Config> config = load_config(arguments.config);
  if (!config) return fail(config.error(), kExitUsage);
  SystemClock clock;
  const Result<int> done = chosen(config.value(), clock, arguments);
  return done ? done.value() : fail(done.error(), exit_status_of(done.error()));
}

}  // namespace
}  // namespace meldevakt::collector

int main(int count, char** values) {
  return meldevakt::collector::run(count, values);
}
