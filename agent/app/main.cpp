// meldevakt-agent: the command line. Parses and calls agent/app/commands.h; nothing else.
#include <CLI/CLI.hpp>
#include <cstdio>

#include "agent/app/commands.h"
#include "common/platform/unknown_command.h"

namespace {

using meldevakt::agent::CommonOptions;
using meldevakt::agent::Format;

void add_version(CLI::App& command) {
  command.set_version_flag("--version",
                           std::string{"meldevakt-agent "} + meldevakt::agent::kSoftwareVersion);
}

void add_format(CLI::App& command, Format& format) {
  command
      .add_option_function<std::string>(
          "--format",
          [&format](const std::string& text) {
            format = text == "json" ? Format::kJson : Format::kText;
          },
          "text or json (one object a line)")
      ->check(CLI::IsMember({"text", "json"}));
  add_version(command);
}

void add_common(CLI::App& command, CommonOptions& options) {
  command.add_option("--config", options.config, "configuration file")->capture_default_str();
  add_format(command, options.format);
}

void add_scan(CLI::App& app, meldevakt::agent::ScanOptions& scan, int& status) {
  CLI::App* command = app.add_subcommand(
      "scan",
      "search old logs for what the rules know: files, folders, globs, .gz .zst .bz2 .zip\n"
      "  One JSON object a finding (file, line, offset, time, signal, rule, code, ref), last a\n"
      "  summary of what was read. Text of the log is never written into a pipe or file.\n"
      "  Exit status: 0 nothing found, 1 findings, 2 bad usage, 3 something could not be read.\n"
      "  Example: meldevakt-agent scan --pack mssql-errorlog --zone Europe/Oslo D:/MSSQL/Log");
  command->add_option("PATH", scan.paths, "files, folders, globs")->required();
  command->add_option("--pack", scan.pack,
                      "rule pack: id, or its file; default: for each log the one that fits best");
  command->add_option("--zone", scan.zone, "time zone of the logs, e.g. Europe/Oslo");
  command->add_option("--since", scan.since, "findings from this moment on, e.g. 2023-02-01T09:30");
  command->add_option("--until", scan.until, "findings before this moment");
  command->add_option("--threads", scan.threads, "files read at a time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--config", scan.config, "configuration, for its packs");
  command->add_flag("--show-text", scan.show_text, "show the records' text (terminal only)");
  add_format(*command, scan.format);
  command->callback([&scan, &status] { status = meldevakt::agent::run_scan(scan); });
}

void add_hold(CLI::App& app, meldevakt::agent::HoldOptions& hold, int& status) {
  namespace agent = meldevakt::agent;
  CLI::App* group = app.add_subcommand(
      "hold", "the raw log around findings, kept on this host, encrypted, never sent");
  group->require_subcommand(1);
  add_version(*group);
  CLI::App* list = group->add_subcommand("list", "what is held, until when, and what is missing");
  add_common(*list, hold.common);
  list->callback([&] { status = agent::run_hold_list(hold.common); });
  CLI::App* open = group->add_subcommand(
      "open",
      "verify and decrypt a hold into a folder; prints no text of the log\n"
      "  Exit status: 0 all verifies, 1 something does not, 2 bad usage, 3 refused.");
  open->add_option("ID", hold.id, "hold, or the beginning of its id")->required();
  open->add_option("--to", hold.to, "a new folder for the files")->required();
  open->add_option("--key", hold.keys, "file of the private key");
  open->add_option("--passphrase-file", hold.passphrase_file,
                   "its first line opens the key; '-' for standard input");
  add_common(*open, hold.common);
  open->callback([&] { status = agent::run_hold_open(hold); });
  CLI::App* erase = group->add_subcommand("erase", "erase a hold before its time");
  erase->add_option("ID", hold.id, "hold, or the beginning of its id")->required();
  erase->add_option("--reason", hold.reason, "why; is kept with the date")->required();
  add_common(*erase, hold.common);
  erase->callback([&] { status = agent::run_hold_erase(hold); });
  CLI::App* key = group->add_subcommand(
      "key", "make the tenant's hold key; the private half is for you to keep elsewhere");
  key->add_option("--to", hold.to, "file for the private key; take it off this host")->required();
  key->add_option("--tenant", hold.tenant, "tenant's name in the configuration");
  key->add_option("--passphrase-file", hold.passphrase_file,
                  "its first line locks the key; '-' for standard input");
  key->add_flag("--no-passphrase", hold.no_passphrase, "do not lock the key");
  add_common(*key, hold.common);
  key->callback([&] { status = agent::run_hold_key(hold); });
}

// Every command has --help, --version and --format.
// CLI11 has exit codes of its own; ours are the same for every program of the house.
int parse_and_run(int argc, char** argv) {
  namespace agent = meldevakt::agent;
  CLI::App app{"Watches a case system's logs and tells its collector what became of each message."};
  add_version(app);
  app.require_subcommand(1);
  CommonOptions common;
  agent::EnrollOptions enroll;
  agent::ExplainOptions explain;
  agent::ScanOptions scan;
  agent::RulesTestOptions rules_test;
  agent::HoldOptions hold;
  int status = agent::kExitDone;

  CLI::App* run = app.add_subcommand("run", "run in the foreground until SIGTERM");
  add_common(*run, common);
  run->callback([&] { status = agent::run_agent(common); });
  CLI::App* enroll_command =
      app.add_subcommand("enroll", "make this host's keys and enrol with an invitation");
  add_common(*enroll_command, enroll.common);
  enroll_command->add_option("--invitation", enroll.invitation, "invitation file")->required();
  enroll_command->add_option("--tenant", enroll.tenant, "tenant's name in the configuration");
  enroll_command->callback([&] { status = agent::run_enroll(enroll); });
  CLI::App* check =
      app.add_subcommand("check", "check configuration, packs, files, state and collector");
  add_common(*check, common);
  check->callback([&] { status = agent::run_check(common); });
  CLI::App* status_command =
      app.add_subcommand("status", "what is read and what waits, from the state");
  add_common(*status_command, common);
  status_command->callback([&] { status = agent::run_status(common); });
  CLI::App* sent = app.add_subcommand(
      "sent", "all that left this house, readable: the enrolment and every statement");
  add_common(*sent, common);
  sent->callback([&] { status = agent::run_sent(common); });
  CLI::App* explain_command =
      app.add_subcommand("explain", "what the agent would make of a log file");
  explain_command->add_option("FILE", explain.file, "log file")->required();
  explain_command->add_option("--pack", explain.pack, "rule pack; default: the one that fits best");
  explain_command->add_option("--zone", explain.zone, "time zone of the log, e.g. Europe/Oslo");
  explain_command->add_option("--config", explain.config, "configuration, for its packs");
  explain_command->add_flag("--show-text", explain.show_text,
                            "show the records' text (terminal only)");
  add_format(*explain_command, explain.format);
  explain_command->callback([&] { status = agent::run_explain(explain); });
  add_scan(app, scan, status);
  add_hold(app, hold, status);
  CLI::App* rules = app.add_subcommand("rules", "work with rule packs");
  rules->require_subcommand(1);
  add_version(*rules);
  CLI::App* test = rules->add_subcommand("test", "check packs and their samples");
  test->add_option("FILE", rules_test.files, "rule packs (*.rules.toml)")->required();
  add_format(*test, rules_test.format);
  test->callback([&] { status = agent::run_rules_test(rules_test); });
  // Harmless here, so that scripts can give every command the same options.
  test->add_option("--config", common.config, "not used");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const std::string unknown = meldevakt::unknown_command(app, argc, argv);
    if (!unknown.empty()) {
      std::fprintf(stderr, "meldevakt-agent: %s\n", unknown.c_str());
      return agent::kExitUsage;
    }
    const int code = app.exit(error);
    return code == 0 ? agent::kExitDone : agent::kExitUsage;
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  return parse_and_run(argc, argv);
}
