#!/usr/bin/python3
"""The tail under torture: the real agent follows logs that are written at 20,000 lines a second.

    run.py --bin DIR [--only ROW]... [--json FILE] [--seconds S] [--seed N] [--keep] [--list]

Each row writes {"written":n,"lost":0,"doubled":0}; rows whose truncation races the writer also say
how many lines that destroyed. Ends with 1 when anything was lost or doubled.
"""
import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
import traceback

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
# pylint: disable=wrong-import-position
from account import judge, told  # noqa: E402
from programs import Agent, Collector  # noqa: E402
from rows import ROWS, UNPRIVILEGED, Scene, Skip  # noqa: E402
from support import Child, Output, Timeout, short_pause, stop_on_signals  # noqa: E402

SECONDS = 3.0
QUIET_POLLS = 40
NOBODY = 65534


class TailAgent(Agent):
    """An agent that writes its frames into a folder, and can be frozen."""

    preexec = None

    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        with open(self.config, encoding="utf-8") as file:
            text = file.read()
        carry = os.path.join(self.folder, "carried")
        os.makedirs(carry, exist_ok=True)
        text = text.replace("[ship]\n", f'[ship]\nmode = "carry"\ncarry_to = "{carry}"\n')
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(text)

    def start(self, wait=True):
        if self.preexec is None:
            super().start(wait)
            return
        before = len(self.log()) if os.path.exists(self.log_path) else 0
        self.child = Child("agent", [self.binary, "run", "--config", self.config], self.log_path,
                           preexec=self.preexec)
        if wait:
            self.child.wait_for_log("INFO agent: ready", 30, before)

    def freeze(self):
        self.child.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.child.process.send_signal(signal.SIGCONT)

    def records(self):
        return next((row.get("records", 0) for row in self.status() if row["kind"] == "source"), 0)


def wait_until_read(scene):
    """Until the records are as many as the lines, or have not grown for a while."""
    wanted = sum(w.written for w in scene.writers)
    last, quiet = -1, 0
    while quiet < QUIET_POLLS:
        now = scene.agent.records()
        if now >= wanted and quiet >= 10:
            return
        quiet = quiet + 1 if now == last else 0
        last = now
        short_pause(0.15)


def play(name, arguments, collector, invite):
    function, globs = ROWS[name]
    folder = tempfile.mkdtemp(prefix=f"meldevakt-torture-{name}-")
    os.chmod(folder, 0o755)
    logs = os.path.join(folder, "logs")
    os.makedirs(logs)
    agent = None
    try:
        source = {"name": "trace", "files": [os.path.join(logs, g) for g in globs],
                  "pack": "familia-like", "zone": "UTC"}
        agent = TailAgent(arguments.bin, os.path.join(folder, "agent"), name, collector.url, name,
                          [source])
        agent.enroll(invite(name))
        if name in UNPRIVILEGED:
            for where, _, files in os.walk(agent.folder):
                for entry in [where, *(os.path.join(where, f) for f in files)]:
                    os.chown(entry, NOBODY, NOBODY)
            agent.preexec = lambda: (os.setgroups([]), os.setgid(NOBODY), os.setuid(NOBODY))
        agent.start()
        # Files that appear after the source was first looked at are new for certain.
        agent.child.wait_for_log("no file matches", 20)
        scene = Scene(logs, agent, arguments.seconds, arguments.seed)
        function(scene)
        for writer in scene.writers:
            writer.close()
        if not agent.child.alive():
            agent.start()
        wait_until_read(scene)
        agent.stop()
        result, why = judge(scene.writers, told(agent.sent(), "trace"), scene.by_ranges)
        if result["lost"] or result["doubled"]:
            arguments.output.step(f"{name}: {why}; the agent's log ends:\n{agent.log()[-3000:]}")
        return result
    finally:
        if agent is not None and agent.child is not None:
            agent.child.process.send_signal(signal.SIGCONT) if agent.child.alive() else None
            agent.stop()
        if arguments.keep:
            arguments.output.step(f"{name}: kept {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description="The tail under torture.")
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only", action="append", choices=sorted(ROWS))
    parser.add_argument("--json")
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--list", action="store_true")
    arguments = parser.parse_args()
    arguments.bin = os.path.abspath(arguments.bin)
    if arguments.list:
        print("\n".join(ROWS))
        return 0
    stop_on_signals()
    output = arguments.output = Output()
    output.step(f"torture: seed {arguments.seed}, {arguments.seconds:g} s of writing a row, "
                f"{os.cpu_count()} cores")
    results, failed, skipped = {}, [], []
    with tempfile.TemporaryDirectory(prefix="meldevakt-torture-collector-") as folder:
        os.chmod(folder, 0o755)
        collector = Collector(arguments.bin, folder)
        collector.init()
        collector.start()
        def invite(name):
            return collector.invite(name, os.path.join(folder, f"{name}.invitation"))
        try:
            for name in arguments.only or ROWS:
                try:
                    results[name] = play(name, arguments, collector, invite)
                except Skip as reason:
                    skipped.append(name)
                    output.step(f"skipped {name}: {reason}")
                    continue
                except (Timeout, AssertionError, OSError, LookupError):
                    output.step(f"FAILED  {name}:\n{traceback.format_exc()}")
                    failed.append(name)
                    continue
                good = results[name]["lost"] == 0 and results[name]["doubled"] == 0
                if not good:
                    failed.append(name)
                output.step(f"{'passed ' if good else 'FAILED '} {name}: {json.dumps(results[name])}")
        finally:
            collector.stop()
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            file.write(json.dumps(results) + "\n")
    print(f"{len(results) - len([f for f in failed if f in results])} passed, {len(failed)} failed, "
          f"{len(skipped)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
