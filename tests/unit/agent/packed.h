// Compressed forms of a text, made with the formats' own libraries.
#pragma once

#include <Poco/DateTime.h>
#include <Poco/Zip/Compress.h>
#include <bzlib.h>
#include <doctest/doctest.h>
#include <zlib.h>
#include <zstd.h>

#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "agent/unpack/compression.h"

namespace meldevakt::agent {

inline std::string gzipped(const std::string& text) {
  z_stream stream{};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

inline std::string bzipped(const std::string& text) {
  std::string out(text.size() + text.size() / 50 + 1024, '\0');
  auto size = static_cast<unsigned>(out.size());
  REQUIRE(BZ2_bzBuffToBuffCompress(out.data(), &size, const_cast<char*>(text.data()),
                                   static_cast<unsigned>(text.size()), 9, 0, 0) == BZ_OK);
  out.resize(size);
  return out;
}

inline std::string zstandard(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const std::size_t size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3);
  REQUIRE(ZSTD_isError(size) == 0);
  out.resize(size);
  return out;
}

inline std::string zipped(const std::vector<std::pair<std::string, std::string>>& files) {
  std::ostringstream out;
  Poco::Zip::Compress zip{out, true};
  for (const auto& [name, text] : files) {
    std::istringstream in{text};
    zip.addFile(in, Poco::DateTime{}, Poco::Path{name, Poco::Path::PATH_UNIX});
  }
  zip.close();
  return out.str();
}

inline std::string packed(Compression compression, const std::string& text) {
  switch (compression) {
    case Compression::kGzip: return gzipped(text);
    case Compression::kBzip2: return bzipped(text);
    case Compression::kZstandard: return zstandard(text);
    case Compression::kZip: return zipped({{"app.log", text}});
  }
  return {};
}

}  // namespace meldevakt::agent
