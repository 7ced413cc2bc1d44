// Measures scanning by itself, and makes what the others need; tests/bench/scan_bench.py runs it
// beside its peers. Prints one JSON object a run.
//
//   scan_bench log FILE BYTES SEED HITS [utf-16le]
//       a log; HITS of 10,000 records match
//   scan_bench regexes|literals|pack FILE COUNT
//       the first COUNT patterns, for peers and for us
//   scan_bench random-literals FILE COUNT
//       literals of another sort, for large sets
//   scan_bench read FILE
//       reads and does nothing
//   scan_bench scan FILE PACK [everything]
//       the engine, by read()
//   scan_bench ready PACK
//       from the pack's text to a scanner, and how long a plan takes
//   scan_bench literals-in FILE LITERALS PATH IC SAMPLE
//       literals alone: PATH read|mapped, IC 0|1, planned for SAMPLE
//   scan_bench extract FILE PACK LITERALS
//       the kernel, and the rules on each line it finds
//   scan_bench hyperscan FILE REGEXES
//       lines that match, in blocks (where built in)
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "agent/recognise/literal_scanner.h"
#include "agent/recognise/log_scanner.h"
#include "agent/recognise/recogniser.h"
#include "tests/bench/scan_log.h"
#ifdef MELDEVAKT_HAVE_HYPERSCAN
#include <hs/hs.h>
#endif

