"""Real overloads of a real PostgreSQL. Each says what it does to the saves that run beside it.

Nothing here reaches into the case system: the saves fail because the server makes them fail.
Where something is to be hit in flight (a commit, a statement), the driver looks in pg_stat_activity
until it is there and only then strikes.
"""
import contextlib
import os
import subprocess
import threading

import psycopg2

from case_store import COMMIT_LOCK, DATABASE, USER
from support import Timeout, fill_disk, short_pause, wait_until


class RowLocks:
    """Somebody's long transaction holds the journal's counter rows: lock_timeout cancels the saves.

    The locks come and go, so some saves get through: `hold` seconds of every `cycle`.
    """

    def __init__(self, cluster, hold=0.5, pause=0.15, database=DATABASE):
        self._cluster, self._database = cluster, database
        self._hold, self._pause = hold, pause
        self._stop = threading.Event()
        self._held = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        wait_until(self._held.is_set, "the row locks to be held", 20)
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(20)

    def _run(self):
        while not self._stop.is_set():
            with contextlib.suppress(psycopg2.Error):  # the server may be killed under it
                self._hold_and_release()
            self._stop.wait(0.1)

    def _hold_and_release(self):
        connection = self._cluster.connect(database=self._database, application="Maanedsrapport")
        try:
            with connection.cursor() as cursor:
                while not self._stop.is_set():
                    cursor.execute("BEGIN")
                    cursor.execute("SELECT 1 FROM journalteller FOR UPDATE")
                    self._held.set()
                    self._stop.wait(self._hold)
                    cursor.execute("ROLLBACK")
                    self._stop.wait(self._pause)
        finally:
            connection.close()


class SlowBackup:
    """pg_dump to a slow disk, and a change of a table that waits for it: everything queues.

    The best known way to take a case system down at night: pg_dump holds its share lock for as long
    as it runs, the ALTER TABLE waits for an exclusive one, and every save waits behind the ALTER
    until statement_timeout. pg_dump's output is read slowly, as over a tired network share.
    """

    def __init__(self, cluster, database=DATABASE):
        self._cluster, self._database = cluster, database
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._dump, daemon=True),
                         threading.Thread(target=self._alter, daemon=True)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        wait_until(self._queued, "the ALTER TABLE to queue behind pg_dump", 30)
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(20)

    def _queued(self):
        return self._cluster.execute(
            "SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE NOT l.granted AND "
            "l.mode = 'AccessExclusiveLock' AND a.application_name = 'Oppgradering'")

    def _dump(self):
        while not self._stop.is_set():
            with subprocess.Popen(
                    [os.path.join(self._cluster.binaries, "pg_dump"), "-h", self._cluster.socket,
                     "-U", self._cluster.superuser, "-d", self._database],
                    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as dump:
                while dump.stdout.read1(1 << 15):
                    if self._stop.wait(0.06):
                        dump.kill()
                        break

    def _alter(self):
        connection = self._cluster.connect(database=self._database, application="Oppgradering")
        try:
            with connection.cursor() as cursor:
                number = 0
                while not self._stop.is_set():
                    number += 1
                    cursor.execute("SET lock_timeout = '900ms'")
                    with contextlib.suppress(psycopg2.errors.LockNotAvailable):
                        cursor.execute("ALTER TABLE journalteller ALTER COLUMN siste SET "
                                       f"DEFAULT {number}")
                    self._stop.wait(0.25)
        finally:
            connection.close()


@contextlib.contextmanager
def connections_exhausted(cluster, database=DATABASE):
    """Another program takes every slot there is: Open() fails with 53300."""
    taken = []
    try:
        def take():
            try:
                taken.append(psycopg2.connect(host=cluster.socket, user=USER, dbname=database,
                                              application_name="Rapportmotor"))
                return False
            except psycopg2.OperationalError as error:
                return "too many clients" in str(error) or "remaining connection" in str(error)
        wait_until(take, "every connection slot to be taken", 30, pause=0)
        yield taken
    finally:
        for connection in taken:
            connection.close()
        def free():
            try:
                psycopg2.connect(host=cluster.socket, user=USER, dbname=database).close()
                return True
            except psycopg2.OperationalError:
                return False
        wait_until(free, "a connection slot to be free again", 30)


@contextlib.contextmanager
def tablespace_full(cluster):
    """The disk of the attachments is full: 53100. REQUIRES cluster.tablespace."""
    filler = fill_disk(cluster.tablespace)
    try:
        yield
    finally:
        os.unlink(filler)


@contextlib.contextmanager
def slow_commits(cluster, milliseconds, database=DATABASE):
    """Each COMMIT takes this long inside the server, before anything is durable."""
    cluster.execute("UPDATE treghet SET commit_ms = %s", (milliseconds,), database)
    try:
        yield
    finally:
        cluster.wait_ready()
        cluster.execute("UPDATE treghet SET commit_ms = 0", None, database)


@contextlib.contextmanager
def commits_wait_for_a_lock(cluster, database=DATABASE):
    """What the deferred trigger needs inside COMMIT somebody holds: lock_timeout answers COMMIT.

    statement_timeout would not: PostgreSQL disarms it before a COMMIT's own work begins.
    """
    connection = cluster.connect(database=database, application="Maanedsrapport")
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", (COMMIT_LOCK,))
        yield
    finally:
        connection.close()


@contextlib.contextmanager
def commits_wait_for_a_standby(cluster):
    """Each COMMIT is durable here and then waits for a standby that never answers."""
    cluster.set("synchronous_standby_names", "ghost")
    try:
        yield
    finally:
        cluster.wait_ready()
        cluster.set("synchronous_standby_names", None)


def backends_in(cluster, what, database=DATABASE):
    """Process ids of the case system's sessions that are in 'commit' or in a 'statement' now."""
    operator = "=" if what == "commit" else "<>"
    return [row[0] for row in cluster.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = %s AND usename = %s AND "
        f"state = 'active' AND upper(query) {operator} 'COMMIT'", (database, USER))]


def strike_commit(cluster, how, database=DATABASE, at_least=1, seconds=20):
    """Waits until so many commits are in flight, then kills a 'backend' or the 'postmaster'
    (signal 9), or ends each session as an administrator would ('sessions').

    Returns how many commits were in flight, or 0 when none came in time.
    """
    try:
        pids = wait_until(lambda: (lambda p: p if len(p) >= at_least else None)(
            backends_in(cluster, "commit", database)), "commits in flight", seconds, pause=0.005)
    except Timeout:
        return 0
    if how == "postmaster":
        cluster.kill_postmaster()
        cluster.start()
    elif how == "sessions":
        for pid in pids:
            cluster.execute("SELECT pg_terminate_backend(%s)", (pid,))
    else:
        cluster.kill_backend(pids[0])
        short_pause()
        cluster.wait_ready()
    return len(pids)
