// What a person typed that is no command of a program, in words, with the nearest that is.
//
//   catch (const CLI::ParseError& error) {
//     const std::string unknown = unknown_command(app, argc, argv);   // "" when that is not it
//
// `App` is the command line library's class (CLI::App), which this header does not need to know.
// Thread-safety: pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.h"

namespace meldevakt {

template <class App>
[[nodiscard]] std::string unknown_command(App& app, int count, const char* const* words) {
  App* group = &app;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word.empty() || word.front() == '-') return "";
    std::vector<std::string> names;
    App* next = nullptr;
    for (App* command : group->get_subcommands([](App*) { return true; })) {
      names.push_back(command->get_name());
      if (names.back() == word) next = command;
    }
    if (names.empty()) return "";
    if (next == nullptr) {
      const auto nearest = nearest_name(word, names);
      return "there is no command '" + meldevakt::quoted(word) + "'" +
             (nearest ? "; did you mean '" + *nearest + "'?" : ";") + " --help lists them";
    }
    group = next;
  }
  return "";
}

}  // namespace meldevakt
