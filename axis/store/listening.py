"""Following the directory's changes over LISTEN/NOTIFY, across lost connections."""

import asyncio
import random
from typing import Any

from axis.errors import Unavailable
from axis.store.reaching import CONNECT_SECONDS, connection, reaching
from axis.store.seam import Changed

_CHANNEL = "axis_directory"
_ALL = "*"
# A connection that died without a word (a firewall forgot it) is noticed by asking something over it.
_ASK_SECONDS = 20.0
_FIRST_WAIT_SECONDS = 0.1
_LONGEST_WAIT_SECONDS = 5.0


async def listen(dsn: str, name: str, changed: Changed) -> None:
    """Await `changed` for every change until cancelled; see `DirectoryStore.listen`."""
    wait = _FIRST_WAIT_SECONDS
    while True:
        try:
            async with connection(dsn, name) as link:
                news = _News()
                with reaching("listen"):
                    link.add_termination_listener(news.on_end)
                    await link.add_listener(_CHANNEL, news.on_notification)
                # Only now is nothing missed any more: what changed before is in what is read now.
                await changed(None)
                wait = _FIRST_WAIT_SECONDS
                await _follow(link, news, changed)
        except Unavailable:
            await asyncio.sleep(wait * random.uniform(0.5, 1.0))  # noqa: S311 - jitter, not a secret
            wait = min(wait * 2, _LONGEST_WAIT_SECONDS)


class _News:
    """Codes notified and not yet told; several changes at once are told as one."""

    def __init__(self) -> None:
        self.codes: set[str] = set()
        self.ended = False
        self.some = asyncio.Event()

    def on_notification(self, _link: Any, _pid: int, _channel: str, payload: str) -> None:
        self.codes.add(payload)
        self.some.set()

    def on_end(self, _link: Any) -> None:
        self.ended = True
        self.some.set()

    def take(self) -> set[str]:
        codes, self.codes = self.codes, set()
        self.some.clear()
        return codes


async def _follow(link: Any, news: _News, changed: Changed) -> None:
    while True:
        try:
            async with asyncio.timeout(_ASK_SECONDS):
                await news.some.wait()
        except TimeoutError:
            with reaching("answer"):
                fenced = await link.fetchval("SHOW transaction_read_only", timeout=CONNECT_SECONDS) == "on"
            if fenced:
                # Directories are changed elsewhere now, and nobody here would ever say so.
                raise Unavailable("the server that is listened to takes no writes any more") from None
            continue
        if news.ended:
            raise Unavailable("the connection that listens was lost")
        codes = news.take()
        await changed(None if _ALL in codes else codes)
