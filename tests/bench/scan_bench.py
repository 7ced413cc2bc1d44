"""Benchmarks of scanning: R1 to R10 and R5b. run.py runs them; figures are ratios of CPU time within rounds, or
instructions a byte.

The log is made by scan_bench from a seed: 150 patterns, of which 20 of 10,000 records hold one. Goals are those of
the design's measured prototype; each row says against which command and version it stands.
"""
import json
import os
import re
import resource
import shutil
import statistics
import subprocess

HITS = 20  # of 10,000 records
ROUNDS = 3


def cpu_of(command, **options):
    """CPU seconds and standard output of a command and its children. Through a pipe: grep stops early elsewhere."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          env=dict(os.environ, LC_ALL="C"), timeout=600, check=False, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1):
        raise RuntimeError(f"{command[0]}: {done.stderr.decode(errors='replace')[:500]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, done.stdout.decode(errors="replace")


class Bench:
    def __init__(self, options, folder):
        self.options, self.folder = options, folder
        self.rounds = 1 if options.short else ROUNDS
        self.log = self.path("log")
        self.bytes = (24 if options.short else 256) * 1_000_000
        self.own("log", self.log, str(self.bytes), "1", str(HITS))
        for what, name, count in (("regexes", "regexes", 150), ("literals", "literals", 150), ("pack", "pack.rules.toml", 150),
                                  ("regexes", "regexes50", 50), ("pack", "pack50.rules.toml", 50)):
            self.own(what, self.path(name), str(count))

    def path(self, name):
        return os.path.join(self.folder, name)

    def own(self, *arguments):
        return cpu_of([os.path.join(self.options.bin, "scan_bench"), *arguments])[1]

    def measured(self, *arguments):
        """CPU seconds within scan_bench, without its start, and its answer."""
        answer = json.loads(self.own(*arguments))
        return answer["cpu"], answer

    def ratio(self, own, peer):
        """Median over interleaved rounds of peer's CPU time through ours: how many times as fast we are; and both last answers."""
        ratios, ours, theirs = [], None, None
        for _ in range(self.rounds):
            own_cpu, ours = own()
            peer_cpu, theirs = peer()
            ratios.append(peer_cpu / max(own_cpu, 1e-4))
        return round(statistics.median(ratios), 3), ours, theirs

    def scan(self, log=None, pack="pack.rules.toml"):
        return lambda: self.measured("scan", log or self.log, self.path(pack))

    def literals(self, how, log=None, literals="literals", ignore_case="0", sample=None):
        return lambda: self.measured("literals-in", log or self.log, self.path(literals), how, ignore_case,
                                     sample or log or self.log)


def version(command):
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False,
                              timeout=20).stdout.decode(errors="replace").splitlines()[0]
    except (OSError, IndexError):
        return ""


def row(value, unit, goal, against, same):
    return {"value": value, "unit": unit, "goal": goal, "against": against, "same_result": same}


def counted(text):
    return int(re.search(r"\d+", text).group())


def instructions(command):
    """Instructions of one run, by callgrind."""
    out = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", *command],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=900, check=False)
    text = out.stderr.decode(errors="replace")
    if out.returncode not in (0, 1):
        raise RuntimeError(text[-800:])
    return int(re.search(r"Collected : (\d+)", text).group(1)), out.stdout.decode(errors="replace")


def instructions_per_byte(bench, command, found):
    """The difference of two sizes, so that start and planning do not count; and what they cost.

    Both end with the same stretch in which every pattern is met: machine code is made of a pattern when it is first
    used, once, and would else count for the larger only.
    """
    small, large = bench.path("small"), bench.path("large")
    sizes = (4_000_000, 20_000_000) if bench.options.short else (16_000_000, 64_000_000)
    for path, size in zip((small, large), sizes):
        bench.own("log", path, str(size), "2", str(HITS))
        bench.own("log", bench.path("every-pattern"), "600000", "3", "5000")
        with open(path, "ab") as file, open(bench.path("every-pattern"), "rb") as more:
            shutil.copyfileobj(more, file)
    first, _ = instructions(command(small))
    second, text = instructions(command(large))
    grown = os.path.getsize(large) - os.path.getsize(small)
    same = found(text) == counted(cpu_of(["grep", "-acE", "-f", bench.path("regexes"), large])[1])
    value = round((second - first) / grown, 3)
    return value, int(first - value * os.path.getsize(small)), same


