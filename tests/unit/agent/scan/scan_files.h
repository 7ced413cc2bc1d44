// A pack and logs of our own for the tests of agent/scan.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "agent/recognise/pack.h"
#include "agent/scan/scan_run.h"

namespace meldevakt::agent::testing_scan {

inline std::shared_ptr<const Pack> small_pack() {
  constexpr const char* kToml = R"(
pack = "prove"
version = "1.0.0"
observes = ["message.committed"]
[record]
starts = '\d{4}-\d\d-\d\d '
time = "%Y-%m-%d %H:%M:%S,%f"
[[rule]]
id = "lagret"
signal = "message.committed"
literal = "er lagret"
)";
  auto pack = load_pack(kToml, "prove.rules.toml");
  return pack ? pack.value() : nullptr;
}

// `lines` lines, of which each hundredth says that something was stored.
inline std::string small_log(int lines, int first = 0) {
  std::string out;
  for (int i = first; i < first + lines; ++i) {
    out += "2023-02-01 09:" + std::to_string(10 + i / 60 % 50) + ":" + std::to_string(10 + i % 50) +
           ",101 [17] INFO Innboks - melding " + std::to_string(i * 7919) +
           (i % 100 == 0 ? " er lagret\n" : " er sett\n");
  }
  return out;
}

// Everything a run tells, a line each.
class Told : public ScanReporter {
 public:
  void found(const ScannedLog& log, std::vector<ScanFinding> findings) override {
    for (const ScanFinding& finding : findings) {
      lines.push_back(log.file + ":" + std::to_string(finding.line) + " " + finding.event.rule +
                      " @" + std::to_string(finding.event.offset));
    }
  }
  void ended(const ScannedLog& log) override {
    lines.push_back(log.file + " " + std::to_string(log.stats.bytes) + " bytes" +
                    (log.problem.empty() ? "" : ": " + log.problem));
    ended_logs.push_back(log);
  }
  std::vector<std::string> lines;
  std::vector<ScannedLog> ended_logs;
};

inline Told scan_with(std::vector<std::shared_ptr<const Pack>> packs,
                      const std::vector<std::string>& files, std::size_t threads = 1,
                      ScanOrder order = ScanOrder::kPrefiltered) {
  ScanRun::Settings settings;
  for (auto& pack : packs) settings.packs.push_back({std::move(pack), nullptr});
  settings.threads = threads;
  settings.order = order;
  ScanRun run{std::move(settings)};
  Told told;
  run.scan(files, told);
  return told;
}

}  // namespace meldevakt::agent::testing_scan
