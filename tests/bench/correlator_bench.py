"""What verdicts cost: V1 to V4, V6 and V7, and SEC on the same events. run.py runs them.

A message has a portal row and three facts. SEC (Simple Event Correlator) is given three rules that keep a context for
each message that was received and not stored, and report a receipt that comes while it is there.
"""
import json
import os
import resource
import shutil
import uuid

from programs import run_command

SEC_RULES = r"""
type=Single
ptype=RegExp
pattern=received (\S+)
desc=received $1
action=create OPEN_$1

type=Single
ptype=RegExp
pattern=committed (\S+)
desc=committed $1
action=delete OPEN_$1

type=Single
ptype=RegExp
pattern=acknowledged (\S+)
context=OPEN_$1
desc=acknowledged $1
action=write - not stored $1; delete OPEN_$1
"""


def rebuild(options, messages):
    out, _ = run_command([os.path.join(options.bin, "correlator_bench"), "rebuild", str(messages)], seconds=3000)
    return json.loads(out)


def bench_rebuild(options, _folder):
    """A rebuild of a million, ten times as many where asked for, and what one more fact or row costs then."""
    counts = [1000, 10_000] if options.short else [100_000, 1_000_000] + ([10_000_000] if options.long else [])
    runs = [rebuild(options, count) for count in counts]
    last, right = runs[-1], all(run["right"] for run in runs)
    seen = ", ".join(f"{run['messages']}: {run['cpu_seconds']:.2f} s, {run['peak_mb']:.0f} MB, "
                     f"one more {run['one_more_us_mean']:.0f} us" for run in runs)
    rows = {
        "V1_rebuild": {"value": runs[1]["cpu_seconds"], "unit": "CPU s", "goal": 60,
                       "against": f"{runs[1]['messages']} receipts and their facts; {seen}", "same_result": right},
        "V2_linear": {"value": round(last["us_a_message"] / runs[0]["us_a_message"], 2), "unit": "x", "goal": 2,
                      "against": f"cost a message of {last['messages']} to that of {counts[0]}", "same_result": right},
        "V3_one_more": {"value": last["one_more_us_max"], "unit": "us CPU", "goal": 1000,
                        "against": f"the dearest of 1000 facts and rows, decided and told, at {last['messages']}", "same_result": right},
        "V3_flat": {"value": round(last["one_more_us_mean"] / runs[0]["one_more_us_mean"], 2), "unit": "x", "goal": 3,
                    "against": f"one more at {last['messages']} to one more at {counts[0]}", "same_result": right},
        "V4_memory": {"value": last["peak_mb"], "unit": "MB", "goal": 2000 * min(1, last["messages"] / 10_000_000 + 0.01),
                      "against": f"2 GB for 10 million, in proportion, at {last['messages']}", "same_result": right},
    }
    for row in rows.values():
        row["runs"] = runs
    return rows


def bench_from_store(options, folder):
    """The same from the database: opened, read, unpacked and decided, as `serve` does at its start."""
    run = from_store(options, folder, 10_000 if options.short else 1_000_000)
    most = from_store(options, folder, 10_000_000, "start") if options.long else run
    return {
        "V6_from_store": {
            "value": run["start_cpu_seconds"], "unit": "CPU s", "goal": 60, "same_result": run["right"], "runs": [run],
            "against": f"{run['messages']} messages in the database until serve has their verdicts; a question: "
                       f"{run['question_cpu_seconds']:.2f} s, {run['question_peak_mb']:.0f} MB"},
        "V7_start_memory": {
            "value": most["start_peak_mb"], "unit": "MB", "goal": 2000 * min(1, most["messages"] / 10_000_000 + 0.04),
            "same_result": most["right"], "runs": [most],
            "against": f"2 GB for 10 million, in proportion, at {most['messages']}: {most['start_cpu_seconds']:.2f} CPU s"},
    }


def from_store(options, folder, messages, what=None):
    place = os.path.join(folder, f"rebuild-{messages}")
    os.makedirs(place)
    program = os.path.join(options.bin, "store_rebuild_bench")
    out, _ = run_command([program, place, str(messages)] + ([what] if what else []), seconds=7200)
    shutil.rmtree(place)
    return json.loads(out)


def bench_replay(options, folder):
    """The country's 2.7 years, from log lines to verdicts; tests/sim. Not in the short form: it takes a minute."""
    if options.short:
        return {}
    result = os.path.join(folder, "replay.json")
    run_command([os.path.join(options.bin, "replay_2023"), "--json", result], seconds=3000)
    with open(result, encoding="utf-8") as file:
        told = json.load(file)
    return {"V0_replay": {"value": round(told["seconds"], 1), "unit": "s", "goal": 60,
                          "against": f"242 municipalities, 2020-2023, two threads; {told['lost']} lost found",
                          "same_result": told["wrong_verdicts"] == 0}}


def write_events(path, messages):
    """Of every hundredth message the receipt comes without a commit."""
    with open(path, "w", encoding="ascii") as file:
        for n in range(messages):
            name, time = uuid.UUID(int=n + 1, version=4), 1_700_000_000_000 + n * 50
            file.write(f"{time} received {name}\n")
            if n % 100 != 0:
                file.write(f"{time + 10} committed {name}\n")
            file.write(f"{time + 20} acknowledged {name}\n")


def cpu_of_children():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def bench_sec(options, folder):
    """Events a CPU second, ours to SEC's, on one stream; both find the same messages that are not stored."""
    events, rules = os.path.join(folder, "events.log"), os.path.join(folder, "rules.sec")
    messages = 1000 if options.short else 100_000
    write_events(events, messages)
    with open(rules, "w", encoding="ascii") as file:
        file.write(SEC_RULES)
    ours, peers = [], []
    for _ in range(1 if options.short else 3):
        out, _ = run_command([os.path.join(options.bin, "correlator_bench"), "stream", events], seconds=600)
        ours.append(json.loads(out))
        before = cpu_of_children()
        out, _ = run_command(["sec", f"--conf={rules}", f"--input={events}", "--notail"], seconds=600)
        peers.append((cpu_of_children() - before, sum(1 for line in out.splitlines() if "not stored" in line)))
    version = run_command(["sec", "--version"])[0].split()[4] if peers else ""
    our_cpu, peer_cpu = min(run["cpu_seconds"] for run in ours), min(cpu for cpu, _ in peers)
    same = {run["not_stored"] for run in ours} == {count for _, count in peers} == {messages // 100}
    return {"V5_sec": {
        "value": round(peer_cpu / max(our_cpu, 0.001), 2), "unit": "x SEC's speed", "goal": 5,
        "against": f"sec {version} --notail, three rules, the same {ours[0]['events']} events", "same_result": same,
        "our_cpu_seconds": our_cpu, "sec_cpu_seconds": round(peer_cpu, 3)}}


BENCHES = {"replay": bench_replay, "verdicts": bench_rebuild, "from_store": bench_from_store, "sec": bench_sec}
VERDICTS = ("V1_rebuild", "V2_linear", "V3_one_more", "V3_flat", "V4_memory")
FIGURES = {name: "verdicts" for name in VERDICTS} | {"V0_replay": "replay", "V5_sec": "sec", "V6_from_store": "from_store",
           "V7_start_memory": "from_store"}
LESS_IS_BETTER = {"V0_replay", "V6_from_store", "V7_start_memory", *VERDICTS}
# Over the goal is a failure, but in the short form: there the figures mean nothing.
FULL_GATES = {"V0_replay", "V6_from_store", "V7_start_memory", *VERDICTS}
