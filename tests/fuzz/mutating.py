"""Change JSON as JSON: bytes changed at random seldom stay JSON, and would never get past the first parser."""

import json
import random
from collections.abc import Iterator
from typing import Any

_SCRAPS: tuple[Any, ...] = (
    *(
        None,
        True,
        False,
        0,
        1,
        -1,
        2**53,
        10**30,
        1.5,
        2.0,
        "",
        " ",
        "\0",
        "\x1b[31m",
        "\u202e",
        "\ud800",
        "H37",
        "H37.",
    ),
    *(
        "000.00.00.H37",
        "01",
        "13",
        "new",
        "recall",
        "urgent",
        "2026-02-30",
        "2026-11-24T15:00:00+07:00",
        "../x",
        "a" * 3_000,
    ),
    *([], {}, [[]], [None], {"": None}),
)
_PLACES = tuple[Any, Any]


def mutate(data: bytes, seed: int) -> bytes | None:
    """Return the JSON with one to four changes, the same for the same seed; None when it is no JSON object."""
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict | list):
        return None
    for _ in range(chance.randint(1, 4)):
        _change(value, chance)
    text = json.dumps(value, ensure_ascii=chance.random() < 0.1, separators=chance.choice([(",", ":"), (", ", " : ")]))
    if isinstance(value, dict) and value and chance.random() < 0.05:
        again = chance.choice(list(value))
        text = f"{text[:-1]},{json.dumps(again)}:{json.dumps(chance.choice(_SCRAPS))}}}"
    return text.encode("utf-8", "surrogatepass")


def _change(value: Any, chance: random.Random) -> None:
    places = list(_places(value))
    if not places:
        return
    holder, key = chance.choice(places)
    kind = chance.choice(["replace", "drop", "repeat", "move", "text"])
    if kind == "drop":
        del holder[key]
    elif kind == "repeat" and isinstance(holder, list):
        holder[key:key] = [holder[key]] * chance.choice([1, 2, 50])
    elif kind == "move":
        other, at = chance.choice(places)
        # By value, or an object would hold itself.
        other[at] = json.loads(json.dumps(holder[key])) if _reaches(other, at) else None
    elif kind == "text" and isinstance(holder[key], str):
        at = chance.randint(0, len(holder[key]))
        scrap = str(chance.choice(_SCRAPS))
        holder[key] = holder[key][:at] + scrap + holder[key][at + chance.randint(0, 3) :]
    else:
        holder[key] = json.loads(json.dumps(chance.choice(_SCRAPS)))


def _reaches(holder: Any, key: Any) -> bool:
    return isinstance(holder, dict) or key < len(holder)


def _places(value: Any) -> Iterator[_PLACES]:
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(pairs):
        yield value, key
        yield from _places(item)
