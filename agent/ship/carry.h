// Frames as files, for networks that allow no outgoing connection: the same bytes, carried by hand.
//
// One file a frame, "<agent>-<epoch>-<sequence>.frame", written to a temporary name, synced,
// renamed, the folder synced; then it counts as handed over. A file that is there already must hold
// the same bytes; other bytes are a fork. The same bytes are written over themselves: an agent that
// was killed may have left a name that is not synced, and a name that a power cut can take back
// must not let the frame go.
//
// Writing durably is the caller's (common/platform, ring 4 brings it). Thread-safety: none.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "agent/ship/frame_sender.h"
#include "common/base/result.h"

namespace meldevakt::agent {

[[nodiscard]] std::string carry_file_name(const OutgoingFrame& frame);

class CarrySender : public FrameSender {
 public:
  struct Disk {
    std::function<Result<std::string>(const std::string& path)> read;  // kNotFound
    // Durable when it returns. kExists when the name is taken.
    std::function<Status(const std::string& path, std::string_view bytes)> write;
    // As write, in place of what is there.
    std::function<Status(const std::string& path, std::string_view bytes)> rewrite;
  };
  CarrySender(std::string folder, Disk disk) : folder_{std::move(folder)}, disk_{std::move(disk)} {}
  [[nodiscard]] HandoverResult send(const OutgoingFrame& frame) override;

 private:
  std::string folder_;
  Disk disk_;
};

}  // namespace meldevakt::agent
