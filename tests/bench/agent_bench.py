"""What the real agent costs while it follows logs: A1 to A4. run.py runs them.

CPU is what the kernel's scheduler accounted to the threads of the process (/proc/PID/task/*/schedstat, in ns), over
the steady part only. The agent is enrolled at a real collector and ships to it; its configuration is the default one,
but for the budgets, which must not pace what is measured.
"""
import datetime
import glob
import json
import os
import random
import re
import select
import statistics
import subprocess
import time
import zoneinfo

import log_peers
import scan_bench
from programs import Agent, Collector, run_command
from support import resident_bytes, wait_until
from trace_file import NOISE, SIGNALS_PATTERN, life

OSLO = zoneinfo.ZoneInfo("Europe/Oslo")
LITERAL = "er lagret"  # of A2: every stored message has one line with it


def cpu_ns(pids):
    total = 0
    for pid in pids:
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            try:
                with open(path, encoding="ascii") as file:
                    total += int(file.read().split()[0])
            except OSError:
                pass  # the thread ended
    return total


class Feeder:
    """Writes lines of the assumed case system at a rate, each by itself; from 100,000 a second on twenty at a time."""

    def __init__(self, path, rate):
        self.rate, self.lines = rate, 0
        self.at_once = 20 if rate >= 100_000 else 1
        self.generator = random.Random(7)
        self.block, self.at = [], 0
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def texts(self, count):
        out = []
        while len(out) < count:
            if self.at == len(self.block):
                noise = [(self.generator.randrange(2, 40), self.generator.choice(NOISE)) for _ in range(2000)]
                block = noise + life(self.generator, self.generator.randrange(10) == 0)
                self.block = [t if thread is None else f"[{thread}] {t}" for thread, t in block]
                self.stamped = [thread is not None for thread, _ in block]
                self.at = 0
            take = min(count - len(out), len(self.block) - self.at)
            for i in range(self.at, self.at + take):
                out.append((self.stamped[i], self.block[i]))
            self.at += take
        return out

    def run(self, seconds):
        begin, written = time.monotonic(), 0
        while True:
            now = time.monotonic() - begin
            due = int(min(now, seconds) * self.rate) // self.at_once * self.at_once
            stamp = datetime.datetime.now(OSLO).strftime("%Y-%m-%d %H:%M:%S,%f")[:-3]
            lines = [f"{stamp} {text}\n" if stamped else f"{text}\n" for stamped, text in self.texts(due - written)]
            for i in range(0, len(lines), self.at_once):
                os.write(self.file, "".join(lines[i:i + self.at_once]).encode())
            written = due
            if now >= seconds:
                break
            select.select([], [], [], 0.001)
        self.lines += written
        return written

    def close(self):
        os.close(self.file)


class Scene:
    """A collector, and agents enrolled at it with the default cadence."""

    def __init__(self, binaries, folder):
        self.binaries, self.folder, self.count = binaries, folder, 0
        self.collector = Collector(binaries, os.path.join(folder, "collector"))
        self.collector.init()
        self.collector.start()

    def agent(self, sources):
        self.count += 1
        tenant = f"Kommune {self.count}"
        agent = Agent(self.binaries, os.path.join(self.folder, f"agent{self.count}"), f"a{self.count}", self.collector.url, tenant,
                      sources)
        with open(agent.config, encoding="utf-8") as file:
            text = file.read()
        with open(agent.config, "w", encoding="utf-8") as file:  # the default cadence
            file.write(text.split("[ship]")[0].replace('poll = "50ms"\n', ""))
        agent.enroll(self.collector.invite(tenant, os.path.join(self.folder, f"{tenant}.json")))
        return agent

    def trace_agent(self, log):
        return self.agent([{"name": "trace", "files": [log], "pack": "familia-like", "zone": "Europe/Oslo"}])

    def close(self):
        self.collector.stop()


def bodies_of(sent):
    return [json.loads(b) if isinstance(b, str) else b for b in sent.get("bodies", [])]


def facts_of(agent):
    """Steps of messages, each once: a fact may be told again with more in it, and an overload window is none."""
    return len({fact["id"] for sent in agent.sent() for body in bodies_of(sent) for fact in body["facts"] if "step" in fact})


