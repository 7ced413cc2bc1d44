// Framing a file that nobody vouches for: every byte is accounted for, and where chunks are cut
// changes nothing. The first byte of the input chooses encoding and chunk length, the second the
// kind of record.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "agent/frame/record_framer.h"
#include "common/base/check.h"
#include "common/base/text.h"
#include "tests/fuzz/input.h"

namespace {

using meldevakt::Instant;
using meldevakt::agent::Encoding;
using meldevakt::agent::LineTests;
using meldevakt::agent::Record;
using meldevakt::agent::RecordFramer;
using meldevakt::agent::RecordKind;

constexpr std::array<Encoding, 5> kEncodings{Encoding::kUtf8, Encoding::kUtf16Le,
                                             Encoding::kUtf16Be, Encoding::kWindows1252,
                                             Encoding::kCp865};

struct Choice {
  Encoding encoding = Encoding::kUtf8;
  std::size_t kind = 0;  // 0 to 4 as RecordKind; 5 is csv that names its columns
};

RecordFramer make_framer(const Choice& choice) {
  RecordFramer::Settings settings;
  settings.encodings = {choice.encoding, Encoding::kWindows1252};
  settings.lines_max = 4;
  settings.record_bytes_max = 48;
  settings.shape.kind = choice.kind == 5 ? RecordKind::kCsv : static_cast<RecordKind>(choice.kind);
  settings.shape.columns_from_header = choice.kind == 5;
  if (choice.kind != 5) settings.shape.columns = {{"a", "b"}, {"a", "b", "c"}};
  settings.shape.element = "msg";
  settings.shape.byte_fields = {"m"};
  LineTests tests;
  if (settings.shape.kind == RecordKind::kLines) {
    tests.starts = [](std::string_view line) { return line.substr(0, 2) == "20"; };
    tests.header_only = [](std::string_view line) { return line.substr(0, 3) == "20h"; };
    tests.join_key = [](std::string_view line) { return line.substr(2, 1); };
  }
  return RecordFramer{settings, tests, 0};
}

std::vector<std::string> frame(std::string_view text, const Choice& choice,
                               std::size_t chunk_bytes) {
  RecordFramer framer = make_framer(choice);
  std::vector<std::string> out;
  const auto drain = [&] {
    while (true) {
      const std::uint64_t padding = framer.stats().padding_bytes;
      const std::uint64_t before = framer.low_water();
      const auto record = framer.next();
      const RecordFramer::Stats& s = framer.stats();
      MELDEVAKT_CHECK(s.bytes_fed == s.record_bytes + s.dropped_bytes + framer.pending_bytes());
      if (!record) break;
      MELDEVAKT_CHECK(record->offset >= before && record->bytes > 0);
      MELDEVAKT_CHECK(record->offset - before <= s.padding_bytes - padding);
      MELDEVAKT_CHECK(meldevakt::is_utf8(record->text));
      MELDEVAKT_CHECK(framer.low_water() == record->offset + record->bytes);
      out.push_back(std::to_string(record->offset) + "+" + std::to_string(record->bytes) +
                    (record->truncated ? "~" : "") + (record->malformed ? "!" : "") +
                    (record->context ? "c" : "") + (record->orphan ? "o" : " ") + record->text);
    }
  };
  for (std::size_t at = 0; at < text.size(); at += chunk_bytes) {
    framer.feed(text.substr(at, chunk_bytes), Instant{0});
    drain();
  }
  framer.finish();
  drain();
  MELDEVAKT_CHECK(framer.low_water() == text.size() && framer.pending_bytes() == 0);
  return out;
}

}  // namespace

int fuzz_records(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const Choice choice{kEncodings.at(data[0] % kEncodings.size()), data[1] % 6U};
  const std::string_view text = meldevakt::fuzz::text_of(data + 2, size - 2);
  const std::size_t chunk_bytes = 1 + data[0] / kEncodings.size();
  const auto whole = frame(text, choice, std::max<std::size_t>(text.size(), 1));
  MELDEVAKT_CHECK(whole == frame(text, choice, chunk_bytes));
  return 0;
}
