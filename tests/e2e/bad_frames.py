"""Frames an attacker might send over mutual TLS, with a real agent's own keys where he has them.

Everything is sent raw, by Python's TLS and a plain socket. The statements are composed here from
one the agent really sent, signed by the openssl program with the agent's key file; so the collector
meets frames that are right in all but one thing.
"""
import base64
import hashlib
import json
import os
import re
import socket
import ssl
import subprocess

from frames import compress, encode_frame, ledger, payload
from programs import json_lines
from support import resident_bytes

TYPE = "application/vnd.meldevakt.statement.v1+json"
BOMB_MB = 512  # the bound of one body is 8
MEMORY_MAX = 192 << 20
MEDIA_TYPE = "application/vnd.meldevakt.frame.v1"


class Answer:
    """Status and body of one HTTP answer; status 0 when the connection was closed instead."""

    def __init__(self, status, body):
        self.status, self.body = status, body

    def __repr__(self):
        return f"{self.status} {self.body[:200]!r}"


def tls_context(agent, certificate=True):
    context = ssl.create_default_context(cafile=os.path.join(agent.state, "authority.crt"))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    if certificate:
        context.load_cert_chain(os.path.join(agent.state, "tls.crt"),
                                os.path.join(agent.state, "tls.key"))
    return context


def exchange(port, context, data):
    """Sends bytes over TLS and reads one answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), 20) as raw, \
                context.wrap_socket(raw, server_hostname="127.0.0.1") as tls:
            tls.settimeout(20)
            try:
                tls.sendall(data)
            except OSError:
                pass  # it may refuse before it has read everything, and still answer
            answer = b""
            while True:
                head, separator, body = answer.partition(b"\r\n\r\n")
                if separator:
                    length = [line.split(b":")[1] for line in head.lower().split(b"\r\n")
                              if line.startswith(b"content-length:")]
                    if len(body) >= int(length[0] if length else 0):
                        return Answer(int(head.split()[1]), body)
                chunk = tls.recv(65536)
                if not chunk:
                    return Answer(int(head.split()[1]) if separator else 0, body)
                answer += chunk
    except (OSError, ValueError, IndexError) as error:
        return Answer(0, str(error).encode())


def post(port, context, body, path="/v1/frames"):
    head = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {MEDIA_TYPE}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n")
    return exchange(port, context, head.encode() + body)


def pae(text):
    return b"DSSEv1 %d %s %d %s" % (len(TYPE), TYPE.encode(), len(text), text)


def sign(text, key_file, key_id):
    """A DSSE envelope around a statement, signed by the openssl program."""
    folder = os.path.dirname(key_file)
    path = os.path.join(folder, "to_be_signed")
    with open(path, "wb") as file:
        file.write(pae(text))
    try:
        signature = subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key_file,
                                    "-in", path], check=True, capture_output=True).stdout
    finally:
        os.unlink(path)
    return json.dumps({"payloadType": TYPE, "payload": base64.b64encode(text).decode(),
                       "signatures": [{"keyid": key_id,
                                       "sig": base64.b64encode(signature).decode()}]},
                      separators=(",", ":")).encode()


class Forger:
    """Composes the next statement after the agent's last one."""

    def __init__(self, agent, database):
        self.agent, self.database = agent, database
        self.key_file = os.path.join(agent.state, "signing.key")
        self.agent_id = name_in_certificate(os.path.join(agent.state, "tls.crt"))

    def rows(self):
        """This agent's frames, oldest first."""
        rows = [row for row in ledger(self.database, self.agent.tenant)
                if row.agent == self.agent_id]
        return sorted(rows, key=lambda row: row.sequence)

    def next_text(self, skip=0, **changes):
        """The next statement's JSON; `skip` numbers are left out."""
        last = self.rows()[-1]
        statement = last.statement()
        before = hashlib.sha256(pae(payload(last.envelope))).hexdigest()
        span = {"from": statement["span"]["to"], "to": statement["span"]["to"] + 1000}
        statement.update(sequence=statement["sequence"] + 1 + skip, previous=before, span=span)
        for source in statement["sources"]:
            source["reading"] = [{"span": span, "state": "read", "reason": ""}]
            source.pop("complete", None)
            source["event_gaps"] = []
        statement["bodies"] = []
        statement.update(changes)
        return json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode()

    def envelope(self, text, key_file=None):
        key_id = json.loads(self.rows()[-1].envelope)["signatures"][0]["keyid"]
        return sign(text, key_file or self.key_file, key_id)


def body_entry(packed, plain_bytes, plain_sha256, facts=1):
    return {"packed": hashlib.sha256(packed).hexdigest(), "packed_bytes": len(packed),
            "plain": plain_sha256, "plain_bytes": plain_bytes, "dictionary": 0, "facts": facts}


def bomb(megabytes):
    """Zeros by the megabyte, some kilobytes when packed, and the hash of something small."""
    packed = compress(b"\0" * (megabytes << 20), 1)
    return packed, body_entry(packed, 4096, hashlib.sha256(b"x" * 4096).hexdigest())


def name_in_certificate(path):
    """The common name: an agent's id."""
    ran = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-subject", "-nameopt",
                          "multiline"], check=True, capture_output=True)
    return re.search(r"commonName\s*=\s*(\S+)", ran.stdout.decode()).group(1)


def foreign_key(folder):
    """Another Ed25519 key, made by the openssl program."""
    path = os.path.join(folder, "foreign.key")
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True,
                   capture_output=True)
    return path


def foreign_certificate(folder, name):
    """A self-signed client certificate with an enrolled agent's name."""
    key, certificate = (os.path.join(folder, "foreign_tls." + end) for end in ("key", "crt"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", certificate,
                    "-days", "1", "-subj", f"/CN={name}"], check=True, capture_output=True)
    return key, certificate


