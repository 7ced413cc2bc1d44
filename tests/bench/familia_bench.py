"""A log of the assumed case system in which nearly every line is of interest: F1, scanned and followed from its start.

What a prefilter saves is nothing here: five of six lines hold a literal of a rule of the pack `familia-like`. Peers
count the lines of the four signals; the agent tells each with its message, its time and its place.
"""
import json
import os
import statistics

import scan_bench
from agent_bench import Scene, cpu_ns, facts_of
from support import wait_until
from trace_file import SIGNALS_PATTERN, write_trace

SIGNALS = {"received", "committed", "acknowledged"}


def scanned(agent, log):
    """CPU seconds, and how many of the records that SIGNALS_PATTERN counts were found."""
    cpu, out = scan_bench.cpu_of([agent, "scan", "--pack", "familia-like", log])
    rules = [json.loads(line) for line in out.splitlines()]
    return cpu, sum(1 for one in rules[:-1] if one["rule"] in SIGNALS or one["code"].startswith("pg/"))


def bench(options, folder):
    log = os.path.join(folder, "familia.log")
    size = write_trace(log, (4 if options.short else 64) * 1_000_000, noise=0)
    program = os.path.join(options.bin, "meldevakt-agent")
    peers = [("grep", ["grep", "-acE", SIGNALS_PATTERN, log], scan_bench.version(["grep", "--version"]))]
    rg = scan_bench.version(["rg", "--version"])
    if rg:
        peers.append(("rg", ["rg", "-a", "-c", SIGNALS_PATTERN, log], rg))
    rows = {}
    for name, command, version in peers:
        ratios, same, best = [], True, None
        for _ in range(1 if options.short else scan_bench.ROUNDS):
            cpu, found = scanned(program, log)
            theirs, out = scan_bench.cpu_of(command)
            ratios.append(theirs / cpu)
            same = same and found == scan_bench.counted(out)
            best = min(cpu, best or cpu)
        rows[f"F1_scan_{name}"] = {
            "value": round(statistics.median(ratios), 4), "unit": f"x {name}", "goal": 0.2, "same_result": same,
            "against": f"{' '.join(command[:2])}, {version}; we {size / best / 1e6:.0f} MB per CPU-second"}
    rows.update(followed(options, folder, log, size))
    return rows


def followed(options, folder, log, size):
    """The whole agent, facts and statements and all, from the file's first byte to the last fact."""
    theirs, out = scan_bench.cpu_of(["grep", "-acE", SIGNALS_PATTERN, log])
    scene = Scene(options.bin, folder)
    try:
        agent = scene.trace_agent(log)
        agent.start()
        wait_until(lambda: facts_of(agent) >= scan_bench.counted(out), "all facts", 300, 1)
        cpu, facts = cpu_ns([agent.child.pid]) / 1e9, facts_of(agent)
        agent.stop()
    finally:
        scene.close()
    return {"F1_agent": {"value": round(theirs / cpu, 4), "unit": "x grep", "goal": 0.2, "same_result": facts == scan_bench.counted(out),
                         "against": f"grep -acE, {scan_bench.version(['grep', '--version'])}; {size / cpu / 1e6:.1f} MB per CPU-second, "
                                    f"{facts / cpu:.0f} facts sealed and shipped per CPU-second"}}


BENCHES = {"familia_like": bench}
FIGURES = {"F1_scan_grep": "familia_like", "F1_scan_rg": "familia_like", "F1_agent": "familia_like"}
