"""Identifier codes in either form: what is read is canonical, stays so when read again, and goes back where it can."""

import re
import unicodedata
from collections.abc import Mapping

from axis.core.codes import MAX_CODE_LENGTH, canonical, is_within, lineage, parent, to_qcvn102
from axis.errors import Malformed
from schemas.base import CODE_PATTERN
from tests.fuzz.oracle import Target, holds, read_or_refused

_PATTERN = re.compile(CODE_PATTERN)


def check(data: bytes) -> None:
    """Read a code strictly and as tolerantly as edXML packages are read."""
    text = data.decode("utf-8", "surrogateescape")
    strict = read_or_refused(lambda: canonical(text), Malformed, "code")
    tolerant = read_or_refused(lambda: canonical(text, tolerant=True), Malformed, "code")
    holds(strict in (None, tolerant), f"strictly {strict}, tolerantly {tolerant}")
    for code in {strict, tolerant} - {None}:
        _check_code(str(code))
    if strict is not None:
        holds(canonical(unicodedata.normalize("NFD", text)) == strict, "its decomposed form is another code")
        old = to_qcvn102(strict)
        holds(old is None or canonical(old) == strict, f"{strict} comes back from {old} as another code")
        # Nobody looking at it must take it for another: what was cleaned away shows nothing.
        seen = "".join(letter for letter in text if unicodedata.category(letter) != "Cf").strip().upper()
        holds(seen in (strict, old) or canonical(seen) == strict, f"{text!r} is shown as {seen!r}, read as {strict}")


def _check_code(code: str) -> None:
    holds(_PATTERN.fullmatch(code) and len(code) <= MAX_CODE_LENGTH and code.isascii(), f"{code!r} is not canonical")
    holds(canonical(code) == code, f"{code} read again is another code")
    line = lineage(code)
    holds(line[-1].isalnum() and parent(line[-1]) is None, f"{line[-1]} is not at the top")
    holds(all(is_within(code, above) and not is_within(above, code) for above in line[1:]), "a unit above itself")


def _seeds() -> Mapping[str, bytes]:
    texts = {
        "ministry": "G22",
        "unit": "H37.05.02",
        "letters": "H37.VPUB",
        "thirteen": "000.02.05.H37",
        "without-level-2": "000.21.00.H53",
        "level-4": "012.03.04.H37",
        "irregular": "28.22.H17",
        "wide": "999.010.01.H22",
        "lower": " h37.05\t",
        "invisible": "H\u200b37\u2060.05",
        "full-width": "Ｈ３７",
        "arabic-digits": "H٣٧",
        "turkish": "hı7",
        "decomposed": "H37.E\u0301",
        "longest": "H37." + "A1234567890123456789." + "B123456789",
        "too-long": "H37" + ".12345" * 9,
        "line": "H37\n",
        "nothing": "",
    }
    return {name: text.encode() for name, text in texts.items()} | {"not-utf-8": b"H37\xff"}


_WORDS = ("H37", "G22", "000.", ".00", "00.", "\u200b", "\u202e", "\ufeff", "\u0301", "Ａ", "٣", "ı", "\n", "\0")
CODE = Target(check, _seeds, tuple(word.encode() for word in _WORDS), 256)
