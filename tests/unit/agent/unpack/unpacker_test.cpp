#include "agent/unpack/unpacker.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/agent/packed.h"

namespace meldevakt::agent {
namespace {

constexpr Compression kAll[] = {Compression::kGzip, Compression::kBzip2, Compression::kZstandard,
                                Compression::kZip};

ReadRaw reader_of(std::string raw) {
  return [raw = std::move(raw)](std::uint64_t offset, char* buffer,
                                std::size_t size) -> Result<std::size_t> {
    if (offset >= raw.size()) return std::size_t{0};
    const std::size_t got = std::min(size, raw.size() - static_cast<std::size_t>(offset));
    std::memcpy(buffer, raw.data() + offset, got);
    return got;
  };
}

struct Unpacked {
  std::string text;
  std::string error;
  Errc code = Errc::kIo;
};

Unpacked unpack(const std::string& raw, std::size_t step = 1000, bool portable = false) {
  Unpacked out;
  const auto compression = compression_of(raw);
  REQUIRE(compression);
  auto unpacker = Unpacker::open(*compression, reader_of(raw), raw.size(), portable);
  if (!unpacker) return {"", std::string{unpacker.error().message()}, unpacker.error().code()};
  std::string buffer(step, '\0');
  while (true) {
    const auto got = unpacker.value()->read(buffer.data(), buffer.size());
    if (!got) {
      out.error = got.error().message();
      out.code = got.error().code();
      const auto again = unpacker.value()->read(buffer.data(), buffer.size());
      CHECK(!again);
      return out;
    }
    if (got.value() == 0) return out;
    out.text.append(buffer, 0, got.value());
  }
}

std::string log_text(std::size_t lines) {
  std::string out;
  std::uint64_t random = 88172645463325252U;
  for (std::size_t i = 0; i < lines; ++i) {
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    out += std::to_string(i) + " INFO Innboks - lagret på " + std::to_string(random) + " ms\n";
  }
  return out;
}

TEST_CASE("Unpacker: gives back what was packed, whatever the form and the size of the reads") {
  for (const std::size_t lines : {0U, 1U, 3'000U, 20'000U}) {
    const std::string text = log_text(lines);
    for (const Compression compression : kAll) {
      const std::string raw = packed(compression, text);
      for (const std::size_t step : {7U, 4096U, 1U << 20U}) {
        if (step == 7 && lines > 5'000) continue;
        CAPTURE(to_string(compression));
        CAPTURE(lines);
        CAPTURE(step);
        const Unpacked got = unpack(raw, step);
        CHECK(got.error == "");
        CHECK(got.text == text);
      }
    }
    CHECK(unpack(gzipped(text), 4096, true).text == text);  // zlib
  }
}

TEST_CASE("Unpacker: members one after the other are one content") {
  const std::string a = log_text(2'000);
  const std::string b = log_text(50);
  for (const Compression compression :
       {Compression::kGzip, Compression::kBzip2, Compression::kZstandard}) {
    CAPTURE(to_string(compression));
    const std::string raw = packed(compression, a) + packed(compression, b);
    CHECK(unpack(raw).text == a + b);
    CHECK(unpack(raw, 4096, true).text == a + b);
  }
  const std::string padded = gzipped(a) + std::string(3 * Unpacker::kRawBytes, '\0');
  CHECK(unpack(padded).text == a);
  CHECK(unpack(padded).error == "");
}

TEST_CASE(
    "Unpacker: cut off anywhere it says that it ends in the middle, never that all is there") {
  const std::string text = log_text(3'000);
  for (const Compression compression : kAll) {
    const std::string raw = packed(compression, text);
    for (std::size_t size = kCompressionBytes; size < raw.size(); size += raw.size() / 23 + 1) {
      CAPTURE(to_string(compression));
      CAPTURE(size);
      const Unpacked got = unpack(raw.substr(0, size));
      CHECK(got.error == "it ends in the middle");
      CHECK(got.code == Errc::kUnavailable);
      CHECK(text.compare(0, got.text.size(), got.text) == 0);
    }
  }
}

TEST_CASE("Unpacker: a byte changed anywhere is noticed, or does no harm") {
  const std::string text = log_text(400);
  for (const Compression compression : kAll) {
    const std::string raw = packed(compression, text);
    for (std::size_t at = kCompressionBytes; at < raw.size(); at += raw.size() / 97 + 1) {
      CAPTURE(to_string(compression));
      CAPTURE(at);
      std::string damaged = raw;
      damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
      const Unpacked got = unpack(damaged);
      // Header fields that no content hangs on (a time, a name) may differ.
      if (got.error.empty() && compression != Compression::kZstandard) CHECK(got.text == text);
    }
  }
}

TEST_CASE("Unpacker: what else it refuses") {
  const std::string text = log_text(10);
  const Unpacked trailing = unpack(gzipped(text) + "garbage");
  CHECK(trailing.text == text);
  CHECK(trailing.error == "something else follows its content");
  const Unpacked several = unpack(zipped({{"a.log", "a\n"}, {"b.log", "b\n"}}));
  CHECK(several.error == "it holds several files; unpack it and name them");
  CHECK(several.code == Errc::kLimit);
  std::string wide(1 << 16, 'x');
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, 30);
  ZSTD_CCtx_setParameter(context, ZSTD_c_enableLongDistanceMatching, 1);
  ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  ZSTD_outBuffer out{wide.data(), wide.size(), 0};
  ZSTD_inBuffer in{text.data(), text.size(), 0};
  // In two parts, so that the size is not known when the frame's header is written.
  REQUIRE(ZSTD_compressStream2(context, &out, &in, ZSTD_e_flush) == 0);
  REQUIRE(ZSTD_compressStream2(context, &out, &in, ZSTD_e_end) == 0);
  ZSTD_freeCCtx(context);
  const Unpacked window = unpack(wide.substr(0, out.pos));
  CHECK(window.error == "it asks for a window of more than 128 MiB");
  CHECK(window.code == Errc::kLimit);
}

TEST_CASE("compression_of: by the first bytes only") {
  CHECK(compression_of("\x1f\x8b\x08") == Compression::kGzip);
  CHECK(compression_of("BZh9") == Compression::kBzip2);
  CHECK(compression_of("\x28\xb5\x2f\xfd") == Compression::kZstandard);
  CHECK(compression_of("\x5e\x2a\x4d\x18") == Compression::kZstandard);
  CHECK(compression_of(std::string_view{"PK\x03\x04", 4}) == Compression::kZip);
  for (const std::string_view text : {"", "2023", "PK", "BZhx", "\x1f", "\x28\xb5"}) {
    CAPTURE(text);
    CHECK(!compression_of(text));
  }
}

}  // namespace
}  // namespace meldevakt::agent
