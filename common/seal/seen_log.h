// What somebody has seen of a log, and whether what it shows now goes on from there: how an agent
// holds its collector to one history.
//
//   SeenLog seen{key};                                        // nothing seen yet
//   MELDEVAKT_TRY_ASSIGN(seen, follow_log(seen, envelope, {proof, consistency}, verifier));
//
// After that the entry stands in the log for good: a log that later leaves it out, puts it
// elsewhere, or is another one for somebody else can no longer show this reader anything that
// holds, and the two signed checkpoints prove that against it.
//
// Thread-safety: pure functions on plain values. Errors: kRejected: what is shown contradicts what
// was seen, or is not signed by the log's key, or does not hold the entry; kCorrupt and kLimit: it
// is not of the form, which proves nothing against anybody.
// Source: c2sp.org/tlog-proof, RFC 9162 section 2.1.4.2.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/ports/signer.h"
#include "common/seal/checkpoint.h"
#include "common/seal/merkle.h"

namespace meldevakt {

struct SeenLog {
  std::string key;         // of the log, "name+id+Base64" (note.h); "" before it is known
  std::uint64_t size = 0;  // of the newest checkpoint that was seen
  Sha256 root;
  std::string checkpoint;  // that one, signed, as it came; "" before the first
  auto operator<=>(const SeenLog&) const = default;
};

// What a log shows of one entry (collector/http/PROTOCOL.md, /v1/log/proof).
struct ShownProof {
  std::string proof;     // C2SP tlog-proof, with the checkpoint
  HashList consistency;  // from the log of `seen.size` entries; none from 0
};

[[nodiscard]] Result<SeenLog> follow_log(const SeenLog& seen, std::string_view entry,
                                         const ShownProof& shown, const Verifier& verifier);

}  // namespace meldevakt
