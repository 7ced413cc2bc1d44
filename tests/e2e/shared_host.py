"""One agent host for two municipalities: each finds its own losses, and no other's.

`felles` is a case system that serves both, in one trace and one database log, which both tenants of
the agent read; `egen` is one that only `vest` has, in a trace that the agent's configuration gives
to `vest` alone. Its database stands in the same cluster, so the database log is of all of them.

Whose a message of the shared trace is stands in the portals' lists alone: until a list comes that
is complete for that time, a loss in it is told to each of them, and says so; then it is of one.
"""
import collections
import concurrent.futures
import contextlib
import json
import os
import random
import re
import threading

from faults import check_no_alarm, check_own_state, load
from frames import facts, ledger
from municipality import Municipality
from programs import json_lines, rfc3339
from report import Report
from scenario import TRIES_MAX, Night
from support import Timeout, short_pause, wait_until
from truth import expected_verdict
from world import DATABASE_PACK, TRACE_PACK, World

SHARED_BY = ("aust", "vest")
HOST = "vert"
SOURCES = {"aust": {"felles", "sql"}, "vest": {"felles", "sql", "egen"}}
KILLS = 5
DAY_MS = 86_400_000
LATENT = "stored_after_receipt"
CONFIRM_WITHIN_S = 5  # a list is believed of what was sent so long before it ends
TOLD_LIVE = re.compile(r" finding tenant=(\S+) message=(\S+) verdict=(\w+)")


class CaseSystem(Municipality):
    """One that serves several municipalities: each one's messages come under its own name."""

    def __init__(self, name, world, serves, seed):
        super().__init__(name, os.path.join(world.folder, name), world.cluster, world.portal,
                         "fault", seed)
        self.serves = serves

    def send(self, count, senders=4, each=None):
        """`count` messages of all of them together, at the same time."""
        shares = [len(range(number, count, len(self.serves))) for number in range(len(self.serves))]
        with concurrent.futures.ThreadPoolExecutor(len(self.serves)) as pool:
            sent = pool.map(lambda name, share: self.portal.send_many(
                self.url, name, share, senders, each), self.serves, shares)
            return [message for ids in sent for message in ids]


class Tenant:
    """What one municipality may know: its messages in the case systems that serve it."""

    def __init__(self, name, world, systems):
        self.name, self.systems, self.portal = name, systems, world.portal
        self.folder = os.path.join(world.folder, f"kommune_{name}")
        os.makedirs(self.folder, exist_ok=True)

    def owns(self, message_id):
        return self.portal.rows[message_id]["tenant"] == self.name

    def named(self):
        """The lives of all messages, whosever, that its sources may name."""
        return {i: life for system in self.systems for i, life in system.lives().items()}

    def lives(self):
        return {i: life for i, life in self.named().items() if self.owns(i)}

    def others_named(self):
        """Messages of others that its sources do name."""
        return {i for i in self.named() if not self.owns(i)}

    def absent(self):
        """Own messages of which it must be told: receipted, and perhaps or surely not stored."""
        return {i: verdict for i, verdict in ((i, expected_verdict(life))
                                              for i, life in self.lives().items())
                if verdict in ("lost", "in_doubt", "missing")}

    def stored_ids(self):
        return {i for system in self.systems for i in system.stored_ids() if self.owns(i)}

    def trace_paths(self):
        return [path for system in self.systems for path in system.trace_paths()]

    def stop(self):
        for system in self.systems:
            system.stop()


