"""What runs in the background of a connected agency, and how it ends."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from axis.client.mail import Mail
from axis.client.transport import Transport
from axis.core.lanes import mailbox_queue, notices_queue, replay_queue
from axis.core.messages import Lane

log = logging.getLogger("axis.client")

_LANES: tuple[Lane, ...] = ("urgent", "normal")  # in the order in which they are handed out


class Session:
    """Start background work in the agency's task group, and end all of it within a deadline (seconds)."""

    def __init__(self, code: str, *, transport: Transport, group: asyncio.TaskGroup, deadline: float) -> None:
        self._code = code
        self._transport = transport
        self._group = group
        self.deadline = deadline
        self._tasks: set[asyncio.Task[None]] = set()
        self._mailbox: Mail | None = None
        self._notices: Mail | None = None
        self._replays: Mail | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Run until it ends, or until the agency is left."""
        task = self._group.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def open_mailbox(self) -> Mail:
        """Take documents in; what an inbox before left goes back to the broker first."""
        if self._mailbox is not None:
            await self._mailbox.close()
        self._mailbox = self._open(*(mailbox_queue(lane, self._code) for lane in _LANES))
        return self._mailbox

    async def open_replays(self) -> Mail:
        """Take in what comes once more; what an iteration before left goes back to the broker first."""
        if self._replays is not None:
            await self._replays.close()
        self._replays = self._open(replay_queue(self._code))
        return self._replays

    def open_notices(self) -> Mail:
        """Take notices in; asked for once."""
        self._notices = self._open(notices_queue(self._code))
        return self._notices

    async def close(self) -> None:
        """Give back what was not taken, and end what runs."""
        try:
            async with asyncio.timeout(self.deadline):
                for mail in (self._mailbox, self._notices, self._replays):
                    if mail is not None:
                        await mail.close()
        except TimeoutError:
            log.warning("the broker does not answer; what was not taken goes back with the connection")
        finally:
            for task in list(self._tasks):
                task.cancel()

    def _open(self, *queues: str) -> Mail:
        mail = Mail({queue: self._transport.source(queue) for queue in queues})
        self.start(mail.run())
        return mail
