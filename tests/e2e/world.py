"""The whole: portal, municipalities with a real PostgreSQL, agents beside them, one collector.

`World` starts all of it in a temporary folder and stops all of it, by process id, whatever happens.
Two municipalities: `nord` has a trace that tells of commits (first with the fault, then repaired);
`sor` logs failures only. Each has an agent at the application and one at the database; they share
one PostgreSQL, so both databases' agents read the same log.
"""
import contextlib
import os
import shutil
import tempfile
import time

from frames import facts, ledger
from municipality import Municipality
from portal import Portal
from postgres_cluster import PostgresCluster
from programs import Agent, Collector
from recording_proxy import RecordingProxy
from support import Timeout, short_pause, wait_until
from truth import Comparison, check_database

HERE = os.path.dirname(os.path.abspath(__file__))
TRACE_PACK = "familia-like"
FAILURES_ONLY_PACK = "familia-like-failures"
DATABASE_PACK = "postgresql-stderr"
OVERLOAD_CAUSES = ("pg/55P", "pg/570", "pg/531", "pg/533")


class World:
    """See the module; `towns` names which municipalities take part."""

    def __init__(self, binaries, output, seed, towns=("nord", "sor"), folder=None, keep=False,
                 agent_binary=None, packs=None, rotate_bytes=400_000, states=None, data=None,
                 trace_pack=TRACE_PACK, record=False, agent_memory="8 GB",
                 policy=None):
        self.binaries, self.output, self.seed = binaries, output, seed
        self.town_names, self.keep = towns, keep
        self.folder = folder or tempfile.mkdtemp(prefix="meldevakt-e2e-")
        self.agent_binary, self.rotate_bytes = agent_binary, rotate_bytes
        self.packs = packs or []
        self.states, self.data, self.trace_pack = states or {}, data, trace_pack
        self.agent_memory, self.policy = agent_memory, policy
        self.record, self.proxies = record, {}  # agent's name -> what stands before the collector
        self.towns, self.agents = {}, {}
        self.collector = self.cluster = self.portal = None
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Stops everything this world started."""
        for agent in self.agents.values():
            agent.stop()
        for town in self.towns.values():
            town.stop()
        for proxy in self.proxies.values():
            proxy.close()
        if self.collector:
            self.collector.stop()
        self._stack.close()
        if self.keep:
            self.output.step(f"kept: {self.folder}")
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _start(self):
        os.makedirs(self.folder, exist_ok=True)
        os.chmod(self.folder, 0o755)
        self.output.step("starting PostgreSQL, portal, collector, case systems, agents")
        self.cluster = self._stack.enter_context(
            PostgresCluster(os.path.join(self.folder, "pg")))
        self.portal = self._stack.enter_context(Portal(self.seed))
        # The daily control comes while the test runs: two minutes from now at the latest.
        self.control_at = time.strftime("%H:%M", time.gmtime(time.time() + 120))
        self.collector = Collector(self.binaries, os.path.join(self.folder, "collector"),
                                   self.policy, data=self.data, control_at=self.control_at)
        self.collector.init()
        self.collector.start()
        self._add_towns()
        # What lies before a log's first record nobody has read: silence about a message is only
        # worth something when the log began look_before (2 s) and the clocks' errors (1 s, and a
        # portal that tells whole seconds) before it. A fast machine would send sooner.
        self.let_event_time_pass(5)

    def _add_towns(self):
        """The municipalities with their agents; another world may have other ones."""
        for number, name in enumerate(self.town_names):
            town = Municipality(name, os.path.join(self.folder, name), self.cluster, self.portal,
                                "failures-only" if name == "sor" else "fault",
                                self.seed + number, self.rotate_bytes)
            self.towns[name] = town
            town.start()
            pack = FAILURES_ONLY_PACK if name == "sor" else self.trace_pack
            self._add_agent(f"{name}-application", name, [
                {"name": "trace", "files": [town.trace_glob], "pack": pack,
                 "zone": "Europe/Oslo"}])
            self._add_agent(f"{name}-database", name, [
                {"name": "sql", "files": [self.cluster.log_path], "pack": DATABASE_PACK,
                 "zone": "Europe/Oslo"}])

    def _add_agent(self, name, town, sources, more_towns=()):
        """Enrolled and started; `more_towns`: others that this one agent serves as well."""
        folder = os.path.join(self.folder, "agents", name)
        os.makedirs(folder, exist_ok=True)
        alarm = self._alarm_script(folder)
        state, url = self.states.get(name) or os.path.join(folder, "state"), self.collector.url
        if self.record:
            self.proxies[name] = RecordingProxy(self.collector, state)
            url = self.proxies[name].url
        agent = Agent(self.binaries, folder, name, url, town, sources, state=state,
                      packs=self.packs, on_finding=alarm, binary=self.agent_binary,
                      memory=self.agent_memory, more_tenants=more_towns)
        self.agents[name] = agent
        for one in (town, *more_towns):
            agent.enroll(self._invitation(one, folder, url), one)
        agent.start()

    def _invitation(self, town, folder, url):
        """For an agent that knows the collector as `url`."""
        path = self.collector.invite(town, os.path.join(folder, f"invitation-{town}.json"))
        with open(path, "r+", encoding="utf-8") as file:
            text = file.read().replace(self.collector.url, url)
            file.seek(0)
            file.truncate()
            file.write(text)
        return path

    @staticmethod
    def _alarm_script(folder):
        """What an administrator might hook up: every finding appended to a file."""
        path = os.path.join(folder, "alarm")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"#!/bin/sh\nexec cat >>'{folder}/alarms.jsonl'\n")
        os.chmod(path, 0o755)
        return path

    # --- receipts and verdicts ----------------------------------------------------------------

    def import_receipts(self, town):
        path = os.path.join(town.folder, "portal.csv")
        span = self.portal.export_csv(path, town.name)
        self.collector.import_receipts(town.name, path, span)

    def compare(self, town, now_ms=None):
        """Truth against `messages list`, right now. Raises when the instruments disagree."""
        lives = town.lives()
        wrong = check_database(lives, town.stored_ids())
        if wrong:
            raise AssertionError("the test's own truth is wrong:\n" + "\n".join(wrong[:20]))
        return Comparison(lives, self.messages_of(town, now_ms))

    def messages_of(self, town, now_ms):
        """What the collector says of a municipality's messages."""
        return self.collector.messages(town.name, now_ms)

    def settle(self, town, seconds=45, reimport=True):
        """Imports the portal's rows and waits until every verdict is right, or the time is out.

        A verdict needs the grace time to pass and the agent to have read past it; so this waits.
        What is still wrong at the end is returned for the caller to judge.
        """
        if reimport:
            self.import_receipts(town)
        last = []
        def right():
            last[:] = [self.compare(town)]
            return not last[0].mismatches
        with contextlib.suppress(Timeout):
            wait_until(right, "every verdict to be right", seconds, pause=0.5)
        return last[0]

    def wait_for_windows(self, town, seconds=75):
        """Until each loss to overload has the window it lies in; returns those that still lack one.

        An open window is told again every half minute, so the last one may be told late.
        """
        last = []
        def told():
            last[:] = [m for m in self.collector.messages(town.name, verdict="lost")
                       if m["cause"][:6] in OVERLOAD_CAUSES and not m["windows"]]
            return not last
        with contextlib.suppress(Timeout):
            wait_until(told, "the overload windows to be told", seconds, pause=1.0)
        return last

    def let_event_time_pass(self, seconds):
        """The case systems' clocks move on: coverage is about event time."""
        until = time.monotonic() + seconds
        wait_until(lambda: time.monotonic() >= until, "event time to pass", seconds + 5)

    def gap(self, town, agent_name, count):
        """The agent is away, the trace is rotated, and the rotated copy is deleted unread."""
        agent = self.agents[agent_name]
        self.output.step(f"{town.name}: the agent is stopped, {count} messages come, and their log "
                         "is deleted")
        agent.stop()
        ids = town.send(count)
        town.idle()
        os.unlink(town.rotate())
        town.gap_ids |= set(ids)
        wait_until(lambda: os.path.getsize(os.path.join(town.folder, "Integrasjon.log")) > 0,
                   "the case system to write again", 30)
        self.let_event_time_pass(1)
        agent.start()
        # look_before (2 s) and the clocks' errors after the first record that is read again
        self.let_event_time_pass(5)
        return ids

    def wait_until_all_is_read(self, seconds=60):
        """Until the collector has a step for every message whose trace names it."""
        wanted = {i for town in self.towns.values() for i, life in town.lives().items()
                  if life.attempts or town.mode != "failures-only"}
        wanted = {i for i in wanted if i[14] == "4"}
        def read():
            known = {reference["value"] for fact in facts(ledger(self.collector.database))[0]
                     for reference in fact.get("step", {}).get("references", [])}
            return wanted <= known
        wait_until(read, "the agents to read and send everything", seconds, pause=0.5)
        self.let_event_time_pass(3)

    def restart_agent_amid_rotation(self, town, agent_name, count):
        """As the gap, but nothing is deleted: the renamed sibling must be found and read."""
        agent = self.agents[agent_name]
        self.output.step(f"{town.name}: the agent is stopped while the log is rotated, twice")
        agent.stop()
        for _ in range(2):
            town.send(count)
            town.idle()
            town.rotate()
        agent.start()
        short_pause()
