#include "agent/unpack/zip_files.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "tests/unit/agent/packed.h"

namespace meldevakt::agent {
namespace {

ReadRaw reader_of(std::string raw, std::size_t* reads = nullptr) {
  return [raw = std::move(raw), reads](std::uint64_t offset, char* buffer,
                                       std::size_t size) -> Result<std::size_t> {
    if (reads != nullptr) ++*reads;
    if (offset >= raw.size()) return std::size_t{0};
    const std::size_t got = std::min(size, raw.size() - static_cast<std::size_t>(offset));
    std::memcpy(buffer, raw.data() + offset, got);
    return got;
  };
}

std::string whole(ByteSource& source, std::size_t step) {
  std::string out;
  std::string buffer(step, '\0');
  while (true) {
    const auto got = source.read(buffer.data(), buffer.size());
    REQUIRE(got.has_value());
    if (got.value() == 0) return out;
    out.append(buffer, 0, got.value());
  }
}

std::string lines(int from, int to) {
  std::string out;
  for (int i = from; i < to; ++i) out += "linje " + std::to_string(i * 7919) + "\n";
  return out;
}

TEST_CASE("ZipFiles: every file of an archive, in any order, through the reader it was given") {
  const std::string big = lines(0, 40'000);
  const std::string raw =
      zipped({{"stor.log", big}, {"under/liten.log", lines(5, 9)}, {"tom.log", ""}});
  std::size_t reads = 0;
  auto zip = ZipFiles::open(reader_of(raw, &reads), raw.size());
  REQUIRE(zip.has_value());
  CHECK(reads > 0);
  CHECK(reads < 20);  // the directory is found where it stands, not searched for
  std::vector<std::string> names = zip.value()->names();
  std::sort(names.begin(), names.end());
  REQUIRE(names == std::vector<std::string>{"stor.log", "tom.log", "under/liten.log"});
  for (const std::size_t step : {1000U, 1'000'000U}) {
    for (std::size_t i = 3; i-- > 0;) {
      const std::string& name = zip.value()->names()[i];
      auto file = zip.value()->file(i);
      REQUIRE(file.has_value());
      const std::string want = name == "stor.log" ? big : name == "tom.log" ? "" : lines(5, 9);
      CHECK(whole(*file.value(), step) == want);
    }
  }
}

TEST_CASE("ZipFiles: an entry without a name is a file like others, and costs none") {
  std::string raw = zipped({{"a", ""}, {"b.log", lines(0, 30)}});
  // Its name of one letter becomes an extra field of one byte: lengths at 26 and 28 of the local
  // header, at 28 and 30 of the directory's.
  const auto shorten = [&raw](std::string_view mark, std::size_t name_length_at) {
    const std::size_t at = raw.find(mark) + name_length_at;
    std::swap(raw[at], raw[at + 2]);
  };
  shorten("PK\x03\x04", 26);
  shorten("PK\x01\x02", 28);
  auto zip = ZipFiles::open(reader_of(raw), raw.size());
  REQUIRE(zip.has_value());
  CHECK(zip.value()->names() == std::vector<std::string>{"", "b.log"});
  const auto file = zip.value()->file(1);
  REQUIRE(file.has_value());
  CHECK(whole(*file.value(), 100) == lines(0, 30));
}

TEST_CASE("ZipFiles: cut off, encrypted, and a reader that fails are told apart") {
  std::string raw = zipped({{"a.log", lines(0, 3000)}, {"b.log", lines(0, 30)}});
  CHECK(ZipFiles::open(reader_of(raw.substr(0, raw.size() / 2)), raw.size() / 2).error().code() ==
        Errc::kUnavailable);
  const auto refuses = [](std::uint64_t, char*, std::size_t) -> Result<std::size_t> {
    return Error{Errc::kIo, "the disk says no"};
  };
  CHECK(ZipFiles::open(refuses, raw.size()).error().message() == "the disk says no");
  // Bit 0 of the general purpose flags: encrypted (local header at 6, directory's at 8).
  for (std::size_t at = 0; (at = raw.find("PK\x03\x04", at, 4)) != std::string::npos; ++at) {
    raw[at + 6] = static_cast<char>(raw[at + 6] | 1);
  }
  auto zip = ZipFiles::open(reader_of(raw), raw.size());
  REQUIRE(zip.has_value());
  const auto file = zip.value()->file(0);
  REQUIRE_FALSE(file.has_value());
  CHECK(file.error().code() == Errc::kInvalid);
}

}  // namespace
}  // namespace meldevakt::agent
