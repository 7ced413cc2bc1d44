// A file named by its content: SHA-256 of its first line as stored (without its "\n", at most 1024
// bytes), 32 hexadecimal digits. It stays when the file is renamed, moved, copied or compressed,
// and when it grows. Pure. Thread-safety: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "agent/frame/record.h"
#include "agent/frame/record_shape.h"

namespace meldevakt::agent {

// 32 hexadecimal digits of the SHA-256 of these bytes.
[[nodiscard]] std::string content_name(std::string_view bytes);

// A record named by its file's name and by what stands in it, for the ids of its facts: files that
// begin with the same line (IIS writes one into each) are one name, and may well have records at
// the same offset. Of a record of lines only its header counts, because later lines of it may have
// been read apart from it; at most 1024 bytes count.
[[nodiscard]] std::string record_name(std::string_view file_name, const Record& record,
                                      RecordKind kind);

// Where a record stands, for the ids of its facts.
struct RecordPlace {
  std::string name;
  std::uint64_t offset = 0;
};
// A record that names itself (Recognised::own_name, "" when it does not) has one place for all
// files, copies and beginnings of reading: its own name at offset 0. Another has its record_name()
// and its offset in its file.
[[nodiscard]] RecordPlace record_place(std::string_view own_name, std::string_view file_name,
                                       const Record& record, RecordKind kind);

// Learns the name from a file's first bytes, in chunks of any size.
class FirstLine {
 public:
  FirstLine() = default;
  explicit FirstLine(std::string name) : name_{std::move(name)} {}  // known from before

  void add(std::string_view chunk);
  void end();  // there is no more: what there is is the first line
  [[nodiscard]] const std::string& name() const { return name_; }  // "" while it is not known

 private:
  std::string line_;
  std::string name_;
};

}  // namespace meldevakt::agent
