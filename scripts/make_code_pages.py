#!/usr/bin/env python3
"""Writes agent/decode/code_pages.cpp: what the upper half of each 8-bit code page means.

The tables are those of Python's codecs (which are Unicode's). Run it after adding a page here.
"""
import pathlib

PAGES = [("Windows1252", "cp1252"), ("Iso8859_1", "iso8859-1"), ("Iso8859_15", "iso8859-15"),
         ("Cp850", "cp850"), ("Cp865", "cp865")]


def code_point(page: str, byte: int) -> int:
    try:
        return ord(bytes([byte]).decode(page))
    except UnicodeDecodeError:
        return 0


def table(name: str, page: str) -> str:
    points = [f"0x{code_point(page, byte):04X}" for byte in range(0x80, 0x100)]
    rows = [", ".join(points[at:at + 11]) for at in range(0, len(points), 11)]
    return (f"constexpr CodePage k{name}{{\n    " + ",\n    ".join(rows) + "};\n")


def main() -> None:
    root = pathlib.Path(__file__).resolve().parent.parent
    text = '// Made by scripts/make_code_pages.py; change that, not this.\n'
    text += '#include "agent/decode/code_pages.h"\n\nnamespace meldevakt::agent {\nnamespace {\n\n'
    text += "\n".join(table(name, page) for name, page in PAGES)
    text += "\n}  // namespace\n\nconst CodePage* code_page(Encoding encoding) {\n  switch (encoding) {\n"
    for name, _ in PAGES:
        text += f"    case Encoding::k{name}: return &k{name};\n"
    text += "    default: return nullptr;\n  }\n}\n\n}  // namespace meldevakt::agent\n"
    (root / "agent/decode/code_pages.cpp").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
