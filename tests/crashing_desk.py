"""Run the gateway so that it kills itself (SIGKILL) at the point named by CRASH_AT, the first time it gets there.

The points are those of axis.gateway.desk.receiving and sending. The production code knows nothing of this.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from axis.client.delivery import Delivery
from axis.gateway.__main__ import main
from axis.store.partners import PostgresPartners

_MARK = Path(os.environ["CRASH_MARK"])  # so that a second process goes on where the first one died
_POINTS: dict[str, tuple[type, str]] = {
    "received": (Delivery, "hold"),  # the row is committed, the mailbox still has it
    "sent": (PostgresPartners, "submitted"),  # in the SDK's ledger and published, not noted
}


def _die(point: str) -> None:
    if point not in _MARK.read_text().split():
        with _MARK.open("a") as file:
            file.write(f"{point}\n")
        os.kill(os.getpid(), signal.SIGKILL)


def _before(owner: type, name: str, point: str) -> None:
    original: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def wrapped(self: object, *arguments: Any, **named: Any) -> Any:
        _die(point)
        return await original(self, *arguments, **named)

    setattr(owner, name, wrapped)


for _point, (_owner, _name) in _POINTS.items():
    _before(_owner, _name, _point)
sys.exit(main())
