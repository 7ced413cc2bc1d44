#include "common/summary/frame.h"

#include <cstdint>
#include <optional>
#include <utility>

#include "common/base/bytes.h"
#include "common/base/check.h"
#include "common/base/limits.h"

namespace meldevakt {
namespace {

constexpr std::string_view kMagic = "MVF1";
constexpr std::size_t kLengthBytes = 4;

Error truncated() {
  return {Errc::kCorrupt, "frame: truncated"};
}

// Takes the next length off the front; nullopt when it is cut off.
std::optional<std::uint32_t> take_u32(std::string_view& rest) {
  if (rest.size() < kLengthBytes) return std::nullopt;
  const std::uint32_t value = read_u32(rest);
  rest.remove_prefix(kLengthBytes);
  return value;
}

// Takes a length and as many bytes. Nothing is copied before its length is known to be there.
Result<std::string> take_block(std::string_view& rest, std::size_t bytes_max,
                               std::string_view what) {
  const std::optional<std::uint32_t> bytes = take_u32(rest);
  if (!bytes) return truncated();
  if (*bytes > bytes_max) {
    return Error{Errc::kLimit, "frame: " + std::string{what} + " of " + std::to_string(*bytes) +
                                   " bytes, more than " + std::to_string(bytes_max)};
  }
  if (*bytes > rest.size()) return truncated();
  std::string block{rest.substr(0, *bytes)};
  rest.remove_prefix(*bytes);
  return block;
}

void append_block(std::string& out, std::string_view block) {
  append_u32(out, static_cast<std::uint32_t>(block.size()));
  out += block;
}

}  // namespace

std::string encode_frame(const Frame& frame) {
  MELDEVAKT_CHECK(frame.envelope.size() <= limits::kEnvelopeBytesMax);
  MELDEVAKT_CHECK(frame.bodies.size() <= limits::kBodiesPerStatementMax);
  std::string out{kMagic};
  append_block(out, frame.envelope);
  append_u32(out, static_cast<std::uint32_t>(frame.bodies.size()));
  for (const std::string& body : frame.bodies) {
    MELDEVAKT_CHECK(body.size() <= limits::kBodyPackedBytesMax);
    append_block(out, body);
  }
  MELDEVAKT_CHECK(out.size() <= limits::kFrameBytesMax);
  return out;
}

Result<Frame> decode_frame(std::string_view bytes) {
  if (bytes.size() > limits::kFrameBytesMax) {
    return Error{Errc::kLimit,
                 "frame: more than " + std::to_string(limits::kFrameBytesMax) + " bytes"};
  }
  if (bytes.substr(0, kMagic.size()) != kMagic) {
    return Error{Errc::kCorrupt, "frame: does not begin with MVF1"};
  }
  std::string_view rest = bytes.substr(kMagic.size());
  Frame frame;
  MELDEVAKT_TRY_ASSIGN(frame.envelope, take_block(rest, limits::kEnvelopeBytesMax, "an envelope"));
  const std::optional<std::uint32_t> count = take_u32(rest);
  if (!count) return truncated();
  if (*count > limits::kBodiesPerStatementMax) {
    return Error{Errc::kLimit, "frame: " + std::to_string(*count) + " bodies, more than " +
                                   std::to_string(limits::kBodiesPerStatementMax)};
  }
  for (std::uint32_t i = 0; i < *count; ++i) {
    MELDEVAKT_TRY_ASSIGN(std::string body, take_block(rest, limits::kBodyPackedBytesMax, "a body"));
    frame.bodies.push_back(std::move(body));
  }
  if (!rest.empty()) {
    return Error{Errc::kCorrupt, "frame: " + std::to_string(rest.size()) + " bytes after its end"};
  }
  return frame;
}

}  // namespace meldevakt
