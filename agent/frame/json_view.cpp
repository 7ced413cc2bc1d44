// json_view(): a streaming reader, so that a record that is cut is shown up to there, and depth
// costs no stack.
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "agent/decode/encoding.h"
#include "agent/frame/field_view.h"

namespace meldevakt::agent {
namespace {

using nlohmann::json;

// The library's events. A handler that returns false stops the reader.
class Fields : public nlohmann::json_sax<json> {
 public:
  Fields(FieldView& view, const std::vector<std::string>& byte_fields)
      : view_{view}, byte_fields_{byte_fields} {}

  bool null() override { return value_done(); }
  bool boolean(bool value) override { return scalar(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override {
    spoil_bytes();
    return scalar(std::to_string(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (in_bytes_ && value <= 0xFF) {
      bytes_.push_back(static_cast<char>(static_cast<unsigned char>(value)));
      return true;
    }
    spoil_bytes();
    return scalar(std::to_string(value));
  }
  bool number_float(number_float_t /*value*/, const string_t& text) override {
    spoil_bytes();
    return scalar(text);
  }
  bool string(string_t& value) override {
    spoil_bytes();
    return scalar(value);
  }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*elements*/) override { return open(false); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*elements*/) override {
    if (levels_.empty() || !open(true)) return false;
    in_bytes_ = std::find(byte_fields_.begin(), byte_fields_.end(), path_) != byte_fields_.end();
    bytes_.clear();
    return true;
  }
  bool end_array() override {
    if (in_bytes_) {
      const std::vector<Encoding> declared{Encoding::kUtf8, Encoding::kWindows1252};
      std::uint64_t undecodable = 0;
      view_.add(path_, decode(Encoding::kUtf8, declared, bytes_, undecodable));
      in_bytes_ = false;
    }
    return close();
  }
  bool key(string_t& name) override {
    path_.resize(levels_.back().path_bytes);
    if (!path_.empty()) path_.push_back('.');
    // A name over the bound is refused with its field; it need not be held whole for that.
    path_.append(name, 0, FieldView::kNameBytesMax + 1);
    return true;
  }
  bool parse_error(std::size_t /*at*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& /*what*/) override {
    return false;
  }

 private:
  struct Level {
    std::size_t path_bytes = 0;  // of the object or array itself
    bool is_array = false;
  };

  bool open(bool is_array) {
    spoil_bytes();
    if (levels_.size() >= FieldView::kDepthMax) return false;
    levels_.push_back({path_.size(), is_array});
    return true;
  }
  bool close() {
    path_.resize(levels_.back().path_bytes);
    levels_.pop_back();
    return value_done();
  }
  bool value_done() {
    if (!levels_.empty() && levels_.back().is_array) path_.resize(levels_.back().path_bytes);
    return true;
  }
  bool scalar(std::string_view value) {
    if (levels_.empty()) return false;  // no object
    view_.add(path_, value);
    return value_done();
  }
  // Not all of the array are bytes: those read so far are fields as any other.
  void spoil_bytes() {
    if (!in_bytes_) return;
    in_bytes_ = false;
    for (const char byte : bytes_) {
      view_.add(path_, std::to_string(static_cast<unsigned>(static_cast<unsigned char>(byte))));
    }
  }

  FieldView& view_;
  const std::vector<std::string>& byte_fields_;
  std::string path_;
  std::vector<Level> levels_;
  bool in_bytes_ = false;
  std::string bytes_;
};

}  // namespace

FieldView json_view(std::string_view record, const std::vector<std::string>& byte_fields) {
  FieldView view;
  Fields fields{view, byte_fields};
  try {
    const bool whole = json::sax_parse(record.begin(), record.end(), &fields);
    view.malformed = view.malformed || !whole;
  } catch (const json::exception&) {
    view.malformed = true;  // numbers beyond what the library can hold
  }
  return view;
}

}  // namespace meldevakt::agent
