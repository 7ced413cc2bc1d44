"""Looks for planted values in bytes: as text, hexadecimal, Base64 in its three alignments, UTF-16.

Values shorter than eight bytes are refused by the caller's data (people.py makes none): shorter
needles would be found by chance in hashes. Numbers of less than eleven digits count as text only
where no letter or digit stands beside them, for the same reason.
"""
import base64
import json
import re

VALUE_BYTES_MIN = 8


def base64_cores(value):
    """What of the value's Base64 does not depend on its neighbours, for each alignment."""
    out = set()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + value).rstrip(b"=")
        first = -(-offset * 8 // 6)
        last = (offset + len(value)) * 8 // 6
        core = encoded[first:last]
        out |= {core, core.replace(b"+", b"-").replace(b"/", b"_")}
    return out


class Needles:
    """All forms of all values, and what each stands for."""

    def __init__(self, planted):
        self._exact = {}    # bytes as they are (Base64)
        self._folded = {}   # bytes compared without letter case
        self._numbers = {}  # short numbers, with borders
        for value, kind in planted.items():
            raw = value.encode()
            if len(raw) < VALUE_BYTES_MIN:
                raise ValueError(f"'{value}' ({kind}) is too short to be looked for")
            if value.isdigit() and len(value) < 11:
                self._numbers[raw] = (value, kind, "text")
            else:
                self._folded[raw.lower()] = (value, kind, "text")
                escaped = json.dumps(value)[1:-1].encode().lower()  # \u00e6 for a letter
                self._folded.setdefault(escaped, (value, kind, "escaped text"))
            self._folded[raw.hex().encode()] = (value, kind, "hexadecimal")
            for name in ("utf-16-le", "utf-16-be"):
                # without the case of the non-ASCII letters' bytes, which bytes.lower() leaves alone
                self._folded[value.lower().encode(name)] = (value, kind, name)
                self._folded[value.encode(name).lower()] = (value, kind, name)
            for core in base64_cores(raw):
                self._exact[core] = (value, kind, "Base64")

    def find(self, haystack):
        """A list of (value, kind, form) found, each once."""
        found = {}
        folded = haystack.lower()
        for needles, text in ((self._exact, haystack), (self._folded, folded)):
            for needle, what in needles.items():
                if needle in text:
                    found[what] = True
        for needle, what in self._numbers.items():
            if re.search(rb"(?<![0-9A-Za-z])" + needle + rb"(?![0-9A-Za-z])", haystack):
                found[what] = True
        return list(found)


def encodings_of(text):
    """A text in every form that `Needles` knows: to prove that the search finds."""
    raw = text.encode()
    return {"text": raw, "hexadecimal": raw.hex().encode(),
            "Base64": base64.b64encode(raw), "Base64, one byte later": base64.b64encode(b"x" + raw),
            "Base64, two bytes later": base64.b64encode(b"xy" + raw),
            "Base64 for addresses": base64.urlsafe_b64encode(raw),
            "UTF-16LE": text.encode("utf-16-le"), "UTF-16BE": text.encode("utf-16-be")}
