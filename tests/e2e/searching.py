"""Looks for planted values in bytes: as text, hexadecimal, Base64 in its three alignments, UTF-16.

Values shorter than eight bytes are refused by the caller's data (people.py makes none): shorter
needles would be found by chance in hashes. Numbers of less than eleven digits count as text only
where no letter or digit stands beside them, for the same reason.
"""
import base64
import json

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
    """All forms of all values, and what each stands for.

    Tens of thousands of needles in megabytes: an index by the first eight bytes makes it one pass.
    """

    def __init__(self, planted):
        self._exact = {}    # first bytes -> [(needle, what)]: as they are (Base64)
        self._folded = {}   # the same, compared without letter case
        for value, kind in planted.items():
            raw = value.encode()
            if len(raw) < VALUE_BYTES_MIN:
                raise ValueError(f"'{value}' ({kind}) is too short to be looked for")
            self._add(self._folded, raw.lower(), (value, kind, "text"))
            # JSON may write a letter as \u00e6
            self._add(self._folded, json.dumps(value)[1:-1].encode().lower(), (value, kind, "text"))
            self._add(self._folded, raw.hex().encode(), (value, kind, "hexadecimal"))
            for name in ("utf-16-le", "utf-16-be"):
                # bytes.lower() leaves the bytes of other letters alone, here as in the haystack
                self._add(self._folded, value.encode(name).lower(), (value, kind, name))
            for core in base64_cores(raw):
                self._add(self._exact, core, (value, kind, "Base64"))

    @staticmethod
    def _add(index, needle, what):
        same = index.setdefault(needle[:VALUE_BYTES_MIN], [])
        if (needle, what) not in same:
            same.append((needle, what))

    def find(self, haystack):
        """A list of (value, kind, form) found, each once."""
        found = {}
        for index, text in ((self._exact, haystack), (self._folded, haystack.lower())):
            for at in range(len(text) - VALUE_BYTES_MIN + 1):
                for needle, what in index.get(text[at:at + VALUE_BYTES_MIN], ()):
                    if text.startswith(needle, at) and _stands_alone(text, at, needle, what):
                        found[what] = True
        return list(found)


def _stands_alone(text, at, needle, what):
    """Short numbers count only where nothing stands beside them that makes them part of more."""
    value, _, form = what
    if form != "text" or not value.isdigit() or len(value) >= 11:
        return True
    beside = text[max(0, at - 1):at] + text[at + len(needle):at + len(needle) + 1]
    return not any(bytes([b]).isalnum() for b in beside)


def encodings_of(text):
    """A text in every form that `Needles` knows: to prove that the search finds."""
    raw = text.encode()
    return {"text": raw, "hexadecimal": raw.hex().encode(),
            "Base64": base64.b64encode(raw), "Base64, one byte later": base64.b64encode(b"x" + raw),
            "Base64, two bytes later": base64.b64encode(b"xy" + raw),
            "Base64 for addresses": base64.urlsafe_b64encode(raw),
            "UTF-16LE": text.encode("utf-16-le"), "UTF-16BE": text.encode("utf-16-be")}
