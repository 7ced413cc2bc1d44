"""The main test: three ways of working, every trouble there is, and each verdict against the database.

About 600 messages. `in_doubt` is right only where the client's commit call got no answer and
`unverifiable` only inside a gap that this test made; both are counted and expected exactly, because
every message's expected verdict is (truth.py).
"""
import collections
import contextlib
import hashlib
import json
import os
import re
import time

import truth_check
from frames import ledger
from programs import time_ms
from report import Report
from scenario import (Night, failures_only_night, fault_night, repaired_night, troubles_not_met,
                      troubles_text)
from support import Timeout, wait_until
from truth import expected_verdict
from world import World

MESSAGES_MIN = 500
FINDING = re.compile(r"(ERROR|WARN) agent: finding kind=(\w+) message=([0-9a-f-]{36})")
SAID = re.compile(r"agent: finding kind=(\w+) message=(\S+) time=(\S+) ")
TOLD_LIVE = re.compile(r" finding tenant=\S+ message=(\S+) verdict=(\w+)")
WANTED_FINDINGS = {"lost": {"failed_commit", "receipt_without_commit"},
                   "in_doubt": {"failed_commit", "receipt_without_commit"},
                   "missing": {"receipt_without_commit"},
                   "stored_after_receipt": {"receipt_before_commit"}}


def compare_and_report(world, town, report, what):
    """Waits for the verdicts and reports the table; returns the comparison."""
    comparison = world.settle(town)
    world.output.step(f"{town.name}, {what}:\n{comparison.table_text()}")
    report.check(f"{town.name}: every verdict is right, {what}",
                 comparison.mismatches and comparison.mismatch_text(town.trace_paths()))
    return comparison


def check_exact_counts(world, town, comparison, report):
    """The two verdicts that are easily claimed too often."""
    lives = town.lives()
    unanswered = {i for i, life in lives.items()
                  if life.receipted is not None and life.stored is None and life.unanswered
                  and not life.in_gap}
    doubted = {i for i, m in comparison.got.items() if m["verdict"] == "in_doubt"}
    report.check(f"{town.name}: in_doubt exactly where a commit got no answer ({len(doubted)})",
                 f"{sorted(unanswered ^ doubted)}" if unanswered != doubted or not doubted else "")
    gap = {i for i in town.gap_ids if lives[i].receipted is not None}
    unsure = {i for i, m in comparison.got.items() if m["verdict"] == "unverifiable"}
    report.check(f"{town.name}: unverifiable exactly inside the gap ({len(unsure)})",
                 f"{sorted(gap ^ unsure)}" if gap != unsure or not unsure else "")


def check_explanations(world, town, comparison, report):
    """Each verdict has its sentence; what the portal still has, has its deadline."""
    problems = []
    for message in comparison.got.values():
        if not message.get("explanation", "").strip():
            problems.append(f"{message['message']}: no explanation")
        if message["verdict"] in ("lost", "missing", "in_doubt") and \
                not message.get("purge_deadline"):
            problems.append(f"{message['message']}: no purge deadline")
    problems += [f"{m['message']}: lost to {m['cause']} at {m['failed']} and no overload window"
                 for m in world.wait_for_windows(town)]
    report.check(f"{town.name}: sentences, deadlines, overload windows", "\n".join(problems[:10]))


def check_statements(world, report):
    """Each statement names the program that made it, and soon the collector's log as its agent saw it."""
    with open(os.path.join(world.binaries, "meldevakt-agent"), "rb") as file:
        program = hashlib.sha256(file.read()).hexdigest()
    rows = ledger(world.collector.database)
    statements = [row.statement() for row in rows]
    problems = [f"{row.agent} {row.sequence}: made by {said['software_sha256']}"
                for row, said in zip(rows, statements) if said["software_sha256"] != program]
    newest = {row.agent: said["log_seen_size"] for row, said in zip(rows, statements)}
    problems += [f"{agent} has not seen the log" for agent, size in newest.items() if size == 0]
    report.check(f"statements name their program and the log ({len(rows)})",
                 "\n".join(problems[:10]) or (not rows and "there is none"))


def check_database_agent(world, town, report):
    """What the database's own log says is told by its agent: overloads have it as a witness."""
    witnesses = {(w["agent"], w["source"]) for m in world.collector.messages(town.name)
                 for o in m["overloads"] for w in o["witnesses"]}
    report.check(f"{town.name}: overloads are witnessed by the database's log",
                 not any(source == "sql" for _, source in witnesses) and f"only by {sorted(witnesses)}")


def check_later(world, town, comparison, report):
    """The same verdicts an hour later: nothing was right by chance of the moment."""
    later = world.compare(town, int(time.time() * 1000) + 3_600_000)
    report.check(f"{town.name}: the same verdicts an hour later",
                 later.mismatches and later.mismatch_text(town.trace_paths(), 3))
    del comparison