class SharedHost(World):
    """One agent, two tenants, three sources."""

    felles = egen = None

    def _add_towns(self):
        self.felles = CaseSystem("felles", self, SHARED_BY, self.seed)
        self.egen = CaseSystem("egen", self, ("vest",), self.seed + 1)
        self.towns = {"aust": Tenant("aust", self, [self.felles]),
                      "vest": Tenant("vest", self, [self.felles, self.egen])}
        for system in (self.felles, self.egen):
            system.start()
        zone = {"zone": "Europe/Oslo"}
        self._add_agent(HOST, SHARED_BY[0], [
            {"name": "felles", "files": [self.felles.trace_glob], "pack": TRACE_PACK, **zone},
            {"name": "egen", "files": [self.egen.trace_glob], "pack": TRACE_PACK,
             "tenant": "vest", **zone},
            {"name": "sql", "files": [self.cluster.log_path], "pack": DATABASE_PACK, **zone}],
            SHARED_BY[1:])

    def import_receipts(self, town):
        """Its list of all that was ever sent: nobody sent anything before this began."""
        path = os.path.join(town.folder, "portal.csv")
        first, until = self.portal.export_csv(path, town.name)
        self.collector.import_receipts(town.name, path, (first - 6 * DAY_MS, until))

    def messages_of(self, town, now_ms):
        """Those that are its own or that nobody sent; check_others looks at the others'."""
        return [m for m in super().messages_of(town, now_ms)
                if m["message"] not in self.portal.rows or town.owns(m["message"])]


def lose_some(world, output, report):
    """Real failures of saves until both municipalities lost messages in the shared log."""
    shared, own = Night(world.felles, output), Night(world.egen, output)
    for _ in range(TRIES_MAX):
        shared.lock_waits(24)
        if all(town.absent() for town in world.towns.values()):
            break
    own.lock_waits(10)
    shared.killed_in_commit(12, "backend", durable=False)
    shared.calm(8)
    troubles = shared.troubles + own.troubles
    report.check(f"the troubles made saves fail ({[(t.wanted, t.met) for t in troubles]})",
                 "\n".join(t.wanted for t in troubles if not t.met))


def kill_the_agent(world, output, seed):
    """Signal 9 at random points of a load on both traces, and a start again each time."""
    output.step(f"the shared agent is killed {KILLS} times at random points, seed {seed}")
    rng, agent = random.Random(seed), world.agents[HOST]
    stop, errors = threading.Event(), []
    senders = [threading.Thread(target=load, args=(system, stop, errors))
               for system in (world.felles, world.egen)]
    for sender in senders:
        sender.start()
    try:
        for _ in range(KILLS):
            short_pause(rng.uniform(0.1, 0.9))
            agent.kill()
            short_pause(rng.uniform(0.0, 0.2))
            agent.start(wait=rng.random() < 0.7)  # sometimes struck again while it starts
    finally:
        stop.set()
        for sender in senders:
            sender.join()
    if errors:
        raise errors[0]
    for system in (world.felles, world.egen):
        system.idle()


def wait_until_all_is_told(world):
    """Until each tenant's chain has a step for every message that its sources name."""
    def told(town):
        wanted = {i for i, life in town.named().items() if life.recorded}
        return wanted <= set(failed_saves(facts(ledger(world.collector.database, town.name))[0]))
    with contextlib.suppress(Timeout):  # what is missing then, the checks say
        wait_until(lambda: all(map(told, world.towns.values())), "the agent to tell all", 30, 0.5)


def failed_saves(all_facts):
    """Message ids, once for each failed save that a fact tells of it."""
    return [reference["value"] for fact in all_facts
            if fact.get("step", {}).get("signal") == "message.save_failed"
            for reference in fact["step"]["references"]
            if reference["type"] == "portal_message_id"]


def check_own(world, town, report):
    """Every verdict on its own messages is right, and it did lose some in the shared log."""
    comparison = world.settle(town, 60)
    world.output.step(f"{town.name}:\n{comparison.table_text()}")
    report.check(f"{town.name}: every verdict on its own messages is right",
                 comparison.mismatches and comparison.mismatch_text(town.trace_paths(), 5))
    lives = world.felles.lives()
    here = collections.Counter(verdict for i, verdict in town.absent().items() if i in lives)
    report.check(f"{town.name}: the shared log tells of its own losses ({dict(here)})",
                 not here["lost"] and "no proof without any")


