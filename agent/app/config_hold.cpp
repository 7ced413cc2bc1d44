#include "agent/app/config_hold.h"

#include "agent/app/config.h"

namespace meldevakt::agent {
namespace {

constexpr std::uint64_t kBytesLeast = 10'000'000;
constexpr std::uint64_t kSourceBytesLeast = 1'000'000;

std::uint64_t read_bytes(ConfigTable& in, std::string_view key, std::uint64_t otherwise,
                         std::uint64_t least) {
  const std::string text = in.text(key);
  if (text.empty()) return otherwise;
  const auto size = parse_size(text);
  const std::string name = "'" + std::string{key} + "' in [hold]";
  if (!size) {
    in.mistake(key, name + ": " + size.error().message());
  } else if (size.value() < least) {
    in.mistake(key, name + " must be at least " + std::to_string(least / 1'000'000) + " MB");
  } else {
    return size.value();
  }
  return otherwise;
}

}  // namespace

void read_hold_config(const toml::table& table, HoldSettings& out, Mistakes& mistakes) {
  ConfigTable in{table, "[hold]", mistakes};
  out.enabled = in.flag("enabled", out.enabled);
  out.bytes = read_bytes(in, "bytes", out.bytes, kBytesLeast);
  out.source_bytes = read_bytes(in, "source_bytes", out.source_bytes, kSourceBytesLeast);
  out.keep = days(in.whole("days", out.keep.ms / days(1).ms, 1, 3650));
  out.before = in.duration("before", seconds(1), hours(1)).value_or(out.before);
  out.after = in.duration("after", seconds(1), minutes(30)).value_or(out.after);
  in.finish();
}

}  // namespace meldevakt::agent
