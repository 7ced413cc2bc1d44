#include "agent/source/names.h"

#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace meldevakt::agent {
namespace {

constexpr int kRotationsOfOneName = 4;  // "app.log.1.old"

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_separator(char c) {
  return c == '.' || c == '-' || c == '_' || c == '~';
}

// `lower` is in small letters.
bool same_but_for_case(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == b;
  });
}

// "1", "20230201", "2023-02-01", "2023-02-01T10_00": digits and what stands between them.
bool is_counter_or_date(std::string_view text) {
  return !text.empty() && is_digit(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_digit(c) || is_separator(c) || c == 'T' || c == 'Z'; });
}

bool is_rotation_word(std::string_view text) {
  constexpr std::array<std::string_view, 4> words{"old", "bak", "prev", "previous"};
  return std::find(words.begin(), words.end(), text) != words.end();
}

// "app.log" of "app.log.1": what stands behind is no node's number.
bool ends_like_a_log(std::string_view name) {
  constexpr std::array<std::string_view, 10> endings{".log", ".txt", ".json", ".jsonl", ".clef",
                                                     ".xml", ".csv", ".out",  ".err",   ".trace"};
  return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) {
    return name.size() > ending.size() &&
           same_but_for_case(name.substr(name.size() - ending.size()), ending);
  });
}

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && is_digit(text[at + count])) ++count;
  return count;
}

// Length of "20230201" or "2023-02-01" at `at`, 0 when none is there.
std::size_t date_at(std::string_view text, std::size_t at) {
  if (at > 0 && is_digit(text[at - 1])) return 0;
  const std::string_view rest = text.substr(at);
  if (rest.size() < 8 || (rest.substr(0, 2) != "19" && rest.substr(0, 2) != "20")) return 0;
  const std::size_t digits = digits_at(rest, 0);
  if (digits == 8 || digits == 10 || digits == 12 || digits == 14) return digits;
  if (digits != 4 || rest.size() < 10) return 0;
  const char between = rest[4];
  if (!is_separator(between) || rest[7] != between) return 0;
  if (digits_at(rest, 5) != 2 || digits_at(rest, 8) != 2) return 0;
  return 10;
}

// The number a name ends with ("app.log.12" -> 12), with the name before it.
std::optional<unsigned long> trailing_number(std::string_view name, std::string_view& before) {
  std::size_t begin = name.size();
  while (begin > 0 && is_digit(name[begin - 1])) --begin;
  const std::size_t count = name.size() - begin;
  if (count == 0 || count > 4 || begin == 0 || !is_separator(name[begin - 1])) return std::nullopt;
  unsigned long number = 0;
  for (const char c : name.substr(begin)) {
    number = number * 10 + static_cast<unsigned long>(c - '0');
  }
  before = name.substr(0, begin - 1);
  return number;
}

}  // namespace

bool is_rotated_sibling(std::string_view name, std::string_view of) {
  if (of.empty() || name.size() <= of.size()) return false;
  if (name.substr(0, of.size()) == of && is_separator(name[of.size()])) {
    const std::string_view suffix = name.substr(of.size() + 1);
    return is_counter_or_date(suffix) || is_rotation_word(suffix) || suffix.empty();
  }
  const std::size_t dot = of.rfind('.');
  if (dot == std::string_view::npos || dot == 0) return false;
  const std::string_view stem = of.substr(0, dot);
  const std::string_view extension = of.substr(dot);
  if (name.substr(0, stem.size()) != stem || !is_separator(name[stem.size()])) return false;
  if (name.substr(name.size() - extension.size()) != extension) return false;
  if (name.size() < stem.size() + extension.size() + 2) return false;
  return is_counter_or_date(
      name.substr(stem.size() + 1, name.size() - stem.size() - extension.size() - 1));
}

