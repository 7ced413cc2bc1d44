"""Other programs that follow a log with one substring filter: the peers of A2.

rsyslog and syslog-ng exclude each other as packages, and installing either starts a service: so Debian's packages are
downloaded and unpacked in a folder, nothing is installed, and each runs in the foreground with its own configuration
and its own folder. Where the packages cannot be had, the peer is skipped and a line says so.
"""
import glob
import os
import signal
import subprocess
import sys

from support import Child, wait_until

PACKAGES = ["syslog-ng-core", "rsyslog", "libestr0", "libfastjson4", "liblognorm5", "libivykis0", "libjson-c5", "libnet1",
            "libwrap0"]
SYSLOG_NG = """@version: {version}
options {{ stats-freq(0); log-msg-size(65536); }};
source s {{ file("{log}" follow-freq(0.1) flags(no-parse)); }};
filter f {{ match("{literal}" value("MESSAGE") type(string) flags(substring)); }};
destination d {{ file("{out}" template("$MESSAGE\\n")); }};
log {{ source(s); filter(f); destination(d); }};
"""
RSYSLOG = """global(workDirectory="{folder}")
module(load="imfile" mode="inotify")
input(type="imfile" File="{log}" Tag="t")
template(name="raw" type="string" string="%rawmsg%\\n")
if $msg contains "{literal}" then {{ action(type="omfile" file="{out}" template="raw") }}
"""


def first_line(command, environment=None):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=20, env=environment)
        return done.stdout.decode(errors="replace").splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return ""


def found(root, name):
    paths = glob.glob(os.path.join(root, "**", name), recursive=True)
    return paths[0] if paths else ""


def unpacked_packages(folder):
    """A folder with Debian's packages unpacked in it, or ''."""
    root = os.path.join(folder, "root")
    os.makedirs(root)
    try:
        subprocess.run(["apt-get", "-qq", "download", *PACKAGES], cwd=folder, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=True, timeout=300)
        for package in glob.glob(os.path.join(folder, "*.deb")):
            subprocess.run(["dpkg-deb", "-x", package, root], check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    return root


class Peer:
    """`start(log, literal)` follows from the end of an empty log; `stop()`; `lines()` that passed the filter."""

    def __init__(self, name, against, folder):
        self.name, self.against, self.folder = name, against, folder
        self.out = os.path.join(folder, f"{name}.out")
        self.children = []

    def command(self, log, literal):
        raise NotImplementedError

    def environment(self):
        return None

    def start(self, log, literal):
        command = self.command(log, literal)
        self.children = [Child(self.name, command, os.path.join(self.folder, f"{self.name}.log"), self.environment())]

    def pids(self):
        return [child.pid for child in self.children]

    def lines(self):
        try:
            with open(self.out, "rb") as file:
                return sum(1 for _ in file)
        except OSError:
            return 0

    def stop(self):
        for child in self.children:
            child.stop()


class TailAndRg(Peer):
    def command(self, log, literal):
        return ["sh", "-c", f"tail -n +1 -F '{log}' 2>/dev/null | rg --line-buffered -a -F '{literal}' > '{self.out}'"]

    def pids(self):
        with open(f"/proc/{self.children[0].pid}/task/{self.children[0].pid}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def stop(self):
        for pid in self.pids():
            os.kill(pid, signal.SIGTERM)
        super().stop()


class SyslogNg(Peer):
    def __init__(self, root, folder):
        self.program = found(root, "sbin/syslog-ng")
        self.root = root
        version = first_line([self.program, "--version"], self.environment())
        super().__init__("syslog-ng", f"{version or 'syslog-ng'}, file() follow-freq(0.1), one substring filter", folder)

    def environment(self):
        folders = {os.path.dirname(p) for p in glob.glob(os.path.join(self.root, "**", "*.so*"), recursive=True)}
        return dict(os.environ, LD_LIBRARY_PATH=":".join(sorted(folders)))

    def command(self, log, literal):
        config = os.path.join(self.folder, "syslog-ng.conf")
        modules = os.path.dirname(found(self.root, "libaffile.so"))
        with open(config, "w", encoding="utf-8") as file:
            file.write(SYSLOG_NG.format(version=os.path.basename(modules), log=log, literal=literal, out=self.out))
        own = os.path.join(self.folder, "syslog-ng")
        return [self.program, "-F", "--no-caps", "-f", config, f"--module-path={modules}", f"--pidfile={own}.pid",
                f"--control={own}.ctl", "-R", f"{own}.persist"]


class Rsyslog(SyslogNg):
    def __init__(self, root, folder):
        self.program = found(root, "sbin/rsyslogd")
        self.root = root
        version = first_line([self.program, "-v"], self.environment()).split("(aka")[0].strip()
        Peer.__init__(self, "rsyslog", f"{version or 'rsyslogd'}, imfile, one contains", folder)

    def command(self, log, literal):
        config, work = os.path.join(self.folder, "rsyslog.conf"), os.path.join(self.folder, "rsyslog")
        os.makedirs(work, exist_ok=True)
        with open(config, "w", encoding="utf-8") as file:
            file.write(RSYSLOG.format(folder=work, log=log, literal=literal, out=self.out))
        return [self.program, "-n", "-f", config, "-M", os.path.dirname(found(self.root, "imfile.so")), "-i",
                os.path.join(work, "pid")]


def peers(folder, short=False):
    """Those that can be had on this machine; in the short form only what is installed, so that nothing is downloaded."""
    out = []
    version = first_line(["rg", "--version"])
    if version:
        out.append(TailAndRg("rg", f"tail -F | rg --line-buffered -a -F, {version}", folder))
    else:
        print("A2: no rg on this machine; skipped", file=sys.stderr)
    if short:
        return out
    root = unpacked_packages(folder)
    for program, kind in (("sbin/syslog-ng", SyslogNg), ("sbin/rsyslogd", Rsyslog)):
        if root and found(root, program):
            out.append(kind(root, folder))
        else:
            print(f"A2: Debian's package with {program} cannot be had here; skipped", file=sys.stderr)
    return out


def wait_for_lines(peer, count, seconds=20):
    wait_until(lambda: peer.lines() >= count, f"{peer.name} to pass {count} lines on", seconds)