def bench_scan_ratios(options, folder):
    bench = Bench(options, folder)
    rows = {}
    wc, grep_all = version(["wc", "--version"]), bench.path("regexes")
    found = bench.measured("scan", bench.log, bench.path("pack.rules.toml"))[1]["found"]
    everything = bench.measured("scan", bench.log, bench.path("pack.rules.toml"), "everything")[1]["found"]
    value, ours, _ = bench.ratio(bench.scan(), lambda: cpu_of(["wc", "-l", bench.log]))
    rows["R1"] = row(value, "x wc -l", 0.60, f"wc -l, {wc}", ours["found"] == everything)
    value, ours, _ = bench.ratio(bench.scan(), lambda: bench.measured("read", bench.log))
    rows["R1_read"] = row(value, "x read()", 0.50, "read() of 128 KB and nothing else", ours["found"] == everything)
    value, ours, _ = bench.ratio(bench.literals("mapped"), lambda: cpu_of(["wc", "-l", bench.log]))
    same = ours["found"] == counted(cpu_of(["grep", "-acF", "-f", bench.path("literals"), bench.log])[1])
    rows["R2"] = row(value, "x wc -l", 0.90, f"wc -l, {wc}; literals in mapped windows", same)
    rows["R2"]["peak_rss_mb"] = round(ours["rss_kb"] / 1024, 1)
    rg = version(["rg", "--version"])
    if rg:
        for name, goal, pack, regexes in (("R3", 7, "pack.rules.toml", grep_all), ("R3_50", 3, "pack50.rules.toml", bench.path("regexes50"))):
            value, ours, theirs = bench.ratio(bench.scan(pack=pack), lambda r=regexes: cpu_of(["rg", "-a", "-c", "-f", r, bench.log]))
            rows[name] = row(value, "x rg", goal, f"rg -a -c -f, {rg}", ours["found"] == counted(theirs))
        value, ours, theirs = bench.ratio(bench.literals("mapped"),
                                          lambda: cpu_of(["rg", "-a", "-c", "-F", "-f", bench.path("literals"), bench.log]))
        rows["R3_mapped"] = row(value, "x rg", 10, f"rg -a -c -F -f, {rg}; literals in mapped windows", ours["found"] == counted(theirs))
    try:
        value, ours, theirs = bench.ratio(bench.scan(), lambda: bench.measured("hyperscan", bench.log, grep_all))
        rows["R4"] = row(value, "x Hyperscan", 3.5, "Hyperscan, the same expressions in blocks", ours["found"] == theirs["found"])
    except RuntimeError:
        pass  # not built in
    rows.update(two_threads(bench, found))
    return rows


def two_threads(bench, found):
    """R8: two files on two threads against one, by the clock; and the memory of the core."""
    agent = os.path.join(bench.options.bin, "meldevakt-agent")
    logs = [bench.log, bench.path("log2")]
    shutil.copyfile(bench.log, logs[1])

    def wall(threads):
        before = os.times().elapsed
        out = cpu_of([agent, "scan", "--pack", bench.path("pack.rules.toml"), "--threads", str(threads), *logs])[1]
        return os.times().elapsed - before, out
    value, one, two = None, None, None
    ratios = []
    for _ in range(bench.rounds):
        one_time, one = wall(1)
        two_time, two = wall(2)
        ratios.append(one_time / two_time)
    value = round(statistics.median(ratios), 3)
    same = one == two and json.loads(one.splitlines()[-1])["summary"]["findings"] == 2 * found
    rss = bench.measured("scan", bench.log, bench.path("pack.rules.toml"))[1]["rss_kb"] / 1024
    os.unlink(logs[1])
    return {"R8": row(value, "x one thread", 1.8, "the same command with --threads 1, by the clock", same),
            "R8_rss": row(round(rss, 1), "MB", 8, "peak of scan_bench: the engine, its pack and PCRE2's code", same)}


def bench_scan_instructions(options, folder):
    bench = Bench(options, folder)
    own = [os.path.join(options.bin, "scan_bench"), "extract"]
    value, start, same = instructions_per_byte(
        bench, lambda path: [*own, path, bench.path("pack.rules.toml"), bench.path("literals")], lambda text: json.loads(text)["found"])
    rows = {"R5": row(value, "instructions/byte", 1.4, version(["valgrind", "--version"]) + ", callgrind", same)}
    rows["R5"]["start_instructions"] = start
    agent = os.path.join(options.bin, "meldevakt-agent")
    value, start, same = instructions_per_byte(
        bench, lambda path: [agent, "scan", "--pack", bench.path("pack.rules.toml"), path],
        lambda text: json.loads(text.splitlines()[-1])["summary"]["findings"])
    rows["R5b"] = row(value, "instructions/byte", 2.0, version(["valgrind", "--version"]) + ", callgrind", same)
    rows["R5b"]["start_instructions"] = start
    return rows


