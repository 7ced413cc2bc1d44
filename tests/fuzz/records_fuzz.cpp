// Framing a file that nobody vouches for: every byte is accounted for, and where chunks are cut
// changes nothing. The first byte of the input chooses encoding and chunk length.
#include <algorithm>
#include <string>
#include <vector>

#include "agent/frame/record_framer.h"
#include "common/base/check.h"
#include "common/base/text.h"
#include "tests/fuzz/input.h"

namespace {

using meldevakt::Instant;
using meldevakt::agent::Encoding;
using meldevakt::agent::Record;
using meldevakt::agent::RecordFramer;

std::vector<std::string> frame(std::string_view text, Encoding encoding, std::size_t chunk_bytes) {
  RecordFramer::Settings settings;
  settings.encodings = {encoding, Encoding::kWindows1252};
  settings.lines_max = 4;
  settings.record_bytes_max = 32;
  RecordFramer framer{settings, [](std::string_view line) { return line.substr(0, 2) == "20"; }, 0};
  std::vector<std::string> out;
  std::uint64_t next = 0;
  const auto drain = [&] {
    while (const auto record = framer.next()) {
      MELDEVAKT_CHECK(record->offset == next && record->bytes > 0);
      MELDEVAKT_CHECK(meldevakt::is_utf8(record->text));
      next += record->bytes;
      MELDEVAKT_CHECK(framer.low_water() == next);
      out.push_back(std::to_string(record->bytes) + (record->truncated ? "~" : " ") + record->text);
    }
    const RecordFramer::Stats& s = framer.stats();
    MELDEVAKT_CHECK(s.bytes_fed == s.record_bytes + s.dropped_bytes + framer.pending_bytes());
  };
  for (std::size_t at = 0; at < text.size(); at += chunk_bytes) {
    framer.feed(text.substr(at, chunk_bytes), Instant{0});
    drain();
  }
  framer.finish();
  drain();
  MELDEVAKT_CHECK(next == text.size() && framer.pending_bytes() == 0);
  return out;
}

}  // namespace

int fuzz_records(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto encoding = static_cast<Encoding>(data[0] % 3);
  const std::string_view text = meldevakt::fuzz::text_of(data + 1, size - 1);
  const std::size_t chunk_bytes = 1 + data[0] / 3U;
  const auto whole = frame(text, encoding, std::max<std::size_t>(text.size(), 1));
  MELDEVAKT_CHECK(whole == frame(text, encoding, chunk_bytes));
  return 0;
}