std::vector<std::string> rotated_from(std::string_view name) {
  std::vector<std::string> out;
  const std::size_t dot = name.rfind('.');
  for (std::size_t at = 1; at < name.size(); ++at) {
    if (!is_separator(name[at])) continue;
    const std::string_view suffix = name.substr(at + 1);
    if (suffix.empty() || is_counter_or_date(suffix) || is_rotation_word(suffix)) {
      out.emplace_back(name.substr(0, at));
    }
    if (dot == std::string_view::npos || dot <= at) continue;
    if (is_counter_or_date(name.substr(at + 1, dot - at - 1))) {
      out.push_back(std::string{name.substr(0, at)}.append(name.substr(dot)));
    }
  }
  return out;
}

std::optional<std::string> dated_name_mask(std::string_view name) {
  for (std::size_t at = 0; at < name.size(); ++at) {
    std::size_t length = date_at(name, at);
    if (length == 0) continue;
    std::size_t end = at + length;
    while (end + 1 < name.size() && (is_separator(name[end]) || name[end] == 'T') &&
           is_digit(name[end + 1])) {
      end += 1 + digits_at(name, end + 1);  // a time of day or a counter
    }
    return std::string{name.substr(0, at)} + "#" + std::string{name.substr(end)};
  }
  return std::nullopt;
}

namespace {

// "app.log.1.old" of "app.log": each step back leads to a name like a log's, sooner or later.
bool leads_to_a_log(std::string_view base, int rotations) {
  if (ends_like_a_log(base)) return true;
  if (rotations == 0) return false;
  const std::vector<std::string> bases = rotated_from(base);
  return std::any_of(bases.begin(), bases.end(), [&](const std::string& one) {
    return base.starts_with(one) && leads_to_a_log(one, rotations - 1);
  });
}

}  // namespace

std::string log_of_path(std::string_view path,
                        const std::function<bool(const std::string& path)>& is_there) {
  const std::string_view folder = folder_of(path);
  std::string name{uncompressed_name(name_of(path))};
  for (int rotations = 0; rotations < kRotationsOfOneName; ++rotations) {
    const std::vector<std::string> bases = rotated_from(name);
    const auto base = std::find_if(bases.begin(), bases.end(), [&](const std::string& one) {
      const bool is_suffix = name.starts_with(one) && leads_to_a_log(one, kRotationsOfOneName);
      return is_suffix || is_there(joined(folder, one));
    });
    if (base == bases.end()) break;
    name = *base;
  }
  return joined(folder, dated_name_mask(name).value_or(name));
}

std::string_view uncompressed_name(std::string_view name) {
  constexpr std::array<std::string_view, 9> endings{".gz",  ".tgz", ".bz2", ".xz", ".zst",
                                                    ".zip", ".lz4", ".7z",  ".cab"};
  for (const std::string_view ending : endings) {
    if (name.size() <= ending.size()) continue;
    const std::string_view end = name.substr(name.size() - ending.size());
    if (same_but_for_case(end, ending)) return name.substr(0, name.size() - ending.size());
  }
  return name;
}

bool is_compressed_name(std::string_view name) {
  return uncompressed_name(name).size() != name.size();
}

bool older_by_name(std::string_view a, std::string_view b) {
  const std::string_view stored_a = a;
  const std::string_view stored_b = b;
  a = uncompressed_name(a);
  b = uncompressed_name(b);
  std::string_view before_a;
  std::string_view before_b;
  const auto number_a = trailing_number(a, before_a);
  const auto number_b = trailing_number(b, before_b);
  if (number_a && number_b && before_a == before_b) return *number_a > *number_b;
  if (number_a && before_a == b) return true;
  if (number_b && before_b == a) return false;
  if (is_rotated_sibling(name_of(a), name_of(b))) return true;
  if (is_rotated_sibling(name_of(b), name_of(a))) return false;
  return a != b ? a < b : stored_a < stored_b;
}

bool has_wildcard(std::string_view component) {
  return component.find_first_of("*?[") != std::string_view::npos;
}

bool matches(const std::string& pattern, const std::string& name) {
  return fnmatch(pattern.c_str(), name.c_str(), FNM_PERIOD) == 0;
}

std::string_view folder_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return ".";
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string joined(std::string_view folder, std::string_view name) {
  if (folder == "." || folder.empty()) return std::string{name};
  std::string path{folder};
  if (path.back() != '/') path += '/';
  return path.append(name);
}

}  // namespace meldevakt::agent
