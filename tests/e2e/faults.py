"""Kills, full disks, an absent collector: nothing is lost, nothing doubled, recovery by itself.

The killer strikes at random points of a run under load (the seed is printed): an agent, the
collector, or PostgreSQL, by signal 9, and starts it again at once, several times within one load.
Afterwards every verdict must equal that run's own database truth, and the facts that reached the
collector must be exactly as many as the records that the case system wrote.
"""
import collections
import contextlib
import json
import os
import random
import tempfile
import threading

import overload
from frames import facts, ledger
from report import Report
from scenario import Night
from support import Timeout, fill_disk, short_pause, small_file_system, wait_until
from truth import expected_verdict
from world import World

KILLS, KILLS_LONG = 20, 200
KILLS_PER_LOAD = 10


class Killer:
    """Signal 9 at random points while a load runs."""

    def __init__(self, world, town, rng):
        self.world, self.town, self.rng = world, town, rng
        self.log = collections.Counter()
        self._bag = []

    def strike(self):
        """One kill of an agent or the collector at a random point, and a restart.

        PostgreSQL is struck besides, once in a bag of five; it needs seconds to return.
        """
        if not self._bag:
            self._bag = ["agent", "agent", "collector", "collector",
                         self.rng.choice(["agent", "collector", "database-agent"])]
            self.rng.shuffle(self._bag)
            if self.rng.random() < 0.5:
                self.world.cluster.kill_postmaster()
                self.world.cluster.start()
                self.log["postgres"] += 1
        victim = self._bag.pop()
        short_pause(self.rng.uniform(0.0, 0.8))
        if victim == "agent":
            agent = self.world.agents[f"{self.town.name}-application"]
            agent.kill()
            short_pause(self.rng.uniform(0.0, 0.2))
            agent.start(wait=self.rng.random() < 0.7)  # sometimes struck again while it starts
        elif victim == "database-agent":
            agent = self.world.agents[f"{self.town.name}-database"]
            agent.kill()
            agent.start()
        else:
            self.world.collector.kill()
            short_pause(self.rng.uniform(0.0, 0.3))
            self.world.collector.start()
        self.log[victim] += 1


def load(town, stop, errors):
    """Messages without pause, some of them failing, the trace rotated, until told to stop."""
    sent = 0
    try:
        with overload.RowLocks(town.cluster, hold=0.25, pause=0.35, database=town.database):
            while not stop.is_set():
                town.send(3, senders=3)
                sent += 3
                if sent % 60 == 0:
                    town.rotate()
                stop.wait(0.12)
    except Exception as error:  # pylint: disable=broad-except
        errors.append(error)


def check_nothing_doubled(world, town, report):
    """Facts against records: one fact for each record of the trace, however often it was read."""
    rows = ledger(world.collector.database, town.name)
    all_facts, conflicts = facts(rows)
    got = collections.defaultdict(collections.Counter)
    for fact in all_facts:
        for reference in fact.get("step", fact).get("references", []):
            signal = fact.get("step", fact).get("signal")
            if signal and reference["type"] == "portal_message_id":
                got[reference["value"]][signal] += 1
    problems = [f"one id with two contents: {a} {b}" for a, b in conflicts[:3]]
    for message, life in town.lives().items():
        want = {"message.received": 1, "message.committed": int(life.stored is not None),
                "message.acknowledged": int(life.receipted is not None),
                "message.save_failed": sum(a["logged"] for a in life.attempts)}
        have = {signal: got[message][signal] for signal in want}
        if want != have:
            problems.append(f"{message}: records {want}, facts {have}")
    report.check(f"{town.name}: as many facts as records ({len(all_facts)} facts)",
                 "\n".join(problems[:10]))


def settle_and_check(world, town, report, what, seconds=150):
    comparison = world.settle(town, seconds)
    world.output.step(f"{what}:\n{comparison.table_text()}")
    report.check(f"{what}: every verdict equals the database's truth",
                 comparison.mismatches and comparison.mismatch_text(town.trace_paths(), 5))
    return comparison


def check_no_alarm(world, report, what):
    """A kill must look like a kill: no fork, no rollback is alarmed."""
    rows = world.collector.command("fleet", "report", "--format", "json")[0]
    alarms = [row for row in map(json.loads, rows.splitlines()) if row.get("alarms")]
    report.check(f"{what}: no alarm", alarms and str(alarms))


