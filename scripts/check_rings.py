#!/usr/bin/env python3
"""Refuse includes that point upwards or sideways, and effects in the pure core (rings 0 to 2).

    check_rings.py SOURCE_ROOT RINGS_TABLE

RINGS_TABLE is what MeldevaktTargets.cmake writes: `name ring folder dep;dep;...` a line. CMake
refuses an upward arrow between libraries; this refuses an include that has no arrow at all, a file
that no library lists, and any name in a pure file by which the world could be reached: time,
randomness, threads, files, sockets and the libraries that reach them come in by ports.
"""
import pathlib
import re
import sys

COMPONENTS = ("common", "agent", "collector")
PURE_RING_MAX = 2

EFFECTS = [
    (re.compile(r'#\s*include\s*[<"](thread|stop_token|ctime|time\.h|poll\.h|netdb\.h|dirent\.h|spawn\.h|mutex|shared_mutex|condition_variable|future|fstream|iostream|'
                r'random|filesystem|cstdio|stdio\.h|unistd\.h|fcntl\.h|windows\.h|signal\.h|csignal|'
                r'sys/[^>]+|netinet/[^>]+|arpa/[^>]+|linux/[^>]+|dlfcn\.h|pthread\.h|semaphore\.h)[>"]'),
     "take what you need through common/ports"),
    (re.compile(r'#\s*include\s*[<"](Poco/|sqlite3|openssl/|boost/(?!json/)|date/tz)'),
     "this library belongs in ring 3"),
    (re.compile(r'\b\w*_clock::now\s*\(|\bgetenv\s*\(|(?<![\w.>])s?rand\s*\(|(?<![\w.>])time\s*\(\s*(?:nullptr|NULL|0|&)|'
                r'\bgettimeofday\s*\(|\bclock_gettime\s*\(|\bstd::system\s*\('),
     "`now`, randomness and settings are arguments"),
]
# The check macro must be able to say why it stops the process.
EXEMPT = {"common/base/check.cpp"}
# Programs that only run while building; no library holds them.
BUILD_PROGRAMS = {"agent/rules/verify_packs.cpp"}


def read_table(table):
    libraries = {}
    for line in table.read_text().splitlines():
        name, ring, folder, *deps = line.replace(";", " ").split()
        libraries[name] = (int(ring), folder, deps)
    return libraries


def closure(libraries, name, seen=None):
    """Every folder a library may include from: its own and, through its DEPS, theirs."""
    seen = set() if seen is None else seen
    if name not in seen and name in libraries:
        seen.add(name)
        for dep in libraries[name][2]:
            closure(libraries, dep, seen)
    return seen


def check(root, libraries):
    problems = []
    folder_of = {name: folder for name, (_, folder, _) in libraries.items()}
    for name, (ring, folder, _) in libraries.items():
        allowed = {folder_of[n] for n in closure(libraries, name)}
        paths = [p for p in sorted((root / folder).rglob("*")) if p.suffix in (".h", ".cpp")]
        for path in paths:
            relative = path.relative_to(root).as_posix()
            if relative in BUILD_PROGRAMS:
                continue
            for number, text in enumerate(path.read_text(errors="replace").splitlines(), 1):
                include = re.match(r'\s*#\s*include\s*"(.+)/[^/]+"', text)
                if include and include[1].split("/")[0] in COMPONENTS and not any(
                        include[1] == a or include[1].startswith(a + "/") for a in allowed):
                    problems.append(f"{relative}:{number}: {include[1]} is not in DEPS of {name}: "
                                    "add the arrow in CMakeLists.txt if it points down, or move the code")
                if ring <= PURE_RING_MAX and relative not in EXEMPT:
                    for pattern, remedy in EFFECTS:
                        if pattern.search(text.split("//")[0]):
                            problems.append(f"{relative}:{number}: effect in ring {ring}: "
                                            f"{text.strip()}: {remedy}")
    return problems


def check_every_folder_is_listed(root, libraries):
    folders = {folder for _, folder, _ in libraries.values()}
    problems = []
    for component in COMPONENTS:
        for path in sorted((root / component).rglob("*.cpp")):
            folder = path.parent.relative_to(root).as_posix()
            while folder not in folders and "/" in folder:
                folder = folder.rsplit("/", 1)[0]
            if folder not in folders:
                problems.append(f"{path.relative_to(root)}: no meldevakt_library lists this folder")
    return problems


def main():
    root, table = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    libraries = read_table(table)
    problems = check(root, libraries) + check_every_folder_is_listed(root, libraries)
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
