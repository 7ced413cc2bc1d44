#include "common/seal/checkpoint.h"

#include <utility>

#include "common/base/text.h"

namespace meldevakt {
namespace {

constexpr std::string_view kProofHeader = "c2sp.org/tlog-proof@v1";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";
constexpr std::string_view kOld = "old ";
constexpr std::size_t kExtraBytesMax = 64 * 1024;  // as Base64
constexpr std::size_t kProofTextBytesMax = kNoteBytesMax + kExtraBytesMax + 8 * 1024;

// Lines of a text, each with its newline.
class Lines {
 public:
  explicit Lines(std::string_view text) : rest_{text} {}

  [[nodiscard]] std::optional<std::string_view> next() {
    const std::size_t end = rest_.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return line;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// Decimal in its one spelling.
std::optional<std::uint64_t> number(std::string_view text) {
  const auto value = parse_u64(text);
  if (!value || std::to_string(*value) != text) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> number_behind(std::string_view word,
                                           std::optional<std::string_view> line) {
  if (!line || line->substr(0, word.size()) != word) return std::nullopt;
  return number(line->substr(word.size()));
}

Result<Sha256> hash_of(std::string_view base64) {
  MELDEVAKT_TRY_ASSIGN(const std::string bytes, from_base64(base64));
  return Sha256::from_bytes(bytes);
}

// Hashes, one a line, up to an empty line, which is taken too.
Result<HashList> hash_lines(Lines& lines, std::string_view of) {
  HashList out;
  while (true) {
    const auto line = lines.next();
    if (!line) return Error{Errc::kCorrupt, std::string{of} + ": ends before its checkpoint"};
    if (line->empty()) return out;
    if (out.size() == kProofHashesMax) {
      return Error{Errc::kLimit,
                   std::string{of} + ": more than " + std::to_string(kProofHashesMax) + " hashes"};
    }
    const Result<Sha256> hash = hash_of(*line);
    if (!hash) return Error{Errc::kCorrupt, std::string{of} + ": a line is no hash in Base64"};
    out.push_back(hash.value());
  }
}

void append_hashes(const HashList& hashes, std::string& out) {
  for (const Sha256& hash : hashes) out.append(to_base64(hash.view())).append("\n");
  out.append("\n");
}

}  // namespace

std::string checkpoint_text(const Checkpoint& checkpoint) {
  std::string out = checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
                    to_base64(checkpoint.root.view()) + "\n";
  for (const std::string& line : checkpoint.extensions) out.append(line).append("\n");
  return out;
}

Result<Checkpoint> parse_checkpoint_text(std::string_view text) {
  const auto bad = [](std::string_view why) {
    return Error{Errc::kCorrupt, "checkpoint: " + std::string{why}};
  };
  Lines lines{text};
  Checkpoint out;
  const auto origin = lines.next();
  if (!origin || origin->empty() || origin->size() > kOriginBytesMax) return bad("no origin");
  out.origin = *origin;
  const auto size = number_behind("", lines.next());
  if (!size) return bad("its second line is no size");
  out.size = *size;
  const auto root = lines.next();
  if (!root) return bad("no root hash");
  const Result<Sha256> hash = hash_of(*root);
  if (!hash) return bad("its root is no hash in Base64");
  out.root = hash.value();
  while (!lines.rest().empty()) {
    const auto line = lines.next();
    if (!line || line->empty()) return bad("an extension line is empty or has no end");
    out.extensions.emplace_back(*line);
  }
  if (out.size == 0 && out.root != empty_tree_root()) {
    return bad("an empty tree with a root that is not that of one");
  }
  return out;
}

Result<TrustedCheckpoint> verify_checkpoint(std::string_view note, const LogPolicy& policy,
                                            const Verifier& verifier) {
  TrustedCheckpoint out;
  MELDEVAKT_TRY_ASSIGN(out.note, parse_note(note));
  std::vector<NoteKey> known{policy.log};
  known.insert(known.end(), policy.witnesses.begin(), policy.witnesses.end());
  MELDEVAKT_TRY_ASSIGN(std::vector<VerifiedSignature> by, verify_note(out.note, known, verifier));
  if (by.front().key != policy.log) {
    return Error{Errc::kRejected, "checkpoint: not signed by the log " + quoted(policy.log.name)};
  }
  out.witnesses.assign(by.begin() + 1, by.end());
  if (out.witnesses.size() < policy.witnesses_needed) {
    return Error{Errc::kRejected, "checkpoint: " + std::to_string(out.witnesses.size()) +
                                      " known witnesses, " +
                                      std::to_string(policy.witnesses_needed) + " are needed"};
  }
  MELDEVAKT_TRY_ASSIGN(out.checkpoint, parse_checkpoint_text(out.note.text));
  if (out.checkpoint.origin != policy.log.name) {
    return Error{Errc::kRejected, "checkpoint: of the log " + quoted(out.checkpoint.origin) +
                                      ", not of " + quoted(policy.log.name)};
  }
  return out;
}

std::string to_text(const TlogProof& proof) {
  std::string out{kProofHeader};
  out.append("\n");
  if (!proof.extra.empty()) out.append(kExtra).append(to_base64(proof.extra)).append("\n");
  out.append(kIndex).append(std::to_string(proof.index)).append("\n");
  append_hashes(proof.hashes, out);
  return out + proof.checkpoint;
}

Result<TlogProof> parse_tlog_proof(std::string_view text) {
  const auto bad = [](std::string_view why) {
    return Error{Errc::kCorrupt, "log proof: " + std::string{why}};
  };
  if (text.size() > kProofTextBytesMax) return Error{Errc::kLimit, "log proof: too large"};
  Lines lines{text};
  if (lines.next() != kProofHeader) return bad("does not begin as one");
  TlogProof out;
  auto line = lines.next();
  if (line && line->substr(0, kExtra.size()) == kExtra) {
    const Result<std::string> extra = from_base64(line->substr(kExtra.size()));
    if (!extra || extra.value().empty()) return bad("its extra data is not Base64");
    out.extra = extra.value();
    line = lines.next();
  }
  const auto index = number_behind(kIndex, line);
  if (!index) return bad("no index");
  out.index = *index;
  MELDEVAKT_TRY_ASSIGN(out.hashes, hash_lines(lines, "log proof"));
  out.checkpoint = lines.rest();
  return out;
}

Result<TrustedCheckpoint> verify_tlog_proof(const TlogProof& proof, std::string_view entry,
                                            const LogPolicy& policy, const Verifier& verifier) {
  MELDEVAKT_TRY_ASSIGN(TrustedCheckpoint out,
                       verify_checkpoint(proof.checkpoint, policy, verifier));
  const Checkpoint& checkpoint = out.checkpoint;
  const Status included = verify_inclusion(proof.index, checkpoint.size, leaf_hash(entry),
                                           proof.hashes, checkpoint.root);
  if (!included) return Error{Errc::kRejected, included.error().message()};
  return out;
}

std::string to_text(const AddCheckpoint& request) {
  std::string out{kOld};
  out.append(std::to_string(request.old_size)).append("\n");
  append_hashes(request.proof, out);
  return out + request.checkpoint;
}

Result<AddCheckpoint> parse_add_checkpoint(std::string_view text) {
  if (text.size() > kProofTextBytesMax) return Error{Errc::kLimit, "add-checkpoint: too large"};
  Lines lines{text};
  AddCheckpoint out;
  const auto old = number_behind(kOld, lines.next());
  if (!old) return Error{Errc::kCorrupt, "add-checkpoint: its first line is no old size"};
  out.old_size = *old;
  MELDEVAKT_TRY_ASSIGN(out.proof, hash_lines(lines, "add-checkpoint"));
  out.checkpoint = lines.rest();
  return out;
}

}  // namespace meldevakt
