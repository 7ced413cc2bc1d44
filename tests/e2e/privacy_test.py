"""Every byte that left the agent, decoded and decompressed, holds none of the personal data planted.

What left is taken twice: from the agent's own journal (`sent`) and from the frames as the collector
stored them, decoded by independent code. The journal must tell of every statement the collector
has; so the journal is complete. Then the proof of the proof: the search finds every kind of value
in the trace itself in each encoding, and with an agent whose privacy step is off the same test
fails.
"""
import collections
import glob
import json
import os
import re

import searching_check
from frames import ledger
from people import KINDS, PHONES
from recording_proxy import layers_of
from report import Report
from scenario import Night
from searching import Needles, encodings_of
from world import HERE, World

PACKS = [os.path.join(HERE, "packs")]
CARELESS_PACK = "with-references"
# What every agent asks of a collector; `agent check` asks for the head.
ON_THE_WIRE = ((b"POST", b"/v1/enrol"), (b"GET", b"/v1/log/key"), (b"GET", b"/v1/head"),
               (b"POST", b"/v1/frames"), (b"GET", b"/v1/log/proof"))
# What that pack takes for references: without the privacy step each of them leaves.
MUST_LEAK = ("transport id", "client id", "identity number", "person GUID", "phone")
# What must stand in each log by itself, or that none of it left says nothing of that log's pack.
IN_EACH_LOG = ("name", "identity number", "address", "phone", "e-mail", "person GUID")
LOGS = {"nord's trace": "nord/Integrasjon*", "sor's trace": "sor/Integrasjon*",
        "the database's log": "pg/log/*"}


def one_world(binaries, output, seed, keep, agent_binary=None):
    """Messages in a small bad night; returns what left, what was planted and the raw logs."""
    with World(binaries, output, seed, keep=keep, agent_binary=agent_binary, packs=PACKS,
               rotate_bytes=0, record=True) as world:
        nord, sor = world.towns["nord"], world.towns["sor"]
        add_careless_source(world, nord)
        people = world.portal.people
        nights = [Night(nord, output), Night(sor, output)]
        for town, night in zip((nord, sor), nights):
            night.lock_waits(24)
            night.same_child_twice(4)
            # a number of every kind, and ids that are not the portal's where its id should stand
            for _ in KINDS:
                town.send(4)
            for guid in [v for v, kind in people.planted.items() if kind == "person GUID"
                         and v[14] != "4"][:3]:
                town.send(1, each=lambda _, g=guid: {"bekymringsmeldingId": g})
            town.idle()
        for agent in world.agents.values():
            agent.command("check")
        world.wait_until_all_is_read()
        planted = dict(people.planted)
        for town in world.towns.values():
            planted.update(town.planted())
        for agent in world.agents.values():
            agent.stop()
        return {"left": what_left(world), "planted": planted, "logs": raw_logs(world),
                "journal": journal_gaps(world), "wire": wire_gaps(world),
                "not met": [f"{t.mode}: no save failed with {t.wanted}" for night in nights
                            for t in night.troubles if not t.met]}


def add_careless_source(world, town):
    """The same trace read a second time, by the pack that takes people's numbers for references."""
    agent = world.agents["nord-application"]
    agent.stop()
    with open(agent.config, encoding="utf-8") as file:
        text = file.read()
    source = (f'[[source]]\nname = "careless"\nfiles = ["{town.trace_glob}"]\n'
              f'pack = "{CARELESS_PACK}"\nzone = "Europe/Oslo"\n[ship]')
    with open(agent.config, "w", encoding="utf-8") as file:
        file.write(text.replace("[ship]", source))
    agent.start()


def what_left(world):
    """name -> bytes: the journals, and every stored frame in each of its layers."""
    left = {}
    for name, agent in world.agents.items():
        left[f"sent of {name}"] = agent.command("sent", "--format", "json")[0].encode()
        left[f"sent of {name}, as text"] = agent.command("sent")[0].encode()
    for row in ledger(world.collector.database):
        parts = [row.envelope, json.dumps(row.statement(), ensure_ascii=False).encode(),
                 *row.packed_bodies]
        for body in row.bodies():
            parts.append(json.dumps(body, ensure_ascii=False).encode())
        left[f"frame {row.index} of {row.agent}"] = b"\n".join(parts)
    for name, proxy in world.proxies.items():
        for number, request in enumerate(proxy.requests()):
            what = b" ".join(request[:2]).decode("ascii", "replace")
            left[f"request {number} of {name}: {what}"] = layers_of(request)
    return left


def wire_gaps(world):
    """What should have been seen on the wire and was not: then the recording is not complete."""
    problems, bodies = [], set()
    for name, proxy in world.proxies.items():
        requests = proxy.requests()
        bodies |= {body for _, _, _, body in requests}
        seen = {(method, re.sub(rb"^(/v1/log/proof)/.*", rb"\1", path))
                for method, path, _, _ in requests}
        problems += [f"{name}: no {' '.join(map(bytes.decode, one))} among "
                     f"{sorted(seen)}" for one in ON_THE_WIRE if one not in seen]
    problems += [f"statement {row.sequence} of {row.agent}" for row in
                 ledger(world.collector.database) if row.frame() not in bodies]
    return problems


