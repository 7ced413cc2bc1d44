// Any file: looking at candidates only finds what looking at everything finds. The first byte
// chooses the pack's kind and how the file is cut into chunks.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/log_scanner.h"
#include "common/base/check.h"
#include "tests/fuzz/input.h"

namespace {

using meldevakt::agent::LogScanner;
using meldevakt::agent::Pack;
using meldevakt::agent::ScanOrder;

constexpr const char* kRules = R"(
[[rule]]
id = "a"
signal = "db.timeout"
literal = "feil"
[[rule]]
id = "b"
signal = "db.deadlock"
any_literal = ["vranglås", "ORA-00060"]
)";

std::vector<std::shared_ptr<const Pack>> packs() {
  std::vector<std::shared_ptr<const Pack>> out;
  for (const std::string record :
       {"starts = '\\d{4}-'\ntime = \"%Y-%m-%d %H:%M:%S\"\n",
        "header_only = '\\d{4}-'\nstarts = '\\S'\ntime = \"%Y-%m-%d %H:%M:%S\"\n",
        "starts = '\\d\\d-'\ntime = \"%m-%d %H:%M:%S\"\njoins = '\\S+ \\S+ (\\w)'\n"}) {
    for (const std::string encoding : {"\"utf-8\", \"windows-1252\"", "\"utf-16le\""}) {
      auto pack = meldevakt::agent::load_pack(
          "pack = \"f\"\nversion = \"1\"\nobserves = [\"db.timeout\"]\nencoding = [" + encoding +
              "]\n[record]\nbytes_max = 1024\nlines_max = 5\n" + record + kRules,
          "f.rules.toml");
      MELDEVAKT_CHECK(pack.has_value());
      out.push_back(pack.value());
    }
  }
  return out;
}

std::vector<std::string> scan(const std::shared_ptr<const Pack>& pack, std::string_view text,
                              std::size_t chunk, ScanOrder order) {
  LogScanner::Settings settings;
  settings.pack = pack;
  settings.order = order;
  settings.chunk_bytes = chunk;
  settings.plan_after_bytes = 0;
  LogScanner scanner{settings};
  scanner.feed(text);
  scanner.finish();
  MELDEVAKT_CHECK(scanner.stats().bytes == text.size());
  MELDEVAKT_CHECK(scanner.stats().recognised_bytes + scanner.stats().dropped_bytes <= text.size());
  std::vector<std::string> out;
  for (const auto& finding : scanner.take()) {
    out.push_back(std::to_string(finding.line) + "@" + std::to_string(finding.event.offset) + "+" +
                  std::to_string(finding.event.bytes) + " " + finding.event.rule + " " +
                  meldevakt::to_rfc3339(finding.event.time));
  }
  return out;
}

}  // namespace

int fuzz_scan(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::shared_ptr<const Pack>> all = packs();
  if (size == 0) return 0;
  const std::string_view text = meldevakt::fuzz::text_of(data + 1, size - 1);
  const auto& pack = all[data[0] % all.size()];
  const std::size_t chunk = 16 + data[0] / all.size() * 8;
  MELDEVAKT_CHECK(scan(pack, text, chunk, ScanOrder::kPrefiltered) ==
                  scan(pack, text, chunk, ScanOrder::kEverything));
  return 0;
}