namespace meldevakt::bench {
namespace {

constexpr std::size_t kChunkBytes = 128 * 1024;
constexpr std::size_t kWindowBytes = 512 * 1024;

std::string whole(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream in{path};
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

struct Run {
  std::uint64_t bytes = 0;
  std::uint64_t found = 0;
  std::uint64_t candidates = 0;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

template <typename Work>
int timed(Work work) {
  const double before = cpu_seconds();
  const Run run = work();
  const double cpu = cpu_seconds() - before;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::printf("{\"bytes\":%llu,\"found\":%llu,\"candidates\":%llu,\"cpu\":%.6f,\"rss_kb\":%ld}\n",
              static_cast<unsigned long long>(run.bytes),
              static_cast<unsigned long long>(run.found),
              static_cast<unsigned long long>(run.candidates), cpu, usage.ru_maxrss);
  return 0;
}

int make_log(int argc, char** argv) {
  const std::uint64_t bytes = std::stoull(argv[3]);
  ScanLog log{std::stoull(argv[4]), static_cast<std::uint32_t>(std::stoul(argv[5]))};
  std::ofstream file{argv[2], std::ios::binary};
  const bool wide = argc > 6;
  if (wide) file << "\xFF\xFE";
  for (std::uint64_t written = 0; written < bytes;) {
    std::string text;
    while (text.size() < 1'000'000) log.add_record(text);
    written += text.size();
    if (wide) {
      std::string out;
      for (std::size_t i = 0; i < text.size(); ++i) {
        unsigned code = static_cast<unsigned char>(text[i]);
        if (code >= 0xC0) {
          code = ((code & 0x1FU) << 6U) | (static_cast<unsigned char>(text[++i]) & 0x3FU);
        }
        out += static_cast<char>(code & 0xFFU);
        out += static_cast<char>(code >> 8U);
      }
      text = out;
    }
    file << text;
  }
  return file.good() ? 0 : 3;
}

int write_patterns(const std::string& what, const std::string& path, std::size_t count) {
  std::ofstream file{path};
  if (what == "pack") {
    file << scan_pack(count);
    return 0;
  }
  std::uint64_t random = 99;
  for (std::size_t i = 0; i < count; ++i) {
    if (what == "random-literals") {
      file << "Feilkode ";
      for (int k = 0; k < 8; ++k) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;
        file << static_cast<char>('a' + (random >> 33U) % 26);
      }
      file << "\n";
    } else {
      const ScanPattern& pattern = scan_patterns()[i];
      file << (what == "regexes" ? pattern.regex : pattern.literal) << "\n";
    }
  }
  return 0;
}

template <typename Chunk>
std::uint64_t read_chunks(const std::string& path, const Chunk& chunk) {
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  std::vector<char> buffer(kChunkBytes);
  std::uint64_t bytes = 0;
  ssize_t got = 0;
  while ((got = ::read(descriptor, buffer.data(), buffer.size())) > 0) {
    chunk(std::string_view{buffer.data(), static_cast<std::size_t>(got)});
    bytes += static_cast<std::uint64_t>(got);
  }
  ::close(descriptor);
  return bytes;
}

Run scan(const std::string& path, const std::shared_ptr<const agent::Pack>& pack, bool everything) {
  agent::LogScanner::Settings settings;
  settings.pack = pack;
  if (everything) settings.order = agent::ScanOrder::kEverything;
  agent::LogScanner scanner{settings};
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  Run run;
  while (true) {
    const agent::LogScanner::Space space = scanner.space();
    const ssize_t got = ::read(descriptor, space.data, space.size);
    if (got <= 0) break;
    scanner.filled(static_cast<std::size_t>(got));
    run.found += scanner.take().size();
  }
  scanner.finish();
  ::close(descriptor);
  run.found += scanner.take().size();
  run.bytes = scanner.stats().bytes;
  return run;
}

// Lines that hold a literal. `text` ends with a line, or the rest is looked at the next time.
std::size_t count_lines_in(const agent::LiteralScanner& scanner, std::string_view text, Run& run) {
  const std::size_t end = text.rfind('\n') + 1;
  text = text.substr(0, end);
  for (std::size_t from = 0; const auto hit = scanner.find(text, from, &run.candidates);) {
    ++run.found;
    from = text.find('\n', hit->at) + 1;
  }
  return end;
}

Run literals_read(const std::string& path, const agent::LiteralScanner& scanner) {
  Run run;
  std::string carry;
  run.bytes = read_chunks(path, [&](std::string_view chunk) {
    if (!carry.empty()) {
      const std::size_t end = chunk.find('\n') + 1;
      carry.append(chunk.substr(0, end));
      count_lines_in(scanner, carry, run);
      carry.clear();
      chunk.remove_prefix(end);
    }
    carry = chunk.substr(count_lines_in(scanner, chunk, run));
  });
  return run;
}

// The kernel with extraction: around each literal its line, and what the rules say of it.
Run extract(const std::string& path, const agent::LiteralScanner& scanner,
            agent::Recogniser& recogniser) {
  Run run;
  std::string carry;
  const auto lines = [&](std::string_view text) {
    const std::size_t end = text.rfind('\n') + 1;
    for (std::size_t from = 0; const auto hit = scanner.find(text.substr(0, end), from);) {
      const std::size_t begin = text.rfind('\n', hit->at) + 1;
      from = text.find('\n', hit->at) + 1;
      agent::Record record;
      record.text = text.substr(begin, from - 1 - begin);
      run.found += recogniser.recognise(record).events.size();
    }
    return end;
  };
  run.bytes = read_chunks(path, [&](std::string_view chunk) {
    const std::size_t first = carry.empty() ? 0 : chunk.find('\n') + 1;
    if (first > 0) lines(carry.append(chunk.substr(0, first)));
    chunk.remove_prefix(first);
    carry = chunk.substr(lines(chunk));
  });
  return run;
}

Run literals_mapped(const std::string& path, const agent::LiteralScanner& scanner) {
  Run run;
  const int descriptor = ::open(path.c_str(), O_RDONLY);
  struct stat status {};
  ::fstat(descriptor, &status);
  run.bytes = static_cast<std::uint64_t>(status.st_size);
  char* const base =
      static_cast<char*>(::mmap(nullptr, run.bytes, PROT_READ, MAP_PRIVATE, descriptor, 0));
  for (std::uint64_t at = 0; at < run.bytes;) {
    const std::uint64_t window = std::min<std::uint64_t>(kWindowBytes, run.bytes - at);
    const std::uint64_t page = at / 4096 * 4096;
    ::madvise(base + page, window + at - page, MADV_POPULATE_READ);
    at += count_lines_in(scanner, {base + at, window}, run);
    ::madvise(base + page, at / 4096 * 4096 - page, MADV_DONTNEED);
  }
  ::munmap(base, run.bytes);
  ::close(descriptor);
  return run;
}

#ifdef MELDEVAKT_HAVE_HYPERSCAN
struct Lines {
  std::string_view block;
  std::uint64_t found = 0;
  std::uint64_t line_end = 0;
};

int on_match(unsigned, unsigned long long, unsigned long long to, unsigned, void* context) {
  Lines& lines = *static_cast<Lines*>(context);
  if (to <= lines.line_end) return 0;
  ++lines.found;
  const std::size_t end = lines.block.find('\n', to - 1);
  lines.line_end = end == std::string_view::npos ? lines.block.size() : end + 1;
  return 0;
}

Run hyperscan(const std::string& path, const std::vector<std::string>& regexes) {
  std::vector<const char*> texts;
  std::vector<unsigned> ids;
  for (const std::string& regex : regexes) {
    texts.push_back(regex.c_str());
    ids.push_back(static_cast<unsigned>(ids.size()));
  }
  hs_database_t* database = nullptr;
  hs_compile_error_t* error = nullptr;
  hs_compile_multi(texts.data(), nullptr, ids.data(), static_cast<unsigned>(texts.size()),
                   HS_MODE_BLOCK, nullptr, &database, &error);
  hs_scratch_t* scratch = nullptr;
  hs_alloc_scratch(database, &scratch);
  Run run;
  std::string carry;
  const auto block = [&](std::string_view text) {
    Lines lines;
    lines.block = text;
    hs_scan(database, text.data(), static_cast<unsigned>(text.size()), 0, scratch, on_match,
            &lines);
    run.found += lines.found;
  };
  run.bytes = read_chunks(path, [&](std::string_view chunk) {
    const std::size_t first = carry.empty() ? 0 : chunk.find('\n') + 1;
    if (first > 0) block(carry.append(chunk.substr(0, first)));
    const std::size_t end = chunk.rfind('\n') + 1;
    block(chunk.substr(first, end - first));
    carry = chunk.substr(end);
  });
  hs_free_scratch(scratch);
  hs_free_database(database);
  return run;
}
#endif

std::string sample_of(const char* path) {
  std::string sample(agent::kSampleBytesMax, '\0');
  std::ifstream in{path, std::ios::binary};
  in.read(sample.data(), static_cast<std::streamsize>(sample.size()));
  sample.resize(static_cast<std::size_t>(in.gcount()));
  return sample;
}

int extract_from(char** argv) {
  const auto pack = agent::load_pack(whole(argv[3]), argv[3]);
  if (!pack) return 2;
  std::vector<agent::ScanLiteral> literals;
  for (const std::string& line : lines_of(argv[4])) literals.push_back({line, false});
  const agent::LiteralScanner scanner{literals, sample_of(argv[2])};
  agent::Recogniser recogniser{pack.value(), nullptr, PrivacyStep{""}};
  return timed([&] { return extract(argv[2], scanner, recogniser); });
}

double ms_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin)
      .count();
}

int ready(const std::string& path) {
  const std::string text = whole(path);
  const auto begin = std::chrono::steady_clock::now();
  const double cpu_begin = cpu_seconds();
  const auto pack = agent::load_pack(text, path);
  if (!pack) return 2;
  agent::LogScanner::Settings settings;
  settings.pack = pack.value();
  const agent::LogScanner scanner{settings};
  const double ready_ms = ms_since(begin);
  const double ready_cpu_ms = (cpu_seconds() - cpu_begin) * 1000;
  std::vector<agent::ScanLiteral> literals;
  for (const ScanPattern& pattern : scan_patterns()) literals.push_back({pattern.literal, false});
  ScanLog log{1, 20};
  std::string sample;
  while (sample.size() < agent::kSampleBytesMax) log.add_record(sample);
  const auto plan_begin = std::chrono::steady_clock::now();
  const agent::LiteralScanner plan{literals, sample};
  std::printf("{\"ready_ms\":%.3f,\"ready_cpu_ms\":%.3f,\"plan_ms\":%.3f,\"unit\":%zu}\n", ready_ms,
              ready_cpu_ms, ms_since(plan_begin), plan.unit());
  return 0;
}

int literals_in(char** argv) {
  const std::string sample = sample_of(argv[6]);
  std::vector<agent::ScanLiteral> literals;
  for (const std::string& line : lines_of(argv[3])) literals.push_back({line, argv[5][0] == '1'});
  const agent::LiteralScanner scanner{literals, sample};
  const bool mapped = std::string_view{argv[4]} == "mapped";
  return timed(
      [&] { return mapped ? literals_mapped(argv[2], scanner) : literals_read(argv[2], scanner); });
}

int run(int argc, char** argv) {
  const std::string what = argc > 2 ? argv[1] : "";
  if (what == "log" && argc > 5) return make_log(argc, argv);
  if ((what == "regexes" || what == "literals" || what == "pack" || what == "random-literals") &&
      argc > 3) {
    return write_patterns(what, argv[2], std::stoul(argv[3]));
  }
  if (what == "read") {
    return timed([&] { return Run{read_chunks(argv[2], [](std::string_view) {}), 0, 0}; });
  }
  if (what == "ready") return ready(argv[2]);
  if (what == "scan" && argc > 3) {
    const auto pack = agent::load_pack(whole(argv[3]), argv[3]);
    if (!pack) {
      std::fprintf(stderr, "%s\n", pack.error().message().c_str());
      return 2;
    }
    return timed([&] { return scan(argv[2], pack.value(), argc > 4); });
  }
  if (what == "literals-in" && argc > 6) return literals_in(argv);
  if (what == "extract" && argc > 4) return extract_from(argv);
#ifdef MELDEVAKT_HAVE_HYPERSCAN
  if (what == "hyperscan" && argc > 3) {
    const std::vector<std::string> regexes = lines_of(argv[3]);
    return timed([&] { return hyperscan(argv[2], regexes); });
  }
#endif
  std::fprintf(stderr, "scan_bench: see the head of scan_bench.cpp\n");
  return 2;
}

}  // namespace
}  // namespace meldevakt::bench

int main(int argc, char** argv) {
  return meldevakt::bench::run(argc, argv);
}
