#include "agent/hold/hold_part.h"

#include <nlohmann/json.hpp>

#include "common/pack/pack.h"
#include "common/ports/sealed_box.h"
#include "common/ports/sha256.h"

namespace meldevakt::agent {
namespace {

using Json = nlohmann::ordered_json;

Result<PartHead> head_from(std::string_view text) {
  try {
    const Json json = Json::parse(text);
    PartHead out;
    out.part.hold = json.at("hold").get<std::string>();
    out.part.number = json.at("number").get<std::uint64_t>();
    out.tenant = json.at("tenant").get<std::string>();
    out.part.source = json.at("source").get<std::string>();
    out.part.key = json.at("key").get<std::string>();
    out.part.path = json.at("path").get<std::string>();
    out.part.from = json.at("from").get<std::uint64_t>();
    out.part.to = json.at("to").get<std::uint64_t>();
    out.key_id = json.at("sealed_to").get<std::string>();
    MELDEVAKT_TRY_ASSIGN(out.part.plain,
                         Sha256::from_hex_text(json.at("sha256").get<std::string>()));
    if (out.part.to < out.part.from || out.part.to - out.part.from > kHoldPartBytes) {
      return Error{Errc::kCorrupt, "its range is out of bounds"};
    }
    out.plain_bytes = out.part.to - out.part.from;
    return out;
  } catch (const Json::exception&) {
    return Error{Errc::kCorrupt, "its head is damaged"};
  }
}

}  // namespace

Result<std::string> encode_part(const HoldPart& part, const std::string& tenant,
                                std::string_view bytes, std::string_view public_key) {
  if (bytes.size() > kHoldPartBytes || bytes.size() != part.to - part.from) {
    return Error{Errc::kInvalid, "a part holds exactly its range, at most 1 MiB"};
  }
  const Json json{{"hold", part.hold},
                  {"number", part.number},
                  {"tenant", tenant},
                  {"source", part.source},
                  {"key", part.key},
                  {"path", part.path},
                  {"from", part.from},
                  {"to", part.to},
                  {"sha256", sha256(bytes).hex()},
                  {"sealed_to", box_key_id(public_key)}};
  const std::string head = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (head.size() > kPartHeadBytesMax) return Error{Errc::kInvalid, "the file's name is too long"};
  std::string out{kPartMagic};
  append_u32(out, static_cast<std::uint32_t>(head.size()));
  out += head;
  MELDEVAKT_TRY_ASSIGN(const std::string box, seal_box(public_key, out, pack(bytes)));
  return out + box;
}

Result<PartHead> read_part_head(std::string_view file) {
  if (file.substr(0, kPartMagic.size()) != kPartMagic) {
    return Error{Errc::kCorrupt, "is no part of a hold"};
  }
  const std::size_t at = kPartMagic.size() + 4;
  if (file.size() < at) return Error{Errc::kCorrupt, "is cut short"};
  const std::size_t size = read_u32(file.substr(kPartMagic.size()));
  if (size > kPartHeadBytesMax || file.size() - at < size) {
    return Error{Errc::kCorrupt, "is cut short, or its head is damaged"};
  }
  MELDEVAKT_TRY_ASSIGN(PartHead out, head_from(file.substr(at, size)));
  out.size = at + size;
  return out;
}

Result<std::string> decode_part(std::string_view file, std::string_view private_key) {
  MELDEVAKT_TRY_ASSIGN(const PartHead head, read_part_head(file));
  MELDEVAKT_TRY_ASSIGN(const std::string packed,
                       open_box(private_key, file.substr(0, head.size), file.substr(head.size)));
  MELDEVAKT_TRY_ASSIGN(std::string bytes, unpack(packed, head.plain_bytes));
  if (bytes.size() != head.plain_bytes || sha256(bytes) != head.part.plain) {
    return Error{Errc::kCorrupt, "its bytes are not those its head names"};
  }
  return bytes;
}

}  // namespace meldevakt::agent
