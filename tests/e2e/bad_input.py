"""What users and attackers send: clear errors, bounded memory, no other data touched."""
import csv
import datetime
import json
import os
import time
import uuid

from bad_files import agent_memory, rubbish_in_the_trace, unreadable_file, vanishing_file
from bad_frames import hostile_frames
from bad_requests import hostile_requests
from programs import Agent, run_command
from report import Report
from support import wait_until
from world import World

AGENT = """collector = "https://127.0.0.1:8443"
state = "{folder}/state"
[[tenant]]
name = "Eksempel kommune"
[[source]]
name = "trace"
files = ["{folder}/*.log"]
pack = "familia-like"
zone = "Europe/Oslo"
"""
COLLECTOR = """data = "{folder}/data"
names = ["127.0.0.1"]
[agents]
listen = "127.0.0.1:0"
[people]
listen = "127.0.0.1:0"
"""
# (program, replace, by, expected in the message); "" appends
BROKEN = [
    ("agent", "zone =", "zome =", ["agent.toml:9:", "unknown key 'zome'", "did you mean 'zone'"]),
    ("agent", "", "[budgett]\n", ["agent.toml:10:", "budgett", "budget"]),
    ("agent", '"Europe/Oslo"', '"Europa/Oslo"', ["agent.toml:9", "Europa/Oslo"]),
    ("agent", '"familia-like"', '"familia-lik"', ["familia-lik", "familia-like"]),
    ("agent", 'name = "trace"\n', "", ["agent.toml", "name"]),
    ("agent", 'files = ["{folder}/*.log"]\n', "", ["agent.toml", "files"]),
    ("agent", "collector = ", "collector ", ["agent.toml:1"]),
    ("agent", "https://127.0.0.1:8443", "http://127.0.0.1:8443", ["agent.toml:1", "https"]),
    ("agent", "", 'poll = 5\n', ["agent.toml", "poll"]),
    ("agent", "", '[ship]\nevery = "60 parsecs"\n', ["agent.toml:11", "every"]),
    ("agent", "", '[ship]\nmode = "pigeon"\n', ["agent.toml:11", "pigeon"]),
    ("agent", "", '[[source]]\nname = "trace"\nfiles = ["x.log"]\npack = "familia-like"\n',
     ["agent.toml", "trace"]),
    ("agent", "", '[budget]\noutbox = "-1 MB"\n', ["agent.toml:11", "outbox"]),
    ("collector", "names =", "nams =", ["collector.toml:2", "unknown key 'nams'", "names"]),
    ("collector", '"127.0.0.1:0"', '"127.0.0.1"', ["collector.toml:4", "listen"]),
    ("collector", "", '[policy]\ngrace = "soon"\n', ["collector.toml:8", "grace"]),
    ("collector", "", '[policy]\ngrase = "3s"\n', ["collector.toml:8", "grace"]),
    ("collector", "", '[[portal]]\nname = "npb"\nzone = "Norge"\n', ["collector.toml", "Norge"]),
    ("collector", 'data = "{folder}/data"\n', "", ["collector.toml", "data"]),
]


