"""A real PostgreSQL 15 of our own, thrown away afterwards.

Unix socket only, a folder of our own, never a database that was there before. PostgreSQL refuses to
run as root, so as root everything of it runs as another user through runuser. The log goes to a
plain stderr file with the prefix that administrators most often set, because that file is what the
database's agent reads.
"""
import contextlib
import glob
import os
import pwd
import shutil
import signal
import subprocess
import threading

import psycopg2

from support import is_root, process_state, small_file_system, wait_until

LOG_LINE_PREFIX = "%m [%p] %q%u@%d app=%a "
SETTINGS = {
    "listen_addresses": "''", "max_connections": "24", "superuser_reserved_connections": "3",
    "shared_buffers": "'16MB'", "log_line_prefix": f"'{LOG_LINE_PREFIX}'", "lc_messages": "'C'",
    "log_connections": "on", "log_disconnections": "on", "log_lock_waits": "on",
    "deadlock_timeout": "'50ms'", "log_timezone": "'Europe/Oslo'", "timezone": "'Europe/Oslo'",
    "restart_after_crash": "on", "log_checkpoints": "on", "max_wal_size": "'256MB'",
    "synchronous_commit": "on", "autovacuum": "off",
    # Signal 9 takes processes, not the kernel's cache: what was written is there after it.
    "fsync": "off",
    "unix_socket_permissions": "0777", "log_min_error_statement": "error",
}


MAJOR = 15  # the version that the tests are about; another one only where this is not installed
BINARIES = f"/usr/lib/postgresql/{MAJOR}/bin"


def find_binaries():
    """The folder with initdb and pg_ctl: Debian keeps them off the PATH."""
    others = sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)
    for folder in [BINARIES, *others]:
        if os.access(os.path.join(folder, "initdb"), os.X_OK):
            return folder
    found = shutil.which("initdb")
    if not found:
        raise RuntimeError("PostgreSQL's programs (initdb, pg_ctl) are not installed: "
                           "run scripts/install-dependencies")
    return os.path.dirname(found)


