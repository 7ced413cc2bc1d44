// A file named by its content: SHA-256 of its first line as stored (without its "\n", at most 1024
// bytes), 32 hexadecimal digits. It stays when the file is renamed, moved, copied or compressed,
// and when it grows. Pure. Thread-safety: none.
#pragma once

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
