"""Identifier codes (mã định danh): one canonical spelling inside, both forms at the edges.

Canonical is the form of QĐ 20/2020, highest level first: `H37`, `H37.05`, `H37.05.02`. The older 13-character form of
QCVN 102:2016 counts the other way round, `<level 4>.<level 3>.<level 2>.<level 1>`, three, two, two and three
characters wide, zeros where a level is not used: `000.02.05.H37`.

The two forms cannot be mistaken for each other: a canonical code begins with a letter, a 13-character code with a
digit. How they map is the directory's to say; the rule below is what holds where the directory has no row. Every text
it reads comes back letter for letter when written again, so nothing is lost between the forms.
"""

import re
import unicodedata
from collections.abc import Mapping

from axis.errors import Malformed
from schemas.base import CODE_PATTERN

MAX_CODE_LENGTH = 35  # QĐ 20/2020; schemas.Code says the same

_CANONICAL = re.compile(CODE_PATTERN.removesuffix("$"))
_STRICT_102 = re.compile(r"([0-9]{3})\.([0-9]{2})\.([0-9]{2})\.([A-Z][0-9]{2})")
# Seen in traffic, never to be registered: fewer groups (28.22.H17) or wider ones (999.010.01.H22).
_TOLERANT_102 = re.compile(r"(?:(?:([0-9]{2,3})\.)?([0-9]{2,3})\.)?([0-9]{2,3})\.([A-Z][0-9]{2})")


def canonical(text: str, mapping: Mapping[str, str] | None = None, *, tolerant: bool = False) -> str:
    """Read a code in either form and return its canonical spelling.

    Spaces around it, invisible characters and lower case are forgiven; nothing else is.
    `mapping`: 13-character form to canonical code, as the directory has it; it goes before the rule.
    `tolerant`: also read the irregular group widths seen in real traffic. Raises Malformed `code/malformed`.
    """
    cleaned = cleaned_code(text)
    if mapping is not None and (mapped := mapping.get(cleaned)) is not None:
        return mapped
    if cleaned[:1].isdigit():
        return from_qcvn102(cleaned, tolerant=tolerant)
    if len(cleaned) <= MAX_CODE_LENGTH and _CANONICAL.fullmatch(cleaned):
        return cleaned
    raise _malformed(text, "is not an identifier code such as H37.05 or 000.00.05.H37")


def cleaned_code(text: str) -> str:
    """Take away what cannot be seen and what does not matter: format characters, outer spaces, lower case, NFD."""
    visible = "".join(letter for letter in unicodedata.normalize("NFC", text) if unicodedata.category(letter) != "Cf")
    stripped = visible.strip()
    # Only ASCII is folded: the Turkish dotless i, for one, would become an honest I.
    return stripped.upper() if stripped.isascii() else stripped


def from_qcvn102(text: str, *, tolerant: bool = False) -> str:
    """Turn a 13-character code into the canonical form by the rule: levels turned round, unused levels dropped.

    A level may be left out only above level 4, whose three digits still show what it is: `000.21.00.H53` would come
    out as `H53.21`, which is another unit's code, so it is refused. Raises Malformed `code/malformed`.
    """
    match = (_TOLERANT_102 if tolerant else _STRICT_102).fullmatch(text)
    if match is None:
        raise _malformed(text, "is not of the form 000.00.05.H37 (three, two, two digits, then the level-1 code)")
    level4, level3, level2, top = (group or "" for group in match.groups())
    if _is_zero(level2) and not _is_zero(level3):
        raise _malformed(text, "names a unit of level 3 without the unit of level 2 above it")
    return ".".join([top, *(group for group in (level2, level3, level4) if not _is_zero(group))])


def to_qcvn102(code: str) -> str | None:
    """Write a canonical code in the 13-character form by the rule, or return None where it has none.

    Codes with letters below level 1, more than four levels or other widths have no such form.
    """
    top, *levels = code.split(".")
    level4 = levels.pop() if levels and len(levels[-1]) == 3 else "000"  # noqa: PLR2004 - level 4 is three digits wide
    level2, level3 = (*levels, "00", "00")[:2]
    text = f"{level4}.{level3}.{level2}.{top}"
    # Reading it back is the proof; it also refuses all that the form cannot hold, `H53.00.21` for one.
    try:
        return text if from_qcvn102(text) == code else None
    except Malformed:
        return None


def parent(code: str) -> str | None:
    """Return the code one level up, or None for a level-1 code."""
    return code.rpartition(".")[0] or None


def lineage(code: str) -> tuple[str, ...]:
    """Return the code itself, then every code above it up to level 1."""
    line = [code]
    while above := parent(line[-1]):
        line.append(above)
    return tuple(line)


def is_within(code: str, ancestor: str) -> bool:
    """Say whether `code` is `ancestor` or stands below it; `H370` is not below `H37`."""
    return code == ancestor or code.startswith(ancestor + ".")


def level(code: str) -> int:
    """Count the levels: 1 for `H37`, 2 for `H37.05`."""
    return code.count(".") + 1


def _is_zero(group: str) -> bool:
    return not group.strip("0")


def _malformed(text: str, why: str) -> Malformed:
    # repr keeps invisible characters visible and stray ones out of terminals.
    return Malformed(f"{text[:60]!r} {why}", code="code/malformed")
