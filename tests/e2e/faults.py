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
import shutil
import tempfile
import threading

import overload
from frames import facts, ledger
from programs import json_lines
from report import Report
from scenario import Night
from support import Timeout, fill_disk, short_pause, small_file_system, wait_until
from truth import expected_verdict
from world import World

KILLS, KILLS_LONG = 20, 200
KILLS_PER_LOAD = 10
STRUCK_AT_LEAST = {"agent": 2, "collector": 2, "postgres": 2}
AWAY = "WARN agent: ship: not handed over, tried again until it is; nothing is lost"
BACK = "INFO agent: ship: works again"
OTHER_HISTORY = ("ERROR agent: ship: the collector has another history under this number; nothing "
                 "more is sent and everything is kept until a person has looked")


class Killer:
    """Signal 9 at random points while a load runs."""

    def __init__(self, world, town, rng):
        self.world, self.town, self.rng = world, town, rng
        self.log = collections.Counter()
        self._bag = []

    def strike(self):
        """One kill of an agent or the collector at a random point, and a restart.

        PostgreSQL is struck besides, once in each bag of five; it needs seconds to return.
        """
        if not self._bag:
            self._bag = ["agent", "agent", "collector", "collector",
                         self.rng.choice(["agent", "collector", "database-agent"])]
            self.rng.shuffle(self._bag)
            short_pause(self.rng.uniform(0.0, 0.8))
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
    seldom = {who: killer.log[who] for who in STRUCK_AT_LEAST
              if killer.log[who] < STRUCK_AT_LEAST[who]}
    report.check(f"each was struck more than once: {dict(killer.log)}",
                 seldom and f"too seldom: {seldom}")
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
    report.check("collector away: the agent says so, and that nothing is lost",
                 unsaid(agent, AWAY, before))
    world.collector.start()
    report.check("collector back: the agent says so", unsaid(agent, BACK, before))
    said = agent.log()[before:]
    report.check("collector away and back: said once, in that order",
                 (said.count(AWAY) != 1 or said.index(AWAY) > said.find(BACK)) and said[-3000:])
    settle_and_check(world, town, report, "collector away and back")


def unsaid(agent, text, before, seconds=60):
    """'' once the agent's log says `text` past `before`; else what it said instead."""
    try:
        wait_until(lambda: text in agent.log()[before:],
                   lambda: f"the agent to say '{text}'; its log since:\n"
                   f"{agent.log()[before:][-1500:]}", seconds)
        return ""
    except Timeout as error:
        return str(error)


def verdicts(world, town):
    return sorted((m["message"], m["verdict"]) for m in world.collector.messages(town.name))


def rolled_back(world, town, output, report):
    """Somebody puts an old copy of an agent's state back: it would tell its history differently.

    The collector raises the alarm and takes nothing of it; the agent says what has happened and
    keeps still; what was known stays known, and the other agent goes on. REQUIRES nothing after it
    in this world: the agent waits for a person then.
    """
    output.step("an old copy of the agent's state is put back")
    agent = world.agents[f"{town.name}-application"]
    agent.stop()
    copy = agent.state + ".copy"
    shutil.copytree(agent.state, copy)
    agent.start()
    town.send(6)
    town.idle()
    settle_and_check(world, town, report, "before the roll-back")
    wait_until(lambda: all(row["acknowledged"] for row in agent.sent()),
               "the agent's statements to be acknowledged", 30)
    agent.stop()
    shutil.rmtree(agent.state)
    os.rename(copy, agent.state)
    known, mine = verdicts(world, town), next(
        row["agent"] for row in agent.status() if row["kind"] == "tenant")
    before, stored = len(agent.log()), envelopes(world, town)
    agent.start()
    report.check("state rolled back: the agent says so", unsaid(agent, OTHER_HISTORY, before))
    out, _ = world.collector.command("control", "run", "--tenant", town.name, "--format", "json",
                                     expect=1)
    alarms = [(alarm["kind"], alarm["agent"]) for line in json_lines(out)
              for alarm in line.get("alarms", [])]
    report.check("state rolled back: the collector's alarm names that agent, and no other",
                 alarms != [("fork", mine)] and f"{alarms}, expected a fork of {mine}")
    def others_go_on():
        return any(key not in stored for key in envelopes(world, town))
    wait_until(others_go_on, "the database's agent to go on", 60)
    now = envelopes(world, town)
    report.check("state rolled back: nothing that was stored is other or gone",
                 [key for key in stored if now.get(key) != stored[key]])
    report.check("state rolled back: nothing of the other history was taken",
                 [key for key in now if key not in stored and key[0] == mine])
    report.check("state rolled back: every verdict is what it was",
                 set(known) ^ set(verdicts(world, town)))
    report.check("state rolled back: the agent is still there", not agent.child.alive() and "ended")


def envelopes(world, town):
    """(agent, sequence) -> the statement as the collector stores it."""
    return {(row.agent, row.sequence): row.frame()
            for row in ledger(world.collector.database, town.name)}


def disk_full(world, town, output, report, folder, who, log_of):
    """The disk fills while messages come; then there is room again."""
    output.step(f"disk full: {who}")
    night = Night(town, output)
    before = len(log_of())
    filler = fill_disk(folder)
    try:
        night.lock_waits(20)
        def told():
            return any("ERROR" in line and any(w in line for w in ("full", "No space"))
                       for line in log_of()[before:].splitlines())
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
        rolled_back(world, town, output, report)
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
