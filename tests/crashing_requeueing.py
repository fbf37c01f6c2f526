"""Run the `axis` command, which kills itself (SIGKILL) over the third message that it takes out of quarantine.

CRASH_AT says where: before the transaction is committed, with all of it done, or after. The production code knows
nothing of this.
"""

import os
import signal
from typing import Any

from axis import cli
from axis.store import quarantine

_THIRD = 3


def _die_in(owner: Any, name: str) -> None:
    original, calls = getattr(owner, name), list[None]()

    async def wrapped(*arguments: Any, **named: Any) -> Any:
        result = await original(*arguments, **named)
        calls.append(None)
        if len(calls) == _THIRD:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(owner, name, wrapped)


match os.environ["CRASH_AT"]:
    case "before commit":
        _die_in(quarantine, "_depart")
    case "after commit":
        _die_in(quarantine.PostgresQuarantine, "requeue")
    case other:
        raise ValueError(other)
cli.main()
