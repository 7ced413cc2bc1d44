// The records of one chunk of an .evtx file as XML, by libevtx.
//
//   const auto events = render_apart(alone_in_a_file(bytes, chunk), chunk.records);
//   // events.value()[i]: "<Event xmlns=...>...</Event>", "" when record i cannot be shown
//
// Binary XML refers to itself, so a hostile record can ask for any depth and size, and libevtx does
// not guard against that. So it works in a child process of its own, with bounds on its memory,
// time and output. Whatever happens there costs the record that it happens in.
//
// The child is a fork of this process and calls nothing but libevtx and the system; it ends with
// this process. In a process of several threads a lock may be held at that moment which the child
// then waits for (glibc sees to its own, sanitizers to none): a child that hangs is replaced,
// a few times where it stands still in the same record.
//
// Thread-safety: safe from several threads. Bounds: kEvtxEventBytesMax an event (a longer one is
// not shown), kEvtxRenderedBytesMax a chunk, kEvtxChildrenMax children a chunk, kEvtxRenderTime and
// kEvtxRenderMemory a child. Errors: kIo, no process or no memory can be had.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/unpack/evtx_layout.h"
#include "common/base/result.h"
#include "common/base/time.h"

namespace meldevakt::agent {

inline constexpr std::size_t kEvtxEventBytesMax = 1024 * 1024;
inline constexpr std::size_t kEvtxRenderedBytesMax = 16 * 1024 * 1024;
inline constexpr std::size_t kEvtxChildrenMax = 4;
inline constexpr Duration kEvtxRenderTime = seconds(10);
inline constexpr std::uint64_t kEvtxRenderMemory = 256ULL * 1024 * 1024;

// `file`: one chunk, alone in a file. As many texts as records.
using RenderEvtx = std::function<Result<std::vector<std::string>>(
    std::string_view file, const std::vector<EvtxRecord>& records)>;

[[nodiscard]] Result<std::vector<std::string>> render_apart(std::string_view file,
                                                            const std::vector<EvtxRecord>& records);

// What the child does: tells of each record from `from` on, in order; false: there is no room for
// more. `path`: of the file, for as long as the child lives. For tests, which have one that
// crashes.
using EvtxTell = std::function<bool(std::size_t index, std::string_view text)>;
using EvtxShow = void (*)(const char* path, std::size_t from,
                          const std::vector<EvtxRecord>& records, const EvtxTell& tell);
[[nodiscard]] Result<std::vector<std::string>> render_apart_with(
    EvtxShow show_records, std::string_view file, const std::vector<EvtxRecord>& records);

}  // namespace meldevakt::agent
