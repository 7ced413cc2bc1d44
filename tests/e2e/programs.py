"""The two programs under test, run as an administrator would: configuration, commands, process.

Their commands and files are what the product documents; nothing here looks inside, except that
listening.json says the port.
"""
import datetime
import json
import os
import socket
import subprocess
import sys

from support import Child, free_port, wait_until


class Failed(AssertionError):
    """A command ended with another status than expected."""


def run_command(arguments, expect=0, seconds=120, environment=None):
    """Runs a command to its end; returns (stdout, stderr). `expect`: status or None for any."""
    result = subprocess.run([str(a) for a in arguments], stdin=subprocess.DEVNULL,
                            capture_output=True, timeout=seconds, check=False, env=environment)
    out, err = (b.decode("utf-8", "replace") for b in (result.stdout, result.stderr))
    if expect is not None and result.returncode != expect:
        raise Failed(f"{' '.join(map(str, arguments))}: status {result.returncode}, expected "
                     f"{expect}\n{out[-2000:]}\n{err[-2000:]}")
    return out, err


# A child's peak begins with what its parent holds until it becomes another program; so a small
# parent of its own starts what is measured.
MEASURE = ("import resource, subprocess, sys; status = subprocess.call(sys.argv[1:]); "
           "print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)")


def run_measured(arguments):
    """As run_command for any status; returns (status, stdout, its peak memory in bytes)."""
    out, err = run_command([sys.executable, "-c", MEASURE, *arguments])
    status, kilobytes = err.splitlines()[-1].split()
    return int(status), out, int(kilobytes) * 1024


def json_lines(text):
    return [json.loads(line) for line in text.splitlines() if line.strip()]


class Collector:
    """One collector: its folder, its configuration and, while it serves, its process."""

    def __init__(self, binary_folder, folder, policy=None, data=None, control_at=None):
        self.binary = os.path.join(binary_folder, "meldevakt-collector")
        self.folder = folder
        self.data = data or os.path.join(folder, "data")
        self.config = os.path.join(folder, "collector.toml")
        self.log_path = os.path.join(folder, "collector.log")
        self.port = free_port()
        self.child = None
        os.makedirs(folder, exist_ok=True)
        policy = dict({"grace": "3s", "look_before": "2s", "clock_error": "1s", "nearby": "10s",
                       "confirm_within": "24h"}, **(policy or {}))
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(f'data = "{self.data}"\nnames = ["127.0.0.1"]\n'
                       f'[agents]\nlisten = "127.0.0.1:{self.port}"\n'
                       '[people]\nlisten = "127.0.0.1:0"\n[policy]\n'
                       + "".join(f'{name} = "{value}"\n' for name, value in policy.items())
                       + (f'[control]\nat = "{control_at}"\nzone = "UTC"\n' if control_at else ""))

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def command(self, *arguments, expect=0, **more):
        """`collector A B --x y` with --config put in place."""
        words = [a for a in arguments]
        return run_command([self.binary, *words, "--config", self.config], expect, **more)

    def init(self):
        self.command("init")

    def start(self):
        self.child = Child("collector", [self.binary, "serve", "--config", self.config],
                           self.log_path)
        listening = os.path.join(self.data, "listening.json")
        def ready():
            if not self.child.alive():
                raise AssertionError(f"the collector ended ({self.child.process.returncode}):\n"
                                     f"{self.child.log()[-3000:]}")
            try:
                with open(listening, encoding="ascii") as file:
                    return json.load(file)["agents"] == self.port and self._answers()
            except (OSError, ValueError, KeyError):
                return False
        wait_until(ready, "the collector to listen", 30)

    def _answers(self):
        """listening.json may be an old one of a killed server: somebody must listen there."""
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def stop(self):
        return self.child.stop() if self.child else None

    def kill(self):
        self.child.kill()

    def measured(self, *arguments):
        return run_measured([self.binary, *arguments, "--config", self.config])

    def invite(self, tenant, out, *more):
        self.command("invite", "--tenant", tenant, "--organisation", "123456785", "--out", out,
                     *more)
        return out

    def import_receipts(self, tenant, path, span_ms=None, expect=0):
        arguments = ["receipts", "import", "--tenant", tenant, "--portal", "npb"]
        if span_ms:
            arguments += ["--from", rfc3339(span_ms[0]), "--until", rfc3339(span_ms[1])]
        return self.command(*arguments, path, expect=expect)

    def messages(self, tenant, now_ms=None, verdict=None):
        arguments = ["messages", "list", "--tenant", tenant, "--format", "json"]
        if now_ms:
            arguments += ["--now", rfc3339(now_ms)]
        if verdict:
            arguments += ["--verdict", verdict]
        return json_lines(self.command(*arguments)[0])

    @property
    def database(self):
        return os.path.join(self.data, "collector.db")


