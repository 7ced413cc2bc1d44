"""What is right for each message, from the database and the case system's own side file.

This is a derivation of its own, from what happened and not from what was logged, and knows nothing
of the collector's code. The table (first row that fits):

  happened                                                   fault                 repaired  failures-only
  ---------------------------------------------------------  --------------------  --------  ---------------
  receipted, and the trace of its life was deleted unread    unverifiable          unverifiable  unverifiable
  the case system told 'feilet', no receipt                  -                     fallback  -
  a commit was answered                                      stored_after_receipt  stored    no_failure_seen
  a commit call got no answer, no later one was answered     in_doubt              -         in_doubt
  every attempt failed, the trace says so                    lost                  -         lost
  every attempt failed, the trace is silent                  missing               -         no_failure_seen

The database has the last word: an answered commit must be in it, a failed attempt must not, and
only an unanswered commit may be either. `check_database` says where that is broken, for then the
test's own instruments are wrong.
"""
import collections
import json


class Life:
    """All that happened to one message."""

    def __init__(self, message_id):
        self.id = message_id
        self.mode = None
        self.receipted = self.rejected = self.stored = None  # ms as they stand in the trace
        self.attempts = []  # failed ones
        self.in_database = False
        self.in_gap = False

    @property
    def unanswered(self):
        return any(a["where"] == "commit" and not a["answered"] for a in self.attempts)

    @property
    def recorded(self):
        return any(a["logged"] for a in self.attempts)


def read_lives(truth_paths):
    """Lives by id, from truth.jsonl files."""
    lives = {}
    for path in truth_paths:
        with open(path, encoding="utf-8") as file:
            for line in file:
                event = json.loads(line)
                life = lives.setdefault(event["id"], Life(event["id"]))
                kind = event["event"]
                if kind == "received":
                    life.mode = event["mode"]
                elif kind == "mottatt":
                    life.receipted = event["ms"]
                elif kind == "feilet":
                    life.rejected = event["ms"]
                elif kind == "stored":
                    life.stored = event["ms"]
                else:
                    life.attempts.append(event)
    return lives


def expected_verdict(life):
    """The table above."""
    if life.in_gap and life.receipted is not None:
        return "unverifiable"
    if life.rejected is not None and life.receipted is None:
        return "fallback"
    if life.receipted is None:
        return "pending"
    if life.stored is not None:
        if life.mode == "failures-only":
            return "no_failure_seen"
        return "stored_after_receipt" if life.receipted < life.stored else "stored"
    if life.unanswered:
        return "in_doubt"
    if life.recorded:
        return "lost"
    return "no_failure_seen" if life.mode == "failures-only" else "missing"


def check_database(lives, database_ids):
    """Sentences about lives that contradict the database; empty when the instruments agree."""
    wrong = []
    for life in lives.values():
        life.in_database = life.id in database_ids
        if life.stored is not None and not life.in_database:
            wrong.append(f"{life.id}: the commit was answered, but the database has no row")
        if life.stored is None and not life.unanswered and life.in_database:
            wrong.append(f"{life.id}: every attempt failed, but the database has the row")
        if life.stored is None and not life.attempts:
            wrong.append(f"{life.id}: received, and nothing more happened to it")
    wrong += [f"{i}: in the database, but no case system received it"
              for i in database_ids - lives.keys()]
    return wrong


class Comparison:
    """Expected against got, message by message."""

    def __init__(self, lives, messages):
        self.got = {m["message"]: m for m in messages}
        self.lives = lives
        self.expected = {i: expected_verdict(life) for i, life in lives.items()}
        self.table = collections.Counter()
        self.mismatches = []
        for message_id, want in sorted(self.expected.items()):
            have = self.got.get(message_id, {}).get("verdict", "(not there)")
            self.table[want, have] += 1
            if want != have:
                self.mismatches.append(message_id)
        for message_id in sorted(self.got.keys() - self.expected.keys()):
            self.table["(nobody sent it)", self.got[message_id]["verdict"]] += 1
            self.mismatches.append(message_id)

    def counts(self):
        return dict(collections.Counter(m["verdict"] for m in self.got.values()))

    def expected_counts(self):
        return dict(collections.Counter(self.expected.values()))

    def table_text(self):
        lines = [f"{'expected':<22} {'got':<22} {'messages':>8}"]
        for (want, have), count in sorted(self.table.items()):
            lines.append(f"{want:<22} {have:<22} {count:>8}{'' if want == have else '   <- wrong'}")
        lines.append(f"{'':<22} {'all':<22} {sum(self.table.values()):>8}")
        unsure = [life for i, life in self.lives.items() if self.expected[i] == "in_doubt"]
        lines.append(f"of the in_doubt, the database has "
                     f"{sum(life.in_database for life in unsure)} and lacks "
                     f"{sum(not life.in_database for life in unsure)}")
        return "\n".join(lines)

    def mismatch_text(self, trace_paths, limit=10):
        """Every wrong verdict with what happened, what was said, and the lines that name it."""
        lines = []
        for message_id in self.mismatches[:limit]:
            life = self.lives.get(message_id)
            lines.append(f"--- {message_id}: expected {self.expected.get(message_id)}, got "
                         f"{json.dumps(self.got.get(message_id), ensure_ascii=False)}")
            if life:
                lines.append(f"    mode={life.mode} receipted={life.receipted} stored={life.stored}"
                             f" rejected={life.rejected} in_database={life.in_database} "
                             f"in_gap={life.in_gap} attempts={life.attempts}")
            for path in trace_paths:
                with open(path, encoding="utf-8", errors="replace") as trace:
                    lines += [f"    {path.rsplit('/', 1)[-1]}: {line.rstrip()[:160]}"
                              for line in trace if message_id in line]
        if len(self.mismatches) > limit:
            lines.append(f"... and {len(self.mismatches) - limit} more")
        return "\n".join(lines)
