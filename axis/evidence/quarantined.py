"""What people do with messages in quarantine: see what would happen to one now, hand it to the routers again, drop it.

The commands and the console call the same functions.
"""

import asyncio
import datetime as dt
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from axis.core.admission import IdWindow
from axis.core.directory import Directory
from axis.core.examining import Rules, examine
from axis.core.requeueing import resubmission, waiting_of
from axis.core.resolving import Resolution, resolver
from axis.core.routing import blobs_of, check_blobs, resolve_recipients
from axis.core.tracked import Quarantined
from axis.errors import NotFound, Refused
from axis.store import Store
from axis.trust import Keyring
from schemas.base import Code

# How far apart the messages of a group are handed over: nobody's documents wait behind them.
EVERY = 0.2  # seconds
AT_ONCE = 50
_MOST_DROPPED = 1_000
_MOST_WHY = 500


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would happen to a message now. `code` None: it would be accepted, or `known`: it was before."""

    code: str | None
    detail: str = ""
    resolutions: tuple[Resolution, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """How many messages left; `stayed`: those that could not and why; `untouched`: those that were not come to."""

    done: int
    stayed: tuple[tuple[str, Refused], ...] = ()
    untouched: tuple[str, ...] = ()

    @property
    def asked(self) -> int:
        """How many there are in all."""
        return self.done + len(self.stayed) + len(self.untouched)


@dataclass(frozen=True, slots=True)
class Examiner:
    """What a message is held against, as the routers have it at a time."""

    store: Store
    rules: Rules
    at: dt.datetime

    @classmethod
    async def of(
        cls, store: Store, at: dt.datetime, *, past: dt.timedelta, future: dt.timedelta, hybrid: frozenset[Code]
    ) -> "Examiner":
        """Read the directory as it is now."""
        organisations, mailboxes, certificates = await store.directory.shown()
        keyring = Keyring(certificates)
        directory = Directory.build(organisations, mailboxes)
        return cls(store, Rules(directory, keyring.verify, IdWindow(past, future), hybrid), at)

    async def check(self, kept: Quarantined) -> Outcome:
        """Say what would happen to a message now; nothing is changed.

        A recall, an update or a replacement is decided beside its document besides, which is not looked at here.
        """
        try:
            candidate = examine(resubmission(kept), kept.source, self.at, self.rules)
            envelope = candidate.envelope
            digests = {each.sha256 for each in blobs_of(envelope)}
            check_blobs(envelope, await self.store.blobs.known(kept.account or "", digests))
        except Refused as error:
            return Outcome(error.code, error.detail)
        resolutions = resolve_recipients(envelope, resolver(self.rules.directory, self.at))
        accepted = await self.store.track(envelope.id)
        known = next((each.envelope for each in accepted if each.envelope.id == envelope.id), None)
        if known is None:
            return Outcome(None, "", resolutions)
        if (known.sha256, known.account) != (candidate.sha256, kept.account):
            return Outcome("envelope/id-reused", f"{envelope.id} was used before for other bytes or by another account")
        return Outcome(None, "", resolutions, known=True)


def _nobody(_: Done) -> None:
    pass


async def requeue(
    store: Store,
    ids: Iterable[str],
    at: dt.datetime,
    *,
    by: str,
    why: str,
    seen: Callable[[Done], None] = _nobody,
    stop: asyncio.Event | None = None,
) -> Done:
    """Hand messages to the routers of their queues, each once, one after the other every `EVERY`.

    Each leaves quarantine, waits for a router and is audited in one transaction: whatever ends this between two leaves
    the others where they are, and all of them may be asked for again. What cannot be handed over stays, and is told.

    `seen`: shown how far it is, after each. `stop`: when it is set, nothing is begun any more. Raises Refused
    quarantine/asked without a reason why and for more than `AT_ONCE`; Unavailable, when `seen` was shown the last.
    """
    said, wanted = asked(ids, why)
    far = Done(0, (), wanted)
    for number, identifier in enumerate(wanted, 1):
        if number > 1:
            await asyncio.sleep(EVERY)
        if stop is not None and stop.is_set():
            break
        try:
            await _hand_over(store, identifier, at, by, said)
            far = Done(far.done + 1, far.stayed, wanted[number:])
        except Refused as error:
            far = Done(far.done, (*far.stayed, (identifier, error)), wanted[number:])
        seen(far)
    return far


async def _hand_over(store: Store, identifier: str, at: dt.datetime, by: str, why: str) -> None:
    kept = await store.quarantined_one(identifier)
    if kept is None or not kept.is_in:
        raise _not_in()
    if not await store.quarantines.requeue(identifier, waiting_of(kept, at), by=by, why=why):
        raise Refused("quarantine/stays", "its id waits for the routers already, or it has left just now")


async def drop(store: Store, ids: Iterable[str], *, by: str, why: str) -> Done:
    """Take messages out for good, all at once; raise Refused quarantine/asked without a reason why, or for too many."""
    said, wanted = asked(ids, why, most=_MOST_DROPPED)
    left = await store.quarantines.drop(wanted, by=by, why=said)
    return Done(len(left), tuple((each, _not_in()) for each in wanted if each not in left))


def _not_in() -> Refused:
    return Refused("quarantine/stays", "it is not in quarantine, or not any more")


async def one(store: Store, identifier: str) -> Quarantined:
    """Return a message that is or was in quarantine; raise NotFound."""
    kept = await store.quarantined_one(identifier)
    if kept is None:
        raise NotFound(f"there is no {identifier[:60]} in quarantine", code="quarantine/unknown")
    return kept


def asked(ids: Iterable[str], why: str, *, most: int = AT_ONCE) -> tuple[str, tuple[str, ...]]:
    """Return the reason and each id once; raise Refused quarantine/asked where it cannot be done so."""
    said, wanted = unicodedata.normalize("NFC", why).strip(), tuple(dict.fromkeys(ids))
    if not said or len(said) > _MOST_WHY:
        raise Refused("quarantine/asked", f"say why, in at most {_MOST_WHY} characters")
    if len(wanted) > most:
        raise Refused("quarantine/asked", f"at most {most} messages at once; these are {len(wanted)}")
    return said, wanted
