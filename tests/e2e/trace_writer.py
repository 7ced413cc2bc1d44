"""The case system's trace: log4net's line layout, Norwegian local time, rotation by rename.

One lock around stamping and writing, so that the order of lines is the order of their times, as a
log4net appender keeps it. `write` returns the millisecond it stamped: the test's truth uses the
very times that stand in the trace.
"""
import datetime
import os
import threading
import time
import zoneinfo

OSLO = zoneinfo.ZoneInfo("Europe/Oslo")
ROTATED_MAX = 500


class TraceWriter:
    """Appends records to one file; thread-safe."""

    def __init__(self, path, rotate_bytes=0):
        self.path = path
        self.rotate_bytes = rotate_bytes
        self._lock = threading.Lock()
        self._file = open(path, "ab", buffering=0)  # pylint: disable=consider-using-with

    def write(self, thread, level, logger, text, more=()):
        """One record; `more` are its continuation lines. Returns the stamped time in ms."""
        with self._lock:
            now_ms = time.time_ns() // 1_000_000
            local = datetime.datetime.fromtimestamp(now_ms / 1000, OSLO)
            stamp = f"{local:%Y-%m-%d %H:%M:%S},{now_ms % 1000:03d}"
            record = "\n".join([f"{stamp} [{thread}] {level:<5} {logger} - {text}", *more]) + "\n"
            self._file.write(record.encode("utf-8"))
            if self.rotate_bytes and self._file.tell() >= self.rotate_bytes:
                self._rotate()
            return now_ms

    def rotate(self):
        """Renames the file aside, as log4net's RollingFileAppender does; returns its new name."""
        with self._lock:
            return self._rotate()

    def _rotate(self):
        self._file.close()
        for number in range(ROTATED_MAX, 0, -1):  # .1 is always the newest
            if os.path.exists(f"{self.path}.{number}"):
                os.rename(f"{self.path}.{number}", f"{self.path}.{number + 1}")
        os.rename(self.path, f"{self.path}.1")
        self._file = open(self.path, "ab", buffering=0)  # pylint: disable=consider-using-with
        return f"{self.path}.1"

    def close(self):
        with self._lock:
            self._file.close()