def rfc3339(ms):
    utc = datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{ms % 1000:03d}Z"


def time_ms(text):
    """The other way: a time as the programs write it."""
    time = datetime.datetime.fromisoformat(text)
    return round((time - datetime.datetime.fromtimestamp(0, datetime.timezone.utc)).total_seconds()
                 * 1000)


class Agent:
    """One agent: its folder, its configuration and, while it runs, its process."""

    def __init__(self, binary_folder, folder, name, collector_url, tenant, sources, state=None,
                 packs=(), on_finding=None, binary=None, memory="8 GB", more_tenants=()):
        self.binary = binary or os.path.join(binary_folder, "meldevakt-agent")
        self.folder, self.name, self.tenant = folder, name, tenant
        self.state = state or os.path.join(folder, "state")
        self.config = os.path.join(folder, "agent.toml")
        self.log_path = os.path.join(folder, "agent.log")
        self.child = None
        os.makedirs(folder, exist_ok=True)
        lines = [f'collector = "{collector_url}"', f'state = "{self.state}"', 'poll = "50ms"']
        if packs:
            lines.append("packs = [" + ", ".join(f'"{p}"' for p in packs) + "]")
        if on_finding:
            lines.append(f'on_finding = "{on_finding}"')
        for one in (tenant, *more_tenants):
            lines += ["[[tenant]]", f'name = "{one}"', 'organisation = "123456785"']
        for source in sources:
            lines.append("[[source]]")
            for key, value in source.items():
                text = ("[" + ", ".join(f'"{v}"' for v in value) + "]" if isinstance(value, list)
                        else f'"{value}"')
                lines.append(f"{key} = {text}")
        # Tests measure what it finds; sanitizers take time and memory of their own.
        lines += ["[budget]", 'cpu = "100 %"', f'memory = "{memory}"']
        lines += ["[ship]", 'every = "1s"', 'facts_within = "300ms"', 'retry_max = "1s"']
        with open(self.config, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def command(self, *arguments, expect=0, **more):
        return run_command([self.binary, *arguments, "--config", self.config], expect, **more)

    def enroll(self, invitation, tenant=None):
        """`tenant`: whose invitation it is, where the agent serves several."""
        which = ["--tenant", tenant] if tenant else []
        self.command("enroll", "--invitation", invitation, *which)

    def start(self, wait=True):
        before = os.path.getsize(self.log_path) if os.path.exists(self.log_path) else 0
        self.child = Child(f"agent {self.name}", [self.binary, "run", "--config", self.config],
                           self.log_path)
        if wait:
            self.child.wait_for_log("INFO agent: ready", 30, len_in_text(self.log_path, before))

    def stop(self):
        return self.child.stop() if self.child else None

    def kill(self):
        self.child.kill()

    def sent(self):
        """The statements of the journal; the enrolment stands before them."""
        return [row for row in json_lines(self.command("sent", "--format", "json")[0])
                if row["kind"] == "statement"]

    def status(self):
        return json_lines(self.command("status", "--format", "json")[0])

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()


def len_in_text(path, byte_count):
    """How many characters the first bytes of a file are, decoded as its readers decode it."""
    if not byte_count:
        return 0
    with open(path, "rb") as file:
        return len(file.read(byte_count).decode("utf-8", "replace"))
