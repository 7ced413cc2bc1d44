#include "agent/recognise/scan_literals.h"

#include <algorithm>
#include <set>

#include "agent/recognise/program.h"

namespace meldevakt::agent {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// The longest part that is stored as it is: without line ends, and without what decoding puts in
// the place of bytes it cannot read.
std::string_view stored_part(std::string_view text) {
  std::string_view longest;
  while (true) {
    const std::size_t end = std::min(text.find('\n'), text.find(kReplacement));
    const std::string_view part = text.substr(0, end);
    if (part.size() > longest.size()) longest = part;
    if (end == std::string_view::npos) return longest;
    text.remove_prefix(end + (text[end] == '\n' ? 1 : kReplacement.size()));
  }
}

// Code points of text that is well-formed UTF-8.
std::vector<std::uint32_t> code_points(std::string_view text) {
  std::vector<std::uint32_t> out;
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<std::uint8_t>(text[at]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::uint32_t code = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length && at + i < text.size(); ++i) {
      code = (code << 6U) | (static_cast<std::uint8_t>(text[at + i]) & 0x3FU);
    }
    out.push_back(code);
    at += length;
  }
  return out;
}

std::string utf16le(std::string_view text) {
  std::string out;
  const auto put = [&out](std::uint32_t unit) {
    out.push_back(static_cast<char>(unit & 0xFFU));
    out.push_back(static_cast<char>(unit >> 8U));
  };
  for (const std::uint32_t code : code_points(text)) {
    if (code < 0x10000) {
      put(code);
    } else {
      put(0xD800 + ((code - 0x10000) >> 10U));
      put(0xDC00 + ((code - 0x10000) & 0x3FFU));
    }
  }
  return out;
}

// nullopt when a character is none of the code page's. Asked of the decoder, byte by byte, so that
// there is one table of it.
std::optional<std::string> in_code_page(Encoding encoding, std::string_view text) {
  std::string out;
  for (const std::uint32_t code : code_points(text)) {
    bool found = false;
    for (unsigned byte = 0; byte < 256 && !found; ++byte) {
      const std::string one(1, static_cast<char>(byte));
      std::uint64_t undecodable = 0;
      const std::string decoded = decode(encoding, {encoding}, one, undecodable);
      found = undecodable == 0 && code_points(decoded).front() == code;
      if (found) out += one;
    }
    if (!found) return std::nullopt;
  }
  return out;
}

std::size_t count_of(std::string_view text, std::string_view sample) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = sample.find(text, at)) != std::string_view::npos; ++at) ++count;
  return count;
}

}  // namespace

std::optional<std::vector<std::string>> raw_forms(std::string_view text, Encoding encoding,
                                                  const std::vector<Encoding>& declared) {
  const std::string_view part = stored_part(text);
  if (part.empty()) return std::nullopt;
  std::set<std::string> forms;
  const auto add_code_page = [&](Encoding page) {
    if (auto form = in_code_page(page, part)) forms.insert(std::move(*form));
  };
  if (encoding == Encoding::kUtf8) {
    forms.emplace(part);
    for (const Encoding other : declared) {
      // Lines that are not UTF-8 are read in a page.
      if (other != Encoding::kUtf8 && unit_bytes(other) == 1 && !is_ascii(part)) {
        add_code_page(other);
      }
    }
  } else if (encoding == Encoding::kUtf16Le) {
    forms.insert(utf16le(part));
  } else if (unit_bytes(encoding) == 1) {
    add_code_page(encoding);
  } else {
    return std::nullopt;
  }
  return std::vector<std::string>{forms.begin(), forms.end()};
}

std::optional<std::vector<ScanLiteral>> raw_literals(const Pack& pack, Encoding encoding,
                                                     std::string_view sample) {
  if (pack.every_record) return std::nullopt;
  sample = sample.substr(0, kSampleBytesMax);
  std::set<std::string> all;
  for (const Rule& rule : pack.program->rules) {
    std::optional<std::vector<std::string>> best;
    std::size_t best_count = 0;
    const bool is_choice = rule.literal_text.size() > 1;
    for (const std::string& literal : rule.literal_text) {
      auto forms = raw_forms(literal, encoding, pack.encodings);
      if (!forms) continue;
      if (forms->empty()) {  // cannot be stored, so the rule cannot match
        best = std::move(forms);
        break;
      }
      std::size_t count = 0;
      for (const std::string& form : *forms) count += is_choice ? count_of(form, sample) : 0;
      if (best && (count > best_count ||
                   (count == best_count && forms->front().size() <= best->front().size()))) {
        continue;
      }
      best = std::move(forms);
      best_count = count;
    }
    if (best) {
      all.insert(best->begin(), best->end());
      continue;
    }
    if (rule.any_text.empty()) return std::nullopt;
    for (const std::string& literal : rule.any_text) {
      auto forms = raw_forms(literal, encoding, pack.encodings);
      if (!forms) return std::nullopt;
      all.insert(forms->begin(), forms->end());
    }
  }
  std::vector<ScanLiteral> literals;
  for (const std::string& bytes : all) literals.push_back({bytes, false});
  return literals;
}

}  // namespace meldevakt::agent
