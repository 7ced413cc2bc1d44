// Loads the packs we ship and runs their samples, each pack by itself and against the others.
// Part of every build: a pack that does not do what its samples say is never shipped.
//   verify_packs [FILE...]     with files: those, instead of what we ship. Exit 1 when one does not
//   hold.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "agent/recognise/pack.h"
#include "agent/rules/shipped_packs.h"

namespace {

using meldevakt::agent::Pack;
using meldevakt::agent::SampleFailure;

std::size_t report(const std::vector<SampleFailure>& failures) {
  for (const SampleFailure& failure : failures) {
    std::fprintf(stderr, "%s\n", failure.message.c_str());
  }
  return failures.size();
}

struct PackFile {
  std::string name;
  std::string text;
};

std::vector<PackFile> packs_to_verify(std::span<char*> paths) {
  std::vector<PackFile> files;
  for (const char* path : paths) {
    std::ifstream file{path, std::ios::binary};
    files.push_back({path, {std::istreambuf_iterator<char>{file}, {}}});
    if (!file)
      std::fprintf(stderr, "%s: cannot be read\n", path);  // and does not load, being empty
  }
  if (!paths.empty()) return files;
  for (const auto& shipped : meldevakt::agent::shipped_packs()) {
    files.push_back({std::string{shipped.file_name}, std::string{shipped.text}});
  }
  return files;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::shared_ptr<const Pack>> packs;
  std::size_t failures = 0;
  for (const PackFile& file : packs_to_verify(std::span{argv, std::size_t(argc)}.subspan(1))) {
    auto pack = meldevakt::agent::load_pack(file.text, file.name,
                                            meldevakt::agent::find_shipped_shared_rules);
    if (!pack) {
      std::fprintf(stderr, "%s\n", pack.error().message().c_str());
      ++failures;
      continue;
    }
    failures += report(meldevakt::agent::check_samples(*pack.value()));
    packs.push_back(std::move(pack).value());
  }
  failures += report(meldevakt::agent::check_samples_across(packs));
  return failures == 0 ? 0 : 1;
}
