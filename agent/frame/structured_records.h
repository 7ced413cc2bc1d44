// What framing knows of the structured kinds: where a record of lines begins and ends, which
// records only name columns, and the field view of the others. Private to agent/frame: RecordFramer
// asks it line by line.
//
// Thread-safety: none. Errors: none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/frame/csv.h"
#include "agent/frame/record.h"
#include "agent/frame/record_framer.h"
#include "agent/frame/record_shape.h"
#include "agent/frame/w3c_log.h"
#include "agent/frame/xml_place.h"

namespace meldevakt::agent {

class StructuredRecords {
 public:
  explicit StructuredRecords(RecordShape shape);

  // Does a record begin at this line? `over`: the one that is open is over a bound.
  [[nodiscard]] bool starts(std::string_view line, bool over, const LineTests& tests) const;
  // The line is the record's next, or its first (`begins`). True when the record ends with it.
  // `at_tag`: what comes next stands in the same line (LineCutter::Piece).
  [[nodiscard]] bool add(std::string_view line, bool begins, bool cut, bool at_tag);
  // The record's next piece belongs to its last line.
  [[nodiscard]] bool in_line() const { return in_line_; }
  // The record is complete, by its end or by idle(): its text becomes its view.
  void finish(Record& record, const LineTests& tests);

  [[nodiscard]] std::string carried() const;
  void set_carried(std::string_view carried);

 private:
  [[nodiscard]] bool starts_xml(std::string_view line, bool over) const;
  [[nodiscard]] bool looks_like_csv(std::string_view line, const LineTests& tests) const;
  [[nodiscard]] bool is_csv_header(const Record& record, const LineTests& tests) const;
  void finish_csv(Record& record, const LineTests& tests);

  RecordShape shape_;
  bool find_delimiter_ = false;  // shape_.delimiter is what the file's header says
  CsvScan csv_;
  bool lost_ = false;  // csv: where quotes stand is not known; a likely line must be found
  W3cLog w3c_;
  XmlPlace place_;        // xml: at the end of what was added
  bool in_line_ = false;  // xml: that is within a line, and what looked like an end tag was none
};

}  // namespace meldevakt::agent
