"""The rows: what log files go through, each as one function over a Scene.

The writer rotates between two writes; the rows that end in -race let copying and truncating run
against it. A row leaves the agent running; the run then waits until everything is read and judges.
"""
import os
import random
import shutil
import threading

from rotations import compress, rotate_copy, rotate_rename, shift
from support import is_root, short_pause, wait_until
from writer import LINES_PER_BURST, Pace, Writer, write_all

ROTATE_EVERY = 0.35  # seconds


class Skip(Exception):
    """The row cannot be played here, and why."""


class Scene:
    """One row's folder, agent and writer."""

    def __init__(self, folder, agent, seconds, seed):
        self.folder, self.agent, self.seconds = folder, agent, seconds
        self.random = random.Random(seed)
        self.pace = Pace()
        self.writer = Writer(os.path.join(folder, "app.log"), seed)
        self.writers = [self.writer]
        self.by_ranges = True

    def path(self, name):
        return os.path.join(self.folder, name)

    def turns(self):
        """So many rotations fit into the row's time."""
        return max(4, int(self.seconds / ROTATE_EVERY))

    def write(self, seconds=ROTATE_EVERY):
        self.pace.write_for(self.writer, seconds)

    def caught_up(self, what="the agent to read what there is"):
        wanted = sum(w.written for w in self.writers)
        wait_until(lambda: self.agent.records() >= wanted, what, 60)


# --- rotations ------------------------------------------------------------------------------------

def plain(scene, rotate):
    scene.writer.open()
    for _ in range(scene.turns()):
        scene.write()
        rotate(scene)
    scene.write()


def rename(scene):
    plain(scene, rotate_rename)


def copytruncate(scene):
    plain(scene, rotate_copy)


def copytruncate_race(scene):
    """The writer does not wait while its file is copied and truncated, as with logrotate."""
    scene.writer.open()
    lock, stop = threading.Lock(), threading.Event()
    def write():
        while not stop.is_set():
            with lock:
                scene.writer.write(LINES_PER_BURST)
            scene.pace.wait()
    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(scene.turns()):
            stop.wait(ROTATE_EVERY)
            shift(scene)
            shutil.copy2(scene.writer.path, scene.path("app.log.1"))
            copied = os.path.getsize(scene.path("app.log.1"))
            stop.wait(scene.random.uniform(0, 0.02))
            with lock:  # only so that what is destroyed is known exactly
                os.ftruncate(scene.writer.file, 0)
                if scene.writer.generations[-1].size > copied:
                    scene.writer.generations[-1].destroyed_from = copied
                scene.writer.begin()
    finally:
        stop.set()
        thread.join()


# --- the agent is away ----------------------------------------------------------------------------

def kill(scene):
    """Signal 9 at any moment, rotations going on."""
    scene.writer.open()
    for turn in range(scene.turns() * 2):
        scene.write(scene.random.uniform(0.05, ROTATE_EVERY))
        if turn % 2:
            rotate_rename(scene)
        scene.agent.kill()
        scene.write(scene.random.choice([0.0, 0.02, 0.3]))
        if scene.random.random() < 0.3:
            rotate_rename(scene)
        scene.agent.start(wait=scene.random.random() < 0.5)
    scene.write()


