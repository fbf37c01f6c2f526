"""What the store promises about webhooks; `seam.py` says what holds for every call."""

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass

from axis.core.webhooks import Call, CallState, Webhook


@dataclass(frozen=True, slots=True)
class Calls:
    """The calls of a webhook that are not done: how many wait and how many were put aside, and some of them."""

    waiting: int
    dead: int
    latest: tuple[Call, ...]


class WebhookStore(ABC):
    """Webhooks and their calls. A call stands here from before it is first made until it was answered.

    So one whose answer was not written down any more is made again, under the same id.
    """

    @abstractmethod
    async def put(self, webhook: Webhook, most: int) -> Webhook | None:
        """Add a webhook; one of the same account and address gets its events. Returns what is there now.

        None: the account has `most` others already.
        """

    @abstractmethod
    async def webhooks(self, account: str | None = None) -> list[Webhook]:
        """List webhooks, by account and then the oldest first."""

    @abstractmethod
    async def remove(self, identifier: str) -> bool:
        """Forget a webhook with its calls; say whether it was there."""

    @abstractmethod
    async def calls(self, identifiers: Collection[str], limit: int = 5) -> dict[str, Calls]:
        """Return what is not done of some webhooks; of each the latest calls."""

    @abstractmethod
    async def count(self) -> dict[CallState, int]:
        """Count the calls of all webhooks that are not done."""

    @abstractmethod
    async def requeue(self, identifier: str, at: dt.datetime) -> int:
        """Have the calls of a webhook made again that were put aside, and those that wait made now; return how many."""

    @abstractmethod
    async def claim(self, at: dt.datetime, until: dt.datetime, limit: int, *, again: bool) -> list[Webhook]:
        """Take webhooks for which there is something to do now: a call that is due, or news and no call that waits.

        `again`: only those whose call has failed before; else only the others.
        Nobody else gets them before `until`, or before they are given back. Those that were given back longest ago
        come first.
        """

    @abstractmethod
    async def give_back(self, identifier: str, at: dt.datetime) -> None:
        """Let others take a webhook."""

    @abstractmethod
    async def next_call(self, identifier: str) -> Call | None:
        """Return the call that waits, the oldest; it may be due later."""

    @abstractmethod
    async def advance(self, identifier: str, cursor: int, call: Call | None) -> None:
        """Move the cursor of a webhook, and keep the call about what was passed: both or neither."""

    @abstractmethod
    async def settle(self, call: Call, *, done: bool) -> None:
        """Note how an attempt ended; what is done is forgotten."""

    @abstractmethod
    async def prune(self, before: dt.datetime) -> int:
        """Forget calls that were put aside before a moment; return how many."""
