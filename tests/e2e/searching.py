"""Looks for planted values in bytes: as text, hexadecimal, Base64 in its three alignments, UTF-16.

Values shorter than eight bytes are refused by the caller's data (people.py makes none): shorter
needles would be found by chance in hashes. Numbers of less than eleven digits count only where no
letter or digit stands beside them, in whatever form, for the same reason: a time in microseconds has
sixteen digits.
"""
import base64
import json

VALUE_BYTES_MIN = 8
SHORT_NUMBER_DIGITS_MAX = 10


def base64_cores(value):
    """What of the value's Base64 does not depend on its neighbours, for each alignment.

    core -> where in a whole Base64 text of (alignment's bytes + value) it begins.
    """
    out = {}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + value).rstrip(b"=")
        first = -(-offset * 8 // 6)
        last = (offset + len(value)) * 8 // 6
        core = encoded[first:last]
        for spelled in (core, core.replace(b"+", b"-").replace(b"/", b"_")):
            out[spelled] = first
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
                    if what not in found and text.startswith(needle, at) and \
                            _is_value(text, at, needle, what):
                        found[what] = True
        return list(found)


def _is_value(text, at, needle, what):
    """A core of Base64 leaves up to six bits of the value's ends open: they are decoded. And short
    numbers count only where nothing stands beside them that makes them part of more."""
    value, _, form = what
    beside = BESIDE[form](text, at, at + len(needle), value.encode())
    if beside is None:
        return False
    if not value.isdigit() or len(value) > SHORT_NUMBER_DIGITS_MAX:
        return True
    before, after = beside
    return not before.isalnum() and not after.isalnum()


def _beside_text(text, begin, end, _):
    return text[max(0, begin - 1):begin], text[end:end + 1]


def _beside_hexadecimal(text, begin, end, _):
    def byte(pair):
        try:
            return bytes.fromhex(pair.decode("ascii"))
        except ValueError:
            return b""
    return byte(text[max(0, begin - 2):begin]), byte(text[end:end + 2])


def _beside_utf_16(low):
    """`low`: which byte of a pair holds an ASCII letter; the other is 0, or beyond the text."""
    def letter(text, at):
        other = text[at + 1:at + 2] if low == 0 else text[max(0, at - 1):at]
        return text[at:at + 1] if at >= 0 and other in (b"", b"\0") else b""
    return lambda text, begin, end, _: (letter(text, begin - 2 + low), letter(text, end + low))


def _beside_base64(text, begin, end, value):
    """Decoded from the group in which the value begins (and the one before) to where it ends; None
    where it decodes to another value. Where it ends before the value does, nothing stands beside."""
    core = bytes(text[begin:end])
    beside = None
    for spelled, first in base64_cores(value).items():
        if spelled != core:
            continue
        start = begin - first
        groups, skipped = _decoded(text, start, end + 6), first * 6 // 8
        there = groups[skipped:skipped + len(value)]
        if there == value:
            whole = _decoded(text, start - 4, start) + groups
            where = len(whole) - len(groups) + skipped
            return whole[max(0, where - 1):where], whole[where + len(value):where + len(value) + 1]
        if len(there) < len(value):
            beside = b"", b""
    return beside


def _decoded(text, begin, end):
    """As many whole groups of four as stand there in Base64; nothing where there are none."""
    groups = b""
    for at in range(begin, end, 4):
        group = bytes(text[max(0, at):at + 4]).replace(b"-", b"+").replace(b"_", b"/")
        try:
            groups += base64.b64decode(group, validate=True) if len(group) == 4 else b""
        except ValueError:
            break
    return groups


BESIDE = {"text": _beside_text, "hexadecimal": _beside_hexadecimal,
          "utf-16-le": _beside_utf_16(0), "utf-16-be": _beside_utf_16(1), "Base64": _beside_base64}


def encodings_of(text):
    """A text in every form that `Needles` knows: to prove that the search finds."""
    raw = text.encode()
    return {"text": raw, "hexadecimal": raw.hex().encode(),
            "Base64": base64.b64encode(raw), "Base64, one byte later": base64.b64encode(b"x" + raw),
            "Base64, two bytes later": base64.b64encode(b"xy" + raw),
            "Base64 for addresses": base64.urlsafe_b64encode(raw),
            "UTF-16LE": text.encode("utf-16-le"), "UTF-16BE": text.encode("utf-16-be")}
