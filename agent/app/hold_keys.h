// Which key holds are sealed to, and the private keys that open them.
//
// hold-<tenant>.pub, when somebody ran `hold key`: the private half is theirs, and this host cannot
// read what it holds. Until then hold-<tenant>.key, made by the agent when it is first needed: who
// can read the state folder can read the holds. agent/hold/README.md has the threat model.
//
// Thread-safety: none. Errors: kNotFound, kInvalid (permissions, passphrase), kCorrupt, kIo.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/app/identity.h"
#include "agent/hold/hold.h"
#include "common/base/result.h"

namespace meldevakt::agent {

inline constexpr std::size_t kPassphraseBytesMin = 12;
inline constexpr std::size_t kPassphraseBytesMax = 512;

// 32 raw bytes; makes the host's own key when there is none.
[[nodiscard]] Result<std::string> hold_public_key(const StateFiles& files,
                                                  const std::string& tenant);
// One sentence for `check`.
[[nodiscard]] std::string describe_hold_key(const HoldSettings& settings, const StateFiles& files,
                                            const std::string& tenant, const std::string& config);
// From a file's first line ("-": standard input), or asked at the terminal, twice when `confirm`.
enum class Confirm : std::uint8_t { kNo, kYes };
[[nodiscard]] Result<std::string> take_passphrase(const std::string& file, Confirm confirm);

}  // namespace meldevakt::agent
