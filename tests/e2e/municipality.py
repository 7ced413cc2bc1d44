"""One municipality without Meldevakt: its case system as a process, with what the tests ask of it."""
import glob
import json
import os
import sys
import urllib.request

from case_store import create_database, stored_ids
from support import Child, wait_until
from truth import read_lives

HERE = os.path.dirname(os.path.abspath(__file__))


class Municipality:
    """A case system with its own database in a shared cluster, and its own portal account."""

    def __init__(self, name, folder, cluster, portal, mode, seed, rotate_bytes=0):
        self.name, self.folder, self.cluster, self.portal = name, folder, cluster, portal
        self.database = f"fagsystem_{name}"
        self.seed, self.mode, self.rotate_bytes = seed, mode, rotate_bytes
        self.gap_ids = set()
        self.child = None
        self.url = None
        os.makedirs(folder, exist_ok=True)
        create_database(cluster, self.database)

    def start(self):
        ready = os.path.join(self.folder, "ready.json")
        self.child = Child(f"case system {self.name}", [
            sys.executable, os.path.join(HERE, "case_system.py"), "--folder", self.folder,
            "--socket", self.cluster.socket, "--database", self.database, "--portal",
            self.portal.url, "--mode", self.mode, "--seed", str(self.seed), "--rotate-bytes",
            str(self.rotate_bytes)], os.path.join(self.folder, "case_system.stderr"))
        def announced():
            if not self.child.alive():
                raise AssertionError(f"the case system ended:\n{self.child.log()}")
            return os.path.exists(ready)
        wait_until(announced, "the case system to announce its port", 20)
        with open(ready, encoding="ascii") as file:
            self.url = f"http://127.0.0.1:{json.load(file)['port']}"

    def stop(self):
        if self.child:
            self.child.stop()

    def ask(self, path, value=None):
        data = None if value is None else json.dumps(value).encode()
        request = urllib.request.Request(self.url + path, data=data,
                                         headers={"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def configure(self, **settings):
        """Changes how it works from the next message on. REQUIRES idle() when mode changes."""
        self.mode = settings.get("mode", self.mode)
        self.ask("/innstillinger", settings)

    def send(self, count, senders=4, each=None):
        return self.portal.send_many(self.url, self.name, count, senders, each)

    def idle(self, seconds=90):
        """Until nothing is in flight any more."""
        wait_until(lambda: self.ask("/tilstand")["in_flight"] == 0,
                   lambda: f"{self.name} to finish what is in flight: {self.ask('/tilstand')}",
                   seconds)

    def rotate(self):
        """Renames the trace aside; returns the rotated file's path."""
        return self.ask("/roter", {})["file"]

    @property
    def trace_glob(self):
        return os.path.join(self.folder, "Integrasjon*.log")

    def trace_paths(self):
        return sorted(glob.glob(os.path.join(self.folder, "Integrasjon.log*")))

    def lives(self):
        lives = read_lives([os.path.join(self.folder, "truth.jsonl")])
        for message_id in self.gap_ids:
            lives[message_id].in_gap = True
        return lives

    def stored_ids(self):
        return stored_ids(self.cluster, self.database)

    def planted(self):
        """Personal data its own lines held, value -> kind."""
        values = {}
        with open(os.path.join(self.folder, "planted.jsonl"), encoding="utf-8") as file:
            for line in file:
                entry = json.loads(line)
                values[entry["value"]] = entry["kind"]
        return values