def check_findings(town, agent, report):
    """The agent itself told of each harmed message, in the house, once for each kind."""
    # A failure is told when its grace of 30 s is over and nobody tried again.
    with contextlib.suppress(Timeout):
        wait_until(lambda: not finding_problems(town, agent)[0], "the agent to tell", 60, pause=0.5)
    problems, told = finding_problems(town, agent)
    problems += alarm_problems(agent)
    report.check(f"{town.name}: findings told locally ({len(told)} messages), each given to "
                 "on_finding once", "\n".join(problems[:10]) or (not told and "none was told"))


def finding_problems(town, agent):
    told = {}
    problems = []
    for level, kind, message in FINDING.findall(agent.log()):
        if kind in told.setdefault(message, set()):
            problems.append(f"{message}: {kind} told twice")
        told[message].add(kind)
        if (kind == "receipt_before_commit") != (level == "WARN"):
            problems.append(f"{message}: {kind} at level {level}")
    for message, life in town.lives().items():
        wanted = WANTED_FINDINGS.get(expected_verdict(life))
        if wanted and life.mode == "failures-only":
            wanted = {"failed_commit"}  # its log tells of nothing that went well
        if wanted and not told.get(message, set()) & wanted:
            problems.append(f"{message}: {expected_verdict(life)}, but the agent told "
                            f"{sorted(told.get(message, []))}")
        if life.mode == "failures-only" and told.get(message, set()) - (wanted or set()):
            problems.append(f"{message}: {expected_verdict(life)}, but the agent told "
                            f"{sorted(told[message])}")
        if expected_verdict(life) == "stored" and told.get(message, set()) - {"failed_commit"}:
            problems.append(f"{message}: stored, but the agent told {sorted(told[message])}")
    return problems, told


def alarm_problems(agent):
    """Each finding of the agent's log was given to the program once, and nothing else was."""
    def name(finding):
        message = [r["value"] for r in finding["references"] if r["type"] == "portal_message_id"]
        return finding["kind"], (message or ["unknown"])[0], finding["time"]
    def differences():
        said = collections.Counter(match.groups() for match in SAID.finditer(agent.log()))
        with contextlib.suppress(OSError), open(os.path.join(agent.folder, "alarms.jsonl"),
                                                encoding="utf-8") as file:
            said.subtract(name(json.loads(line)) for line in file)
        return [f"{kind} of {message} at {time_}: told {'more' if count > 0 else 'less'} often in "
                "the log than given to on_finding" for (kind, message, time_), count in said.items()
                if count]
    with contextlib.suppress(Timeout):  # the program runs for one after another
        wait_until(lambda: not differences(), "on_finding to have had every finding", 30, pause=0.5)
    return differences()


def told_live_problems(world, town):
    """What the running collector's log says of messages, against the list of this moment."""
    told = {}
    problems = []
    for message, verdict in TOLD_LIVE.findall(world.collector.child.log()):
        if told.get(message) == verdict:
            problems.append(f"{message}: {verdict} told twice")
        told[message] = verdict
    count = 0
    for message in world.collector.messages(town.name):
        name, verdict = message["message"], message["verdict"]
        count += name in told
        if verdict in ("lost", "in_doubt", "missing") and told.get(name) != verdict:
            problems.append(f"{name}: {verdict}, but the collector told {told.get(name)}")
        if verdict.startswith("stored") and told.get(name) in ("lost", "in_doubt", "missing"):
            problems.append(f"{name}: {verdict}, but the collector never took {told[name]} back")
    return count, problems


def check_told_live(world, town, report):
    """The running collector told of each harmed message by itself: once for each verdict, the last one last."""
    last = [0, []]
    def all_told():
        last[:] = told_live_problems(world, town)
        return not last[1]
    with contextlib.suppress(Timeout):
        wait_until(all_told, "the collector to have told all", 60, pause=1.0)
    report.check(f"{town.name}: findings told by the running collector ({last[0]} messages)",
                 "\n".join(last[1][:10]) or (not last[0] and "none was told"))


def check_commands(world, report):
    """What is open is said by exit status, and the reports are there."""
    problems = []
    for name in world.towns:
        out, _ = world.collector.command("control", "run", "--tenant", name, "--format", "json",
                                         expect=1)
        if not out.strip():
            problems.append("control run prints nothing")
        if not world.collector.command("incidents", "list", "--tenant", name, "--format",
                                       "json")[0].strip():
            problems.append(f"{name}: no incident")
    rows = world.collector.command("fleet", "report", "--format", "json")[0].splitlines()
    if len(rows) < len(world.towns):
        problems.append(f"fleet report has {len(rows)} rows")
    report.check("control run, incidents, fleet report", "\n".join(problems))


