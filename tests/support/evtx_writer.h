// Small .evtx files for tests, after the format's description: events as binary XML without
// templates, in chunks that are closed as Windows closes them.
//
//   EvtxWriter log;
//   log.add({.id = 153, .provider = "disk", .data = {{"", "\\Device\\Harddisk0\\DR0"}}});
//   folder.write("System.evtx", log.file());
//
// Record numbers go on from `first_record`, times from `time_ms`, a second apart.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/unpack/evtx_layout.h"
#include "common/base/time.h"

namespace meldevakt::testing {

struct WrittenEvent {
  unsigned id = 153;
  std::string provider = "disk";
  std::string channel = "System";
  std::string computer = "app01";
  unsigned level = 3;
  std::vector<std::pair<std::string, std::string>> data{};  // name ("" for none), ASCII value
};

class EvtxWriter {
 public:
  std::uint64_t next_record = 1;
  std::int64_t time_ms = 1'675'239'262'101;  // 2023-02-01T08:14:22.101Z
  std::size_t events_a_chunk = 20;

  void add(const WrittenEvent& event) {
    if (chunks_.empty() || in_chunk_ == events_a_chunk) begin_chunk();
    std::string& chunk = chunks_.back();
    const std::size_t begin = chunk.size();
    put(chunk, 0x2a2a, 4);
    put(chunk, 0, 4);
    put(chunk, next_record, 8);
    put(chunk, ticks(), 8);
    binary_xml(chunk, event);
    while ((chunk.size() - begin) % 8 != 4) chunk += '\0';
    const std::size_t size = chunk.size() + 4 - begin;
    put(chunk, size, 4);
    set(chunk, begin + 4, size, 4);
    last_at_ = begin;
    ++next_record;
    time_ms += 1000;
    ++in_chunk_;
    close_chunk();
  }
  // Of events of one kind.
  void add(std::size_t count, const WrittenEvent& event) {
    for (std::size_t i = 0; i < count; ++i) add(event);
  }
  void add_record(std::string_view body) {  // whatever bytes as its binary XML
    if (chunks_.empty() || in_chunk_ == events_a_chunk) begin_chunk();
    raw_ = body;
    add(WrittenEvent{});
    raw_.clear();
  }

  // The chunks in the order given, by default as written; then room that was not used.
  [[nodiscard]] std::string file(bool dirty = false, std::size_t room = 0,
                                 std::size_t first_chunk = 0) const {
    std::string out(agent::kEvtxHeaderBytes, '\0');
    out.replace(0, 7, "ElfFile");
    set(out, 24, next_record, 8);
    set(out, 32, 128, 4);
    set(out, 36, 1, 2);
    set(out, 38, 3, 2);
    set(out, 40, agent::kEvtxHeaderBytes, 2);
    set(out, 42, chunks_.size(), 2);
    set(out, 120, dirty ? 1 : 0, 4);
    set(out, 124, sum(out, 0, 120), 4);
    for (std::size_t i = 0; i < chunks_.size(); ++i) {
      std::string chunk = chunks_[(i + first_chunk) % chunks_.size()];
      chunk.resize(agent::kEvtxChunkBytes, '\0');
      out += chunk;
    }
    return out + std::string(room * agent::kEvtxChunkBytes, '\0');
  }

  static void put(std::string& to, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) to += static_cast<char>(value >> (8 * i) & 0xff);
  }
  static void set(std::string& in, std::size_t at, std::uint64_t value, std::size_t size) {
    for (std::size_t i = 0; i < size; ++i) in[at + i] = static_cast<char>(value >> (8 * i) & 0xff);
  }
  static std::uint32_t sum(std::string_view bytes, std::size_t from, std::size_t size,
                           std::uint32_t before = 0) {
    return static_cast<std::uint32_t>(::crc32(
        before, reinterpret_cast<const Bytef*>(bytes.data() + from), static_cast<uInt>(size)));
  }

 private:
  [[nodiscard]] std::uint64_t ticks() const {
    return static_cast<std::uint64_t>(time_ms + 11'644'473'600'000) * 10'000;
  }
  [[nodiscard]] std::string time_text() const;

