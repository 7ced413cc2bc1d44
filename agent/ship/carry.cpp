#include "agent/ship/carry.h"

namespace meldevakt::agent {

std::string carry_file_name(const OutgoingFrame& frame) {
  // Padded, so that names sort in the order the collector wants them.
  const auto padded = [](std::uint64_t number, std::size_t width) {
    std::string digits = std::to_string(number);
    return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
  };
  return frame.agent + "-" + padded(frame.epoch, 6) + "-" + padded(frame.sequence, 12) + ".frame";
}

HandoverResult CarrySender::send(const OutgoingFrame& frame) {
  const std::string path = folder_ + "/" + carry_file_name(frame);
  const auto there = disk_.read(path);
  if (there && there.value() != frame.bytes) {
    return {Handover::kFork, 0, path + " holds other bytes"};
  }
  if (!there && there.error().code() != Errc::kNotFound) {
    return {Handover::kRetry, 0, there.error().message()};
  }
  const Status written = there ? disk_.rewrite(path, frame.bytes) : disk_.write(path, frame.bytes);
  if (!written) return {Handover::kRetry, 0, written.error().message()};
  return {Handover::kStored, 0, ""};
}

}  // namespace meldevakt::agent
