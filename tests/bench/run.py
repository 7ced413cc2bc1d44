#!/usr/bin/python3
"""Runs the benchmarks; every figure is a ratio against a peer or a limit of the same run, or a count.

    run.py --bin DIR [--only NAME] [--json FILE] [--short] [--long]

JSON: {"NAME":{"value":x,"unit":"...","goal":y,"against":"command and version","same_result":true,"cores":n}}
"""
import argparse
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "e2e")]
sys.dont_write_bytecode = True

from programs import Agent, Collector, run_command  # noqa: E402
from support import wait_until  # noqa: E402
import agent_bench  # noqa: E402
import correlator_bench  # noqa: E402
import familia_bench  # noqa: E402
import scan_bench  # noqa: E402
from trace_file import SIGNALS_PATTERN, write_trace  # noqa: E402

ROUNDS = 3  # interleaved; the best of each side counts, since others' time slices only add


def cpu_seconds(usage):
    return usage.ru_utime + usage.ru_stime


class AgentReading:
    """The real agent, enrolled at a real collector, reads one log file from its start to its end."""

    def __init__(self, binaries, folder, trace):
        self.collector = Collector(binaries, os.path.join(folder, "collector"))
        self.collector.init()
        self.collector.start()
        self.trace, self.folder, self.binaries = trace, folder, binaries
        self.count = 0

    def close(self):
        self.collector.stop()

    def enrolled(self):
        self.count += 1
        name = f"agent{self.count}"
        tenant = f"Kommune {self.count}"
        folder = os.path.join(self.folder, name)
        invitation = self.collector.invite(tenant, os.path.join(self.folder, f"{name}.json"))
        agent = Agent(self.binaries, folder, name, self.collector.url, tenant,
                      [{"name": "trace", "files": [self.trace], "pack": "familia-like",
                        "zone": "Europe/Oslo"}])
        agent.enroll(invitation)
        return agent

    def read_all(self):
        """CPU seconds, peak RSS in bytes and recognised message signals of one whole run."""
        agent = self.enrolled()
        agent.start(wait=False)
        size = os.path.getsize(self.trace)
        peak = 0

        def finished():
            nonlocal peak
            with open(f"/proc/{agent.child.process.pid}/status", encoding="ascii") as file:
                peak = max(peak, int(re.search(r"VmHWM:\s+(\d+)", file.read())[1]) * 1024)
            with open(f"/proc/{agent.child.process.pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            finished.ticks = int(fields[11]) + int(fields[12])
            return read_bytes(agent) >= size
        wait_until(finished, "the agent to have read the whole file", 600)
        finished()  # what it did until it said so counts too
        agent.stop()
        facts = sum(len(body["facts"]) for sent in agent.sent() for body in agent_bench.bodies_of(sent))
        return finished.ticks / os.sysconf("SC_CLK_TCK"), peak, facts


def read_bytes(agent):
    """Bytes the agent says it has read and committed, 0 while there is no state yet."""
    try:
        text, _ = agent.command("status", "--format", "json", expect=None)
    except subprocess.TimeoutExpired:
        return 0
    return max((int(n) for n in re.findall(r'"read":(\d+)', text)), default=0)


def grep_version():
    return run_command(["grep", "--version"])[0].splitlines()[0]


def grep_count(trace):
    """CPU seconds and count of `grep -cE`, through a pipe: to /dev/null it would stop at the first match."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    out, _ = run_command(["grep", "-cE", SIGNALS_PATTERN, trace], environment=dict(os.environ, LC_ALL="C"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return cpu_seconds(after) - cpu_seconds(before), int(out)


def bench_agent(options, folder):
    """Bytes per CPU-second of the whole agent against grep -cE, and the agent's peak memory."""
    trace = os.path.join(folder, "trace.log")
    size = write_trace(trace, (8 if options.short else 256) * 1_000_000)
    reading = AgentReading(options.bin, folder, trace)
    agent, grep = [], []
    try:
        for _ in range(1 if options.short else ROUNDS):
            agent.append(reading.read_all())
            grep.append(grep_count(trace))
    finally:
        reading.close()
    agent_cpu, grep_cpu = max(min(a[0] for a in agent), 0.01), max(min(g[0] for g in grep), 0.01)
    same = {a[2] for a in agent} == {g[1] for g in grep}
    print(f"agent {size / agent_cpu / 1e6:.0f} MB per CPU-second, grep {size / grep_cpu / 1e6:.0f}; "
          f"facts {agent[0][2]}, lines {grep[0][1]}", file=sys.stderr)
    return {
        "agent_bytes_per_cpu_second": {
            "value": round(grep_cpu / agent_cpu, 4), "unit": "x grep", "goal": 0.2,
            "against": f"LC_ALL=C grep -cE, {grep_version()}", "same_result": same,
            "megabytes_per_cpu_second": round(size / agent_cpu / 1e6, 1)},
        "agent_peak_rss": {
            "value": round(max(a[1] for a in agent) / 1e6, 1), "unit": "MB", "goal": 64,
            "against": "the default of budget.memory; this agent is given more, so that nothing paces it", "same_result": same}}


def syncs_of_processes(options, folder):
    """fsync and fdatasync calls of the real agent and the real collector for each acknowledged statement."""
    trace = os.path.join(folder, "trace-small.log")
    write_trace(trace, 200_000)
    reading = AgentReading(options.bin, os.path.join(folder, "syncs"), trace)
    tracers = []
    try:
        agent = reading.enrolled()
        agent.start()
        for name, child in (("agent", agent.child), ("collector", reading.collector.child)):
            path = os.path.join(folder, f"syncs.{name}")
            tracers.append((name, path, subprocess.Popen(
                ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync", "-o", path, "-p", str(child.process.pid)],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)))
        wait_until(lambda: all(traced(c.process.pid) for c in (agent.child, reading.collector.child)),
                   "strace to follow both", 20)
        before = len(acknowledged(agent))
        wait_until(lambda: len(acknowledged(agent)) >= before + 5, "five acknowledged statements", 60)
        agent.stop()
        statements = len(acknowledged(agent)) - before  # of all that was traced, to the very end
    finally:
        reading.close()
        for _, _, tracer in tracers:
            tracer.terminate()
            tracer.wait()
    counts = {}
    for name, path, _ in tracers:
        with open(path, encoding="utf-8", errors="replace") as file:
            counts[name] = sum(1 for line in file if re.search(r"f(data)?sync\(", line))
    return {name: (count, statements) for name, count in counts.items()}


def traced(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return "TracerPid:\t0" not in file.read()


def acknowledged(agent):
    text, _ = agent.command("sent", "--format", "json")
    return re.findall(r'"acknowledged[a-z_]*":"?[0-9]', text)


def bench_store(options, folder):
    """Statements a second verified and stored durably, against bare SQLite in the same run; and syncs."""
    count = 200 if options.short else 4000
    out, _ = run_command([os.path.join(options.bin, "durable_store_bench"), folder, str(count)], seconds=600)
    store = json.loads(out)
    version = run_command(["sqlite3", "--version"])[0].split()[0]
    return {
        "statements_stored_per_second": {
            "value": round(store["statements_per_second"], 1), "unit": "statements/s",
            "goal": round(store["bare_inserts_per_second"] * 0.3, 1),
            "against": f"0.3 x bare SQLite {version} inserting the same frames, WAL, FULL",
            "same_result": store["intact"]},
        "collector_syncs_per_statement": {
            "value": store["syncs"] / store["synced_statements"], "unit": "syncs", "goal": 1,
            "against": "at least one before each acknowledgement, counted by the VFS",
            "same_result": store["syncs"] >= store["synced_statements"]}}


def bench_syncs(options, folder):
    counted = syncs_of_processes(options, folder)
    return {f"{name}_fsyncs_per_acknowledged_statement": {
        "value": round(count / statements, 2), "unit": "fsync + fdatasync", "goal": 1,
        "against": "at least one, strace of the running process", "same_result": count >= statements}
        for name, (count, statements) in counted.items()}


BENCHES = {"agent_reading": bench_agent, "durable_store": bench_store, "fsyncs": bench_syncs}
# Which benchmark a figure comes from: --only takes either name.
FIGURES = {"agent_bytes_per_cpu_second": "agent_reading", "agent_peak_rss": "agent_reading",
           "statements_stored_per_second": "durable_store", "collector_syncs_per_statement": "durable_store",
           "agent_fsyncs_per_acknowledged_statement": "fsyncs",
           "collector_fsyncs_per_acknowledged_statement": "fsyncs"}
# Where less is better; elsewhere the value has to reach the goal.
LESS_IS_BETTER = {"agent_peak_rss"} | scan_bench.LESS_IS_BETTER | agent_bench.LESS_IS_BETTER | correlator_bench.LESS_IS_BETTER
for module in (scan_bench, agent_bench, familia_bench, correlator_bench):
    BENCHES.update(module.BENCHES)
    FIGURES.update(module.FIGURES)


def reached(name, row):
    return row["value"] <= row["goal"] if name in LESS_IS_BETTER else row["value"] >= row["goal"]


def missed_gates(rows, short):
    """The figures that fail the run: those that do not depend on the machine always, those of verdicts in the full form."""
    gates = scan_bench.GATES if short else scan_bench.GATES | correlator_bench.FULL_GATES
    return [name for name in rows if name in gates and not reached(name, rows[name])]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--only", choices=sorted(BENCHES) + sorted(FIGURES), metavar="NAME",
                        help=", ".join(sorted(BENCHES) + sorted(FIGURES)))
    parser.add_argument("--json")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--long", action="store_true", help="ten million messages, too")
    options = parser.parse_args()
    rows = {}
    for name in [FIGURES.get(options.only, options.only)] if options.only else BENCHES:
        folder = tempfile.mkdtemp(prefix="meldevakt-bench-")
        try:
            rows.update(BENCHES[name](options, folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    if options.only in FIGURES:
        rows = {name: row for name, row in rows.items() if name == options.only}  # a peer may be missing
    print(f"{os.cpu_count()} cores{', short input: the figures mean nothing' if options.short else ''}")
    for name, row in rows.items():
        print(f"{name:<48} {row['value']:>10} {row['unit']:<18} goal {row['goal']:<10} "
              f"{'reached' if reached(name, row) else 'not reached'}; same result: {row['same_result']}; "
              f"against {row['against']}")
    for row in rows.values():
        row["cores"] = os.cpu_count()
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    missed = missed_gates(rows, options.short)
    for name in missed:
        print(f"{name} is over its goal", file=sys.stderr)
    return 0 if all(row["same_result"] for row in rows.values()) and not missed else 1


if __name__ == "__main__":
    sys.exit(main())
