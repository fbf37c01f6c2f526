"""What agencies wrote, made fit to be looked at: nothing in it is hidden, turns text around, or fills the page.

The templates escape it besides. Characters that cannot be seen or that change the order in which others are read
(Unicode TR 36, "Trojan Source") are shown as marks with their number.
"""

import re
import unicodedata

from markupsafe import Markup

BRIEF = 160  # characters of a text in a list; the whole is behind its link
LONG = 600  # characters of a text on its own page before the rest is folded away
_SEEN = frozenset("\n\t")
_NOT_SEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_MARKS = re.compile(r"\u27e8U\+[0-9A-F]{4,6}\u27e9")
_ABOVE = r"[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
_STACKED = re.compile(f"({_ABOVE}{{4}}){_ABOVE}+")


def plain(text: str) -> str:
    """Write what cannot be seen as its number in brackets; of letters with many marks above each other keep four."""
    text = _STACKED.sub(r"\1", text)
    return "".join(
        each if each in _SEEN or unicodedata.category(each) not in _NOT_SEEN else _mark(each) for each in text
    )


def brief(text: str | None, most: int = BRIEF) -> Markup:
    """Show the beginning of a text, for a list."""
    if text is None:
        return Markup("–")
    shown = text if len(text) <= most else text[: most - 1] + "…"
    return _isolated(plain(shown))


def whole(text: str | None, most: int = LONG) -> Markup:
    """Show all of a text; of a long one the rest has to be unfolded."""
    if text is None:
        return Markup("–")
    if len(text) <= most:
        return _isolated(plain(text))
    return Markup('<details class="rest"><summary>{}</summary>{}</details>').format(
        _isolated(plain(text[:most]) + "…"), _isolated(plain(text[most:]))
    )


def _mark(letter: str) -> str:
    return f"\N{MATHEMATICAL LEFT ANGLE BRACKET}U+{ord(letter):04X}\N{MATHEMATICAL RIGHT ANGLE BRACKET}"


def _isolated(text: str) -> Markup:
    """Keep what is written from right to left from turning around what stands beside it."""
    parts: list[Markup] = []
    place = 0
    for found in _MARKS.finditer(text):
        parts += [
            Markup.escape(text[place : found.start()]),
            Markup('<span class="unseen">{}</span>').format(found[0][1:-1]),
        ]
        place = found.end()
    return Markup("<bdi>{}</bdi>").format(Markup("").join([*parts, Markup.escape(text[place:])]))
