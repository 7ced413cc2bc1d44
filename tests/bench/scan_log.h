// The log that the scanning benchmarks read: a mixture of a database server's error log, traces of
// an application server with stack traces, and a second database's log; and the patterns looked for
// in it. Made from a seed, the same on every machine. Thread-safety: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace meldevakt::bench {

struct ScanPattern {
  std::string literal;  // text that must occur
  std::string regex;    // common subset of PCRE2, Rust's and Hyperscan's
  std::string example;  // text in which it matches
};
// 150 of them; the first 42 are error numbers of one form, 28 of another.
[[nodiscard]] const std::vector<ScanPattern>& scan_patterns();

// A rule pack of the first `count` patterns; all say the same signal, so that a record is counted
// once.
[[nodiscard]] std::string scan_pack(std::size_t count);

class ScanLog {
 public:
  // Of 10,000 records, `hits` match one of the patterns.
  ScanLog(std::uint64_t seed, std::uint32_t hits) : random_{seed}, hits_{hits} {}

  void add_record(std::string& out);

 private:
  std::uint32_t below(std::uint32_t bound);
  void add_stamp(std::string& out);
  void add_quiet(std::string& out);
  void add_database(std::string& out);
  void add_application(std::string& out);
  void add_trace(std::string& out);
  void add_number(std::string& out, std::uint32_t bound);

  std::uint64_t random_;
  std::uint32_t hits_;
  std::uint64_t milliseconds_ = 0;  // since the beginning of the log
};

}  // namespace meldevakt::bench
