// Loads the packs we ship and runs their samples, each pack by itself and against the others.
// Part of every build: a pack that does not do what its samples say is never shipped.
#include <cstdio>
#include <memory>
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

}  // namespace

int main() {
  std::vector<std::shared_ptr<const Pack>> packs;
  std::size_t failures = 0;
  for (const auto& shipped : meldevakt::agent::shipped_packs()) {
    auto pack = meldevakt::agent::load_pack(shipped.text, shipped.file_name,
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