def journal_gaps(world):
    """Statements that the collector has, and enrolments on the wire, that no journal tells of."""
    told, silent = set(), []
    for name, agent in world.agents.items():
        text = agent.command("sent", "--format", "json")[0]
        for method, path, _, body in world.proxies[name].requests():
            if (method, path) == (b"POST", b"/v1/enrol"):
                asked = json.loads(body)
                signature = json.loads(asked["envelope"])["signatures"][0]["sig"]
                whole = signature in text and json.dumps(asked["request"])[1:-1] in text
                silent += [] if whole else [f"the enrolment of {name}"]
        for line in agent.sent():
            text = json.dumps(line)
            told |= {(row.agent, row.sequence) for row in ledger(world.collector.database)
                     if f'{row.statement()["previous"]}' in text}
    return silent + [f"{row.agent} {row.sequence}" for row in ledger(world.collector.database)
                     if (row.agent, row.sequence) not in told]


def raw_logs(world):
    """What the case systems and PostgreSQL wrote: where the values do stand; a text for each of LOGS."""
    texts = {}
    for name, pattern in LOGS.items():
        texts[name] = ""
        for path in glob.glob(os.path.join(world.folder, pattern)):
            with open(path, encoding="utf-8", errors="replace") as file:
                texts[name] += file.read()
    return texts


def search(result):
    """(value, kind, form, where) of each planted value that left."""
    needles = Needles(result["planted"])
    return [(*hit, name) for name, part in result["left"].items() for hit in needles.find(part)]


def stands_alone_in(text, value):
    """A number that somewhere is not part of a longer one (the search asks that of short ones)."""
    return re.search(rf"(?<![0-9A-Za-z]){re.escape(value)}(?![0-9A-Za-z])", text)


def check_search_finds(result, report):
    """In the logs themselves every kind stands, and is found in every encoding."""
    kinds = {f"identity number ({k})" for k in KINDS} | {f"phone ({k})" for k in PHONES} | {
        "name", "address", "e-mail", "person GUID", "transport id", "client id"}
    sample = "\n".join(result["logs"].values())[:400_000]
    some = collections.defaultdict(dict)  # ten values of each kind are enough to try the search
    for value, kind in result["planted"].items():
        if len(some[kind]) < 10 and value in sample and stands_alone_in(sample, value):
            some[kind][value] = kind
    needles = Needles({value: kind for kinds_ in some.values() for value, kind in kinds_.items()})
    problems = []
    for encoding, haystack in encodings_of(sample).items():
        seen = {kind for _, kind, _ in needles.find(haystack)}
        missing = kinds - seen
        if missing:
            problems.append(f"{encoding}: not found: {sorted(missing)}")
    report.check("the search finds every kind in the logs, in every encoding", "\n".join(problems))


def check_each_log_holds(result, report):
    """Every kind stands in every log, and each trouble that writes people into SQL errors was met."""
    problems = list(result["not met"])
    for log, text in result["logs"].items():
        found = {kind for value, kind in result["planted"].items()
                 if value in text and stands_alone_in(text, value)}
        problems += [f"{log}: no {wanted}" for wanted in IN_EACH_LOG
                     if not any(kind.startswith(wanted) for kind in found)]
    report.check("every log by itself holds what must not leave it", "\n".join(problems))


def run(binaries, output, seed, keep=False, agent_without_privacy=None, **_):
    """The group `privacy`; returns its Report."""
    report = Report(output)
    report.check("the search by rows", "\n".join(searching_check.problems()))
    result = one_world(binaries, output, seed, keep)
    total = sum(map(len, result["left"].values()))
    check_search_finds(result, report)
    check_each_log_holds(result, report)
    report.check("the journal tells of each enrolment and of every statement that the collector has",
                 "\n".join(result["journal"][:10]))
    report.check("every request was recorded: enrolment, questions, every statement stored",
                 "\n".join(result["wire"][:10]))
    hits = search(result)
    report.check(f"{len(result['planted'])} planted values, {total} bytes left, none among them",
                 "\n".join(map(str, hits[:20])))
    off = agent_without_privacy or os.path.join(binaries, "meldevakt-agent-privacy-off")
    if not os.path.exists(off):
        report.check("the counter-proof", f"{off} is not built (target meldevakt-agent-privacy-off)")
        return report
    output.step("the same again with an agent whose privacy step is off")
    leaked = search(one_world(binaries, output, seed + 1, keep, agent_binary=off))
    kinds = collections.Counter(kind for _, kind, _, _ in leaked)
    on_wire = {kind for _, kind, _, name in leaked if name.startswith("request ")}
    output.step(f"without the privacy step there left: {dict(kinds)}")
    missing = [what for what in MUST_LEAK if not any(kind.startswith(what) for kind in kinds)]
    report.check("with the privacy step off the same test fails, for every kind the pack takes",
                 missing and f"not found: {missing}; found {dict(kinds)}")
    report.check("... and finds them in the recorded requests too",
                 set(kinds) ^ on_wire and f"elsewhere only: {sorted(set(kinds) ^ on_wire)}")
    return report
