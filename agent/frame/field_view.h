// The field view of a structured record: one line per field, "name=value", in the record's order.
// Rules are matched against it as against any text (agent/recognise/PACK.md, "the field view").
//
//   FieldView view = json_view(record_text, shape.byte_fields);
//   // {"level":"error","user":{"id":7}}  ->  "level=error\nuser.id=7"
//
// In values and names a line end becomes \n, a carriage return \r, a backslash \\; in names "="
// becomes \=. So a view's lines are its fields, and different fields give different lines.
// What is not of its kind is shown as far as it could be read, and called malformed.
//
// Bounds: kFieldsMax fields, names of kNameBytesMax bytes, kDepthMax levels; what is over one is
// left out, and the record malformed. So a view has at most twice the record's bytes and
// kFieldsMax * (2 * kNameBytesMax + 2).
// Pure. Thread-safety: pure functions. Errors: none.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace meldevakt::agent {

struct FieldView {
  static constexpr std::size_t kFieldsMax = 4096;
  static constexpr std::size_t kNameBytesMax = 256;
  static constexpr std::size_t kDepthMax = 32;

  std::string text;
  bool malformed = false;
  std::size_t fields = 0;

  void add(std::string_view name, std::string_view value);
};

// The value of the first field of this name in a view, as it stands there; its data() is nullptr
// when there is none.
[[nodiscard]] std::string_view field_of(std::string_view view, std::string_view name);

// `record`: UTF-8. `byte_fields`: members whose arrays of numbers 0 to 255 are text.
[[nodiscard]] FieldView json_view(std::string_view record,
                                  const std::vector<std::string>& byte_fields);

// From the first "<element" that begins a whole element; when there is none, as far as it can be
// read from the last "<element" in front of the first "</element>" on.
[[nodiscard]] FieldView xml_view(std::string_view record, std::string_view element);

// "column_7": the name of a field that has none; counted from 1.
[[nodiscard]] std::string column_name(std::size_t index);

}  // namespace meldevakt::agent
