// Runs fuzz targets over their seeds and over fixed changes of them. The same inputs every time: a
// failure is repeated by running again.
//
//   fuzz_corpus_tests [TARGET...]                 exit 1 when a target failed
//   fuzz_corpus_tests --expect-failure TARGET     exit 1 when it did not fail
//   MELDEVAKT_FUZZ_ROUNDS=100000                  random changes a seed (3000)
//
// Each target runs in a child process: a crash, a failed check and a sanitizer's report all end it,
// and the input that did it is then written to fuzz-failure-TARGET in the working directory.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/text.h"
#include "common/testing/doubles.h"

#define MELDEVAKT_FUZZ(name) int fuzz_##name(const std::uint8_t* data, std::size_t size);
#include "fuzz_targets.inc"
#undef MELDEVAKT_FUZZ

namespace meldevakt::fuzz {
namespace {

struct Target {
  std::string_view name;
  int (*run)(const std::uint8_t*, std::size_t);
};
#define MELDEVAKT_FUZZ(name) {#name, fuzz_##name},
constexpr Target kTargets[] = {
#include "fuzz_targets.inc"
};
#undef MELDEVAKT_FUZZ

constexpr std::string_view kCanary = "canary";
constexpr std::size_t kInputBytesMax = 64 * 1024;

// Seen by parent and child: what the child is working on.
struct Progress {
  std::uint64_t inputs;
  std::size_t size;
  char input[kInputBytesMax];
};

Progress* shared_progress() {
  void* const memory =
      mmap(nullptr, sizeof(Progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    std::perror("mmap");
    std::exit(3);
  }
  return static_cast<Progress*>(memory);
}

std::vector<std::string> seeds_of(std::string_view target) {
  std::vector<std::string> paths;
  const std::filesystem::path folder = std::filesystem::path{MELDEVAKT_FUZZ_CORPUS} / target;
  if (std::filesystem::is_directory(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator{folder}) {
      paths.push_back(entry.path().string());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> seeds;
  for (const std::string& path : paths) {
    std::ifstream file{path, std::ios::binary};
    seeds.emplace_back(std::istreambuf_iterator<char>{file}, std::istreambuf_iterator<char>{});
  }
  return seeds;
}

std::uint64_t rounds() {
  const char* const given = std::getenv("MELDEVAKT_FUZZ_ROUNDS");
  return given == nullptr ? 3000 : parse_u64(given).value_or(3000);
}

class Runner {
 public:
  Runner(const Target& target, Progress& progress) : target_{target}, progress_{progress} {}

  void run_all() {
    const std::vector<std::string> seeds = seeds_of(target_.name);
    run("");
    for (const std::string& seed : seeds) {
      run(seed);
      cut(seed);
      change_bytes(seed);
      for (const std::string& other : seeds) splice(seed, other);
      havoc(seed);
    }
  }

 private:
  void run(std::string_view input) {
    if (input.size() > kInputBytesMax) return;
    std::memcpy(progress_.input, input.data(), input.size());
    progress_.size = input.size();
    ++progress_.inputs;
    // A copy of its own size: a read beyond its end is then seen by AddressSanitizer.
    const std::vector<std::uint8_t> copy{input.begin(), input.end()};
    target_.run(copy.data(), copy.size());
  }

  // At most some hundred places a seed, spread over it.
  [[nodiscard]] static std::size_t step_of(const std::string& seed) {
    return std::max<std::size_t>(1, seed.size() / 400);
  }

  void cut(const std::string& seed) {
    for (std::size_t at = 0; at < seed.size(); at += step_of(seed)) {
      run(std::string_view{seed}.substr(0, at));
      run(std::string_view{seed}.substr(at));
    }
  }

  void change_bytes(const std::string& seed) {
    for (std::size_t at = 0; at < seed.size(); at += step_of(seed)) {
      for (const char value :
           {'\0', '\xff', '0', '"', '\\', '[', '-', static_cast<char>(seed[at] ^ 1),
            static_cast<char>(seed[at] ^ 0x80)}) {
        std::string changed = seed;
        changed[at] = value;
        run(changed);
        run(std::string{seed}.insert(at, 1, value));
      }
      run(std::string{seed}.erase(at, 1));
    }
  }

  void splice(const std::string& a, const std::string& b) {
    for (int i = 1; i < 16; ++i) {
      const std::size_t at_a = a.size() * static_cast<std::size_t>(i) / 16;
      const std::size_t at_b = b.size() * static_cast<std::size_t>(i) / 16;
      run(a.substr(0, at_a) + b.substr(at_b));
      run(a.substr(0, at_a) + b);
    }
  }

  void havoc(const std::string& seed) {
    testing::SeededRandom random{seed.size()};
    for (std::uint64_t round = rounds(); round > 0; --round) {
      std::string changed = seed;
      for (std::uint64_t changes = 1 + random.below(6); changes > 0; --changes) {
        const std::size_t at = random.below(changed.size() + 1);
        const std::size_t length = random.below(std::min<std::size_t>(changed.size() - at, 16) + 1);
        switch (random.below(4)) {
          case 0: changed.erase(at, length); break;
          case 1: changed.insert(at, random.bytes(1 + random.below(4))); break;
          case 2: changed.insert(at, changed.substr(at, length)); break;
          default:
            if (at < changed.size()) changed[at] = static_cast<char>(random.next());
        }
      }
      run(changed);
    }
  }

  const Target& target_;
  Progress& progress_;
};

// True when the target came through all its inputs.
bool survives(const Target& target) {
  Progress* const progress = shared_progress();
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    Runner{target, *progress}.run_all();
    _exit(0);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) {
    std::perror("fork");
    std::exit(3);
  }
  const bool ok = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  std::printf("%s %.*s: %llu inputs\n", ok ? "ok  " : "FAIL", static_cast<int>(target.name.size()),
              target.name.data(), static_cast<unsigned long long>(progress->inputs));
  if (!ok) {
    const std::string path = "fuzz-failure-" + std::string{target.name};
    std::ofstream{path, std::ios::binary}.write(progress->input,
                                                static_cast<std::streamsize>(progress->size));
    std::printf("     failed at input %llu, written to %s: %s\n",
                static_cast<unsigned long long>(progress->inputs), path.c_str(),
                quoted({progress->input, progress->size}, 200).c_str());
  }
  munmap(progress, sizeof(Progress));
  return ok;
}

int run(const std::vector<std::string>& names, bool expect_failure) {
  std::size_t found = 0;
  bool as_expected = true;
  for (const Target& target : kTargets) {
    const bool named = std::find(names.begin(), names.end(), target.name) != names.end();
    if (!named && (!names.empty() || target.name == kCanary)) continue;
    ++found;
    if (!expect_failure && seeds_of(target.name).empty()) {
      std::printf("FAIL %.*s: no seeds\n", static_cast<int>(target.name.size()),
                  target.name.data());
      as_expected = false;
    }
    if (survives(target) == expect_failure) as_expected = false;
  }
  if (found == 0 || (!names.empty() && found != names.size())) {
    std::fprintf(stderr, "no such target\n");
    return 2;
  }
  return as_expected ? 0 : 1;
}

}  // namespace
}  // namespace meldevakt::fuzz

int main(int argc, char** argv) {
  std::vector<std::string> names{argv + 1, argv + argc};
  const bool expect_failure = !names.empty() && names[0] == "--expect-failure";
  if (expect_failure) names.erase(names.begin());
  return meldevakt::fuzz::run(names, expect_failure);
}
