"""Cryptography beside the event loop: the library lets other threads run while it computes.

It is a third of the work on an envelope and needs no interpreter. In threads it uses a processor that would be idle.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

_THREADS = 2  # more of them hinder each other, and the loop, over the interpreter
_WORTH_IT = 8  # for fewer items handing them over costs more than it saves

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


async def each_in_threads(function: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """Call the function with each item, a few in this thread and many in others; return what it returned, in order."""
    if len(items) < _WORTH_IT:
        return [function(item) for item in items]
    share = -(-len(items) // _THREADS)
    parts = [items[start : start + share] for start in range(0, len(items), share)]
    found = await asyncio.gather(*(asyncio.to_thread(_each, function, part) for part in parts))
    return [result for part in found for result in part]


def _each(function: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    return [function(item) for item in items]
