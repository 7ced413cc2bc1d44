#include "common/summary/frame.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/limits.h"

namespace meldevakt {
namespace {

std::string u32(std::uint32_t value) {
  std::string out;
  append_u32(out, value);
  return out;
}

const Frame kFrame{"{envelope}", {"first", "", "third body"}};

TEST_CASE("frame: the bytes of the grammar, and back") {
  CHECK(encode_frame({"{}", {"ab"}}) == "MVF1" + u32(2) + "{}" + u32(1) + u32(2) + "ab");
  CHECK(encode_frame({"", {}}) == "MVF1" + u32(0) + u32(0));
  REQUIRE(decode_frame(encode_frame(kFrame)).has_value());
  CHECK(decode_frame(encode_frame(kFrame)).value() == kFrame);
}

TEST_CASE("frame: cut anywhere, or with one byte more, it is corrupt") {
  const std::string bytes = encode_frame(kFrame);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    CAPTURE(length);
    const auto frame = decode_frame(bytes.substr(0, length));
    REQUIRE_FALSE(frame.has_value());
    CHECK(frame.error().code() == Errc::kCorrupt);
  }
  const auto longer = decode_frame(bytes + "x");
  REQUIRE_FALSE(longer.has_value());
  CHECK(longer.error().message() == "frame: 1 bytes after its end");
}

TEST_CASE("frame: any single byte changed gives an error or the frame that those bytes spell") {
  const std::string bytes = encode_frame(kFrame);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string changed = bytes;
      changed[at] = static_cast<char>(value);
      const auto frame = decode_frame(changed);
      if (frame) REQUIRE(encode_frame(frame.value()) == changed);
    }
  }
}

TEST_CASE("frame: lengths that promise more than the bound are refused before anything is copied") {
  constexpr auto body_max = static_cast<std::uint32_t>(limits::kBodyPackedBytesMax);
  struct Case {
    std::string_view name;
    std::string bytes;
    Errc want;
  };
  const std::vector<Case> cases{
      {"another magic", "MVF2" + u32(0) + u32(0), Errc::kCorrupt},
      {"an envelope of 4 GB", "MVF1" + u32(UINT32_MAX), Errc::kLimit},
      {"an envelope one too long",
       "MVF1" + u32(static_cast<std::uint32_t>(limits::kEnvelopeBytesMax + 1)), Errc::kLimit},
      {"the longest envelope, missing",
       "MVF1" + u32(static_cast<std::uint32_t>(limits::kEnvelopeBytesMax)), Errc::kCorrupt},
      {"nine bodies", "MVF1" + u32(0) + u32(9), Errc::kLimit},
      {"4 milliard bodies", "MVF1" + u32(0) + u32(UINT32_MAX), Errc::kLimit},
      {"a body one too long", "MVF1" + u32(0) + u32(1) + u32(body_max + 1), Errc::kLimit},
      {"the whole too long", std::string(limits::kFrameBytesMax + 1, 'M'), Errc::kLimit},
  };
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const auto frame = decode_frame(c.bytes);
    REQUIRE_FALSE(frame.has_value());
    CHECK(frame.error().code() == c.want);
  }
  const Frame largest{std::string(limits::kEnvelopeBytesMax, 'e'), {std::string(body_max, 'b')}};
  CHECK(decode_frame(encode_frame(largest)).value() == largest);
}

}  // namespace
}  // namespace meldevakt
