#!/usr/bin/env python3
"""House rules that no other tool knows, each with its remedy.

    check_house.py SOURCE_ROOT
"""
import pathlib
import re
import subprocess
import sys

FILE_LINES_MAX = 400
CODE = (".h", ".cpp", ".py", ".sh", ".ts", ".tsx")
RULES = [
    # (pattern, where it is allowed, remedy)
    (re.compile(r"\b(TODO|FIXME|XXX|HACK)\b"), ("scripts/check_house.py",),
     "finish it, or write down why it is right as it is"),
    (re.compile(r"\bsleep_for\b|\busleep\(|this_thread::sleep|time\.sleep\("), ("scripts/check_house.py",),
     "wait on a condition with a deadline"),
    (re.compile(r"#\s*if.*(_WIN32|__linux__)"), ("common/platform/", "scripts/check_house.py"),
     "platform differences are sibling files in common/platform"),
    (re.compile(r"^using namespace (?!.*literals)"), (), "name what you use"),
    (re.compile(r"\bstd::regex\b"), (), "PCRE2 in agent/recognise; it is bounded"),
]


def main():
    root = pathlib.Path(sys.argv[1])
    files = subprocess.run(["git", "-C", str(root), "ls-files"], capture_output=True, text=True,
                           check=True).stdout.splitlines()
    problems = []
    for name in files:
        path = root / name
        if not path.is_file() or path.suffix not in CODE and not name.startswith(("scripts/", ".ci/")):
            continue
        lines = path.read_text(errors="replace").splitlines()
        if len(lines) > FILE_LINES_MAX:
            problems.append(f"{name}: {len(lines)} lines: split it by meaning (at most {FILE_LINES_MAX})")
        if path.suffix == ".h" and "#pragma once" not in lines:
            problems.append(f"{name}:1: no #pragma once")
        for number, text in enumerate(lines, 1):
            for pattern, allowed, remedy in RULES:
                if pattern.search(text) and not name.startswith(allowed or ("\0",)):
                    problems.append(f"{name}:{number}: {text.strip()[:80]}: {remedy}")
    print("\n".join(problems), end="\n" if problems else "")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
