#include "agent/recognise/pack_words.h"

#include <algorithm>

#include "common/base/limits.h"
#include "common/base/text.h"
#include "common/privacy/privacy.h"

namespace meldevakt::agent {
namespace {

// With a captured SQLSTATE or number behind it, a code still fits an identifier.
constexpr std::size_t kCodeBytesMax = 48;

bool holds_only(std::string_view text, std::string_view more) {
  return std::all_of(text.begin(), text.end(), [more](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           more.find(c) != std::string_view::npos;
  });
}

}  // namespace

Error pack_error(std::string_view file, std::uint32_t line, std::string_view what) {
  std::string message{file};
  if (line > 0) message += ":" + std::to_string(line);
  return Error{Errc::kInvalid, message.append(": ").append(what)};
}

std::string in_quotes(std::string_view text) {
  return "'" + quoted(text) + "'";
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& known) {
  if (const auto nearest = nearest_name(name, known)) return "; did you mean '" + *nearest + "'?";
  std::string list;
  for (const std::string& k : known) list += (list.empty() ? "" : ", ") + k;
  return " (there are " + list + ")";
}

bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= limits::kIdentifierBytesMax && holds_only(text, "-_.") &&
         !holds_identity_number(text);
}

bool is_plain_code(std::string_view text) {
  return !text.empty() && text.size() <= kCodeBytesMax &&
         holds_only(text, "-_./ABCDEFGHIJKLMNOPQRSTUVWXYZ") && !holds_identity_number(text);
}

}  // namespace meldevakt::agent