def check_daily_control(world, report):
    """The server's own clock ran the daily control of each town, once, with nobody asking for it."""
    def daily():
        out = world.collector.command("control", "list", "--format", "json")[0]
        lines = [json.loads(line) for line in out.splitlines()]
        return [line for line in lines if line["record"] and not line["record"]["on_demand"]]
    ran = []
    def all_ran():
        ran[:] = daily()
        return len({line["tenant"] for line in ran}) >= len(world.towns)
    with contextlib.suppress(Timeout):
        wait_until(all_ran, "the daily control", 180, pause=1.0)
    problems = [f"{line['tenant']}: record {line['number']}: {line['problem'] or line['record']}"
                for line in ran if line["problem"] or line["record"]["missed"]]
    if len(ran) != len(world.towns):
        problems.append(f"{len(ran)} daily controls of {len(world.towns)} towns")
    report.check(f"the daily control ran at {world.control_at} UTC by itself, once each",
                 "\n".join(problems))


def check_purge(world, report):
    """The date in the table is the one on which the portal really deletes, not later and not sooner.

    The portal goes through the month that its clock has still to come, in three purges; after each
    the collector, asked for that same time, calls exactly what the portal has no more category A.
    """
    portal = world.portal
    problems, deadlines = [], []
    for name in world.towns:
        for message in world.collector.messages(name):
            want = portal.purge_deadline(message["message"])
            said = message["purge_deadline"] and time_ms(message["purge_deadline"])
            deadlines += [want] if want else []
            # a portal that writes whole seconds makes the collector's date that much earlier
            if bool(want) != bool(said) or want and not 0 <= want - said < 1000:
                problems.append(f"{message['message']}: the portal purges at {want}, said {said}")
    report.check(f"the purge deadlines are the portal's own ({len(deadlines)})",
                 "\n".join(problems[:10]) or (not deadlines and "there is none"))
    deadlines.sort()
    problems = []
    for now, what in ((deadlines[0] - 60_000, "none"), (deadlines[len(deadlines) // 2], "some"),
                      (deadlines[-1] + 1000, "all")):
        gone = len(portal.purge(now))
        problems += purge_problems(world, now)
        if (gone > 0) != (what != "none"):
            problems.append(f"{what} should have gone at {now}, {gone} went")
    left = [i for i in portal.rows if portal.purge_deadline(i) and portal.still_has(i)]
    problems += [f"{i}: past its deadline, and the portal still has it" for i in left]
    report.check("what the portal has purged is told as gone, and only that",
                 "\n".join(problems[:10]))


def purge_problems(world, now):
    """What the collector says of that time against what the portal has; a second's doubt is none."""
    problems = []
    for name in world.towns:
        absent = [m for m in world.collector.messages(name, now) if m["category"] in ("A", "B")]
        if not absent:
            problems.append(f"{name}: no message is missing at {now}")
        for message in absent:
            message_id, category = message["message"], message["category"]
            near = abs(now - world.portal.purge_deadline(message_id)) < 1000
            if not near and (category == "A") == world.portal.still_has(message_id):
                problems.append(f"{message_id}: category {category} at {now}, and the portal "
                                f"{'has it' if world.portal.still_has(message_id) else 'has not'}")
    return problems


def run(binaries, output, seed, long=False, keep=False, **_):
    """The group `main`; returns its Report."""
    report = Report(output)
    report.check("the table of truth by rows", "\n".join(truth_check.problems()))
    with World(binaries, output, seed, keep=keep) as world:
        nord, sor = world.towns["nord"], world.towns["sor"]
        nights = [Night(nord, output), Night(sor, output)]
        fault_night(nights[0])
        world.restart_agent_amid_rotation(nord, "nord-application", 12)
        compare_and_report(world, nord, report, "with the fault")
        world.gap(nord, "nord-application", 25)
        nights[0].calm(10)
        compare_and_report(world, nord, report, "after the gap")
        nord.configure(mode="repaired")
        repaired_night(nights[0])
        nord_result = compare_and_report(world, nord, report, "repaired")
        failures_only_night(nights[1])
        compare_and_report(world, sor, report, "logging failures only")
        world.gap(sor, "sor-application", 10)
        nights[1].calm(10)
        sor_result = compare_and_report(world, sor, report, "logging failures only, after a gap")
        output.step("saves that failed, by trouble:\n" + troubles_text(nights))
        report.check("every trouble made saves fail in its own way, in every mode",
                     "\n".join(troubles_not_met(nights)))
        total = len(nord_result.expected) + len(sor_result.expected)
        report.check(f"at least {MESSAGES_MIN} messages ({total})", total < MESSAGES_MIN and "few")
        for town, result in ((nord, nord_result), (sor, sor_result)):
            check_exact_counts(world, town, result, report)
            check_explanations(world, town, result, report)
            check_later(world, town, result, report)
        for town in (nord, sor):
            check_findings(town, world.agents[f"{town.name}-application"], report)
        check_statements(world, report)
        for town in (nord, sor):
            check_database_agent(world, town, report)
        check_told_live(world, nord, report)
        check_commands(world, report)
        check_daily_control(world, report)
        check_purge(world, report)
        for night in nights:
            for skipped in night.skipped:
                report.skip(skipped)
    return report
