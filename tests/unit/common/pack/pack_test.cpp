#include "common/pack/pack.h"

#include <doctest/doctest.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/limits.h"
#include "common/testing/doubles.h"
#include "tests/unit/common/property.h"

namespace meldevakt {
namespace {

struct Options {
  int level = 3;
  int window_log = 0;  // 0 = the level's own
  bool checksum = false;
  bool declares_size = true;
};

// A frame as another program could make it.
std::string foreign_pack(std::string_view plain, const Options& options) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context{ZSTD_createCCtx(),
                                                                     &ZSTD_freeCCtx};
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, options.level);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, options.checksum ? 1 : 0);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_contentSizeFlag, options.declares_size ? 1 : 0);
  if (options.window_log != 0) {
    ZSTD_CCtx_setParameter(context.get(), ZSTD_c_windowLog, options.window_log);
  }
  std::string packed(ZSTD_compressBound(plain.size()) + 64, '\0');
  ZSTD_inBuffer in{plain.data(), plain.size(), 0};
  ZSTD_outBuffer out{packed.data(), packed.size(), 0};
  if (options.declares_size && options.window_log == 0) {
    ZSTD_CCtx_setPledgedSrcSize(context.get(), plain.size());
  }
  // Two calls: otherwise the library makes the frame a single segment, which has no window.
  ZSTD_compressStream2(context.get(), &out, &in, ZSTD_e_continue);
  REQUIRE(ZSTD_compressStream2(context.get(), &out, &in, ZSTD_e_end) == 0);
  packed.resize(out.pos);
  return packed;
}

std::string_view code_of(const Result<std::string>& result) {
  return result ? "ok" : to_string(result.error().code());
}

std::string sample() {
  std::string out;
  for (int i = 0; i < 2000; ++i) out += "{\"sequence\":" + std::to_string(i * i) + "}";
  return out;
}

