"""Load in phases: what happens to a municipality in one bad night.

Each phase sends messages while the server is in one kind of trouble, and waits until nothing is in
flight; so each phase's failures come from its own trouble. `scale` shrinks the numbers for the
demo.
"""
import contextlib
import threading

import overload
from people import People


class Night:
    """Runs phases against one municipality; counts what was sent."""

    def __init__(self, town, output, scale=1.0):
        self.town, self.output, self.scale = town, output, scale
        self.cluster = town.cluster
        self.skipped = []
        self.sent = 0

    def _send(self, count, senders=6, each=None):
        count = max(2, round(count * self.scale))
        ids = self.town.send(count, senders, each)
        self.sent += len(ids)
        return ids

    def _phase(self, text):
        self.output.step(f"{self.town.name}: {text}")

    def calm(self, count):
        self._phase(f"a quiet evening, {self.town.mode}")
        ids = self._send(count)
        self.town.idle()
        return ids

    def lock_waits(self, count):
        self._phase("a long report holds the journal's rows: lock_timeout")
        self.town.configure(lock_timeout_ms=120)
        with overload.RowLocks(self.cluster, database=self.town.database):
            self._send(count)
            self.town.idle()
        self.town.configure(lock_timeout_ms=150)

    def backup(self, count):
        self._phase("pg_dump to a slow disk and a table change behind it: statement_timeout")
        self.town.configure(lock_timeout_ms=0, statement_timeout_ms=300)
        with overload.SlowBackup(self.cluster, self.town.database):
            self._send(count)
            self.town.idle()
        self.town.configure(lock_timeout_ms=150, statement_timeout_ms=2000)

    def no_connections(self, count):
        self._phase("another program takes every connection: max_connections")
        with overload.connections_exhausted(self.cluster, self.town.database):
            self._send(count)
            self.town.idle()

    def storage_full(self, count):
        if not self.cluster.tablespace:
            self.skipped.append("tablespace full: this user may not mount a small tmpfs")
            self.output.step("SKIPPED " + self.skipped[-1])
            return
        self._phase("the disk of the attachments is full: tablespace")
        with overload.tablespace_full(self.cluster):
            self._send(count, each=lambda _: {"vedlegg_bytes": 150_000})
            self.town.idle()

    def same_child_twice(self, count):
        """A fault of the data, not of the load: the unique key's text names the child."""
        self._phase("the same child is reported twice: a unique key")
        child = People(self.town.seed + 4711).person()
        self.town.portal.people.planted.update(
            {child[k]: "same child" for k in ("navn", "fnr", "adresse", "epost")})
        self._send(count, senders=2, each=lambda _: {"barn": child})
        self.town.idle()

    def commit_too_slow(self, count):
        """COMMIT is answered, with an error: certainly not stored, however it looks."""
        self._phase("COMMIT takes longer than statement_timeout")
        self.town.configure(statement_timeout_ms=200)
        with overload.slow_commits(self.cluster, 500, self.town.database):
            self._send(count)
            self.town.idle()
        self.town.configure(statement_timeout_ms=2000)

    def killed_in_commit(self, count, how, durable):
        """Signal 9 while commits are in flight, before (or after) they are durable."""
        self._phase(f"the {how} killed in mid-commit, "
                    f"{'after' if durable else 'before'} the commit was durable")
        self.town.configure(lock_timeout_ms=0, statement_timeout_ms=8000)
        trouble = (overload.commits_wait_for_a_standby(self.cluster) if durable
                   else overload.slow_commits(self.cluster, 1500, self.town.database))
        with contextlib.ExitStack() as stack:
            stack.enter_context(trouble)
            sender = threading.Thread(target=self._send, args=(count,), kwargs={"each": _spread})
            sender.start()
            struck = overload.strike_commit(self.cluster, how, self.town.database, at_least=2)
            sender.join()
            if durable:  # those that came after the restart still wait for the standby
                while not _finished(self.town):
                    struck += overload.strike_commit(self.cluster, "sessions", self.town.database,
                                                     seconds=0.5)
            self.town.idle()
        self.town.configure(lock_timeout_ms=150, statement_timeout_ms=2000)
        return struck


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
    night.commit_too_slow(12)
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
    night.commit_too_slow(6)
    night.killed_in_commit(12, "sessions", durable=False)
    night.killed_in_commit(8, "postmaster", durable=True)
    night.calm(10)
