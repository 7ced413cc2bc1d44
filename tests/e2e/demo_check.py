#!/usr/bin/python3
"""Runs scripts/demo as a person would, and holds what it prints and writes against what it promises.

    demo_check.py --json FILE [DEMO ARGUMENT...]

The JSON's members and their meaning, the columns of the table, that each path it names is there, and
that each command it offers runs. Exit 0 when all of it holds.
"""
import json
import os
import re
import shlex
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS_MAX = 180
MEMBERS = ["messages", "lost", "verdicts", "truth_mismatches", "seconds"]
COLUMNS = ["MESSAGE", "SENT", "RECEIPTED", "VERDICT", "WHY", "OVERLAPPED BY", "PORTAL HAS IT UNTIL"]
TIME = r"\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d"
# What a cell of the first table, the lost ones, must look like: nothing of it may be unknown.
CELLS = {"MESSAGE": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "SENT": TIME, "RECEIPTED": TIME,
         "VERDICT": "lost", "WHY": r".{4,} \([a-z]+/\w+\)", "PORTAL HAS IT UNTIL": TIME,
         "OVERLAPPED BY": r"-|\D.+ " + TIME + r" - .+"}
COMMANDS_MIN = 4  # sent, incidents list, messages list, explain
PROGRAM = re.compile(r"/meldevakt-(agent|collector)$")


def result_problems(path):
    """What is wrong with the JSON file."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    result = json.loads(text)
    if list(result) != MEMBERS:
        return [f"members {list(result)}, expected {MEMBERS}"]
    problems = []
    if result["truth_mismatches"] != 0:
        problems.append(f"{result['truth_mismatches']} verdicts differ from the truth")
    if not 0 < result["seconds"] <= SECONDS_MAX:
        problems.append(f"{result['seconds']} seconds, at most {SECONDS_MAX}")
    if result["lost"] <= 0 or result["lost"] != result["verdicts"].get("lost"):
        problems.append(f"lost {result['lost']}, verdicts {result['verdicts']}")
    if result["messages"] != sum(result["verdicts"].values()):
        problems.append(f"messages {result['messages']}, verdicts {result['verdicts']}")
    return problems


def output_problems(out, lost):
    """What is wrong with what a person reads."""
    lines = [line.strip() for line in out.splitlines()]
    heads = [line for line in lines if all(column in line for column in COLUMNS)]
    problems = [] if heads else [f"no table with the columns {COLUMNS}"]
    rows = table_rows(lines, heads[0]) if heads else []
    if heads and len(rows) != lost:
        problems.append(f"the first table has {len(rows)} rows, {lost} are lost")
    problems += [f"{row['MESSAGE']}: {column} is {row[column]!r}" for row in rows
                 for column, form in CELLS.items() if not re.fullmatch(form, row[column])]
    if rows and all(row["OVERLAPPED BY"] == "-" for row in rows):
        problems.append("no lost message overlaps an overload")
    commands = []
    for line in lines:
        words = shlex.split(line) if line.startswith(("/", "'")) else []
        if words and PROGRAM.search(words[0]):
            commands.append(words)
        for path in re.findall(r"(?:^|[ =])(/[^\s:,]+)", line):
            if not os.path.exists(path):
                problems.append(f"{path} is named and is not there")
    if len(commands) < COMMANDS_MIN:
        problems.append(f"{len(commands)} commands are offered, expected {COMMANDS_MIN}")
    for words in commands:
        ran = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                             timeout=60)
        if ran.returncode != 0 or not ran.stdout.strip():
            problems.append(f"{shlex.join(words)}: status {ran.returncode}, "
                            f"{len(ran.stdout)} bytes of output\n"
                            f"{ran.stderr.decode('utf-8', 'replace')[-500:]}")
    return problems


def table_rows(lines, head):
    """Rows under the first table's head, up to the first empty line: column -> cell."""
    starts = [head.index(column) for column in COLUMNS] + [None]
    rows = []
    for line in lines[lines.index(head) + 1:]:
        if not line:
            break
        rows.append({column: line[start:end].strip()
                     for column, start, end in zip(COLUMNS, starts, starts[1:])})
    return rows


def main():
    arguments = sys.argv[1:]
    if "--json" not in arguments[:-1]:
        print(__doc__, file=sys.stderr)
        return 2
    path = arguments[arguments.index("--json") + 1]
    ran = subprocess.run([os.path.join(ROOT, "scripts", "demo"), *arguments],
                         stdout=subprocess.PIPE, check=False)
    out = ran.stdout.decode("utf-8")
    sys.stdout.write(out)
    problems = [f"scripts/demo ended with {ran.returncode}"] if ran.returncode else []
    problems += result_problems(path)
    with open(path, encoding="utf-8") as file:
        problems += output_problems(out, json.load(file).get("lost"))
    print("\n".join(f"FAILED  {problem}" for problem in problems) or
          "the demo's result, table, paths and commands are as promised")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
