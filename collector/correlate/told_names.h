// Which messages people mean. What is told is kept with the name that the message had then; a later
// fact may tie another name to it, and a message is called by the first of its names
// (correlate.h). So any of its names says whom an entry is about.
//
//   const ToldNames names{correlation, {"client_id:4711", ...}};
//   names.of("client_id:4711")   // index into correlation.messages; nullopt: nobody's name now
//
// A name is nobody's when nothing that is known says it any more, or when several messages came to
// share it, so that each could be meant.
//
// Refers to the correlation's messages by index. Pure. Thread-safety: none needed, it is not
// changed. Cost: linear in the messages' names; nothing when no name is asked for.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/correlate/correlate.h"

namespace meldevakt::collector {

class ToldNames {
 public:
  ToldNames(const Correlation& all, const std::vector<std::string>& names);
  [[nodiscard]] std::optional<std::size_t> of(const std::string& name) const;

 private:
  std::unordered_map<std::string, std::optional<std::size_t>> messages_;
};

// Every name that people may know a message by: what it is called, and what it could be called.
[[nodiscard]] std::vector<std::string> names_of(const MessageVerdict& message);

}  // namespace meldevakt::collector
