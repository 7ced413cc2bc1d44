#include "agent/summarise/content_name.h"

#include <algorithm>
#include <utility>

#include "common/ports/sha256.h"

namespace meldevakt::agent {
namespace {

constexpr std::size_t kFirstLineMax = 1024;
constexpr std::size_t kDigits = 32;

}  // namespace

std::string content_name(std::string_view bytes) {
  return sha256(bytes).hex().substr(0, kDigits);
}

std::string record_name(std::string_view file_name, const Record& record, RecordKind kind) {
  std::string_view text{record.text};
  if (!is_structured(kind)) text = text.substr(0, text.find('\n'));
  return std::string{file_name}.append("|").append(content_name(text.substr(0, kFirstLineMax)));
}

RecordPlace record_place(std::string_view own_name, std::string_view file_name,
                         const Record& record, RecordKind kind) {
  if (!own_name.empty()) return {"own|" + content_name(own_name), 0};
  return {record_name(file_name, record, kind), record.offset};
}

void FirstLine::add(std::string_view chunk) {
  if (!name_.empty()) return;
  const std::size_t line_end = chunk.find('\n');
  const std::string_view more = chunk.substr(0, line_end);
  line_.append(more.substr(0, kFirstLineMax - line_.size()));
  if (line_end != std::string_view::npos || line_.size() == kFirstLineMax) end();
}

void FirstLine::end() {
  if (name_.empty()) name_ = content_name(std::exchange(line_, {}));
}

}  // namespace meldevakt::agent
