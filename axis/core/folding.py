"""Text folded for search: without marks and in lower case, so that `van phong` finds `Văn phòng`."""

import re
import unicodedata

# A word is letters and digits; everything else parts words. Longer ones are cut on both sides alike.
_WORD = re.compile(r"[^\W_]+")
_UNFIT = re.compile("[\0\ud800-\udfff]")
LONGEST_WORD = 60  # characters


def fold(text: str) -> str:
    """Take away marks and upper case: NFD without combining marks, đ as d; what PostgreSQL cannot hold is replaced."""
    plain = unicodedata.normalize("NFKD", fit(text).casefold()).replace("đ", "d")
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def words_of(text: str) -> list[str]:
    """Return the folded words of a text in order, each once."""
    return list(dict.fromkeys(word[:LONGEST_WORD] for word in _WORD.findall(fold(text))))


def fit(text: str, limit: int | None = None) -> str:
    """Replace NUL and lone surrogates, which PostgreSQL's text cannot hold, and cut at `limit` characters."""
    return _UNFIT.sub("\N{REPLACEMENT CHARACTER}", text[:limit])


def number_keys(number: str | None, notation: str | None) -> tuple[str, ...]:
    """Return what a document is found by: its number, its notation, and both as they are written on it.

    Folded and without spaces: `7816`, `vpcp-ttdt`, `7816/vpcp-ttdt`. Some senders repeat the number in the notation.
    """
    one, other = number_key(number or ""), number_key(notation or "")
    if one and other and not other.startswith(f"{one}/"):
        return one, other, f"{one}/{other}"
    return tuple(each for each in (one, other) if each)


def number_key(text: str) -> str:
    """Fold a number or notation, and take away its spaces."""
    return "".join(fold(text).split())
