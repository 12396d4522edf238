#!/usr/bin/env python3
"""Writes what Python itself says of the search, for our tests to be held against.

Run with Python 3.11 (Unicode 14.0); `cargo xtask vectors` does. It writes:
- tests/vectors/search.tsv: phrase, letters and Python's answer, each as a JSON string;
- app/api/src/unprintable.bin: the runs of characters for which str.isprintable() is
  false, as LEB128 pairs (gap since the last run's end, length - 1).
"""

import json
import pathlib
import random
import sys
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parents[2]
SURROGATES = range(0xD800, 0xE000)


def set_text(phrase: str, letters: str) -> str:
    """The display of set(letters) & set(phrase), elements in code-point order."""
    found = sorted(set(letters) & set(phrase))
    return "{" + ", ".join(map(repr, found)) + "}" if found else "set()"


def unprintable_runs():
    start = None
    for code in range(0x110000 + 1):
        hidden = code < 0x110000 and not chr(code).isprintable()
        if hidden and start is None:
            start = code
        elif not hidden and start is not None:
            yield start, code - 1
            start = None


def leb128(value: int) -> bytes:
    out = bytearray()
    while True:
        out.append(value & 0x7F | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def table() -> bytes:
    out, end = b"", 0
    for first, last in unprintable_runs():
        out += leb128(first - end) + leb128(last - first)
        end = last
    return out


def cases():
    yield from [
        ("life, the universe, and everything", "aeiou"),
        ("", ""), ("", "aeiou"), ("abc", ""), ("sky", "aeiou"), ("AEIOU", "aeiou"),
        ("it's", "'"), ('say "hi"', '"'), ("'\"", "'\""), ("back\\slash", "\\"),
        ("tab\tnewline\nreturn\r", "\t\n\r"), ("nul\0", "\0"), ("del\x7f", "\x7f"),
        ("soft\xadhyphen", "\xad"), ("nbsp\xa0", "\xa0"), ("\u200b\u200d\ufeff", "\u200b\u200d\ufeff"),
        ("\u202eright to left", "\u202e"), ("\u2028\u2029", "\u2028\u2029"), ("é e\u0301", "é\u0301e"),
        ("👩‍👩‍👧 family", "👩👧\u200d"), ("\U0001f600", "\U0001f600"), ("\U000e0001", "\U000e0001"),
        ("\uffff\U0010ffff", "\uffff\U0010ffff"), ("ﬁ ß İ ı", "ßiİıﬁ"), ("שלום עולם", "שלום"),
        ("漢字かな", "かな漢"), ("\ue000 private", "\ue000"), ("\u0378 unassigned", "\u0378"),
        ("aaaa", "aaaa"), ("zyx", "xyz"), ("a, b", ", "), ("{}", "{}"),
    ]
    dice = random.Random(4)
    pools = [range(0x20, 0x7F), range(0, 0x100), range(0x300, 0x700), range(0x2000, 0x2100), range(0x110000)]
    for _ in range(400):
        pool = dice.choice(pools)
        draw = lambda most: [c for c in (dice.choice(pool) for _ in range(dice.randrange(most))) if c not in SURROGATES]
        phrase = draw(30)
        letters = draw(12) + dice.sample(phrase, min(len(phrase), dice.randrange(6)))
        yield "".join(map(chr, phrase)), "".join(map(chr, letters))


def main():
    if unicodedata.unidata_version != "14.0.0":
        sys.exit(f"needs Unicode 14.0.0, as Python 3.11 has; this Python has {unicodedata.unidata_version}")
    rows = ["\t".join(json.dumps(t) for t in (p, l, set_text(p, l))) for p, l in cases()]
    (ROOT / "tests/vectors/search.tsv").write_text("\n".join(rows) + "\n")
    (ROOT / "app/api/src/unprintable.bin").write_bytes(table())


main()