def broken_configurations(binaries, folder, report):
    """Each mistake: exit 2, and a message that names file, line and remedy."""
    for number, (program, old, new, wanted) in enumerate(BROKEN):
        text = AGENT if program == "agent" else COLLECTOR
        text = text + new if not old else text.replace(old, new, 1)
        if "poll = 5" in new:
            text = new + text.replace(new, "")
        path = os.path.join(folder, f"{program}.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("{folder}", folder))
        command = ["check"] if program == "agent" else ["incidents", "list"]
        out, err = run_command([os.path.join(binaries, f"meldevakt-{program}"), *command,
                                "--config", path], expect=None)
        try:
            run_command([os.path.join(binaries, f"meldevakt-{program}"), *command, "--config",
                         path], expect=2)
            problem = ""
        except AssertionError as error:
            problem = str(error)
        missing = [w for w in wanted if w not in out + err]
        report.check(f"configuration {number}: {program}: {(new or '-' + old).strip()[:40]!r}",
                     problem or missing and f"not said: {missing}\n{out}{err}")
    for program in ("agent", "collector"):
        _, err = run_command([os.path.join(binaries, f"meldevakt-{program}"),
                              "check" if program == "agent" else "serve", "--config",
                              os.path.join(folder, "nowhere.toml")], expect=2)
        report.check(f"configuration: {program}: a file that is not there",
                     "nowhere.toml" not in err and err)


PACK = """pack = "mine"
version = "1.0.0"
product = "x"
observes = ["message.committed"]
[record]
starts = '\\d{4}'
time = "%Y-%m-%d %H:%M:%S,%f"
[[rule]]
id = "committed"
signal = "message.committed"
literal = "lagret melding "
pattern = 'lagret melding (?<ref:portal_message_id>{uuid})'
match = ["2023-02-01 09:14:22,101 lagret melding 5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10"]
"""
PACKS = [
    ("a good one", "", "", 0, []),
    ("a sample that does not match", "09:14:22,101 lagret", "09:14:22,101 lagra", 1,
     ["mine.rules.toml:13", "committed"]),
    ("an unknown signal", "message.committed\"\nliteral", "message.comitted\"\nliteral", 2,
     ["mine.rules.toml:10", "message.committed"]),
    ("a back-reference", "lagret melding (?", "(a)\\1lagret melding (?", 2,
     ["mine.rules.toml:12"]),
    ("nested repetition", "lagret melding (?", "(?:a+)+ lagret melding (?", 2,
     ["mine.rules.toml:12"]),
    ("a field for free text", "ref:portal_message_id", "name", 2, ["mine.rules.toml:12", "typed"]),
    ("no literal", 'literal = "lagret melding "\n', "", 2, ["mine.rules.toml", "literal"]),
    ("an unknown key", "literal =", "litteral =", 2, ["mine.rules.toml:11", "litteral", "literal"]),
    ("no TOML", "[record]", "[record", 2, ["mine.rules.toml:5"]),
]


def packs_with_mistakes(binaries, folder, report):
    """`rules test` says file, line and what is wrong; so does an agent that is given the pack."""
    path = os.path.join(folder, "mine.rules.toml")
    for name, old, new, status, wanted in PACKS:
        with open(path, "w", encoding="utf-8") as file:
            file.write(PACK.replace(old, new, 1) if old else PACK)
        out, err = run_command([os.path.join(binaries, "meldevakt-agent"), "rules", "test", path],
                               expect=None)
        try:
            run_command([os.path.join(binaries, "meldevakt-agent"), "rules", "test", path],
                        expect=status)
            missing = [w for w in wanted if w not in out + err]
            problem = missing and f"not said: {missing}\n{out}{err}"
        except AssertionError as error:
            problem = str(error)
        report.check(f"pack: {name}", problem)


def receipts_with_bad_rows(world, town, report):
    """Bad rows are named by number, never quoted, and cost no other row."""
    good = os.path.join(town.folder, "good.csv")
    world.portal.export_csv(good, town.name)
    with open(good, encoding="utf-8", newline="") as file:
        lines = file.read().split("\r\n")
    secret = "Kari Hemmelig 01010112345"
    lines.insert(2, f"{secret};2023-02-01T10:00:00;;PRIVAT;Fagsystem;x;Sentrum;y;false")
    lines.insert(4, "5b0c8f0e-6f0e-4a44-9a39-1d6f0c1b7a10;i går;;PRIVAT;Fagsystem;x;Sentrum;y;false")
    lines.insert(5, "for;få;felt")
    bad = os.path.join(town.folder, "bad.csv")
    with open(bad, "w", encoding="utf-8", newline="") as file:
        file.write("\r\n".join(lines))
    out, err = world.collector.import_receipts(town.name, bad, expect=1)
    text = out + err
    missing = [f"row {n}" for n in (3, 5, 6) if f"row {n}" not in text and f'"row":{n}' not in
               text.replace(" ", "")]
    report.check("receipts: bad rows are named by number",
                 (missing and f"not named: {missing}\n{text}") or
                 ("Hemmelig" in text or "01010112345" in text) and f"the row is quoted:\n{text}")
    comparison = world.settle(town, reimport=False)
    report.check("receipts: the rest is imported", comparison.mismatches and
                 comparison.mismatch_text(town.trace_paths(), 3))
    for name, data in (("empty", b""), ("without its columns", b"a;b;c\r\n1;2;3\r\n"),
                       ("not a table at all", os.urandom(4096))):
        path = os.path.join(town.folder, "worse.csv")
        with open(path, "wb") as file:
            file.write(data)
        try:
            world.collector.import_receipts(town.name, path, expect=2)
            problem = ""
        except AssertionError as error:
            problem = str(error)
        report.check(f"receipts: a file that is {name}", problem)


def receipts_of_others(world, town, other, report):
    """Rows of another municipality are refused; a row of what is still to come changes nothing."""
    def register(tenant):
        world.collector.command(
            "registry", "set", "--tenant", tenant.name, "--kind", "portal_organisation",
            "--value", str(uuid.uuid5(uuid.NAMESPACE_OID, tenant.name)))
    def one_row(tenant, **changes):
        path = os.path.join(town.folder, "one.csv")
        world.portal.export_csv(path, tenant.name)
        with open(path, encoding="utf-8", newline="") as file:
            row = dict(next(csv.DictReader(file, delimiter=";")), **changes)
        with open(path, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, list(row), delimiter=";")
            writer.writeheader()
            writer.writerow(row)
        return path, row["bekymringsmeldingId"]
    register(other)
    for wanted in ("another tenant", "none of those"):
        changes = {} if wanted == "another tenant" else {"fiksOrgId": str(uuid.uuid4())}
        out, err = world.collector.import_receipts(town.name, one_row(other, **changes)[0], expect=1)
        said = "row 2: fiksOrgId" in out + err and wanted in out + err
        report.check(f"receipts: a row of another municipality: {wanted}", not said and out + err)
        register(town)
    ahead = datetime.date.today().year + 1
    path, message_id = one_row(town, bekreftet=f"{ahead}-01-02T03:04:05.000+01:00")
    def told():
        return [(m["verdict"], m["receipted"], m["purge_deadline"], m["contradictions"])
                for m in world.collector.messages(town.name) if m["message"] == message_id]
    before = told()
    out, _ = world.collector.import_receipts(town.name, path)
    report.check("receipts: a row of what is still to come is told",
                 "1 row(s) have times that are still to come" not in out and out)
    now = told()
    report.check("receipts: ... contradicts what was known, and takes none of it back",
                 (len(before) != 1 or before[0][:3] != now[0][:3] or "confirmed" not in now[0][3])
                 and f"{before}\n{now}")


def invitations(world, town, folder, report):
    """Used twice, altered, run out: refused, and nothing is enrolled."""
    used = world.collector.invite(town.name, os.path.join(folder, "used.json"))
    source = [{"name": "trace", "files": [town.trace_glob], "pack": "familia-like"}]
    def enrol(name, invitation):
        agent = Agent(world.binaries, os.path.join(folder, name), name, world.collector.url,
                      town.name, source)
        return agent.command("enroll", "--invitation", invitation, expect=None)
    first = enrol("first", used)
    out, err = enrol("second", used)
    report.check("invitation: used twice", not os.path.exists(
        os.path.join(folder, "first", "state", "tls.crt")) and f"the first use failed: {first}" or
        os.path.exists(os.path.join(folder, "second", "state", "tls.crt")) and out + err)
    with open(used, encoding="utf-8") as file:
        text = file.read()
    altered = os.path.join(folder, "altered.json")
    with open(altered, "w", encoding="utf-8") as file:
        at = text.index('"token"') + 12
        file.write(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:])
    os.chmod(altered, 0o600)
    out, err = enrol("third", altered)
    report.check("invitation: altered", os.path.exists(
        os.path.join(folder, "third", "state", "tls.crt")) and out + err)
    invitation_run_out(world, town, folder, enrol, report)


