#include "agent/unpack/compression.h"

namespace meldevakt::agent {

std::optional<Compression> compression_of(std::string_view first_bytes) {
  const std::string_view four = first_bytes.substr(0, kCompressionBytes);
  if (four.substr(0, 2) == "\x1f\x8b") return Compression::kGzip;
  if (four.size() < kCompressionBytes) return std::nullopt;
  if (four.substr(0, 3) == "BZh" && four[3] >= '1' && four[3] <= '9') return Compression::kBzip2;
  if (four == "\x28\xb5\x2f\xfd") return Compression::kZstandard;
  const bool skippable = four.substr(1) == "\x2a\x4d\x18";
  if (skippable && static_cast<unsigned char>(four[0]) >> 4U == 5) return Compression::kZstandard;
  if (four == std::string_view{"PK\x03\x04", 4}) return Compression::kZip;
  return std::nullopt;
}

std::string_view to_string(Compression compression) {
  switch (compression) {
    case Compression::kGzip: return "gzip";
    case Compression::kBzip2: return "bzip2";
    case Compression::kZstandard: return "zstd";
    case Compression::kZip: return "zip";
  }
  return "gzip";
}

}  // namespace meldevakt::agent