class PostgresCluster:
    """One cluster; use it as a context manager so that it always goes away."""

    def __init__(self, folder, settings=None):
        self.folder = folder
        self.data = os.path.join(folder, "data")
        self.socket = os.path.join(folder, "s")
        self.log_path = os.path.join(folder, "log", "postgresql.log")
        self.binaries = find_binaries()
        self.superuser = "meldevakt_test"
        self.settings = dict(SETTINGS, **(settings or {}))
        self.tablespace = None  # a folder on a small tmpfs, where this user may mount one
        self._stack = contextlib.ExitStack()
        self._lock = threading.RLock()
        self._run_as = []
        self._owner = None

    def __enter__(self):
        try:
            self._make()
            self.start()
            self._check_version()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    # --- life of the server -------------------------------------------------------------------

    def _make(self):
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o755)
        if is_root():
            self._owner = pwd.getpwnam("postgres")
            self._run_as = ["runuser", "-u", "postgres", "--"]
        for path in (self.data, self.socket, os.path.dirname(self.log_path)):
            os.makedirs(path, mode=0o755, exist_ok=True)
            self._give(path)
        os.chmod(self.data, 0o700)
        self._command("initdb", "-D", self.data, "-U", self.superuser, "--auth=trust",
                      "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        with open(os.path.join(self.data, "postgresql.conf"), "a", encoding="utf-8") as conf:
            for name, value in self.settings.items():
                conf.write(f"{name} = {value}\n")
            conf.write(f"unix_socket_directories = '{self.socket}'\n")
        mount = self._stack.enter_context(
            small_file_system(os.path.join(self.folder, "small"), 12))
        if mount:
            self.tablespace = os.path.join(mount, "space")
            os.makedirs(self.tablespace, mode=0o700)
            self._give(self.tablespace)

    def _check_version(self):
        """The server that answers is the one that was meant to be started."""
        major = int(self.execute("SHOW server_version_num")[0][0]) // 10000
        if os.access(os.path.join(BINARIES, "initdb"), os.X_OK) and major != MAJOR:
            raise AssertionError(f"PostgreSQL {MAJOR} is installed, and {major} answers")

    def _give(self, path):
        if self._owner:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def _command(self, name, *arguments, check=True):
        return subprocess.run([*self._run_as, os.path.join(self.binaries, name), *arguments],
                              check=check, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              stdin=subprocess.DEVNULL, text=True, cwd=self.folder)

    def start(self):
        with self._lock:
            def started():
                result = self._command("pg_ctl", "-D", self.data, "-l", self.log_path, "-w",
                                       "-t", "20", "start", check=False)
                return result.returncode == 0 or self.postmaster_pid()
            wait_until(started, lambda: f"PostgreSQL to start; see {self.log_path}", 60)
            self.wait_ready()

    def wait_ready(self):
        """Until a session can be opened: crash recovery is over then."""
        def ready():
            try:
                self.connect().close()
                return True
            except psycopg2.OperationalError:
                return False
        wait_until(ready, "PostgreSQL to accept sessions", 60)

    def stop(self, mode="fast"):
        with self._lock:
            self._command("pg_ctl", "-D", self.data, "-m", mode, "-w", "-t", "30", "stop",
                          check=False)

    def close(self):
        if os.path.exists(os.path.join(self.data, "postmaster.pid")):
            self.stop("immediate")
        self._stack.close()

    def postmaster_pid(self):
        try:
            with open(os.path.join(self.data, "postmaster.pid"), encoding="ascii") as file:
                pid = int(file.readline())
        except (OSError, ValueError):
            return 0
        return pid if process_state(pid) not in ("", "Z") else 0

    def _children(self, pid):
        children = []
        for entry in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(entry, encoding="utf-8", errors="replace") as stat:
                    text = stat.read()
            except OSError:
                continue
            if int(text.rpartition(")")[2].split()[1]) == pid:
                children.append(int(text.split()[0]))
        return children

    def kill_postmaster(self):
        """Signal 9 to the postmaster; its children see it and go. Then nothing of it is left."""
        with self._lock:
            pid = self.postmaster_pid()
            if not pid:
                return
            children = self._children(pid)
            os.kill(pid, signal.SIGKILL)
            def gone():
                return all(process_state(p) in ("", "Z") for p in [pid, *children])
            try:
                wait_until(gone, "the postmaster's children to notice", 5)
            except AssertionError:
                for child in children:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child, signal.SIGKILL)
                wait_until(gone, "the postmaster's children to go", 20)

    def kill_backend(self, pid):
        """Signal 9 to one backend: the server takes itself down and recovers."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)

    # --- sessions -----------------------------------------------------------------------------

    def connect(self, user=None, database="postgres", application="admin"):
        connection = psycopg2.connect(host=self.socket, user=user or self.superuser,
                                      dbname=database, application_name=application,
                                      connect_timeout=10)
        connection.autocommit = True
        return connection

    def execute(self, sql, arguments=None, database="postgres"):
        """One statement as the superuser; rows where there are any.

        Local commit: the settings a test makes must not wait for a standby that never comes.
        """
        connection = self.connect(database=database)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET synchronous_commit = local")
                cursor.execute(sql, arguments)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    def set(self, name, value):
        """ALTER SYSTEM and reload, then waits until new sessions see it."""
        if value is None:
            self.execute(f"ALTER SYSTEM RESET {name}")
        else:
            self.execute(f"ALTER SYSTEM SET {name} = '{value}'")
        self.execute("SELECT pg_reload_conf()")
        def seen():
            rows = self.execute("SELECT current_setting(%s), boot_val FROM pg_settings "
                                "WHERE name = %s", (name, name))
            return rows[0][0] == (value if value is not None else rows[0][1])
        wait_until(seen, f"{name} to become {value!r}", 10)
