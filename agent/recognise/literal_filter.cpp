#include "agent/recognise/literal_filter.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace meldevakt::agent {

LiteralFilter::LiteralFilter(std::vector<std::string> literals) : literals_{std::move(literals)} {
  MELDEVAKT_CHECK(literals_.size() <= kLiteralsMax);
  if (literals_.empty()) return;
  window_ = 255;
  for (const std::string& literal : literals_) window_ = std::min(window_, literal.size());
  MELDEVAKT_CHECK(window_ >= kLiteralBytesMin);
  shift_.assign(kBuckets, static_cast<std::uint8_t>(window_ - 1));
  first_.assign(kBuckets, kNone);
  next_.assign(literals_.size(), kNone);
  for (std::size_t id = 0; id < literals_.size(); ++id) {
    const char* const text = literals_[id].data();
    for (std::size_t end = 2; end <= window_; ++end) {
      std::uint8_t& shift = shift_[bucket(text + end)];
      shift = std::min(shift, static_cast<std::uint8_t>(window_ - end));
    }
    next_[id] = std::exchange(first_[bucket(text + window_)], static_cast<std::uint16_t>(id));
  }
}

LiteralSet LiteralFilter::find(std::string_view text) const {
  LiteralSet found;
  if (literals_.empty() || text.size() < window_) return found;
  const char* const last = text.data() + text.size();
  for (const char* end = text.data() + window_; end <= last;) {
    const std::size_t key = bucket(end);
    if (const std::size_t shift = shift_[key]; shift > 0) {
      if (shift > static_cast<std::size_t>(last - end)) break;
      end += shift;
      continue;
    }
    const std::string_view rest{end - window_, static_cast<std::size_t>(last - end) + window_};
    for (std::uint16_t id = first_[key]; id != kNone; id = next_[id]) {
      if (rest.substr(0, literals_[id].size()) == literals_[id]) found.set(id);
    }
    if (end == last) break;
    ++end;
  }
  return found;
}

}  // namespace meldevakt::agent