def check_own_state(world, report):
    """After a kill an agent goes on where its state says; it reads nothing from the start again."""
    again = [line for agent in world.agents.values() for line in agent.log().splitlines()
             if "read again from its start" in line]
    report.check(f"the agents read their own state after a kill ({len(again)} times not)",
                 "\n".join(again[:5]))


def kills(world, town, output, report, seed, count):
    """`count` kills, several in each load."""
    killer = Killer(world, town, random.Random(seed))
    output.step(f"{count} kills at random points, seed {seed}")
    done = 0
    while done < count:
        stop, errors = threading.Event(), []
        sender = threading.Thread(target=load, args=(town, stop, errors))
        sender.start()
        try:
            for _ in range(min(KILLS_PER_LOAD, count - done)):
                killer.strike()
                done += 1
                output.progress(f"kill {done} of {count}")
        finally:
            stop.set()
            sender.join()
        if errors:
            raise errors[0]
        for agent in world.agents.values():
            if not agent.child.alive():
                agent.start()
        world.cluster.wait_ready()
        town.idle()
        settle_and_check(world, town, report, f"{done} kills {dict(killer.log)}")
    check_nothing_doubled(world, town, report)
    check_no_alarm(world, report, "after the kills")
    check_own_state(world, report)


def collector_away(world, town, output, report):
    """The agents keep what they cannot send, and send it when the collector is back."""
    output.step("the collector is away")
    night = Night(town, output)
    agent = world.agents[f"{town.name}-application"]
    world.collector.stop()
    before = len(agent.log())
    night.lock_waits(20)
    def told():
        return any(word in agent.log()[before:] for word in ("WARN", "ERROR"))
    try:
        wait_until(told, "the agent to say that the collector is away", 60)
        said = ""
    except Timeout as error:
        said = str(error)
    report.check("collector away: the agent says so", said)
    world.collector.start()
    settle_and_check(world, town, report, "collector away and back")


def disk_full(world, town, output, report, folder, who, log_of):
    """The disk fills while messages come; then there is room again."""
    output.step(f"disk full: {who}")
    night = Night(town, output)
    before = len(log_of())
    filler = fill_disk(folder)
    try:
        night.lock_waits(20)
        def told():
            text = log_of()[before:]
            return any(w in text for w in ("full", "No space", "disk")) and "ERROR" in text
        try:
            wait_until(told, lambda: f"{who} to say that its disk is full; its log since:\n"
                       f"{log_of()[before:][-1500:]}", 60)
            said = ""
        except Timeout as error:
            said = str(error)
        report.check(f"disk full: {who} says so", said)
    finally:
        os.unlink(filler)
    night.calm(10)
    settle_and_check(world, town, report, f"disk full and room again: {who}")


def run(binaries, output, seed, long=False, keep=False, **_):
    """The group `faults`; returns its Report."""
    report = Report(output)
    with World(binaries, output, seed, towns=("nord",), keep=keep, rotate_bytes=0) as world:
        town = world.towns["nord"]
        kills(world, town, output, report, seed, KILLS_LONG if long else KILLS)
        collector_away(world, town, output, report)
    run_disk_full(binaries, output, seed, keep, report)
    return report


def run_disk_full(binaries, output, seed, keep, report):
    """A world of its own, with the agent's state and the collector's data on small file systems."""
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="meldevakt-e2e-full-"))
        small = [stack.enter_context(small_file_system(os.path.join(folder, name), 24))
                 for name in ("agent", "collector")]
        if None in small:
            report.skip("disk full: this user may not mount a small tmpfs")
            return
        world = stack.enter_context(World(
            binaries, output, seed + 1, towns=("nord",), keep=keep,
            states={"nord-application": os.path.join(small[0], "state")},
            data=os.path.join(small[1], "data")))
        town = world.towns["nord"]
        agent = world.agents["nord-application"]
        disk_full(world, town, output, report, small[0], "the agent's state", agent.log)
        disk_full(world, town, output, report, small[1], "the collector's data",
                  lambda: world.collector.child.log())  # pylint: disable=unnecessary-lambda
        check_nothing_doubled(world, town, report)
        check_no_alarm(world, report, "after full disks")
        check_own_state(world, report)
        lost = [i for i, life in town.lives().items() if expected_verdict(life) == "lost"]
        report.check("the full disks met lost messages", not lost and "none was lost: no proof")
