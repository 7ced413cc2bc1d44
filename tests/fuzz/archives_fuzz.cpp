// A compressed file as others wrote it: it is unpacked to an end or to an error, in the same way
// whatever the size of a read and whichever library does it, and never to more than is asked for.
#include <algorithm>
#include <optional>
#include <string>

#include "agent/unpack/unpacker.h"
#include "agent/unpack/zip_files.h"
#include "common/base/check.h"
#include "tests/fuzz/input.h"

namespace {

using meldevakt::agent::ByteSource;
using meldevakt::agent::Compression;
using meldevakt::agent::ReadRaw;
using meldevakt::agent::Unpacker;
using meldevakt::agent::ZipFiles;

// Small inputs can hold much: a test of the input reads no more than this of its content.
constexpr std::size_t kContentMax = 256 * 1024;

struct Content {
  std::string bytes;
  bool whole = false;  // up to its end
};

Content content_of(ByteSource& source, std::size_t step) {
  Content out;
  std::string buffer(step, '\0');
  while (out.bytes.size() < kContentMax) {
    const auto got = source.read(buffer.data(), step);
    if (!got) return out;
    MELDEVAKT_CHECK(got.value() <= step);
    if (got.value() == 0) {
      out.whole = true;
      return out;
    }
    out.bytes.append(buffer, 0, got.value());
  }
  return out;
}

void unpack(Compression compression, const ReadRaw& read_raw, std::size_t size) {
  std::optional<Content> first;
  for (const bool portable : {false, true}) {
    auto unpacker = Unpacker::open(compression, read_raw, size, portable);
    if (!unpacker) continue;
    const Content content = content_of(*unpacker.value(), portable ? 4096 : 1021);
    // Of damaged content libraries give as much as they have when they notice.
    if (first && first->whole && content.whole) MELDEVAKT_CHECK(first->bytes == content.bytes);
    if (!first) first = content;
  }
}

}  // namespace

int fuzz_archives(const std::uint8_t* data, std::size_t size) {
  const std::string_view input = meldevakt::fuzz::text_of(data, size);
  const ReadRaw read_raw = [input](std::uint64_t offset, char* to,
                                   std::size_t bytes) -> meldevakt::Result<std::size_t> {
    const std::size_t from = std::min<std::size_t>(offset, input.size());
    const std::size_t got = std::min(bytes, input.size() - from);
    std::copy_n(input.data() + from, got, to);
    return got;
  };
  const auto compression = meldevakt::agent::compression_of(input);
  if (!compression) return 0;
  if (*compression != Compression::kZip) {
    unpack(*compression, read_raw, size);
    return 0;
  }
  auto zip = ZipFiles::open(read_raw, size);
  if (!zip) return 0;
  MELDEVAKT_CHECK(zip.value()->names().size() <= meldevakt::agent::kZipFilesMax);
  for (std::size_t i = 0; i < std::min<std::size_t>(4, zip.value()->names().size()); ++i) {
    const auto file = zip.value()->file(i);
    if (file) static_cast<void>(content_of(*file.value(), 1021));
  }
  return 0;
}