def others_of(world, town, now_ms=None):
    """What the collector says, to this one, of messages that are another's."""
    return [m for m in world.collector.messages(town.name, now_ms)
            if m["message"] in world.portal.rows and not town.owns(m["message"])]


def check_others_before(world, town, report):
    """No list of the portal's is there yet: what a shared log tells is told, and that it is shared."""
    known = others_of(world, town)
    surprising = {m["message"] for m in known} - town.others_named()
    silent = [m["message"] for m in known if "may be another's" not in m["explanation"]]
    report.check(f"{town.name}: before a list comes, of another's messages it knows those that its "
                 f"own sources name, and each says that it may be another's ({len(known)})",
                 "\n".join([*list(surprising)[:5], *silent[:5]]) or
                 (not known and "there is none: no proof"))


def check_others(world, town, report):
    """A message that another's portal list holds is not said to be this one's, now or later."""
    left = [f"{m['message']}: {m['verdict']}, {m['explanation']}"
            for now_ms in (None, world.portal.now_ms() + 2 * DAY_MS)
            for m in others_of(world, town, now_ms)]
    report.check(f"{town.name}: with its portal's list it knows none of another's messages, of which "
                 f"its sources name {len(town.others_named())}",
                 "\n".join(left[:10]) or (not town.others_named() and "no proof"))


def check_told(world, town, tenant_id, report):
    """The running collector told each tenant of its own absent messages, and its list of no other.

    Of those that a shared log names it may have been told before its portal's list came.
    """
    wanted, shared = town.absent(), town.others_named()
    def told():
        return {message: verdict for tenant, message, verdict in
                TOLD_LIVE.findall(world.collector.child.log())
                if tenant == tenant_id and message not in shared}
    def differences():
        have = told()
        return [f"{i}: {wanted.get(i, 'not its own')}, told {have.get(i)}"
                for i in wanted.keys() | have.keys() if wanted.get(i) != have.get(i)]
    with contextlib.suppress(Timeout):
        wait_until(lambda: not differences(), "the collector to tell", 30, pause=0.5)
    report.check(f"{town.name}: told of its own {len(wanted)} absent messages and of no other",
                 "\n".join(differences()[:10]) or (not wanted and "there is none: no proof"))
    out = world.collector.command("incidents", "list", "--tenant", town.name, "--format", "json")[0]
    # What was stored after its receipt is an incident as well, and nobody's to act on.
    members = {i for row in json_lines(out) if row.get("worst") not in (None, LATENT)
               for i in row["messages"]}
    report.check(f"{town.name}: its incidents are of exactly those messages",
                 "\n".join(sorted(members ^ wanted.keys())[:10]))


def check_nothing_leaked(world, town, rows, report):
    """A source that is one tenant's alone is in no statement of the other's, nor any of its ids."""
    problems = []
    names = {source["id"] for row in rows for source in row.statement()["sources"]}
    if names != SOURCES[town.name]:
        problems.append(f"sources {sorted(names)}, expected {sorted(SOURCES[town.name])}")
    private = {} if world.egen in town.systems else world.egen.lives()
    text = "\n".join(json.dumps(part) for row in rows for part in (row.statement(), *row.bodies()))
    problems += [f"{i}: of a source that is another's alone" for i in private if i in text]
    report.check(f"{town.name}: its statements hold its own sources ({len(rows)} statements)",
                 "\n".join(problems[:10]) or (not rows and "there is none: no proof"))


def check_nothing_doubled(town, rows, report):
    """One fact for each record of each trace that is given to this tenant, however often read."""
    all_facts, conflicts = facts(rows)
    got = collections.Counter(failed_saves(all_facts))
    want = collections.Counter({i: sum(a["logged"] for a in life.attempts)
                                for i, life in town.named().items()})
    problems = [f"one id with two contents: {a} {b}" for a, b in conflicts[:3]]
    problems += [f"{i}: records {want[i]}, facts {got[i]}" for i in want.keys() | got.keys()
                 if want[i] != got[i]]
    report.check(f"{town.name}: as many facts as records ({sum(got.values())})",
                 "\n".join(problems[:10]) or (not got and "there is none: no proof"))