def followed(scene, log, rate, warm, seconds):
    """(CPU ns of the agent, lines) over `seconds`, and whether its facts are as many as grep's lines."""
    open(log, "wb").close()
    agent = scene.trace_agent(log)
    agent.start()
    feeder = Feeder(log, rate)
    feeder.run(warm)
    before, lines = cpu_ns([agent.child.pid]), feeder.run(seconds)
    cpu = cpu_ns([agent.child.pid]) - before
    feeder.close()
    expected = int(run_command(["grep", "-cE", SIGNALS_PATTERN, log], expect=None)[0])
    # A failure is told two seconds after its last record; then it is sealed and shipped.
    wait_until(lambda: facts_of(agent) >= expected, lambda: f"{expected} facts, there are {facts_of(agent)}", 60, 0.5)
    facts = facts_of(agent)
    agent.stop()
    return cpu, lines, facts == expected


def times(options):
    return (0.5, 1.5) if options.short else (3, 12)


def bench_following(options, folder):
    """A1: CPU of a line at three rates."""
    rows, scene = {}, Scene(options.bin, folder)
    warm, seconds = times(options)
    try:
        for name, rate, goal in (("A1_100k", 100_000, 0.08), ("A1_10k", 10_000, 0.25), ("A1_1k", 1_000, 0.9)):
            cpu, lines, same = followed(scene, os.path.join(folder, f"{name}.log"), rate, warm, seconds)
            rows[name] = {"value": round(cpu / 1000 / lines, 3), "unit": "us/line", "goal": goal,
                          "against": f"the design's prototype; {cpu / 1e7 / seconds:.2f} % of a core at {lines / seconds:.0f} lines/s; "
                                     "same_result: facts as grep -cE counts", "same_result": same,
                          "core_percent": round(cpu / 1e7 / seconds, 3)}
    finally:
        scene.close()
    return rows


def peer_follows(peer, log, rate, warm, seconds):
    open(log, "wb").close()
    peer.start(log, LITERAL)
    feeder = Feeder(log, rate)
    feeder.run(warm)
    pids = peer.pids()
    before, lines = cpu_ns(pids), feeder.run(seconds)
    cpu = cpu_ns(pids) - before
    feeder.close()
    expected = int(run_command(["grep", "-cF", LITERAL, log], expect=None)[0])
    try:
        log_peers.wait_for_lines(peer, expected)
    finally:
        peer.stop()
    return cpu / lines, peer.lines() == expected


def bench_peers(options, folder):
    """A2: the agent at 10,000 lines a second beside programs with one substring filter."""
    rows, scene = {}, Scene(options.bin, folder)
    warm, seconds = times(options)
    goals = {"rg": 25, "syslog-ng": 6, "rsyslog": 40}
    try:
        for peer in log_peers.peers(folder, options.short):
            log = os.path.join(folder, f"{peer.name}.log")
            cpu, lines, same = followed(scene, log, 10_000, warm, seconds)
            theirs, equal = peer_follows(peer, log, 10_000, warm, seconds)
            rows[f"A2_{peer.name.replace('-', '_')}"] = {
                "value": round(theirs / (cpu / lines), 2), "unit": f"x {peer.name}", "goal": goals[peer.name],
                "against": f"{peer.against}: {theirs / 1000:.2f} us/line, ours {cpu / lines / 1000:.2f}; "
                           "same_result: all that grep counts", "same_result": same and equal}
    finally:
        scene.close()
    return rows


SOURCES_MAX = 20  # as many files as the goal speaks of


def bench_memory(options, folder):
    """A3: what is resident, of the scanning core and of the whole agent."""
    bench = scan_bench.Bench(options, folder)
    core = bench.measured("scan", bench.log, bench.path("pack.rules.toml"))[1]
    scene = Scene(options.bin, folder)
    try:
        packs = shipped_packs(options.bin)[:SOURCES_MAX]
        sources = []
        for i, pack in enumerate(packs):
            path = os.path.join(folder, f"{pack}.log")
            if i < 20:
                with open(path, "w", encoding="utf-8") as file:
                    file.write("2026-02-01 09:14:22,101 [17] INFO Innboks - en linje\n" * 2000)
            sources.append({"name": pack, "files": [path], "pack": pack, "zone": "Europe/Oslo"})
        agent = scene.agent(sources)
        agent.start()
        wait_until(lambda: '"acknowledged":"2' in agent.command("sent", "--format", "json", expect=None)[0], "a statement shipped", 90, 0.3)
        now, peak = resident_bytes(agent.child.pid), resident_bytes(agent.child.pid, peak=True)
        agent.stop()
    finally:
        scene.close()
    return {"A3_core": {"value": round(core["rss_kb"] / 1024, 1), "unit": "MB", "goal": 4, "same_result": core["found"] > 0,
                        "against": "peak of scan_bench scan: the engine, 150 patterns, PCRE2's code"},
            "A3_agent": {"value": round(now / 1e6, 1), "unit": "MB", "goal": 15, "same_result": True,
                         "against": f"{len(packs)} packs, 20 files, TLS, state, after a statement; peak {peak / 1e6:.1f} MB"}}


