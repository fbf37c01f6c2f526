"""Groups of messages from quarantine that are handed to the routers while nobody waits for the answer.

One group goes after the other, so that five a second are five a second however many ask. A group goes on when its
browser goes away, and when who asked for it logs out: it was asked for, with a reason. When the console ends, it ends
between two messages; what was not come to is in quarantine as before, and nobody takes it up unasked. How far a group
is is told from here; what left, by whom and why is in the store (axis.evidence.quarantined), whatever ends this.
"""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from axis.core.ids import new_id
from axis.errors import AxisError, NotFound
from axis.evidence.quarantined import Done, asked, requeue
from axis.store import Store
from axis.web.problems import HttpRefused

MOST_WAITING = 20
_KEPT = 100  # ended ones that can still be looked at


@dataclass(slots=True)
class Group:
    """Messages that were asked for together. `failure`: what ended it before its time; `reason`: the pile it is of."""

    id: str
    at: dt.datetime
    by: str
    why: str
    reason: str
    far: Done
    ended: bool = False
    failure: AxisError | None = None

    def show(self, far: Done) -> None:
        """Note how far it is."""
        self.far = far


class Groups:
    """All groups of one console."""

    def __init__(self) -> None:
        self._known: dict[str, Group] = {}
        self._waiting: asyncio.Queue[Group | None] = asyncio.Queue()
        self._stop = asyncio.Event()

    @property
    def under_way(self) -> list[Group]:
        """Those that have not ended, in the order in which they go."""
        return [each for each in self._known.values() if not each.ended]

    def one(self, identifier: str) -> Group:
        """Return a group; raise NotFound for one that this console does not know any more."""
        found = self._known.get(identifier)
        if found is None:
            told = (
                "This requeue is not known any more; what left quarantine is in the audit, the rest is in quarantine."
            )
            raise NotFound(told, code="quarantine/unknown")
        return found

    def add(self, ids: Iterable[str], *, at: dt.datetime, by: str, why: str, reason: str) -> Group:
        """Have a group handed over; raise Refused quarantine/asked, HttpRefused http/busy."""
        said, wanted = asked(ids, why)
        if self._stop.is_set():
            raise HttpRefused("http/busy", "The console is ending: nobody would come to it. Ask again.")
        if len(self.under_way) >= MOST_WAITING:
            raise HttpRefused("http/busy", f"{MOST_WAITING} groups wait to be requeued already.")
        ended = [each.id for each in self._known.values() if each.ended]
        for identifier in ended[: max(0, len(ended) - _KEPT + 1)]:
            del self._known[identifier]
        group = Group(new_id(at), at, by, said, reason, Done(0, (), wanted))
        self._known[group.id] = group
        self._waiting.put_nowait(group)
        return group

    async def work(self, store: Store, now: Callable[[], dt.datetime]) -> None:
        """Hand over what is asked for until `end`."""
        while (group := await self._waiting.get()) is not None:
            await self._hand_over(group, store, now())

    def end(self) -> None:
        """Begin nothing any more; `work` ends when the message that is under way is handed over."""
        self._stop.set()
        self._waiting.put_nowait(None)

    async def _hand_over(self, group: Group, store: Store, at: dt.datetime) -> None:
        log = structlog.get_logger(part="requeueing")
        try:
            await requeue(store, group.far.untouched, at, by=group.by, why=group.why, seen=group.show, stop=self._stop)
        except AxisError as error:
            group.failure = error
            log.warning("not requeued", group=group.id, code=error.code, detail=error.detail)
        except Exception as error:
            # The console goes on, and whoever asked is told that something is wrong.
            group.failure = AxisError(f"{type(error).__name__}: {error}")
            log.exception("not requeued", group=group.id)
        finally:
            group.ended = True
        far = group.far
        log.info("requeued", group=group.id, done=far.done, stayed=len(far.stayed), untouched=len(far.untouched))
