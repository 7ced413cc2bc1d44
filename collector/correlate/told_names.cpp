#include "collector/correlate/told_names.h"

#include "collector/correlate/names.h"

namespace meldevakt::collector {

ToldNames::ToldNames(const Correlation& all, const std::vector<std::string>& names) {
  for (const std::string& name : names) messages_.emplace(name, std::nullopt);
  if (messages_.empty()) return;
  for (std::size_t i = 0; i < all.messages.size(); ++i) {
    for (const std::string& name : names_of(all.messages[i])) {
      const auto at = messages_.find(name);
      if (at != messages_.end()) at->second = i;
    }
  }
}

std::optional<std::size_t> ToldNames::of(const std::string& name) const {
  const auto at = messages_.find(name);
  return at == messages_.end() ? std::nullopt : at->second;
}

std::vector<std::string> names_of(const MessageVerdict& message) {
  std::vector<std::string> out{message.message};
  for (const Reference& reference : message.references) {
    std::string name = message_name_of(reference);
    if (name != message.message) out.push_back(std::move(name));
  }
  return out;
}

}  // namespace meldevakt::collector
