"""Tries the test's own instruments, without agent or collector: cluster, case system, portal.

A comparison is worth what its truth is worth. Here each trouble must really happen (every kind of
failure is seen), and the case system's own account must agree with the database.
"""
import collections
import os
import shutil
import tempfile

import truth_check
from municipality import Municipality
from portal import Portal
from postgres_cluster import PostgresCluster
from report import Report
from scenario import (Night, failures_only_night, fault_night, repaired_night, troubles_not_met,
                      troubles_text)
from truth import check_database, expected_verdict

SEEN_AT_LEAST = {"55P03": 3, "57014": 3, "53300": 3, "53100": 3, "23505": 2,
                 "none in statement": 1, "none in commit": 2}


def run(seed, output, keep=False, **_):
    """The group `instruments`; returns its Report."""
    report = Report(output)
    report.check("the table of truth by rows", "\n".join(truth_check.problems()))
    folder = tempfile.mkdtemp(prefix="meldevakt-e2e-")
    os.chmod(folder, 0o755)
    problems = []
    try:
        with PostgresCluster(os.path.join(folder, "pg")) as cluster, Portal(seed) as portal:
            towns = {"nord": "fault", "sor": "failures-only"}
            towns = {name: Municipality(name, os.path.join(folder, name), cluster, portal, mode,
                                        seed, 200_000) for name, mode in towns.items()}
            try:
                for town in towns.values():
                    town.start()
                nights = [Night(town, output) for town in towns.values()]
                fault_night(nights[0])
                towns["nord"].configure(mode="repaired")
                repaired_night(nights[0])
                failures_only_night(nights[1])
                output.step("saves that failed, by trouble:\n" + troubles_text(nights))
                problems += troubles_not_met(nights)
                for town in towns.values():
                    problems += examine(town, output, bool(cluster.tablespace))
            finally:
                for town in towns.values():
                    town.stop()
    finally:
        if keep:
            output.step(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    report.check("the instruments agree with the database", "\n".join(problems))
    return report


def examine(town, output, with_tablespace):
    lives = town.lives()
    problems = check_database(lives, town.stored_ids())
    codes = collections.Counter(a["sqlstate"] or f"none in {a['where']}"
                                for life in lives.values() for a in life.attempts)
    verdicts = collections.Counter((life.mode, expected_verdict(life)) for life in lives.values())
    output.step(f"{town.name}: failures by code {dict(codes)}")
    output.step(f"{town.name}: expected verdicts {dict(verdicts)}")
    unsure = [life for life in lives.values() if life.unanswered and life.stored is None]
    output.step(f"{town.name}: unanswered {len(unsure)}, of these in the database "
                f"{sum(life.in_database for life in unsure)}")
    if town.name == "nord":
        for code, least in SEEN_AT_LEAST.items():
            if codes[code] < least and (code != "53100" or with_tablespace):
                problems.append(f"{town.name}: {code} was seen {codes[code]} times only")
        if not any(life.in_database for life in unsure):
            problems.append("no unanswered commit was durable: that trouble did not happen")
        if all(life.in_database for life in unsure):
            problems.append("every unanswered commit was durable: the kill before did not happen")
    return problems