def check_chain(world, town, tenant_id, rows, report):
    """Its own chain: one agent's, without a gap, and what the agent's own journal says."""
    journal = {s["sequence"]: s for s in world.agents[HOST].sent() if s["tenant"] == tenant_id}
    stored = [row.sequence for row in ledger(world.collector.database, town.name)]
    problems = [] if stored == list(range(len(stored))) else [f"numbers {stored}"]
    problems += [f"{number}: acknowledged, and not there" for number, s in journal.items()
                 if s["acknowledged"] and number not in stored]
    for row in rows:
        said = journal.get(row.sequence)
        if not said or said["statement"] != row.statement() or row.tenant != tenant_id:
            problems.append(f"{row.sequence} of tenant {row.tenant}: not as the journal has it")
    report.check(f"{town.name}: its chain is whole ({len(stored)} statements)",
                 "\n".join(problems[:10]) or (not rows and "there is none: no proof"))


def check_coverage(world, town, span_ms, report):
    """Nothing of its logs' own time was passed over, although the agent was away in between."""
    out = world.collector.command(
        "coverage", "--tenant", town.name, "--from", rfc3339(span_ms[0]), "--until",
        rfc3339(span_ms[1]), "--format", "json", expect=None)[0]
    lines = [line for line in json_lines(out) if line.get("axis") == "event"]
    problems = [str(line) for line in lines if line["state"] != "read"]
    names = {line["source"] for line in lines}
    if names != SOURCES[town.name]:
        problems.append(f"sources {sorted(names)}, expected {sorted(SOURCES[town.name])}")
    report.check(f"{town.name}: every source of its own was read without a hole",
                 "\n".join(problems[:5]))


def check_audit(world, report):
    """`audit` agrees for both, and each has an agent key of its own."""
    told = json.loads(world.collector.command("audit", "--format", "json", expect=None)[0])
    agents = [{row.agent for row in ledger(world.collector.database, name)} for name in SHARED_BY]
    problems = [] if told["holds"] else [str(told)]
    if sorted(one["name"] for one in told.get("tenants", [])) != sorted(SHARED_BY):
        problems.append(f"tenants {told.get('tenants')}")
    if [len(one) for one in agents] != [1, 1] or agents[0] & agents[1]:
        problems.append(f"agents {agents}")
    report.check("both chains hold, each under a key of its own (audit)", "\n".join(problems))


def tenant_ids(world):
    """By name."""
    rows = json_lines(world.collector.command("fleet", "report", "--format", "json")[0])
    return {row["name"]: row["tenant"] for row in rows if "name" in row}


def run(binaries, output, seed, keep=False, **_):
    """The part of the group `faults` with several municipalities; returns its Report."""
    report = Report(output)
    policy = {"confirm_within": f"{CONFIRM_WITHIN_S}s"}
    with SharedHost(binaries, output, seed, keep=keep, policy=policy) as world:
        began = world.portal.now_ms() - world.portal.clock_skew_ms
        lose_some(world, output, report)
        kill_the_agent(world, output, seed)
        ended = world.portal.now_ms() - world.portal.clock_skew_ms
        wait_until_all_is_told(world)
        for town in world.towns.values():
            check_others_before(world, town, report)
        for town in world.towns.values():
            check_own(world, town, report)
        check_audit(world, report)
        ids = tenant_ids(world)
        world.let_event_time_pass(CONFIRM_WITHIN_S + 4)
        for town in world.towns.values():
            world.import_receipts(town)
        for name, town in world.towns.items():
            rows = ledger(world.collector.database, name)
            check_others(world, town, report)
            check_told(world, town, ids[name], report)
            check_nothing_leaked(world, town, rows, report)
            check_nothing_doubled(town, rows, report)
            check_chain(world, town, ids[name], rows, report)
            check_coverage(world, town, (began, ended), report)
        check_no_alarm(world, report, "several municipalities on one host")
        check_own_state(world, report)
    return report
