"""What is asked of every parser, whatever the bytes."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from axis.errors import AxisError
from schemas import REASONS

# Of processor time, so that a busy machine is no finding. The worst input of ours that is taken needs a tenth of it.
CPU_SECONDS = 2.0
_MAX_DETAIL = 2_000  # what a receipt has room for

_Read = TypeVar("_Read")


class Broken(AssertionError):
    """Report a promise that a parser broke; anything else that a target lets out is a finding as well."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser under test.

    `check` takes any bytes and raises when a promise is broken. `seeds`: examples by name, the same on every run.
    `dictionary`: words that chance would not find. `json`: inputs are mostly JSON, so they are also changed as JSON.
    """

    check: Callable[[bytes], None]
    seeds: Callable[[], Mapping[str, bytes]]
    dictionary: tuple[bytes, ...]
    max_bytes: int = 16_384
    json: bool = False


def holds(promise: object, told: str) -> None:
    """Raise Broken unless a promise holds; an assert would be gone under python -O."""
    if not promise:
        raise Broken(told)


def read_or_refused(
    read: Callable[[], _Read], refusals: type[AxisError] | tuple[type[AxisError], ...], *groups: str
) -> _Read | None:
    """Return what is read, None when it is refused in order: a known code of these groups, a detail fit to be shown."""
    try:
        return read()
    except refusals as error:
        holds(error.code in REASONS, f"{error.code} is not in the catalogue")
        holds(error.code.partition("/")[0] in groups, f"{error.code} is no answer to these bytes")
        holds(error.detail.isprintable() and error.detail, f"a detail that cannot be shown: {error.detail!r}")
        holds(len(error.detail) <= _MAX_DETAIL, f"a detail of {len(error.detail)} characters")
        return None


def bounded(check: Callable[[bytes], None], data: bytes) -> None:
    """Check one input within its processor time."""
    began = time.process_time()
    check(data)
    took = time.process_time() - began
    holds(took <= CPU_SECONDS, f"{len(data)} bytes took {took:.1f} s of processor time")


def other_reading(data: bytes) -> Any:
    """Read JSON with the other parser, strictly; raise ValueError, also when an object says a key twice."""
    return json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_constant)


def words(value: object) -> Iterator[str]:
    """Yield every text in parsed JSON, keys too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from words(item)
    elif isinstance(value, list):
        for item in value:
            yield from words(item)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a key twice in one object")
    return members


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
