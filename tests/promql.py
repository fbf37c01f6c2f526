"""Which series a PromQL query asks for: enough of the grammar to compare it with what is really shown."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<range>\[[^\]]*\])|(?P<number>\d[\w.]*)"""
    r"""|(?P<name>[a-zA-Z_:][\w:]*)|(?P<other>=~|!~|!=|[^\s])"""
)
_GROUPING = frozenset({"by", "without", "on", "ignoring", "group_left", "group_right"})
_WORDS = _GROUPING | {"and", "or", "unless", "offset", "bool", "inf", "nan"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A metric, with the labels it is selected by; `matches` are (label, operator, value)."""

    name: str
    matches: tuple[tuple[str, str, str], ...]


def asked(query: str) -> tuple[list[Asked], set[str]]:
    """Return the selectors of a query, and the labels it groups and joins by."""
    tokens = [(kind, match[kind]) for match in _TOKEN.finditer(query) if (kind := match.lastgroup or "")]
    found: list[Asked] = []
    grouped: set[str] = set()
    at = 0
    while at < len(tokens):
        kind, text = tokens[at]
        following = tokens[at + 1][1] if at + 1 < len(tokens) else ""
        at += 1
        if kind != "name":
            continue
        if text in _GROUPING:
            end = _end(tokens, at, ")")
            grouped |= {word for sort, word in tokens[at:end] if sort == "name"}
            at = end + 1
        elif text in _WORDS or following == "(" or _is_aggregation(tokens, at):
            if text == "offset":
                at += 1
        elif following == "{":
            end = _end(tokens, at, "}")
            found.append(Asked(text, tuple(_matches(tokens[at + 1 : end]))))
            at = end + 1
        else:
            found.append(Asked(text, ()))
    return found, grouped


def _is_aggregation(tokens: list[tuple[str, str]], at: int) -> bool:
    """Say whether what stands before is the word of `sum by (…) (…)`."""
    return at < len(tokens) and tokens[at][1] in {"by", "without"}


def _end(tokens: list[tuple[str, str]], at: int, closing: str) -> int:
    return next(place for place in range(at, len(tokens)) if tokens[place][1] == closing)


def _matches(tokens: list[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    meaningful = [text for _, text in tokens if text != ","]
    for label, operator, value in zip(*[iter(meaningful)] * 3, strict=True):
        yield label, operator, value[1:-1]