  void begin_chunk() {
    chunks_.emplace_back(agent::kEvtxChunkHeaderBytes, '\0');
    in_chunk_ = 0;
    first_ = next_record;
  }
  void close_chunk() {
    std::string& chunk = chunks_.back();
    chunk.replace(0, 7, "ElfChnk");
    for (const std::size_t at : {8U, 24U}) set(chunk, at, first_, 8);
    for (const std::size_t at : {16U, 32U}) set(chunk, at, next_record - 1, 8);
    set(chunk, 40, 128, 4);
    set(chunk, 44, last_at_, 4);
    set(chunk, 48, chunk.size(), 4);
    set(chunk, 52, sum(chunk, 512, chunk.size() - 512), 4);
    set(chunk, 124, sum(chunk, 128, 384, sum(chunk, 0, 120)), 4);
  }

  // Names stand where they are first used; here each stands where it is used.
  static void name(std::string& chunk, std::string_view text) {
    put(chunk, chunk.size() + 4, 4);
    put(chunk, 0, 4);
    std::uint32_t hash = 0;
    for (const char c : text) hash = hash * 65'599 + static_cast<unsigned char>(c);
    put(chunk, hash & 0xffff, 2);
    put(chunk, text.size(), 2);
    for (const char c : text) put(chunk, static_cast<unsigned char>(c), 2);
    put(chunk, 0, 2);
  }
  static void text(std::string& chunk, std::string_view value) {
    put(chunk, 0x05, 1);
    put(chunk, 0x01, 1);
    put(chunk, value.size(), 2);
    for (const char c : value) put(chunk, static_cast<unsigned char>(c), 2);
  }
  using Attributes = std::vector<std::pair<std::string, std::string>>;
  // Up to its content; returns where its size stands.
  static std::size_t open(std::string& chunk, std::string_view tag, const Attributes& attributes) {
    put(chunk, attributes.empty() ? 0x01 : 0x41, 1);
    put(chunk, 0xffff, 2);
    const std::size_t size_at = chunk.size();
    put(chunk, 0, 4);
    name(chunk, tag);
    if (!attributes.empty()) {
      const std::size_t list_at = chunk.size();
      put(chunk, 0, 4);
      for (std::size_t i = 0; i < attributes.size(); ++i) {
        put(chunk, i + 1 < attributes.size() ? 0x46 : 0x06, 1);
        name(chunk, attributes[i].first);
        text(chunk, attributes[i].second);
      }
      set(chunk, list_at, chunk.size() - list_at - 4, 4);
    }
    put(chunk, 0x02, 1);
    return size_at;
  }
  static void close(std::string& chunk, std::size_t size_at) {
    put(chunk, 0x04, 1);
    set(chunk, size_at, chunk.size() - size_at - 4, 4);
  }
  static void element(std::string& chunk, std::string_view tag, const Attributes& attributes,
                      std::string_view content) {
    const std::size_t size_at = open(chunk, tag, attributes);
    if (!content.empty()) text(chunk, content);
    close(chunk, size_at);
  }

  void binary_xml(std::string& chunk, const WrittenEvent& event) {
    if (!raw_.empty()) {
      chunk += raw_;
      return;
    }
    put(chunk, 0x0001010f, 4);
    const std::size_t whole =
        open(chunk, "Event", {{"xmlns", "http://schemas.microsoft.com/win/2004/08/events/event"}});
    const std::size_t system = open(chunk, "System", {});
    element(chunk, "Provider", {{"Name", event.provider}}, "");
    element(chunk, "EventID", {{"Qualifiers", "32772"}}, std::to_string(event.id));
    element(chunk, "Level", {}, std::to_string(event.level));
    element(chunk, "TimeCreated", {{"SystemTime", time_text()}}, "");
    element(chunk, "EventRecordID", {}, std::to_string(next_record));
    element(chunk, "Channel", {}, event.channel);
    element(chunk, "Computer", {}, event.computer);
    close(chunk, system);
    const std::size_t data = open(chunk, "EventData", {});
    for (const auto& [of, value] : event.data) {
      element(chunk, "Data", of.empty() ? Attributes{} : Attributes{{"Name", of}}, value);
    }
    close(chunk, data);
    close(chunk, whole);
    put(chunk, 0, 1);
  }

  std::vector<std::string> chunks_;
  std::string raw_;
  std::size_t in_chunk_ = 0;
  std::uint64_t first_ = 1;
  std::size_t last_at_ = 0;
};

// "2023-02-01T08:14:22.101000000Z"
inline std::string EvtxWriter::time_text() const {
  std::string out = to_rfc3339(Instant{time_ms});
  out.insert(out.size() - 1, "000000");
  return out;
}

}  // namespace meldevakt::testing