TEST_CASE("pack: what is packed unpacks to itself") {
  testing::SeededRandom random{testing::property_seed()};
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{1000},
                                 std::size_t{200'000}, limits::kBodyPlainBytesMax}) {
    CAPTURE(size);
    const std::string zeros(size, '0');
    CHECK(unpack(pack(zeros), size).value() == zeros);
    const std::string noise = random.bytes(std::min<std::size_t>(size, 500'000));
    CHECK(unpack(pack(noise), noise.size()).value() == noise);
  }
  CHECK(pack(sample()) == pack(sample()));
  CHECK(pack(sample()).size() < sample().size() / 3);
}

TEST_CASE("unpack: cut anywhere, or with anything after it, it is corrupt") {
  const std::string plain = sample();
  for (const bool checksum : {false, true}) {
    const std::string packed = foreign_pack(plain, {.checksum = checksum});
    REQUIRE(unpack(packed, plain.size()).value() == plain);
    for (std::size_t length = 0; length < packed.size(); ++length) {
      REQUIRE(code_of(unpack(packed.substr(0, length), plain.size())) == "corrupt");
    }
    CHECK(code_of(unpack(packed + '\0', plain.size())) == "corrupt");
    CHECK(code_of(unpack(packed + packed, plain.size())) == "corrupt");
    CHECK(code_of(unpack(packed + packed, 2 * plain.size())) == "corrupt");
  }
}

TEST_CASE("unpack: the size must be the declared one, to the byte") {
  const std::string plain = sample();
  const std::string packed = pack(plain);
  CHECK(code_of(unpack(packed, plain.size())) == "ok");
  CHECK(code_of(unpack(packed, plain.size() - 1)) == "corrupt");
  CHECK(code_of(unpack(packed, plain.size() + 1)) == "corrupt");
  CHECK(code_of(unpack(packed, 0)) == "corrupt");
  CHECK(code_of(unpack(packed, limits::kBodyPlainBytesMax + 1)) == "limit");
  CHECK(code_of(unpack(packed, UINT64_MAX)) == "limit");
  CHECK(code_of(unpack(std::string(limits::kBodyPackedBytesMax + 1, 'x'), 1)) == "limit");
  // A frame that does not say how much is in it.
  const std::string silent = foreign_pack(plain, {.declares_size = false});
  CHECK(code_of(unpack(silent, plain.size())) == "corrupt");
}

TEST_CASE("unpack: a frame that lies about its size writes nothing beyond what was asked") {
  // A single segment: magic, descriptor 0x20 | two bytes of size, then blocks. The size says less
  // than the blocks hold, and more.
  const std::string plain = sample();
  const std::string packed = pack(plain);
  const auto descriptor = static_cast<unsigned char>(packed[4]);
  REQUIRE((descriptor & 0xe0) == 0x60);  // single segment, size in two bytes, less 256
  for (const int difference : {-300, -1, 1, 300}) {
    CAPTURE(difference);
    const auto claimed =
        static_cast<std::size_t>(static_cast<std::int64_t>(plain.size()) + difference);
    std::string lying = packed;
    lying[5] = static_cast<char>((claimed - 256) & 0xff);
    lying[6] = static_cast<char>((claimed - 256) >> 8);
    CHECK(code_of(unpack(lying, claimed)) == "corrupt");
    CHECK(code_of(unpack(lying, plain.size())) == "corrupt");
  }
}

TEST_CASE("unpack: bombs") {
  // 64 MB of zeros in a few kilobytes, claimed as what it is and as what is allowed.
  const std::string bomb = pack(std::string(64 << 20, '\0'));
  CHECK(bomb.size() < 10'000);
  CHECK(code_of(unpack(bomb, 64 << 20)) == "limit");
  CHECK(code_of(unpack(bomb, limits::kBodyPlainBytesMax)) == "corrupt");
  // Many frames, each of its own size.
  std::string chain;
  for (int i = 0; i < 100; ++i) chain += pack(std::string(1 << 20, '\0'));
  CHECK(code_of(unpack(chain, 1 << 20)) == "corrupt");
}

TEST_CASE("unpack: windows up to 8 MiB, no more") {
  // The header alone decides: magic, descriptor (size in 8 bytes, no single segment), window.
  const auto header = [](int exponent, int mantissa) {
    std::string out{"\x28\xb5\x2f\xfd\xc0", 5};
    out.push_back(static_cast<char>(exponent << 3 | mantissa));
    out += std::string{"\x05\0\0\0\0\0\0\0", 8};
    return out + std::string{"\x29\0\0hello", 8};  // one raw block of 5 bytes, the last
  };
  CHECK(code_of(unpack(header(0, 0), 5)) == "ok");
  CHECK(unpack(header(13, 0), 5).value() == "hello");
  CHECK(code_of(unpack(header(13, 1), 5)) == "limit");
  for (int exponent = 14; exponent < 32; ++exponent) {
    CAPTURE(exponent);
    CHECK(code_of(unpack(header(exponent, 0), 5)) == "limit");
  }
  const std::string foreign = foreign_pack(sample(), {.window_log = 24, .declares_size = false});
  CHECK(code_of(unpack(foreign, sample().size())) == "limit");
}

TEST_CASE("unpack: skippable frames, dictionaries and reserved bits are refused") {
  const std::string plain = sample();
  const std::string packed = pack(plain);
  const std::string skippable{"\x50\x2a\x4d\x18\x04\0\0\0abcd", 12};
  CHECK(code_of(unpack(skippable, 0)) == "corrupt");
  CHECK(code_of(unpack(skippable + packed, plain.size())) == "corrupt");
  CHECK(code_of(unpack(packed + skippable, plain.size())) == "corrupt");
  std::string reserved = packed;
  reserved[4] = static_cast<char>(reserved[4] | 0x08);
  CHECK(code_of(unpack(reserved, plain.size())) == "corrupt");
  std::string dictionary = packed;
  dictionary[4] = static_cast<char>(dictionary[4] | 0x01);
  dictionary.insert(5, "\x07");
  CHECK(code_of(unpack(dictionary, plain.size())) == "corrupt");
  dictionary[5] = '\0';  // "none", written out: a second spelling, which the library would take
  CHECK(code_of(unpack(dictionary, plain.size())) == "corrupt");
  for (const std::string_view text : {"", "x", "\x28\xb5\x2f\xfd", "{\"facts\":[]}"}) {
    CAPTURE(text);
    CHECK(code_of(unpack(text, 10)) == "corrupt");
  }
}

TEST_CASE("unpack: any single byte changed never gives more than was asked for") {
  const std::string plain = "{\"version\":1,\"salt\":\"\",\"facts\":[]}";
  for (const bool checksum : {false, true}) {
    const std::string packed = foreign_pack(plain, {.checksum = checksum});
    for (std::size_t at = 0; at < packed.size(); ++at) {
      for (int value = 0; value < 256; ++value) {
        std::string changed = packed;
        changed[at] = static_cast<char>(value);
        const auto result = unpack(changed, plain.size());
        if (result) REQUIRE(result.value().size() == plain.size());
      }
    }
  }
}

TEST_CASE("unpack: frames of the reference implementation") {
  const std::filesystem::path folder =
      std::filesystem::path{MELDEVAKT_SOURCE_DIR} / "../shared/data/vectors/zstd/tests";
  if (!std::filesystem::exists(folder)) {
    MESSAGE("skipped: the zstd vectors are not there");
    return;
  }
  const auto read = [](const std::filesystem::path& path) {
    std::ifstream file{path, std::ios::binary};
    return std::string{std::istreambuf_iterator<char>{file}, {}};
  };
  for (const auto& entry :
       std::filesystem::directory_iterator{folder / "golden-decompression-errors"}) {
    CAPTURE(entry.path().string());
    const std::string packed = read(entry.path());
    const std::uint64_t declared = ZSTD_getFrameContentSize(packed.data(), packed.size());
    for (const std::uint64_t bytes : {std::uint64_t{0}, std::uint64_t{100}, declared}) {
      CHECK_FALSE(unpack(packed, bytes).has_value());
    }
  }
  for (const auto& entry : std::filesystem::directory_iterator{folder / "golden-decompression"}) {
    CAPTURE(entry.path().string());
    const std::string packed = read(entry.path());
    std::string plain(1 << 20, '\0');
    const std::size_t bytes =
        ZSTD_decompress(plain.data(), plain.size(), packed.data(), packed.size());
    if (ZSTD_isError(bytes) != 0) {  // one of them is younger than some libraries
      CHECK_FALSE(unpack(packed, ZSTD_getFrameContentSize(packed.data(), packed.size())));
      continue;
    }
    plain.resize(bytes);
    const bool declares =
        ZSTD_getFrameContentSize(packed.data(), packed.size()) == std::uint64_t{bytes};
    const auto result = unpack(packed, bytes);
    CHECK(result.has_value() == declares);
    if (result) CHECK(result.value() == plain);
  }
  const std::string http = read(folder / "golden-compression/http");
  CHECK(unpack(pack(http), http.size()).value() == http);
}

}  // namespace
}  // namespace meldevakt
