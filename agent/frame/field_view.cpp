#include "agent/frame/field_view.h"

namespace meldevakt::agent {
namespace {

void append_escaped(std::string& out, std::string_view text, bool is_name) {
  for (const char c : text) {
    switch (c) {
      case '\n': out.append("\\n"); break;
      case '\r': out.append("\\r"); break;
      case '\\': out.append("\\\\"); break;
      case '=': out.append(is_name ? "\\=" : "="); break;
      default: out.push_back(c);
    }
  }
}

}  // namespace

void FieldView::add(std::string_view name, std::string_view value) {
  if (fields >= kFieldsMax || name.size() > kNameBytesMax) {
    malformed = true;
    return;
  }
  if (fields++ > 0) text.push_back('\n');
  append_escaped(text, name, true);
  text.push_back('=');
  append_escaped(text, value, false);
}

std::string_view field_of(std::string_view view, std::string_view name) {
  while (true) {
    const std::string_view line = view.substr(0, view.find('\n'));
    if (line.size() > name.size() && line[name.size()] == '=' &&
        line.substr(0, name.size()) == name) {
      return line.substr(name.size() + 1);
    }
    if (line.size() == view.size()) return {};
    view.remove_prefix(line.size() + 1);
  }
}

std::string column_name(std::size_t index) {
  return "column_" + std::to_string(index + 1);
}

}  // namespace meldevakt::agent