def bench_scan_forms(options, folder):
    """R6, R7, R9, R10: compressed, UTF-16, bad cases, cold files."""
    bench, rows = Bench(options, folder), {}
    agent, pack = os.path.join(options.bin, "meldevakt-agent"), bench.path("pack.rules.toml")
    rg = version(["rg", "--version"])

    def found_in(path):
        def run():
            cpu, out = cpu_of([agent, "scan", "--pack", pack, path])
            return cpu, json.loads(out.splitlines()[-1])["summary"]["findings"]
        return run
    for name, tool, goal, rg_goal in (("gz", ["gzip", "-1kf"], 0.8, 6), ("zst", ["zstd", "-qkf"], 0.8, 3.5)):
        cpu_of([*tool, bench.log])
        path = f"{bench.log}.{name}"
        if rg:
            value, ours, theirs = bench.ratio(found_in(path), lambda p=path: cpu_of(["rg", "-z", "-a", "-c", "-f", bench.path("regexes"), p]))
            rows[f"R6_{name}"] = row(value, "x rg -z", rg_goal, f"rg -z -a -c -f, {rg}", ours == counted(theirs))
        unpack = ["zstd", "-dcq"] if name == "zst" else ["gzip", "-dc"]
        value, ours, _ = bench.ratio(found_in(path), lambda u=unpack, p=path: cpu_of(["sh", "-c", f"{' '.join(u)} {p} | wc -c"]))
        rows[f"R6_{name}_bare"] = row(value, f"x {' '.join(unpack)}", goal, f"{version([unpack[0], '--version'])}, and wc -c", True)
        os.unlink(path)
    wide = bench.path("wide")
    bench.own("log", wide, str(bench.bytes // 2), "1", str(HITS), "utf-16le")
    if rg:
        value, ours, theirs = bench.ratio(bench.scan(wide), lambda: cpu_of(["rg", "-E", "utf-16le", "-c", "-f", bench.path("regexes"), wide]))
        rows["R7"] = row(value, "x rg", 5, f"rg -E utf-16le -c -f, {rg}", ours["found"] == counted(theirs))
        rows.update(bad_cases(bench, rg))
    os.unlink(wide)
    rows.update(cold(bench, agent, pack))
    return rows


def bad_cases(bench, rg):
    rows = {}
    size = str(bench.bytes // 4)
    half = bench.path("half")
    bench.own("log", half, size, "3", "5000")
    value, ours, theirs = bench.ratio(bench.scan(half), lambda: cpu_of(["rg", "-a", "-c", "-f", bench.path("regexes"), half]))
    rows["R9_half"] = row(value, "x rg", 2, f"rg -a -c -f, {rg}; half of the records match", ours["found"] == counted(theirs))
    other = bench.path("other")
    with open(other, "wb") as file:
        for name in sorted(os.listdir("/usr/include")):
            path = os.path.join("/usr/include", name)
            if os.path.isfile(path) and file.tell() < int(size):
                with open(path, "rb") as header:
                    file.write(header.read() * 8)
    value, ours, theirs = bench.ratio(bench.literals("read", other, sample=bench.log),
                                      lambda: cpu_of(["rg", "-a", "-c", "-F", "-f", bench.path("literals"), other]))
    rows["R9_untrained"] = row(value, "x rg", 3, f"rg -a -c -F -f, {rg}; C headers, planned for logs", ours["found"] == counted(theirs or "0"))
    bench.own("random-literals", bench.path("many"), "2000")
    value, ours, theirs = bench.ratio(bench.literals("read", literals="many"),
                                      lambda: cpu_of(["rg", "-a", "-c", "-F", "-f", bench.path("many"), bench.log]))
    rows["R9_2000"] = row(value, "x rg -F", 3, f"rg -a -c -F -f, {rg}; 2000 literals", ours["found"] == counted(theirs or "0"))
    value, ours, theirs = bench.ratio(bench.literals("read", ignore_case="1"),
                                      lambda: cpu_of(["rg", "-a", "-i", "-c", "-F", "-f", bench.path("literals"), bench.log]))
    rows["R9_ignore_case"] = row(value, "x rg -i", 6, f"rg -a -i -c -F -f, {rg}", ours["found"] == counted(theirs))
    return rows


def pages_in_memory(path):
    out = subprocess.run(["fincore", "-bno", "RES", path], stdout=subprocess.PIPE, check=False).stdout
    return int(out.split()[0]) if out.split() else -1


def cold(bench, agent, pack):
    """R10: a file that is not in memory, read, and not in memory afterwards."""
    with open(bench.log, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    before = pages_in_memory(bench.log)
    cpu, _ = cpu_of([agent, "scan", "--pack", pack, bench.log])
    after = pages_in_memory(bench.log)
    value = round(cpu / (os.path.getsize(bench.log) / 1e9), 3)
    figure = row(value, "CPU s/GB", 0.25, "a file not in the page cache; same_result: nor afterwards", after <= before + 1_000_000)
    figure["cached_bytes"] = [before, after]
    return {"R10": figure}


BENCHES = {"scan_ratios": bench_scan_ratios, "scan_instructions": bench_scan_instructions, "scan_forms": bench_scan_forms}
FIGURES = {"R1": "scan_ratios", "R1_read": "scan_ratios", "R2": "scan_ratios", "R3": "scan_ratios", "R3_50": "scan_ratios",
           "R3_mapped": "scan_ratios", "R4": "scan_ratios", "R8": "scan_ratios", "R8_rss": "scan_ratios",
           "R5": "scan_instructions", "R5b": "scan_instructions",
           "R6_gz": "scan_forms", "R6_zst": "scan_forms", "R6_gz_bare": "scan_forms", "R6_zst_bare": "scan_forms",
           "R7": "scan_forms", "R9_half": "scan_forms", "R9_untrained": "scan_forms", "R9_2000": "scan_forms",
           "R9_ignore_case": "scan_forms", "R10": "scan_forms"}
LESS_IS_BETTER = {"R5", "R5b", "R8_rss", "R10"}
# These do not depend on the machine's mood: over the goal is a failure, in the short form too.
GATES = {"R5", "R5b"}
