// Where in XML the text read so far ends: whether what looks like a tag there is one. Private to
// agent/frame.
//
//   XmlPlace place;
//   for (piece of a record) place.add(piece);
//   if (place.in_cdata()) ...             // "</msg>" in what comes next is text
//
// Knows CDATA, comments and quoted values; of everything else only where it ends. Text that is not
// well-formed is placed somehow. Thread-safety: none. Errors: none.
#pragma once

#include <cstdint>
#include <string_view>

namespace meldevakt::agent {

class XmlPlace {
 public:
  // Pieces are cut at line ends or behind a tag, so none of what is looked for is cut in two.
  void add(std::string_view piece);

  // In CDATA or in a comment.
  [[nodiscard]] bool in_cdata() const {
    return place_ == Place::kCdata || place_ == Place::kComment;
  }
  // In the quotes of an attribute's value.
  [[nodiscard]] bool in_value() const { return place_ == Place::kValue; }

 private:
  enum class Place : std::uint8_t { kText, kTag, kValue, kCdata, kComment };
  void leave_text(std::string_view& rest);
  void leave_tag(std::string_view& rest);
  void leave_at(std::string_view& rest, std::string_view end, Place to);

  Place place_ = Place::kText;
  char quote_ = '\0';
  char before_ = '\0';  // the last character of a tag that is no blank
};

}  // namespace meldevakt::agent