def shipped_packs(binaries):
    out = run_command([os.path.join(binaries, "meldevakt-agent"), "rules", "list"], expect=None)[0]
    names = re.findall(r"^([a-z0-9-]+)", out, re.MULTILINE)
    if names:
        return names
    here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "agent", "rules")
    return sorted(os.path.basename(p)[:-len(".rules.toml")] for p in glob.glob(os.path.join(here, "*.rules.toml")))


def bench_start(options, folder):
    """A4: how soon it is ready, and what 200 silent files cost."""
    pack = os.path.join(folder, "pack.rules.toml")
    run_command([os.path.join(options.bin, "scan_bench"), "pack", pack, "150"])
    rounds = 3 if options.short else 9
    ready = [json.loads(scan_bench.cpu_of([os.path.join(options.bin, "scan_bench"), "ready", pack])[1]) for _ in range(rounds)]
    engine, clock = (statistics.median(one[key] for one in ready) for key in ("ready_cpu_ms", "ready_ms"))
    rows = {"A4_engine": {"value": round(engine, 2), "unit": "ms of CPU", "goal": 20, "same_result": True,
                          "against": f"from the text of a pack with 150 rules to a scanner that waits for bytes; {clock:.1f} ms by the "
                                     f"clock, and a plan of 1 MB of log {statistics.median(one['plan_ms'] for one in ready):.0f} ms"}}
    scene = Scene(options.bin, folder)
    try:
        logs = os.path.join(folder, "logs")
        os.makedirs(logs)
        for i in range(200):
            with open(os.path.join(logs, f"app{i}.log"), "w", encoding="utf-8") as file:
                file.write("2026-02-01 09:14:22,101 [17] INFO Innboks - en linje\n")
        agent = scene.agent([{"name": "trace", "files": [os.path.join(logs, "*.log")], "pack": "familia-like", "zone": "Europe/Oslo"}])
        starts = [ready_ms(agent) for _ in range(rounds)]
        process, cpu = (statistics.median(one[i] for one in starts) for i in (0, 1))
        rows["A4_process"] = {"value": round(process, 1), "unit": "ms", "goal": 100, "same_result": True,
                              "against": f"exec until `ready` is in the log, by the clock, median; {cpu:.1f} ms of CPU"}
        agent.start()
        warm, seconds = (12, 4) if options.short else (20, 60)  # after ten silent seconds it wakes up less often
        select.select([], [], [], warm)
        before = cpu_ns([agent.child.pid])
        select.select([], [], [], seconds)
        share = (cpu_ns([agent.child.pid]) - before) / 1e7 / seconds
        agent.stop()
        rows["A4_idle"] = {"value": round(share, 3), "unit": "% of a core", "goal": 0.05, "same_result": True,
                           "against": f"200 files in a glob, nothing written, over {seconds} s, statements shipped"}
    finally:
        scene.close()
    return rows


def ready_ms(agent):
    begin = time.monotonic()
    process = subprocess.Popen([agent.binary, "run", "--config", agent.config], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        for line in process.stderr:
            if b"ready" in line:
                return (time.monotonic() - begin) * 1000, cpu_ns([process.pid]) / 1e6
        raise AssertionError("the agent ended before it was ready")
    finally:
        process.terminate()
        process.stderr.close()
        process.wait(20)


BENCHES = {"agent_following": bench_following, "agent_peers": bench_peers, "agent_memory": bench_memory, "agent_start": bench_start}
FIGURES = {"A1_100k": "agent_following", "A1_10k": "agent_following", "A1_1k": "agent_following",
           "A2_rg": "agent_peers", "A2_syslog_ng": "agent_peers", "A2_rsyslog": "agent_peers",
           "A3_core": "agent_memory", "A3_agent": "agent_memory",
           "A4_engine": "agent_start", "A4_process": "agent_start", "A4_idle": "agent_start"}
LESS_IS_BETTER = {"A1_100k", "A1_10k", "A1_1k", "A3_core", "A3_agent", "A4_engine", "A4_process", "A4_idle"}
