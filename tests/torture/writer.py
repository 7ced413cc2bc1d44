"""A log writer at full speed that knows every line it wrote: in which content, at which byte, when.

A *generation* is one content: what stands in a file from its creation, or from its truncation, to
its rotation. The agent names a content by its first line, so a line can be looked up in what the
agent says it has read, whatever the file is called by then.
"""
import hashlib
import itertools
import os
import random
import threading
import time
import uuid

LINES_PER_SECOND = 20_000
LINES_PER_BURST = 200
MARK_EVERY = 100  # one line in so many names a message, and so becomes a fact of its own


class Generation:
    def __init__(self):
        self.first_line = None
        self.size = 0
        self.starts, self.ends, self.times = [], [], []
        self.destroyed_from = None  # content from here on was destroyed by a truncation

    @property
    def content_id(self):
        line = self.first_line.rstrip(b"\n")[:1024]
        return hashlib.sha256(line).hexdigest()[:32]


class Writer:
    """Appends lines to one file. One thread at a time."""

    numbers = itertools.count(1)

    def __init__(self, path, seed=1, banner=b""):
        self.path, self.banner = path, banner
        self.random = random.Random(seed)
        self.generations = []
        self.marks = []
        self.file = None
        self.unfinished = b""

    @property
    def written(self):
        return sum(len(g.starts) for g in self.generations)

    def open(self, path=None, create=True):
        """A new file under `path`, and a new generation."""
        self.path = path or self.path
        flags = os.O_WRONLY | os.O_APPEND | (os.O_CREAT if create else 0)
        self.file = os.open(self.path, flags, 0o644)
        self.begin()

    def begin(self):
        self.generations.append(Generation())

    def close(self):
        if self.file is not None:
            os.close(self.file)
        self.file = None

    def line(self):
        now = time.time()
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now)) + f",{int(now * 1000) % 1000:03d}"
        number = next(self.numbers)
        if number % MARK_EVERY == 0:
            mark = str(uuid.UUID(int=self.random.getrandbits(128), version=4))
            self.marks.append(mark)
            return now, f"{stamp} [{number % 23}] INFO  Innboks - Mottatt melding {mark} skjema=PRIVAT\n"
        return now, f"{stamp} [{number % 23}] INFO  Kø - Behandlet post nummer {number} på {number % 97} ms\n"

    def lines(self, count):
        """Their bytes, noted as written into the newest generation."""
        generation = self.generations[-1]
        out = []
        if not generation.starts and self.banner:
            out.append(self._note(generation, time.time(), self.banner))
        for _ in range(count):
            now, text = self.line()
            out.append(self._note(generation, now, text.encode("utf-8")))
        return b"".join(out)

    @staticmethod
    def _note(generation, now, line):
        if generation.first_line is None:
            generation.first_line = line
        generation.starts.append(generation.size)
        generation.size += len(line)
        generation.ends.append(generation.size)
        generation.times.append(int(now * 1000))
        return line

    def write(self, count):
        write_all(self.file, self.lines(count))


def write_all(descriptor, data):
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view):]


class Pace:
    """20,000 lines a second, in bursts; behind, it catches up without a pause."""

    def __init__(self):
        self.next = time.monotonic()
        self._never = threading.Event()

    def wait(self):
        self.next += LINES_PER_BURST / LINES_PER_SECOND
        behind = self.next - time.monotonic()
        if behind > 0:
            self._never.wait(behind)
        elif behind < -0.5:
            self.next = time.monotonic()

    def write_for(self, writer, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            writer.write(LINES_PER_BURST)
            self.wait()
