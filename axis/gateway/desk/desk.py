"""What a partner may ask for, whichever profile it asks in."""

import datetime as dt
import hmac
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import structlog

from axis.core.codes import canonical
from axis.core.ids import new_id
from axis.core.partners import Application, Incoming, Kind, Outgoing, Partner, Plane, Profile, Wanted
from axis.errors import Misconfigured, NotFound, Refused
from axis.gateway.desk.agencies import Agencies
from axis.gateway.desk.codes import Codes
from axis.gateway.desk.forgetting import Forgotten, forget_finished
from axis.gateway.desk.limits import DeskLimits
from axis.gateway.desk.packing import Packing
from axis.gateway.desk.secrets import Secrets
from axis.gateway.desk.sending import Package, Sending
from axis.gateway.desk.signing import Signed
from axis.gateway.pace import Pace
from axis.store import PartnerStore
from schemas.base import UUID7_PATTERN

_DOC_ID = re.compile(UUID7_PATTERN.removesuffix("$").removeprefix("^"))
_OPEN = 1000
_NARROWED_COST = 2  # in requests, beside the one that every request is
_PAGES_FOR_ONE = 25  # so many pages are passed over for the price of a request


@dataclass(frozen=True, slots=True)
class Parts:
    """What the desk is made of."""

    store: PartnerStore
    agencies: Agencies
    packing: Packing
    codes: Codes
    secrets: Secrets
    spool: Path
    now: Callable[[], dt.datetime]
    clock: Callable[[], float]
    limits: DeskLimits


