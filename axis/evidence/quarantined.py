"""What people do with messages in quarantine: see what would happen to one now, hand it to the routers again, drop it.

The commands and the console call the same functions.
"""

import asyncio
import datetime as dt
from collections.abc import Collection
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
    """How many messages went where; `stayed`: id -> why, of those that could not."""

    done: int
    stayed: tuple[tuple[str, Refused], ...] = ()


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


async def requeue(store: Store, ids: Collection[str], at: dt.datetime, *, by: str, why: str) -> Done:
    """Hand messages to the routers of their queues, one after the other every `EVERY`; at most `AT_ONCE` of them.

    Raises Refused quarantine/stays without a reason why. What cannot be handed over stays, and is told.
    """
    said = _reason(why)
    done, stayed = 0, list[tuple[str, Refused]]()
    for number, identifier in enumerate(list(ids)[:AT_ONCE]):
        if number:
            await asyncio.sleep(EVERY)
        kept = await store.quarantined_one(identifier)
        try:
            if kept is None or not kept.is_in:
                raise Refused("quarantine/stays", "it is not in quarantine any more")  # noqa: TRY301 - told beside the others
            if not await store.quarantines.requeue(identifier, waiting_of(kept, at), by=by, why=said):
                raise Refused("quarantine/stays", "its id waits for the routers already")  # noqa: TRY301 - likewise
            done += 1
        except Refused as error:
            stayed.append((identifier, error))
    return Done(done, tuple(stayed))


async def drop(store: Store, ids: Collection[str], *, by: str, why: str) -> Done:
    """Take messages out for good; raise Refused quarantine/stays without a reason why."""
    return Done(await store.quarantines.drop(list(ids)[:1_000], by=by, why=_reason(why)))


async def one(store: Store, identifier: str) -> Quarantined:
    """Return a message that is or was in quarantine; raise NotFound."""
    kept = await store.quarantined_one(identifier)
    if kept is None:
        raise NotFound(f"there is no {identifier[:60]} in quarantine", code="quarantine/unknown")
    return kept


def _reason(why: str) -> str:
    said = why.strip()
    if not said or len(said) > _MOST_WHY:
        raise Refused("quarantine/stays", f"say why, in at most {_MOST_WHY} characters")
    return said