def stopped(scene):
    """Stopped over several rotations, as for an upgrade."""
    scene.writer.open()
    scene.write()
    for _ in range(max(2, scene.turns() // 4)):
        scene.agent.stop()
        for _ in range(3):
            scene.write(0.15)
            rotate_rename(scene)
        scene.agent.start()
        scene.write()


def frozen(scene):
    """SIGSTOP over several rotations, as a suspended machine or a starved one is."""
    scene.writer.open()
    scene.write()
    for _ in range(max(2, scene.turns() // 4)):
        scene.agent.freeze()
        for _ in range(3):
            scene.write(0.15)
            rotate_rename(scene)
        scene.agent.thaw()
        scene.write()


def compressed(ending):
    """Rotated and compressed, several times, while the agent is down."""
    def play(scene):
        scene.writer.open()
        for _ in range(max(2, scene.turns() // 4)):
            scene.write()
            scene.agent.stop()
            for _ in range(2):
                scene.write(0.2)
                scene.writer.close()
                shift(scene, ending)
                os.rename(scene.writer.path, scene.path("app.log.1"))
                compress(scene.path("app.log.1"), ending)
                scene.writer.open()
            scene.write(0.1)
            scene.agent.start()
        scene.write()
    return play


# --- identities -----------------------------------------------------------------------------------

def refilled(scene):
    """Truncated, and filled past the old offset again before anybody looks: same inode."""
    scene.writer.open()
    for turn in range(max(2, scene.turns() // 3)):
        scene.write(0.2)
        scene.caught_up()  # what truncation destroys has been read
        away = turn % 2 == 0
        if away:
            scene.agent.stop()
        before = scene.writer.generations[-1].size
        os.ftruncate(scene.writer.file, 0)
        scene.writer.begin()
        while scene.writer.generations[-1].size <= before + 50_000:
            scene.writer.write(LINES_PER_BURST)
        if away:
            scene.agent.start()


def inode_reuse(scene):
    """Deleted while the agent is away; another file gets its inode."""
    scene.writer.open()
    for _ in range(max(2, scene.turns() // 3)):
        scene.write(0.2)
        scene.caught_up()
        scene.agent.stop()
        inode = os.stat(scene.writer.path).st_ino
        scene.writer.close()
        os.unlink(scene.writer.path)
        extra = []
        for number in range(200):
            name = scene.path(f"other-{number}")
            os.close(os.open(name, os.O_CREAT | os.O_WRONLY))
            if os.stat(name).st_ino == inode:
                os.rename(name, scene.writer.path)
                break
            extra.append(name)
        else:
            raise Skip("this file system does not give an inode to another file")
        for name in extra:
            os.unlink(name)
        scene.writer.open()
        scene.write(0.3)
        scene.agent.start()


def same_first_kilobyte(scene):
    """Every file begins with the same banner, longer than what a fingerprint of the head covers."""
    scene.by_ranges = False  # the agent names a content by its first line
    banner = ("2000-01-01 00:00:00,000 [1] INFO  Oppstart - " + "Versjon 4.2 " * 110 + "\n").encode()
    scene.writer.banner = banner
    scene.writer.open()
    for turn in range(scene.turns()):
        scene.write()
        if turn % 3 == 1:
            scene.agent.stop()
        rotate_rename(scene)
        scene.write(0.05)
        if turn % 3 == 1:
            scene.agent.start()


def from_empty(scene):
    """Files lie there empty before their first line, for a while."""
    for turn in range(scene.turns()):
        scene.writer.open()
        short_pause(0.15)
        if turn % 2:
            scene.agent.kill()
            scene.agent.start()
        scene.write(0.1)
        scene.writer.close()
        shift(scene)
        os.rename(scene.writer.path, scene.path("app.log.1"))
    scene.writer.open()
    scene.write(0.1)


def split_record(scene):
    """Every burst is written in two parts, cut in the middle of a line, of a letter even."""
    scene.writer.open()
    for turn in range(scene.turns()):
        for _ in range(12):
            data = scene.writer.lines(LINES_PER_BURST)
            cut = scene.random.randrange(1, len(data))
            write_all(scene.writer.file, data[:cut])
            short_pause(scene.random.uniform(0, 0.06))
            if turn % 3 == 2 and scene.random.random() < 0.1:
                scene.agent.kill()
                scene.agent.start(wait=False)
            write_all(scene.writer.file, data[cut:])
            scene.pace.wait()
        if turn % 2:
            rotate_rename(scene)


def last_line_late(scene):
    """The last line has no end yet, for longer than any timer of the agent; then it is finished."""
    scene.writer.open()
    for turn in range(2):
        scene.write(0.2)
        data = scene.writer.lines(LINES_PER_BURST)
        write_all(scene.writer.file, data[:-25])
        wanted = scene.writer.written - 1
        wait_until(lambda: scene.agent.records() >= wanted, "all but the last line", 30)
        if turn:
            scene.agent.kill()
            scene.agent.start()
        short_pause(4.0)  # past the pack's `idle` (2 s) and a commit
        write_all(scene.writer.file, data[-25:])
    scene.write(0.2)


# --- names ----------------------------------------------------------------------------------------

def symlinks(scene):
    """app.log is a symbolic link that is moved to a new file, running and stopped."""
    link = scene.writer.path
    for turn in range(scene.turns()):
        target = scene.path(f"real-{turn}.txt")
        scene.writer.open(target)
        os.symlink(target, link + ".new")
        os.replace(link + ".new", link)
        scene.write(0.3)
        scene.caught_up()
        if turn % 3 == 2:
            scene.agent.kill()
            scene.write(0.1)
            scene.agent.start()
        scene.writer.close()


def date_named(scene):
    """Trace.log.2023-05-23, the next day Trace.log.2023-05-24: nothing is renamed."""
    for turn in range(scene.turns()):
        scene.writer.open(scene.path(f"Trace.log.2023-{5 + turn // 28:02d}-{turn % 28 + 1:02d}"))
        scene.write(0.2)
        if turn % 3 == 1:
            scene.agent.kill()
            scene.write(0.1)
            scene.writer.close()
            scene.writer.open(scene.path(f"Trace.log.2023-{5 + turn // 28:02d}-{turn % 28 + 1:02d}_2"))
            scene.write(0.1)
            scene.agent.start()
        scene.writer.close()


FILES = 10_000


def many_files(scene):
    """Ten thousand files in one glob; a few are written at any time, some of them rotated."""
    scene.by_ranges = False  # a statement names a bounded number of ranges
    scene.writers = [Writer(scene.path(f"service-{i}x.log"), i) for i in range(FILES)]
    for writer in scene.writers:
        writer.open()
        writer.write(1)
        writer.close()
    scene.caught_up("ten thousand files to be read once")
    for turn in range(scene.turns() * 4):
        for writer in scene.random.sample(scene.writers, 20):
            writer.open()
            writer.write(LINES_PER_BURST // 4)
            writer.close()
            if scene.random.random() < 0.2:
                os.rename(writer.path, writer.path + f".{turn + 1}")
        scene.pace.wait()
        if turn == scene.turns() * 2:
            scene.agent.kill()
            scene.agent.start()


def folder_later(scene):
    """The folder appears after the agent has started, with a full writer in it."""
    os.makedirs(scene.path("later/app"))
    scene.writer.open(scene.path("later/app/app.log"))
    scene.write(1.0)


def permission_later(scene):
    """The file may not be read at first; then somebody gives the right."""
    scene.writer.open()
    os.chmod(scene.writer.path, 0o000)
    scene.write(0.3)
    wait_until(lambda: "cannot be read" in scene.agent.log(), "the agent to say so", 20)
    os.chmod(scene.writer.path, 0o644)
    scene.write(0.5)


# Name -> (play, globs, more words for the run)
ROWS = {
    "rename": (rename, ["app.log"]),
    "rename-glob": (rename, ["app.log*"]),
    "copytruncate": (copytruncate, ["app.log"]),
    "copytruncate-glob": (copytruncate, ["app.log*"]),
    "copytruncate-race": (copytruncate_race, ["app.log"]),
    "copytruncate-glob-race": (copytruncate_race, ["app.log*"]),
    "compressed-gz": (compressed(".gz"), ["app.log"]),
    "compressed-zst": (compressed(".zst"), ["app.log"]),
    "compressed-bz2": (compressed(".bz2"), ["app.log*"]),
    "compressed-zip": (compressed(".zip"), ["app.log*"]),
    "kill": (kill, ["app.log"]),
    "stopped": (stopped, ["app.log"]),
    "frozen": (frozen, ["app.log"]),
    "refilled": (refilled, ["app.log"]),
    "inode-reuse": (inode_reuse, ["app.log"]),
    "same-first-kilobyte": (same_first_kilobyte, ["app.log"]),
    "from-empty": (from_empty, ["app.log"]),
    "split-record": (split_record, ["app.log"]),
    "last-line-late": (last_line_late, ["app.log"]),
    "symlinks": (symlinks, ["app.log"]),
    "date-named": (date_named, ["Trace.log.*"]),
    "many-files": (many_files, ["service-*.log"]),
    "folder-later": (folder_later, ["later/*/app.log"]),
    "permission-later": (permission_later, ["app.log"]),
}
UNPRIVILEGED = {"permission-later"} if is_root() else set()
