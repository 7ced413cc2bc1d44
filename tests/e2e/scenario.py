"""Load in phases: what happens to a municipality in one bad night.

Each phase sends messages while the server is in one kind of trouble, and waits until nothing is in
flight; so each phase's failures come from its own trouble. Whether it met any save is read from the
case system's own record, not believed: a trouble that met none comes again, TRIES_MAX times at
most, and `Night.troubles` says what became of each. `scale` shrinks the numbers for the demo.
"""
import dataclasses
import threading

import overload
from people import People

TRIES_MAX = 3
UNANSWERED = "no answer in commit"
LOCK_WAIT, STATEMENT_TIMEOUT = "55P03 in statement", "57014 in statement"
NO_CONNECTION, STORAGE_FULL = "53300 in open", "53100 in statement"
SAME_KEY, FAILED_COMMIT = "23505 in statement", "55P03 in commit"
KILLED_BEFORE, KILLED_AFTER = UNANSWERED + ", not durable", UNANSWERED + ", durable"


@dataclasses.dataclass
class Trouble:
    """One phase that should make saves fail: in which way, and how many did."""
    mode: str
    wanted: str  # one of the names above
    met: int


def attempt_name(attempt):
    """How an attempt of the case system's record failed, in the words above."""
    if attempt["where"] == "commit" and not attempt["answered"]:
        return UNANSWERED
    return f"{attempt['sqlstate'] or 'no code'} in {attempt['where']}"


class Night:
    """Runs phases against one municipality; counts what was sent."""

    def __init__(self, town, output, scale=1.0):
        self.town, self.output, self.scale = town, output, scale
        self.cluster = town.cluster
        self.skipped = []
        self.troubles = []
        self.sent = 0

    def _send(self, count, senders=6, each=None):
        count = max(2, round(count * self.scale))
        ids = self.town.send(count, senders, each)
        self.sent += len(ids)
        return ids

    def _phase(self, text):
        self.output.step(f"{self.town.name}: {text}")

    def _until_met(self, wanted, phase):
        """Runs a phase, which returns the ids it sent, until one of its saves failed as wanted."""
        mode, met = self.town.mode, 0
        for attempt in range(TRIES_MAX):
            if attempt:
                self._phase(f"no save failed so ({wanted}): once more")
            ids = phase()
            self.town.idle()
            met = self._count(ids, wanted)
            if met:
                break
        self.troubles.append(Trouble(mode, wanted, met))

    def _count(self, ids, wanted):
        """How many of these messages have a failed attempt of that name."""
        lives, stored = self.town.lives(), self.town.stored_ids()
        met = 0
        for message_id in ids:
            life = lives[message_id]
            names = {attempt_name(a) for a in life.attempts}
            if UNANSWERED in names:
                # An answered attempt after it says nothing about whether the unanswered was durable.
                durable = message_id in stored
                if life.stored is not None or durable == (wanted == KILLED_AFTER):
                    names.add(wanted if wanted.startswith(UNANSWERED) else UNANSWERED)
            met += wanted in names
        return met

    def calm(self, count):
        self._phase(f"a quiet evening, {self.town.mode}")
        ids = self._send(count)
        self.town.idle()
        return ids

    def lock_waits(self, count):
        self._phase("a long report holds the journal's rows: lock_timeout")
        self.town.configure(lock_timeout_ms=120)
        with overload.RowLocks(self.cluster, database=self.town.database):
            self._until_met(LOCK_WAIT, lambda: self._send(count))
        self.town.configure(lock_timeout_ms=150)

    def backup(self, count):
        self._phase("pg_dump to a slow disk and a table change behind it: statement_timeout")
        self.town.configure(lock_timeout_ms=0, statement_timeout_ms=300)
        with overload.SlowBackup(self.cluster, self.town.database):
            self._until_met(STATEMENT_TIMEOUT, lambda: self._send(count))
        self.town.configure(lock_timeout_ms=150, statement_timeout_ms=2000)

    def no_connections(self, count):
        self._phase("another program takes every connection: max_connections")
        with overload.connections_exhausted(self.cluster, self.town.database):
            self._until_met(NO_CONNECTION, lambda: self._send(count))

    def storage_full(self, count):
        if not self.cluster.tablespace:
            self.skipped.append("tablespace full: this user may not mount a small tmpfs")
            self.output.step("SKIPPED " + self.skipped[-1])
            return
        self._phase("the disk of the attachments is full: tablespace")
        with overload.tablespace_full(self.cluster):
            self._until_met(STORAGE_FULL, lambda: self._send(
                count, each=lambda _: {"vedlegg_bytes": 150_000}))

    def same_child_twice(self, count):
        """A fault of the data, not of the load: the unique key's text names the child."""
        self._phase("the same child is reported twice: a unique key")
        people = People(self.town.seed + 4711)
        child = people.person()
        self.town.portal.people.planted.update(people.planted)
        self._until_met(SAME_KEY, lambda: self._send(count, senders=2,
                                                     each=lambda _: {"barn": child}))

    def commit_waits(self, count):
        """COMMIT is answered, with an error: certainly not stored, however it looks."""
        self._phase("COMMIT itself waits for a lock: lock_timeout")
        with overload.commits_wait_for_a_lock(self.cluster, self.town.database):
            self._until_met(FAILED_COMMIT, lambda: self._send(count))

    def killed_in_commit(self, count, how, durable):
        """Signal 9 while commits are in flight, before (or after) they are durable."""
        self._phase(f"the {how} killed in mid-commit, "
                    f"{'after' if durable else 'before'} the commit was durable")
        self.town.configure(lock_timeout_ms=0, statement_timeout_ms=8000)
        trouble = (overload.commits_wait_for_a_standby(self.cluster) if durable
                   else overload.slow_commits(self.cluster, 1500, self.town.database))
        with trouble:
            self._until_met(KILLED_AFTER if durable else KILLED_BEFORE,
                            lambda: self._send_and_strike(count, how, durable))
        self.town.configure(lock_timeout_ms=150, statement_timeout_ms=2000)

    def _send_and_strike(self, count, how, durable):
        """The ids sent; none when no commit was in flight to be struck."""
        ids = []
        sender = threading.Thread(target=lambda: ids.extend(self._send(count, each=_spread)))
        sender.start()
        struck = overload.strike_commit(self.cluster, how, self.town.database, at_least=2)
        sender.join()
        while durable and not _finished(self.town):
            # those that came after the restart still wait for the standby
            overload.strike_commit(self.cluster, "sessions", self.town.database, seconds=0.5)
        return ids if struck else []


