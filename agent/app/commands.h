// The agent's commands, each as a function from options to an exit status. main.cpp parses the
// command line and calls them.
//
// What a person asked for goes to stdout, messages to stderr. Exit status: 0 done, 1 findings, 2
// bad usage or configuration, 3 the environment refused.
#pragma once

#include <string>
#include <vector>

#include "common/base/error.h"

namespace meldevakt::agent {

inline constexpr const char* kSoftwareVersion = MELDEVAKT_VERSION;

inline constexpr int kExitDone = 0;
inline constexpr int kExitFindings = 1;
inline constexpr int kExitUsage = 2;
inline constexpr int kExitEnvironment = 3;

enum class Format : std::uint8_t { kText, kJson };

struct CommonOptions {
  std::string config = "/etc/meldevakt/agent.toml";
  Format format = Format::kText;
};
struct EnrollOptions {
  CommonOptions common;
  std::string invitation;
  std::string tenant;
};
struct ExplainOptions {
  std::string file;
  std::string pack;    // "" = the one that recognises most
  std::string zone;    // "" = the pack's
  std::string config;  // "" = built-in packs only
  Format format = Format::kText;
  bool show_text = false;
};
struct ScanOptions {
  std::vector<std::string> paths;
  std::string pack;    // id, or file of a pack; "" = for each log the one that fits best
  std::string zone;    // "" = the pack's
  std::string since;   // "" = from the beginning
  std::string until;   // "" = to the end
  std::string config;  // "" = built-in packs only
  std::size_t threads = 1;
  Format format = Format::kJson;
  bool show_text = false;
};
struct HoldOptions {
  CommonOptions common;
  std::string id;                 // or the beginning of one that is enough to tell
  std::string to;                 // open: folder; key: file of the private key
  std::vector<std::string> keys;  // open: files of private keys
  std::string passphrase_file;    // "" = asked at the terminal, "-" = the first line of stdin
  std::string reason;             // erase
  std::string tenant;             // key: name; "" when there is one only
  bool no_passphrase = false;
};
struct RulesTestOptions {
  std::vector<std::string> files;
  Format format = Format::kText;
};

[[nodiscard]] int run_agent(const CommonOptions& options);
[[nodiscard]] int run_enroll(const EnrollOptions& options);
[[nodiscard]] int run_check(const CommonOptions& options);
[[nodiscard]] int run_status(const CommonOptions& options);
[[nodiscard]] int run_sent(const CommonOptions& options);
[[nodiscard]] int run_explain(const ExplainOptions& options);
[[nodiscard]] int run_scan(const ScanOptions& options);
[[nodiscard]] int run_hold_list(const CommonOptions& options);
[[nodiscard]] int run_hold_open(const HoldOptions& options);
[[nodiscard]] int run_hold_erase(const HoldOptions& options);
[[nodiscard]] int run_hold_key(const HoldOptions& options);
[[nodiscard]] int run_rules_test(const RulesTestOptions& options);

// --- for the commands themselves
[[nodiscard]] int exit_status_of(const Error& error);
[[nodiscard]] int complain(const Error& error);  // "meldevakt-agent: ..." on stderr
void print(std::string_view text);               // on stdout

}  // namespace meldevakt::agent
