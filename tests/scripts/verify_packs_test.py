#!/usr/bin/env python3
"""A pack whose sample does not hold stops the build: for each pack we ship, one sample is broken.

    verify_packs_test.py SOURCE_ROOT VERIFY_PACKS

Each shipped pack passes as it is. Then a sample that must match is given to the rule as one that
must not, and the other way round; verify_packs must end with 1 and name file, line and rule. And the
build must run it: the target that everything depends on stands in the generated build file.
"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

VERIFY = sys.argv.pop(2)
ROOT = pathlib.Path(sys.argv.pop(1)).resolve()
PACKS = sorted((ROOT / "agent" / "rules").glob("*.rules.toml"))
MATCH = re.compile(r"^match( *=)", re.MULTILINE)
NO_MATCH = re.compile(r"^no_match( *=)", re.MULTILINE)


def verify(name, text):
    """(exit status, what it said) for one file of that name."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / name
        path.write_text(text, encoding="utf-8")
        ran = subprocess.run([VERIFY, str(path)], capture_output=True, check=False, timeout=120)
    return ran.returncode, ran.stderr.decode("utf-8", "replace")


def first_rule_swapped(text):
    """The first rule's `match` and `no_match` change places; None where it has only one of them."""
    for start in re.finditer(r"^\[\[rule\]\]", text, re.MULTILINE):
        following = text.find("\n[[", start.end())
        end = len(text) if following < 0 else following
        rule = text[start.start():end]
        if len(MATCH.findall(rule)) == 1 and len(NO_MATCH.findall(rule)) == 1:
            swapped = NO_MATCH.sub(r"swapped\1", rule)
            swapped = MATCH.sub(r"no_match\1", swapped).replace("swapped", "match", 1)
            return text[:start.start()] + swapped + text[end:]
    return None


class Samples(unittest.TestCase):
    def test_every_shipped_pack_holds(self):
        self.assertGreater(len(PACKS), 20)
        for path in PACKS:
            with self.subTest(path.name):
                self.assertEqual(verify(path.name, path.read_text(encoding="utf-8")), (0, ""))

    def test_a_broken_sample_is_refused(self):
        broken = 0
        for path in PACKS:
            text = first_rule_swapped(path.read_text(encoding="utf-8"))
            if text is None:
                continue
            with self.subTest(path.name):
                status, said = verify(path.name, text)
                self.assertEqual(status, 1, said)
                self.assertRegex(said, re.escape(path.name) + r":\d+: ")
                broken += 1
        self.assertGreater(broken, 10)

    def test_a_file_that_cannot_be_read_is_refused(self):
        ran = subprocess.run([VERIFY, str(ROOT / "no-such.rules.toml")], capture_output=True,
                             check=False, timeout=60)
        self.assertEqual(ran.returncode, 1)
        self.assertIn(b"no-such.rules.toml: cannot be read", ran.stderr)

    def test_the_build_runs_it(self):
        text = (ROOT / "agent" / "rules" / "CMakeLists.txt").read_text(encoding="utf-8")
        self.assertRegex(text, r"COMMAND verify_packs\n")
        self.assertRegex(text, r"add_custom_target\(shipped_packs_verified ALL ")


if __name__ == "__main__":
    unittest.main()
