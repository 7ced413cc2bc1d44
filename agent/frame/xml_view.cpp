// xml_view(): a small reader of one element. It knows tags, attributes, text, CDATA, comments and
// the five entities; it resolves nothing else, so it can be made to fetch or to grow nothing.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/decode/encoding.h"
#include "agent/frame/field_view.h"
#include "agent/frame/xml_place.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kBlank = " \t\r\n";
constexpr std::size_t kKeyBytesMax = 64;
constexpr std::size_t kNowhere = std::string_view::npos;

std::string_view trimmed(std::string_view text) {
  const std::size_t from = text.find_first_not_of(kBlank);
  if (from == kNowhere) return {};
  return text.substr(from, text.find_last_not_of(kBlank) - from + 1);
}

// "#233", "#xE9", "lt": the code point, nothing when it is none.
std::optional<std::uint32_t> code_point_of(std::string_view entity) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kNamed{
      {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"apos", '\''}, {"quot", '"'}}};
  for (const auto& [name, character] : kNamed) {
    if (name == entity) return static_cast<unsigned char>(character);
  }
  if (entity.size() < 2 || entity[0] != '#') return std::nullopt;
  const bool hex = entity[1] == 'x';
  entity.remove_prefix(hex ? 2 : 1);
  std::uint32_t code = 0;
  const auto [end, error] =
      std::from_chars(entity.data(), entity.data() + entity.size(), code, hex ? 16 : 10);
  const bool whole = error == std::errc{} && end == entity.data() + entity.size();
  const bool scalar = code > 0 && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  return whole && scalar ? std::optional{code} : std::nullopt;
}

// What is no entity stays as it is.
void append_text(std::string& out, std::string_view text) {
  constexpr std::size_t kEntityBytesMax = 10;
  while (true) {
    const std::size_t at = text.find('&');
    out.append(text.substr(0, at));
    if (at == kNowhere) return;
    text.remove_prefix(at);
    const std::size_t end = text.substr(0, kEntityBytesMax + 2).find(';');
    const auto code = end == kNowhere ? std::nullopt : code_point_of(text.substr(1, end - 1));
    if (code) {
      append_code_point(out, *code);
      text.remove_prefix(end + 1);
    } else {
      out.push_back('&');
      text.remove_prefix(1);
    }
  }
}

bool ends_name(char c) {
  return kBlank.find(c) != kNowhere || c == '>' || c == '/';
}

class Reader {
 public:
  Reader(std::string_view text, FieldView& view) : text_{text}, view_{view} {}

  // REQUIRES: the text begins with a start tag. False when it is not well-formed.
  bool run() {
    do {
      if (text_.empty()) return false;
      if (text_[0] != '<') {
        take_text();
      } else if (!take_markup()) {
        return false;
      }
    } while (!levels_.empty());
    return true;
  }

 private:
  struct Level {
    std::string_view name;
    std::size_t path_bytes = 0;  // of what stands for the element in names below it
    std::string text;
    bool plain = true;  // no attribute and no child
  };

  void take_text() {
    const std::size_t end = std::min(text_.find('<'), text_.size());
    append_text(levels_.back().text, text_.substr(0, end));
    text_.remove_prefix(end);
  }

  bool skip_past(std::string_view end) {
    const std::size_t at = text_.find(end);
    if (at == kNowhere) return false;
    text_.remove_prefix(at + end.size());
    return true;
  }

  bool take_markup() {
    constexpr std::string_view kCdata = "<![CDATA[";
    if (text_.substr(0, 4) == "<!--") return skip_past("-->");
    if (text_.substr(0, 2) == "<?") return skip_past("?>");
    if (text_.substr(0, kCdata.size()) == kCdata) {
      if (levels_.empty()) return false;
      const std::size_t end = text_.find("]]>");
      levels_.back().text.append(text_.substr(0, end).substr(kCdata.size()));
      return skip_past("]]>");
    }
    if (text_.substr(0, 2) == "<!") return false;
    return text_.substr(0, 2) == "</" ? take_end() : take_start();
  }

  bool take_end() {
    const std::size_t end = text_.find('>');
    if (end == kNowhere || levels_.empty()) return false;
    if (trimmed(text_.substr(2, end - 2)) != levels_.back().name) return false;
    text_.remove_prefix(end + 1);
    leave();
    return true;
  }

