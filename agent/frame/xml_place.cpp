#include "agent/frame/xml_place.h"

#include <algorithm>

namespace meldevakt::agent {

void XmlPlace::leave_at(std::string_view& rest, std::string_view end, Place to) {
  const std::size_t at = rest.find(end);
  if (at == std::string_view::npos) {
    rest = {};
    return;
  }
  rest.remove_prefix(at + end.size());
  place_ = to;
}

void XmlPlace::leave_text(std::string_view& rest) {
  constexpr std::string_view kCdata = "<![CDATA[";
  constexpr std::string_view kComment = "<!--";
  rest.remove_prefix(std::min(rest.find('<'), rest.size()));
  if (rest.empty()) return;
  if (rest.substr(0, kCdata.size()) == kCdata) {
    place_ = Place::kCdata;
    rest.remove_prefix(kCdata.size());
  } else if (rest.substr(0, kComment.size()) == kComment) {
    place_ = Place::kComment;
    rest.remove_prefix(kComment.size());
  } else {
    place_ = Place::kTag;
    before_ = '<';
    rest.remove_prefix(1);
  }
}

// A quote opens a value behind "=" only: one elsewhere is no markup, and would swallow what
// follows.
void XmlPlace::leave_tag(std::string_view& rest) {
  const char c = rest.front();
  rest.remove_prefix(1);
  if (c == '>') {
    place_ = Place::kText;
  } else if (c == '<') {
    before_ = '<';
  } else if ((c == '"' || c == '\'') && before_ == '=') {
    place_ = Place::kValue;
    quote_ = c;
  }
  if (c != ' ' && c != '\t' && c != '\r') before_ = c;
}

void XmlPlace::add(std::string_view piece) {
  std::string_view rest = piece;
  while (!rest.empty()) {
    switch (place_) {
      case Place::kText: leave_text(rest); break;
      case Place::kTag: leave_tag(rest); break;
      case Place::kValue: leave_at(rest, {&quote_, 1}, Place::kTag); break;
      case Place::kCdata: leave_at(rest, "]]>", Place::kText); break;
      case Place::kComment: leave_at(rest, "-->", Place::kText); break;
    }
  }
}

}  // namespace meldevakt::agent
