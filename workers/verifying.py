"""Verify the signatures of a batch beside the event loop: the library lets other threads run while it computes.

Verifying is a quarter of the work on an envelope and needs no interpreter. In threads it uses a processor that would
be idle, while the loop publishes the batch before.
"""

import asyncio
import datetime as dt
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from axis.core.messages import Signer
from axis.trust import Keyring

# A thread that has computed gets the interpreter back when the one that has it gives it up: by itself only after so
# many seconds. With Python's 0.005 each signature would wait much longer than it takes.
_SWITCH_SECONDS = 0.0005
_THREADS = 4
_WORTH_IT = 8  # for fewer messages handing them over costs more than it saves


@dataclass(frozen=True, slots=True)
class Signed:
    """Bytes and what is said to be their signature."""

    body: bytes
    signature: str


def let_threads_in() -> None:
    """Let threads take turns often enough; once for a process."""
    sys.setswitchinterval(_SWITCH_SECONDS)


async def verify_all(keyring: Keyring, signed: Sequence[Signed], at: dt.datetime) -> list[Signer | Exception]:
    """Return for each who signed it, or what was raised over it; `at`: the time certificates have to be valid at."""
    if len(signed) < _WORTH_IT:
        return _verify(keyring, signed, at)
    share = -(-len(signed) // _THREADS)
    parts = [signed[start : start + share] for start in range(0, len(signed), share)]
    found = await asyncio.gather(*(asyncio.to_thread(_verify, keyring, part, at) for part in parts))
    return [each for part in found for each in part]


def _verify(keyring: Keyring, signed: Sequence[Signed], at: dt.datetime) -> list[Signer | Exception]:
    found: list[Signer | Exception] = []
    for each in signed:
        try:
            found.append(keyring.verify(each.body, each.signature, at))
        except Exception as error:  # noqa: BLE001 - for whoever decides about this message; its neighbours go on
            found.append(error)
    return found