def hostile_frames(world, mallory, other, folder, report):
    """Each attack, what it must be answered, and that nothing else changed.

    `mallory` is an enrolled agent that is stopped; `other` another one, of another tenant.
    """
    collector = world.collector
    forger = Forger(mallory, collector.database)
    good = forger.rows()
    mine, theirs = tls_context(mallory), tls_context(other)
    none = tls_context(mallory, certificate=False)
    last = good[-1]
    with_body = next((r for r in reversed(good) if r.packed_bodies), last)
    port = collector.port

    def expect(name, answer, *statuses):
        report.check(f"frame: {name}", answer.status not in statuses and
                     f"answered {answer}, expected one of {statuses}")

    expect("the newest again", post(port, mine, last.frame()), 200)
    expect("the oldest again", post(port, mine, good[0].frame()), 200)
    expect("without a certificate", post(port, none, last.frame()), 403, 0)
    expect("under another agent's certificate", post(port, theirs, last.frame()), 403)
    fake = ssl.create_default_context(cafile=os.path.join(mallory.state, "authority.crt"))
    fake.check_hostname = False
    key, certificate = foreign_certificate(folder, forger.agent_id)
    fake.load_cert_chain(certificate, key)
    expect("under a certificate of one's own making", post(port, fake, last.frame()), 403, 0)

    frame = with_body.frame()
    for at in (0, 5, len(frame) // 3, len(frame) - 2):
        altered = frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1:]
        expect(f"one bit altered at byte {at}", post(port, mine, altered), 400, 403, 413)
    for length in (0, 3, 8, len(frame) // 2, len(frame) - 1):
        expect(f"truncated to {length} bytes", post(port, mine, frame[:length]), 400)
    expect("one byte too many", post(port, mine, frame + b"x"), 400)
    expect("five megabytes", post(port, mine, b"\0" * (5 << 20)), 413, 400, 0)

    text = forger.next_text()
    expect("signed with another key",
           post(port, mine, encode_frame(forger.envelope(text, foreign_key(folder)), [])), 403)
    expect("a number skipped",
           post(port, mine, encode_frame(forger.envelope(forger.next_text(skip=3)), [])), 409)
    expect("a tenant that is not its own", post(port, mine, encode_frame(forger.envelope(
        forger.next_text(tenant="f" * 32)), [])), 403, 400)
    expect("an unknown member", post(port, mine, encode_frame(forger.envelope(
        forger.next_text(note="hello")), [])), 400)
    hostile_bodies(world, forger, mine, report, expect)
    expect("the taken number with other bytes", post(port, mine, encode_frame(forger.envelope(
        forger.next_text(skip=-1)), [])), 409)
    head = exchange(port, mine, b"GET /v1/head HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
    wanted = b'"next_sequence":%d,' % (forger.rows()[-1].sequence + 1)
    report.check("frame: the head is where the last good one put it",
                 wanted not in head.body and f"{wanted} is not in {head}")
    rows = [json.loads(r) for r in
            collector.command("fleet", "report", "--format", "json")[0].splitlines()]
    report.check("frame: a fork is an alarm, of that tenant only",
                 [r.get("name") for r in rows if r.get("alarms")] != [mallory.tenant] and f"{rows}")


def hostile_bodies(world, forger, mine, report, expect):
    """Bodies that are not what is signed, and a bomb that is."""

    port, pid = world.collector.port, world.collector.child.pid
    packed, entry = bomb(BOMB_MB)
    before = resident_bytes(pid)
    text = forger.next_text(bodies=[entry])
    expect("a body that is not the one signed", post(port, mine, encode_frame(
        forger.envelope(text), [packed[:-1] + b"x"])), 400, 403)
    expect("a body missing", post(port, mine, encode_frame(forger.envelope(text), [])), 400, 403)
    # Rightly signed, it is stored like any other: nothing is decompressed to receive it.
    stored = len(forger.rows())
    answer = post(port, mine, encode_frame(forger.envelope(text), [packed]))
    expect(f"a bomb of {BOMB_MB} MB in {len(packed)} bytes", answer, 200)
    report.check("frame: the bomb is stored as it came", len(forger.rows()) != stored + 1 and
                 f"{len(forger.rows())} rows, there were {stored}")
    grown = resident_bytes(pid, peak=True) - before
    report.check(f"frame: the collector's memory stays bounded ({grown >> 20} MB more)",
                 grown > MEMORY_MAX and f"{grown} bytes more")
    look_at_the_bomb(world, forger, report)


def look_at_the_bomb(world, forger, report):
    """Who reads the bodies meets the bomb: bounded memory, and an alarm that names the statement."""
    tenant, agent_id = forger.agent.tenant, forger.agent_id
    for command in (("messages", "list"), ("control", "run"), ("incidents", "list")):
        status, out, peak = world.collector.measured(*command, "--tenant", tenant, "--format",
                                                     "json")
        name = " ".join(command)
        report.check(f"frame: `{name}` with the bomb (peak {peak >> 20} MB)",
                     peak > MEMORY_MAX and f"{peak} bytes" or
                     status not in (0, 1) and f"status {status}")
        if command == ("messages", "list"):
            continue
        alarms = [(alarm["kind"], alarm["agent"]) for line in json_lines(out)
                  for alarm in (line.get("alarms") or [])]
        report.check(f"frame: `{name}` alarms of a body that cannot be opened, of that agent only",
                     sorted(alarms) != [("ahead", agent_id), ("undecodable_body", agent_id)] and
                     f"{alarms}; 'ahead' is the number that was skipped")
