// What an agent asks its collector with when it enrols. Kept before it is sent: when the answer got
// lost, the same question is asked again and answered as the first time (PROTOCOL.md); and `sent`
// shows it ever after, as it shows everything that left this host. No secret is in it: the
// invitation's token, which goes with it, is there as its hash only.
//
//   MELDEVAKT_TRY(keep_enrolment(files.enrolment(suffix), request));
//   read_enrolment(path)       // kNotFound, kCorrupt (with path), kIo
//
// Thread-safety: none; the agent's lock is held. Bounds: kEnrolmentBytesMax.
#pragma once

#include <cstddef>
#include <string>

#include "common/base/result.h"

namespace meldevakt::agent {

inline constexpr std::size_t kEnrolmentBytesMax = 256 * 1024;

struct EnrolmentRequest {
  std::string envelope;             // DSSE, as it is sent
  std::string certificate_request;  // PEM
};

[[nodiscard]] Status keep_enrolment(const std::string& path, const EnrolmentRequest& request);
[[nodiscard]] Result<EnrolmentRequest> read_enrolment(const std::string& path);

}  // namespace meldevakt::agent
