"""Waiting, ports and child processes: what every module of these tests needs.

Why an own helper for waiting: a test that sleeps a fixed time is either slow or wrong. Everything
here waits for a condition and has a deadline, and says what it waited for when the time is out.
Why an own class for children: whatever a test starts it must stop, by its own process id and
nothing broader, also when the test itself fails.
"""
import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time

_never = threading.Event()


class Timeout(AssertionError):
    """A condition did not come true in time; the message says which."""


def short_pause(seconds=0.03):
    """One turn of a polling loop. Never used to hope that something has happened."""
    _never.wait(seconds)


def wait_until(condition, what, seconds=30.0, pause=0.03):
    """Returns the first true value of condition(); raises Timeout naming `what`."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise Timeout(f"waited {seconds:.0f} s for: {what() if callable(what) else what}")
        short_pause(pause)


def free_port():
    """A loopback port nobody listens on now; for programs that must come back on the same one.

    Below the range from which the system takes the ports of connections: one of those could get
    the port while the program is away (or connect to itself through it), and it could not return.
    """
    while True:
        port = random.SystemRandom().randrange(15000, 32768)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return port


def process_state(pid):
    """The state letter of a process, or '' when there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            return stat.read().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def resident_bytes(pid, peak=False):
    """Memory of a process now, or its peak, from /proc."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    try:
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith(wanted):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


class Child:
    """A program we started: its output goes to files, and it is stopped by its own id."""

    def __init__(self, name, arguments, log_path, environment=None, preexec=None):
        self.name = name
        self.log_path = log_path
        self.arguments = [str(a) for a in arguments]
        with open(log_path, "ab") as log:
            self.process = subprocess.Popen(  # pylint: disable=consider-using-with
                self.arguments, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment, preexec_fn=preexec, start_new_session=True)

    @property
    def pid(self):
        return self.process.pid

    def alive(self):
        return self.process.poll() is None

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except OSError:
            return ""

    def wait_for_log(self, text, seconds=30.0, after=0):
        """Waits until the child's own log says `text` past byte `after`."""
        def said():
            if text in self.log()[after:]:
                return True
            if not self.alive():
                raise Timeout(f"{self.name} ended ({self.process.returncode}) before it said "
                              f"'{text}':\n{self.log()[-3000:]}")
            return False
        wait_until(said, lambda: f"{self.name} to say '{text}'; its log ends:\n{self.log()[-2000:]}",
                   seconds)

    def stop(self, seconds=15.0):
        """Asks, then insists. Returns the exit status."""
        if self.alive():
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)
                return None
        return self.process.returncode

    def kill(self):
        """Signal 9, and waits until it is gone."""
        if self.alive():
            self.process.kill()
        self.process.wait(10)


def stop_on_signals():
    """SIGTERM and SIGHUP end the program like Ctrl-C does, so that everything started is stopped."""
    def end(number, _frame):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)


class Output:
    """Progress for people: one moving line on a terminal, plain lines in a pipe, to stderr."""

    def __init__(self, quiet=False):
        self.quiet = quiet
        self.terminal = sys.stderr.isatty()
        self.started = time.monotonic()
        self._moving = False

    def seconds(self):
        return time.monotonic() - self.started

    def step(self, text):
        if self.quiet:
            return
        if self._moving:
            sys.stderr.write("\r\x1b[K")
            self._moving = False
        sys.stderr.write(f"[{self.seconds():6.1f} s] {text}\n")
        sys.stderr.flush()

    def progress(self, text):
        """Replaces the line on a terminal; says nothing in a pipe."""
        if self.quiet or not self.terminal:
            return
        sys.stderr.write(f"\r\x1b[K[{self.seconds():6.1f} s] {text}")
        sys.stderr.flush()
        self._moving = True


def is_root():
    return os.geteuid() == 0


def _as_root():
    """What stands before a command that only root may run; None when this user cannot become root."""
    if is_root():
        return []
    with contextlib.suppress(OSError):
        if subprocess.run(["sudo", "-n", "true"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False).returncode == 0:
            return ["sudo", "-n"]
    return None


@contextlib.contextmanager
def small_file_system(path, megabytes):
    """A tmpfs of a given size at `path`, this user's own, or None when this user may not mount one.

    Mounted by root or, without a password, through sudo. Filling a real file system is the only
    honest 'disk full'; where it cannot be had, callers skip that row and say so.
    """
    os.makedirs(path, exist_ok=True)
    as_root = _as_root()
    options = f"size={megabytes}m,mode=0755,uid={os.geteuid()},gid={os.getegid()}"
    mounted = as_root is not None and subprocess.run(
        [*as_root, "mount", "-t", "tmpfs", "-o", options, "tmpfs", path],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0
    try:
        yield path if mounted else None
    finally:
        if mounted and subprocess.run([*as_root, "umount", path], stderr=subprocess.DEVNULL,
                                      check=False).returncode != 0:
            subprocess.run([*as_root, "umount", "-l", path], check=False)


def fill_disk(folder, name="filler"):
    """Writes until the file system says that it is full; returns the file to delete."""
    path = os.path.join(folder, name)
    for block in (1 << 16, 1 << 12, 1):
        with open(path, "ab", buffering=0) as filler:
            try:
                while filler.write(b"\0" * block) == block:
                    pass
            except OSError:
                continue
    return path