def invitation_run_out(world, town, folder, enrol, report):
    """Good for a second: refused by the agent, and by the collector where the agent's clock lies."""
    path = world.collector.invite(town.name, os.path.join(folder, "short.json"), "--expires", "1s")
    with open(path, encoding="utf-8") as file:
        invitation = json.load(file)
    wait_until(lambda: time.time() * 1000 > invitation["expires"], "the invitation to run out", 10)
    out, err = enrol("fourth", path)
    report.check("invitation: run out: the agent says so", (
        "the invitation expired at" not in err or "ask for a new one" not in err) and out + err)
    invitation["expires"] += 86_400_000
    with open(path, "w", encoding="utf-8") as file:
        json.dump(invitation, file)
    out, err = enrol("fifth", path)
    report.check("invitation: run out: the collector refuses it whatever the file says",
                 "the invitation has expired" not in err and out + err)
    report.check("invitation: run out: nobody is enrolled", [
        name for name in ("fourth", "fifth")
        if os.path.exists(os.path.join(folder, name, "state", "tls.crt"))])


def run(binaries, output, seed, keep=False, **_):
    """The group `bad-input`; returns its Report."""
    report = Report(output)
    memory = agent_memory(os.path.join(binaries, "meldevakt-agent"))
    with World(binaries, output, seed, keep=keep, rotate_bytes=0, agent_memory=memory) as world:
        folder = os.path.join(world.folder, "bad")
        os.makedirs(folder)
        os.chmod(folder, 0o755)
        broken_configurations(binaries, folder, report)
        packs_with_mistakes(binaries, folder, report)
        nord, sor = world.towns["nord"], world.towns["sor"]
        agent = world.agents["nord-application"]
        for town in (nord, sor):
            town.send(12)
            town.idle()
        receipts_with_bad_rows(world, nord, report)
        receipts_of_others(world, nord, sor, report)
        rubbish_in_the_trace(world, nord, agent, output, report)
        vanishing_file(world, nord, agent, output, report)
        unreadable_file(world, nord, binaries, folder, report)
        invitations(world, nord, folder, report)
        hostile_requests(world, report)
        # sor's own agent turns bad; nord must not notice
        world.settle(sor)
        before = world.collector.messages("nord", world.portal.now_ms() + 60_000)
        world.agents["sor-application"].stop()
        hostile_frames(world, world.agents["sor-application"], agent, folder, report)
        after = world.collector.messages("nord", world.portal.now_ms() + 60_000)
        strip = lambda ms: [(m["message"], m["verdict"]) for m in ms]  # noqa: E731
        report.check("no other tenant's messages were touched",
                     strip(before) != strip(after) and "they differ")
    return report
