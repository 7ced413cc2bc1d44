// collector.toml: read strictly, so that a slip of the pen is a message and not a surprise.
//
//   data  = "/var/lib/meldevakt-collector"
//   names = ["kollektor.example", "127.0.0.1"]
//   on_finding = "/usr/local/bin/alarm"                                            (optional)
//   [agents]   listen = "127.0.0.1:8443"   url = "https://kollektor.example:8443"   (optional)
//              silent_after = "10m"
//   [people]   listen = "127.0.0.1:8444"
//   [policy]   grace = "30s"  look_before = "10m"  clock_error = "2s"  nearby = "2m"
//              confirm_within = "24h"  post_within = "120h"
//   [control]  at = "06:00"  zone = "Europe/Oslo"  look_back = "31d"
//   [[portal]] name = "npb"  zone = "Europe/Oslo"  columns = { sent = ["innsendt"] }
//
// Errors: kInvalid with file, line and what to write instead; kNotFound, kIo for the file itself.
// A relative `data` is taken from the folder of the configuration file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collector/correlate/correlate.h"
#include "collector/correlate/coverage_query.h"
#include "collector/report/control_record.h"
#include "common/base/result.h"
#include "common/receipts/receipts.h"

namespace meldevakt::collector {

struct ListenAddress {
  std::string address;  // of an interface, without brackets
  std::uint16_t port = 0;
};

struct PortalConfig {
  std::string name = "npb";
  std::string zone = "Europe/Oslo";
  ColumnMapping columns = default_columns();
};

// The standing control: once a day, over the receipts of the last `look_back`.
struct ControlConfig {
  ControlSchedule schedule;
  std::string zone = "Europe/Oslo";
  Duration look_back = days(31);  // longer than any portal keeps a message
};

struct Config {
  std::string data;
  std::vector<std::string> names;
  std::string on_finding;  // full path of a program that is run for each finding; "" = none
  ListenAddress agents{"127.0.0.1", 8443};
  std::string agents_url;                // "" = from names and port
  Duration silent_after = kSilentAfter;  // an agent that told nothing for longer is an alarm
  ListenAddress people{"127.0.0.1", 8444};
  Policy policy;
  ControlConfig control;
  std::vector<PortalConfig> portals{PortalConfig{}};

  [[nodiscard]] std::string in_data(std::string_view file) const {
    return data + "/" + std::string(file);
  }
};

[[nodiscard]] Result<Config> load_config(const std::string& path);
// `path` names the file in errors and anchors a relative `data`.
[[nodiscard]] Result<Config> parse_config(std::string_view toml, const std::string& path);

}  // namespace meldevakt::collector
