// Random logs for the tests of LogScanner: everything that framing has to cope with, in small.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>

#include "agent/decode/encoding.h"
#include "common/testing/doubles.h"

namespace meldevakt::agent::testing_scan {

class LogMaker {
 public:
  explicit LogMaker(std::uint64_t seed) : random_{seed} {}

  [[nodiscard]] std::uint64_t below(std::uint64_t bound) { return random_.below(bound); }

  // UTF-8 text of a log in which records begin with a time, or are JSON objects that hold one. Near
  // the hour that autumn repeats. What rules look for is dense in some logs and rare in others.
  std::string text(std::size_t records, bool json = false) {
    std::string out;
    rarity_ = 1 + below(30);
    json_ = json;
    minute_ = 60 + below(240);
    for (std::size_t i = below(4); i > 0; --i) out += "hale uten begynnelse" + words() + end();
    for (std::size_t i = 0; i < records; ++i) add_record(out);
    if (below(3) == 0) out += stamp() + " siste linje uten slutt" + words();
    json_ = false;
    return out;
  }

  // As stored. UTF-8 is sometimes spoilt: bytes of a code page, NUL bytes, marks in the middle.
  std::string stored(std::string_view utf8, Encoding encoding, bool mark) {
    if (encoding == Encoding::kUtf16Le) return (mark ? "\xFF\xFE" : "") + wide(utf8);
    if (encoding == Encoding::kUtf16Be) return (mark ? "\xFE\xFF" : "") + swapped(wide(utf8));
    std::string out = mark && encoding == Encoding::kUtf8 ? "\xEF\xBB\xBF" : "";
    for (std::size_t i = 0; i < utf8.size(); ++i) {
      const bool high =
          (static_cast<unsigned char>(utf8[i]) & 0xFEU) == 0xC2 && i + 1 < utf8.size();
      if (high && (encoding != Encoding::kUtf8 || below(4) == 0)) {
        const unsigned code = ((static_cast<unsigned char>(utf8[i]) & 0x03U) << 6U) |
                              (static_cast<unsigned char>(utf8[i + 1]) & 0x3FU);
        out.push_back(static_cast<char>(code));
        ++i;
      } else {
        out.push_back(utf8[i]);
      }
      if (spoil_ && utf8[i] == '\n' && below(40) == 0) out += spoilt();
    }
    return out;
  }
  void spoil(bool yes) { spoil_ = yes; }

  static std::string swapped(std::string text) {
    for (std::size_t i = 0; i + 1 < text.size(); i += 2) std::swap(text[i], text[i + 1]);
    return text;
  }

  static std::string wide(std::string_view utf8) {
    std::string out;
    for (std::size_t i = 0; i < utf8.size(); ++i) {
      unsigned code = static_cast<unsigned char>(utf8[i]);
      if ((code & 0xE0U) == 0xC0U && i + 1 < utf8.size()) {
        code = ((code & 0x1FU) << 6U) | (static_cast<unsigned char>(utf8[++i]) & 0x3FU);
      }
      out.push_back(static_cast<char>(code & 0xFFU));
      out.push_back(static_cast<char>(code >> 8U));
    }
    return out;
  }

 private:
  std::string end() { return below(3) == 0 ? "\r\n" : "\n"; }

  std::string words() {
    static constexpr std::string_view kPlain[] = {
        " alt vel", " Melding ", " behandlet", " i dag",       " - ",
        " 17",      "",          " ky",        " tab\tulator", " øre"};
    static constexpr std::string_view kTold[] = {" lagring mislyktes",
                                                 " feil",
                                                 " ødelagt",
                                                 " kø ",
                                                 " tidsavbrudd",
                                                 " slått av",
                                                 " Execution",
                                                 " lagret: 5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10",
                                                 " lagring mislyktes feil"};
    std::string out;
    for (std::size_t i = below(5); i > 0; --i) {
      out +=
          below(rarity_) == 0 ? kTold[below(std::size(kTold))] : kPlain[below(std::size(kPlain))];
    }
    if (below(60) == 0) out += std::string(1000 + below(600), 'x') + " lagring mislyktes feil";
    return out;
  }

  // Local time of Oslo around 29.10.2023 03:00, mostly forwards; sometimes one that cannot be read.
  std::string stamp() {
    minute_ += below(3);
    if (minute_ >= 180 && !fell_back_) {
      fell_back_ = true;
      minute_ -= 60;
    }
    char text[40];
    const auto at = minute_ < 2 ? minute_ : minute_ - (below(20) == 0 ? 2 : 0);
    std::snprintf(text, sizeof text, "2023-10-29 %02u:%02u:%02u,%03u",
                  static_cast<unsigned>(at / 60 % 24), static_cast<unsigned>(at % 60),
                  static_cast<unsigned>(below(60)), static_cast<unsigned>(below(1000)));
    std::string out = text;
    if (below(15) == 0) out.replace(5, 2, "77");
    return out;
  }

  void add_record(std::string& out) {
    if (json_) {
      std::string text = words();
      for (std::size_t at = 0; (at = text.find('\t', at)) != std::string::npos; ++at)
        text[at] = ' ';
      out += R"({"t":")" + stamp() + R"(","m":")" + text + "\"}" + end();
      if (below(20) == 0) out += "ingen json" + words() + end();
      if (below(20) == 0) out += end();
      return;
    }
    out += stamp() + " [" + std::to_string(below(4)) + "]" + words() + end();
    if (below(4) != 0) return;
    const std::size_t lines = below(20) == 0 ? 8 + below(10) : below(5);
    for (std::size_t i = 0; i < lines; ++i) out += "   ved linje" + words() + end();
  }

  std::string spoilt() {
    switch (below(4)) {
      case 0: return std::string(1 + below(40), '\0');
      case 1: return "\xEF\xBB\xBF";
      case 2: return "\xFF\xFE" + wide("2023-10-29 05:00:00,000 [1] lagring mislyktes bredt\n");
      default: return "\xC3\xC3\x28 halve tegn\n";
    }
  }

  testing::SeededRandom random_;
  std::uint64_t minute_ = 60;
  bool fell_back_ = false;
  bool spoil_ = false;
  bool json_ = false;
  std::uint64_t rarity_ = 1;
};

}  // namespace meldevakt::agent::testing_scan