class Desk:
    """Serve partners."""

    def __init__(self, parts: Parts) -> None:
        self.codes = parts.codes
        self.limits = parts.limits
        self.spool = parts.spool
        self.now = parts.now
        self.agencies = parts.agencies
        self._store = parts.store
        self._packing = parts.packing
        self._secrets = parts.secrets
        self._sending = Sending(parts.store, parts.codes, parts.agencies.agency, parts.now)
        self._pace = Pace(parts.limits.requests_per_second, parts.limits.burst, parts.clock, "partner/too-often")
        self._log = structlog.get_logger(part="desk")

    async def forget(self, before: dt.datetime) -> Forgotten:
        """Forget what was finished before a time; raise Unavailable, or OSError."""
        return await forget_finished(self._store, self._packing.folder, before)

    # Who asks

    def signed(self, signed: Signed) -> Partner:
        """Return who signed a request of the VXP profile; raise Refused."""
        partner, secrets = self._known(signed.system_id, Profile.VXP)
        signed.verify(secrets)
        return self._admitted(partner, signed)

    def with_secret(self, system_id: str, secret: str) -> Partner:
        """Return who asks in the LGSP profile; raise Refused."""
        partner, secrets = self._known(system_id, Profile.LGSP)
        given = secret.encode()
        if not any([hmac.compare_digest(each, given) for each in secrets]):  # noqa: C419 - all of them, always
            raise Refused("partner/credentials")
        return self._admitted(partner, None)

    def _known(self, system_id: str, profile: Profile) -> tuple[Partner | None, tuple[bytes, ...]]:
        partner = self.agencies.partner(system_id)
        if partner is None or partner.profile is not profile:
            return None, ()
        try:
            return partner, self._secrets.of(system_id, self.now())
        except Misconfigured as error:
            self._log.error("no secret", system=system_id, code=error.code, detail=error.detail)
            return None, ()

    def _admitted(self, partner: Partner | None, signed: Signed | None) -> Partner:
        if partner is None:
            raise Refused("partner/credentials")
        if signed is not None:
            signed.check_clock(partner.clock_minutes, self.now())
        self._pace.take(partner.system_id)
        return partner

    def charge(self, partner: Partner, cost: int) -> None:
        """Count a costly request as so many more; raise Refused `partner/too-often`."""
        self._pace.take(partner.system_id, cost)

    # What it asks for

    async def send(self, partner: Partner, package: Package, claimed: str | None) -> str:
        """Send a package; see `Sending.send`."""
        return await self._sending.send(partner, package, claimed=claimed, limit=self.limits.package_bytes)

    async def received(self, partner: Partner, wanted: Wanted) -> list[Incoming]:
        """List what lies ready; what the store has to read through is charged for as the longer request it is."""
        narrowed = wanted.recipient is not None or wanted.since is not None or wanted.until is not None
        self._charge_list(partner, page=wanted.page, narrowed=narrowed)
        recipient = None if wanted.recipient is None else self.codes.read(wanted.recipient)
        return await self._store.listed(partner.system_id, replace(wanted, recipient=recipient))

    def _charge_list(self, partner: Partner, *, page: int, narrowed: bool) -> None:
        if cost := (_NARROWED_COST if narrowed else 0) + page // _PAGES_FOR_ONE:
            self.charge(partner, cost)

    async def count(self, partner: Partner, kind: Kind) -> int:
        """Count what lies ready, up to a thousand."""
        return await self._store.counted(partner.system_id, kind)

    async def package(self, partner: Partner, doc_id: str) -> Incoming:
        """Return a package that lies ready, or did.

        Raises NotFound partner/unknown-package, Refused partner/withdrawn.
        """
        found = await self._store.incoming(partner.system_id, _checked(doc_id))
        if found is None:
            raise NotFound(f"no package {doc_id} for {partner.system_id}", code="partner/unknown-package")
        if found.withdrawn_at is not None:
            raise Refused("partner/withdrawn", f"taken back at {found.withdrawn_at.isoformat(timespec='seconds')}")
        return found

    @asynccontextmanager
    async def opened(self, package: Incoming) -> AsyncGenerator[AsyncGenerator[bytes, None], None]:
        """Open the bytes of a package: from then on a recall of it is the partner's to answer."""
        if not await self._store.fetch(package.doc_id, self.now()):
            raise Refused("partner/withdrawn", "taken back just now")
        async with self._packing.opened(package, lambda: self.agencies.agency(package.agency)) as pieces:
            yield pieces

    async def update(self, partner: Partner, doc_id: str, state: str, description: str) -> None:
        """Note how far the partner is with a package; `done` has 01 reported for a document."""
        if state not in {Plane.PROCESSING, Plane.DONE, Plane.FAIL}:
            raise Refused("partner/parameter", f"status is processing, done or fail, not {state[:40]!r}")
        package = await self.package(partner, doc_id)
        said = Plane(state)
        if not await self._store.move(partner.system_id, package.doc_id, said, description[:2000], self.now()):
            raise Refused("partner/state", f"{package.state.value} cannot become {said.value}")
        if said is Plane.FAIL:
            self._log.warning(
                "failed at the partner", system=partner.system_id, doc_id=doc_id, detail=description[:500]
            )
        if said is Plane.DONE:
            self.agencies.arrivals.look()

    async def sent(self, partner: Partner, kind: Kind, doc_id: str | None, *, size: int, page: int) -> list[Outgoing]:
        """List what the partner sent, the newest first, or one package of it."""
        if doc_id:
            found = await self._store.outgoing(partner.system_id, _checked(doc_id))
            return [] if found is None else [found]
        self._charge_list(partner, page=page, narrowed=False)
        return await self._store.sent(partner.system_id, kind, size=size, page=page)

    async def wish(self, partner: Partner, wish: str, code: str, detail: Mapping[str, str], fingerprint: bytes) -> bool:
        """Keep the wish to register or delete a code for an operator; False: it is as wished already."""
        wanted = canonical(self.codes.read(code))
        if (wanted in partner.codes) is (wish == "register"):
            return False
        application = Application(
            id=new_id(self.now()),
            system_id=partner.system_id,
            wish=wish,
            code=wanted,
            detail=detail,
            fingerprint=fingerprint,
            at=self.now(),
        )
        if await self._store.apply(application):
            self._log.info("wish", system=partner.system_id, wish=wish, code=wanted)
            return True
        kept = await self._store.applications(partner.system_id, _OPEN)
        if not any((each.wish, each.code) == (wish, wanted) for each in kept):
            raise Refused("partner/too-often", "too many wishes are open", retry_after=3600)
        return True


def _checked(doc_id: str) -> str:
    if not doc_id:
        raise Refused("partner/parameter", "docId is missing")
    if not _DOC_ID.fullmatch(doc_id.lower()):
        raise NotFound(f"{doc_id[:60]!r} is no docId of ours", code="partner/unknown-package")
    return doc_id.lower()
