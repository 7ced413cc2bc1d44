#!/usr/bin/python3
"""The demo: one municipality, one bad night, and the table that its employees read next morning.

    demo.py --bin DIR [--json FILE] [--folder DIR] [--seed N]

Small and real: PostgreSQL, a case system with the fault of 2023, a portal, two agents, a collector.
It ends by itself, stops everything it started and leaves the data in a folder to look into.
"""
import argparse
import json
import os
import random
import shlex
import sys
import tempfile

from scenario import Night
from support import Output, stop_on_signals
from world import World

SCALE = 0.7
HARMED = ("lost", "in_doubt", "missing")


def small_night(night):
    """What the full test does, fewer messages."""
    night.calm(30)
    night.lock_waits(34)
    night.backup(24)
    night.storage_full(14)
    night.killed_in_commit(12, "backend", durable=False)
    night.killed_in_commit(8, "sessions", durable=True)
    night.calm(12)


def tell(world, town, comparison, seconds):
    """What happened, in words, to stdout."""
    counts = comparison.counts()
    total = sum(counts.values())
    print(f"\n{total} messages were sent to the case system tonight. It told the portal 'received' "
          "for every one of them.\n")
    for verdict in HARMED:
        if not counts.get(verdict):
            continue
        print({"lost": f"LOST: {counts['lost']} were never stored. The save failed, and the portal "
                       "was told that all was well.",
               "in_doubt": f"IN DOUBT: {counts.get('in_doubt')} may or may not be stored: the "
                           "database went away in the middle of it. Look each of them up.",
               "missing": f"MISSING: {counts.get('missing')} were received and never stored, and "
                          "the case system did not even log a failure."}[verdict])
        out, _ = world.collector.command("messages", "list", "--tenant", town.name, "--verdict",
                                         verdict)
        print("\n" + out)
    print(f"{counts.get('stored_after_receipt', 0)} others were stored, but only after the portal "
          "had been told: the same fault, and luck.")
    print("What to do: fetch these from the portal before the date in the table, by download or by "
          "having them sent again.\n")
    print(f"Compared with the database itself: {len(comparison.mismatches)} verdicts differ. "
          f"({seconds:.0f} seconds)\n")


def where_to_look(world, town, binaries):
    """Paths and commands; the collector is stopped then, so it reads the files directly."""
    agent = world.agents[f"{town.name}-application"]
    collector = os.path.join(binaries, "meldevakt-collector")
    print("What the agent sent, all of it:\n  "
          f"{shlex.quote(agent.binary)} sent --config {shlex.quote(agent.config)}\n"
          f"  journal: {agent.state}/state.db\n"
          "What the collector holds:\n"
          f"  {world.collector.data}/collector.db\n"
          "Look further:\n"
          f"  {collector} incidents list --config {world.collector.config}\n"
          f"  {collector} messages list --config {world.collector.config} --tenant {town.name}\n"
          f"  {agent.binary} explain {town.folder}/Integrasjon.log --pack familia-like\n"
          f"Everything of this run, all processes stopped: {world.folder}\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--json", metavar="FILE", help="also write the result there")
    parser.add_argument("--folder", help="where to leave the data; default: a new temporary folder")
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1 << 30)
    stop_on_signals()
    output = Output()
    binaries = os.path.abspath(options.bin)
    folder = os.path.abspath(options.folder) if options.folder else tempfile.mkdtemp(
        prefix="meldevakt-demo-")
    with World(binaries, output, seed, towns=("nord",), folder=folder, keep=True) as world:
        town = world.towns["nord"]
        night = Night(town, output, SCALE)
        small_night(night)
        output.step("morning: the portal's list is imported; waiting for the last grace time")
        comparison = world.settle(town)
        world.wait_for_windows(town, 45)
        seconds = output.seconds()
        tell(world, town, comparison, seconds)
        where_to_look(world, town, binaries)
        for skipped in night.skipped:
            output.step(f"skipped {skipped}")
        if comparison.mismatches:
            print(comparison.mismatch_text(town.trace_paths()), file=sys.stderr)
    if options.json:
        counts = comparison.counts()
        result = {"messages": sum(counts.values()), "lost": counts.get("lost", 0),
                  "verdicts": dict(sorted(counts.items())),
                  "truth_mismatches": len(comparison.mismatches), "seconds": round(seconds, 1)}
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(result, file)
            file.write("\n")
    return 1 if comparison.mismatches else 0


if __name__ == "__main__":
    sys.exit(main())
