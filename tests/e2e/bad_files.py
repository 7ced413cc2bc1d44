"""What a log file can do to an agent: cannot be read, vanishes, 100 MB without a line end, rubbish.

Each of them stands between good records of messages; the verdicts of those must be right all the
same, and the agent's memory bounded.
"""
import os
import pwd
import shutil

from programs import Agent, Failed, run_command
from support import Child, is_root, resident_bytes, wait_until

LINE_MB = 100


def with_sanitizer(binary):
    """ASan keeps freed memory for a while; bounds are then looser."""
    with open(binary, "rb") as file:
        return b"__asan_init" in file.read()


def agent_memory(binary):
    """The configured ceiling: what an agent has by default, but for the sanitizer's own needs."""
    return "8 GB" if with_sanitizer(binary) else "64 MB"


def memory_bound(binary):
    return (600 if with_sanitizer(binary) else 64) << 20


def append(path, data):
    with open(path, "ab", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view):]


def rubbish_in_the_trace(world, town, agent, output, report):
    """100 MB without a line end, bytes that are no UTF-8, NUL bytes, a file without an end."""
    path = os.path.join(town.folder, "Integrasjon.log")
    for name, data in (
            ("bytes that are not UTF-8", b"\xff\xfe\xc3\x28 \x80\x81 m\xf8te\n" * 200),
            ("NUL bytes", b"\0" * 4096 + b"\n" + b"2026-01-01 00:00:00,000 [9] \0\0 INFO\n"),
            ("record starts without end", b"2026-13-45 99:99:99,999 [17] INFO  Innboks - Mott\n"),
            (f"a line of {LINE_MB} MB", b"x" * (LINE_MB << 20) + b"\n")):
        output.step(f"trace: {name}")
        town.send(4)
        town.idle()
        append(path, data)
        town.send(4)
        town.idle()
        comparison = world.settle(town, 60)
        report.check(f"trace: {name}: every verdict is right", comparison.mismatches and
                     comparison.mismatch_text(town.trace_paths(), 2)[:4000])
    peak = resident_bytes(agent.child.pid, peak=True)
    report.check(f"trace: the agent's memory stays bounded (peak {peak >> 20} MB)",
                 peak > memory_bound(agent.binary) and f"{peak} bytes")
    report.check("trace: the agent is still the same process", not agent.child.alive() and "ended")


def vanishing_file(world, town, agent, output, report):
    """The trace, read to its end, is deleted under the agent and comes again: nothing of it is in doubt.

    What is deleted before it was read is `World.gap`, in the group `main`.
    """
    output.step("trace: the file vanishes")
    town.send(4)
    town.idle()
    world.settle(town, 60)
    os.unlink(town.rotate())
    world.let_event_time_pass(4)
    town.send(4)
    town.idle()
    comparison = world.settle(town, 60)
    report.check("trace: read file deleted: every verdict is right", comparison.mismatches and
                 comparison.mismatch_text(town.trace_paths(), 3))
    report.check("trace: deleted file: the agent goes on", not agent.child.alive() and "ended")


def unreadable_file(world, town, binaries, folder, report):
    """A file without permission: said by `check` and in the log, and read when it may be."""
    if not is_root():
        report.skip("unreadable file as another user: needs root to become one")
        return

    nobody = pwd.getpwnam("nobody")
    log = os.path.join(folder, "hemmelig.log")
    with open(log, "wb") as file:
        file.write(b"2026-01-01 10:00:00,000 [1] INFO  Program - Fagsystem startet, versjon 1\n")
    os.chmod(log, 0o600)
    agent_folder = os.path.join(folder, "unreadable")
    agent = Agent(binaries, agent_folder, "unreadable", world.collector.url, town.name, [
        {"name": "trace", "files": [log], "pack": "familia-like", "zone": "Europe/Oslo"}])
    invitation = world.collector.invite(town.name, os.path.join(agent_folder, "invitation.json"))
    os.chown(invitation, nobody.pw_uid, nobody.pw_gid)
    os.chown(agent_folder, nobody.pw_uid, nobody.pw_gid)
    as_nobody = ["setpriv", "--reuid", str(nobody.pw_uid), "--regid", str(nobody.pw_gid),
                 "--clear-groups"]
    try:
        run_command([*as_nobody, agent.binary, "--version"])
    except Failed:  # another user may not reach the programs where they lie
        agent.binary = shutil.copy(agent.binary, agent_folder)
        run_command([*as_nobody, agent.binary, "--version"])
    run_command([*as_nobody, agent.binary, "enroll", "--config", agent.config, "--invitation",
                 invitation])
    out, err = run_command([*as_nobody, agent.binary, "check", "--config", agent.config],
                           expect=None)
    report.check("unreadable file: check names it", log not in out + err and out + err)
    child = Child("agent unreadable", [*as_nobody, agent.binary, "run", "--config", agent.config],
                  agent.log_path)
    try:
        child.wait_for_log("hemmelig.log", 20)
        report.check("unreadable file: the running agent says so", "")
        os.chmod(log, 0o644)
        append(log, b"2026-01-01 10:00:01,000 [1] INFO  Program - mer\n" * 3)
        def read():
            status = run_command([*as_nobody, agent.binary, "status", "--config", agent.config,
                                  "--format", "json"])[0]
            return '"read":0' not in status.replace(" ", "") and "read" in status
        wait_until(read, "the file to be read once it may be", 20)
        report.check("unreadable file: read once it may be", "")
    except AssertionError as error:
        report.check("unreadable file", str(error))
    finally:
        child.stop()