def _spread(number):
    """Districts in turn: several commits are in flight at once, and others wait for their rows."""
    return {"bydel": f"{number % 3:02d}"}


def _finished(town):
    return town.ask("/tilstand")["in_flight"] == 0


def fault_night(night):
    """Every trouble there is, for the case system with the fault: about 300 messages."""
    night.calm(70)
    night.lock_waits(50)
    night.backup(30)
    night.no_connections(20)
    night.storage_full(20)
    night.same_child_twice(6)
    night.commit_waits(12)
    night.killed_in_commit(14, "backend", durable=False)
    night.killed_in_commit(10, "postmaster", durable=True)
    night.calm(30)


def repaired_night(night):
    """The same for the repaired one: it tries again, or tells 'feilet'."""
    night.calm(50)
    night.lock_waits(40)
    night.backup(16)
    night.no_connections(10)
    night.storage_full(10)
    night.same_child_twice(4)
    night.killed_in_commit(12, "backend", durable=False)
    night.killed_in_commit(8, "sessions", durable=True)
    night.calm(20)


def failures_only_night(night):
    """For the one that logs failures only."""
    night.calm(50)
    night.lock_waits(40)
    night.backup(16)
    night.no_connections(10)
    night.storage_full(10)
    night.commit_waits(6)
    night.killed_in_commit(12, "sessions", durable=False)
    night.killed_in_commit(8, "postmaster", durable=True)
    night.calm(10)


# What each way of working must have met; the keys are the case system's modes.
_EVERYWHERE = {LOCK_WAIT, STATEMENT_TIMEOUT, NO_CONNECTION, STORAGE_FULL, KILLED_BEFORE,
               KILLED_AFTER}
MUST_MEET = {"fault": _EVERYWHERE | {SAME_KEY, FAILED_COMMIT},
             "repaired": _EVERYWHERE | {SAME_KEY},
             "failures-only": _EVERYWHERE | {FAILED_COMMIT}}


def troubles_not_met(nights):
    """Sentences: a trouble that made no save fail in its own way, or that never came."""
    met = {(t.mode, t.wanted) for night in nights for t in night.troubles if t.met}
    with_tablespace = all(night.cluster.tablespace for night in nights)
    return [f"{mode}: no save failed with {wanted}" for mode, names in MUST_MEET.items()
            for wanted in sorted(names - (set() if with_tablespace else {STORAGE_FULL}))
            if (mode, wanted) not in met]


def troubles_text(nights):
    """One line for each way of working."""
    return "\n".join(f"{mode}: " + ", ".join(
        f"{t.wanted} {t.met}" for night in nights for t in night.troubles if t.mode == mode)
        for mode in MUST_MEET)
