#!/usr/bin/env python3
"""What a replay leaves (--keep) is a collector like any other: its commands say what was printed.

    tests/sim/kept_check.py --bin build/release/bin [--scale small] [--seed N]

Plays, keeps, asks the commands beside no server; then serves it twice: the first server tells of
every loss and latent fault once, in its log and to on_finding; the second tells nothing.
"""
import argparse
import json
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from programs import Failed, json_lines, run_command  # noqa: E402
from support import Child, wait_until  # noqa: E402

ALARM = "#!/bin/sh\ncat >>\"$(dirname \"$0\")/given\"\n"


def play(arguments, kept, out):
    text, _ = run_command(
        [os.path.join(arguments.bin, "replay_2023"), "--scale", arguments.scale, "--seed",
         str(arguments.seed), "--json", out, "--keep", kept], seconds=540)
    until = re.search(r"fleet report .*--until (\S+)", text)
    if not until:
        raise Failed(f"the replay does not say how to ask what it kept:\n{text[-500:]}")
    with open(out, encoding="utf-8") as file:
        return json.load(file), until.group(1)


def serve(arguments, kept, tenants, log, controls=0):
    """Runs a server until it has read every tenant, and has told what there is; returns its log."""
    child = Child("collector", [os.path.join(arguments.bin, "meldevakt-collector"), "serve",
                                "--config", os.path.join(kept, "collector.toml")], log)
    given = os.path.join(kept, "given")

    def settled():
        if not child.alive():
            raise AssertionError(f"the collector ended:\n{child.log()[-2000:]}")
        told = child.log().count(" finding ")
        controlled = child.log().count("collector: standing control of ") >= controls
        return (f"live: {tenants} tenants read" in child.log() and lines_of(given) >= told
                and controlled)
    wait_until(settled, lambda: f"everything to be told; so far:\n{child.log()[-2000:]}", 300)
    child.stop()
    return child.log()


def lines_of(path):
    try:
        with open(path, encoding="utf-8") as file:
            return len(file.readlines())
    except FileNotFoundError:
        return 0


def require(good, what):
    if not good:
        raise Failed(what)
    print("ok  " + what.split("\n")[0])


def check(arguments, folder):
    kept = os.path.join(folder, "kept")
    printed, until = play(arguments, kept, os.path.join(folder, "replay.json"))
    config = os.path.join(kept, "collector.toml")
    collector = os.path.join(arguments.bin, "meldevakt-collector")

    def command(*words, expect):
        return json_lines(run_command([collector, *words, "--config", config, "--format", "json"],
                                      expect, seconds=540)[0])

    fleet = command("fleet", "report", "--until", until, expect=None)
    table = {name: fleet[-1]["fleet"][name]
             for name in ("using", "affected", "clean", "unanswered", "lost")}
    require(table == {name: printed[name] for name in table},
            f"fleet report agrees with the printed table: {table}")
    lost = [m["message"] for verdict in ("lost", "missing")
            for m in command("messages", "list", "--verdict", verdict, expect=None)]
    # What was sent again is stored, and was lost all the same.
    again = command("messages", "list", "--verdict", "recovered", expect=None)
    require(len(lost) + len(again) == printed["lost"],
            f"messages list names the {printed['lost']} lost")
    require(any("cause" in row for row in command("incidents", "list", expect=0)),
            "incidents list names incidents")

    with open(os.path.join(kept, "alarm"), "w", encoding="utf-8") as file:
        file.write(ALARM)
    os.chmod(file.name, 0o700)
    with open(config, encoding="utf-8") as file:
        text = file.read()
    with open(config, "w", encoding="utf-8") as file:
        file.write(f'on_finding = "{kept}/alarm"\n{text}')
    rows = [row for row in fleet if "fleet" not in row and "systemic" not in row]
    tenants = len(rows)
    log = serve(arguments, kept, tenants, os.path.join(folder, "first.log"), controls=tenants)
    told = re.findall(r" finding tenant=\S+ message=(\S+) verdict=(?:lost|missing) ", log)
    require(sorted(told) == sorted(lost), f"serve tells of each of the {len(lost)} losses once")
    latent = sum(1 for row in rows if (row.get("latent_fault") or {}).get("present"))
    require(log.count(" latent_fault: ") == latent, f"and of {latent} latent faults")
    require(lines_of(os.path.join(kept, "given")) == log.count(" finding "),
            "on_finding is given every one of them")
    missed = log.count(": the standing control of ")
    require(missed == tenants, f"and that the daily control of each of the {tenants} was missed")
    daily = command("control", "list", expect=0)
    require(len(daily) == tenants and all(not line["record"]["on_demand"] for line in daily),
            "which it then ran, of each once")
    require(not any("control_missed" in json.dumps(row)
                    for row in command("incidents", "list", expect=None)),
            "and no alarm of it is left")
    again = serve(arguments, kept, tenants, os.path.join(folder, "second.log"))
    require(" finding " not in again, "a second server tells nothing twice")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--bin", required=True)
    parser.add_argument("--scale", default="small")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    arguments.bin = os.path.abspath(arguments.bin)
    with tempfile.TemporaryDirectory(prefix="meldevakt-kept-") as folder:
        try:
            check(arguments, folder)
        except AssertionError as error:
            print(f"FAILED: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