  void leave() {
    const Level& level = levels_.back();
    const std::string_view value = trimmed(level.text);
    if (!value.empty() || level.plain) {
      path_.resize(level.path_bytes);
      view_.add(path_.empty() ? level.name : std::string_view{path_}, value);
    }
    levels_.pop_back();
    path_.resize(levels_.empty() ? 0 : levels_.back().path_bytes);
  }

  bool take_start() {
    if (levels_.size() >= FieldView::kDepthMax) return false;
    std::size_t end = 1;
    while (end < text_.size() && !ends_name(text_[end])) ++end;
    if (end == 1 || end == text_.size()) return false;
    Level level;
    level.name = text_.substr(1, end - 1);
    if (!levels_.empty()) {  // the record's own element is in no name
      levels_.back().plain = false;
      if (!path_.empty()) path_.push_back('.');
      path_.append(level.name.substr(0, FieldView::kNameBytesMax + 1));
    }
    level.path_bytes = path_.size();
    levels_.push_back(std::move(level));
    text_.remove_prefix(end);
    return take_attributes();
  }

  bool take_attributes() {
    std::string key;
    while (true) {
      const std::size_t from = text_.find_first_not_of(kBlank);
      if (from == kNowhere) return false;
      text_.remove_prefix(from);
      const bool closed = text_.substr(0, 2) == "/>";
      if (closed || text_[0] == '>') {
        text_.remove_prefix(closed ? 2 : 1);
        if (!key.empty() && levels_.size() > 1) {
          path_ += "[" + key + "]";
          levels_.back().path_bytes = path_.size();
        }
        if (closed) leave();
        return true;
      }
      if (!take_attribute(key)) return false;
    }
  }

  bool take_attribute(std::string& key) {
    const std::size_t equals = text_.find('=');
    if (equals == kNowhere) return false;
    const std::string_view name = trimmed(text_.substr(0, equals));
    text_.remove_prefix(equals + 1);
    text_.remove_prefix(std::min(text_.find_first_not_of(kBlank), text_.size()));
    const char quote = text_.empty() ? '\0' : text_[0];
    const std::size_t end = quote == '"' || quote == '\'' ? text_.find(quote, 1) : kNowhere;
    if (name.empty() || name.find_first_of("<>\"' \t\r\n") != kNowhere || end == kNowhere)
      return false;
    std::string value;
    append_text(value, text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    if (name == "xmlns" || name.substr(0, 6) == "xmlns:") return true;
    levels_.back().plain = false;
    std::string full = path_;
    if (!full.empty()) full.push_back('.');
    view_.add(full.append(name.substr(0, FieldView::kNameBytesMax + 1)), value);
    if ((name == "Name" || name == "name") && value.size() <= kKeyBytesMax) key = value;
    return true;
  }

  std::string_view text_;
  FieldView& view_;
  std::string path_;
  std::vector<Level> levels_;
};

// Where "<element" stands last before `to`.
std::size_t last_start(std::string_view text, const std::string& tag, std::size_t to) {
  std::size_t at = to;
  while ((at = text.rfind(tag, at)) != kNowhere) {
    if (at + tag.size() >= text.size() || ends_name(text[at + tag.size()])) return at;
    if (at == 0) return kNowhere;
    --at;
  }
  return kNowhere;
}

}  // namespace

// The first "<element" from which on the text is one whole element: one that stands before it was
// torn. Most often it is the first; so many are tried. One in CDATA is text, and none.
FieldView xml_view(std::string_view record, std::string_view element) {
  constexpr int kTriesMax = 4;
  const std::string tag = "<" + std::string{element};
  XmlPlace place;
  std::size_t placed = 0;
  std::size_t tried = kNowhere;
  bool any_in_cdata = false;
  int tries = 0;
  for (std::size_t at = 0; tries < kTriesMax && (at = record.find(tag, at)) != kNowhere; ++at) {
    if (at + tag.size() < record.size() && !ends_name(record[at + tag.size()])) continue;
    place.add(record.substr(placed, at - placed));
    placed = at;
    any_in_cdata = any_in_cdata || place.in_cdata();
    if (place.in_cdata()) continue;
    FieldView view;
    if (Reader{record.substr(at), view}.run()) return view;
    tried = at;
    ++tries;
  }
  FieldView view;
  const std::size_t end = record.find("</" + std::string{element} + ">");
  const std::size_t start =
      any_in_cdata ? tried : last_start(record, tag, std::min(end, record.size()));
  view.malformed = start == kNowhere || !Reader{record.substr(start), view}.run() || view.malformed;
  return view;
}

}  // namespace meldevakt::agent
