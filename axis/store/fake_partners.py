"""Existing document systems in memory."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from axis.core.conversation import Kind as Ask
from axis.core.conversation import Talk
from axis.core.partners import (
    WAITING,
    Application,
    Found,
    Incoming,
    Kind,
    Outcome,
    Outgoing,
    Partner,
    Plane,
    Recalled,
    Wanted,
    Withdrawn,
    before,
)
from axis.core.records import DeliveryRow, DeliveryState
from axis.errors import Refused
from axis.store.fake_memory import Memory
from axis.store.partner_seam import MOST_RECIPIENTS, PartnerStore, spellings
from schemas import Action

_BEGINS_ANEW = dt.timedelta(days=25)
_MOST = 1000
_FOUND = 20
_NAMED = 50


class FakePartners(PartnerStore):
    """The tables as dictionaries; envelopes are those of the fake store."""

    def __init__(self, alone: Callable[[], AbstractAsyncContextManager[Memory]]) -> None:
        self._alone = alone
        self._partners: dict[str, Partner] = {}
        self._incoming: dict[str, Incoming] = {}
        self._reported: dict[str, dt.datetime] = {}
        self._fetched: dict[str, dt.datetime] = {}
        self._outgoing: dict[bytes, Outgoing] = {}
        self._open: dict[str, Application] = {}
        self._closed: set[bytes] = set()

    def holds(self, envelope_id: str, agency: str) -> bool:
        """Say whether a document is held for a partner that reads through the agency."""
        key = (envelope_id, agency, Kind.EDOC)
        return any((each.message_id, each.agency, each.kind) == key for each in self._incoming.values())

    async def partners(self) -> list[Partner]:
        """Read all of them."""
        async with self._alone():
            return [self._partners[system_id] for system_id in sorted(self._partners)]

    async def put(self, partner: Partner) -> None:
        """Add or replace a partner."""
        async with self._alone():
            others = [each for each in self._partners.values() if each.system_id != partner.system_id]
            if partner.ended_at is not None:
                partner = replace(partner, codes={})
            taken = {code for each in others for code in partner.codes if code in each.codes}
            taken |= {code for each in others for code in partner.agencies & each.agencies}
            if taken:
                raise Refused("partner/code-taken", f"{', '.join(sorted(taken))}: another partner serves it")
            for doc_id, each in self._incoming.items():
                waits = each.state is not Plane.DONE and each.withdrawn_at is None
                if each.agency in partner.agencies and waits:
                    self._incoming[doc_id] = replace(each, system_id=partner.system_id)
            known = self._partners.get(partner.system_id)
            self._partners[partner.system_id] = replace(partner, added_at=(known or partner).added_at)

    async def receive(self, package: Incoming) -> bool:
        """Keep a package unless it is there."""
        async with self._alone():
            key = (package.message_id, package.agency, package.kind)
            if any((each.message_id, each.agency, each.kind) == key for each in self._incoming.values()):
                return False
            owners = [each.system_id for each in self._partners.values() if package.agency in each.agencies]
            self._incoming[package.doc_id] = replace(package, system_id=(owners or [package.system_id])[0])
            return True

    async def listed(self, system_id: str, wanted: Wanted) -> list[Incoming]:
        """List packages."""
        async with self._alone():
            found = [
                replace(each, content=None, recipients=each.recipients[:_NAMED])
                for _, each in sorted(self._incoming.items())
                if each.system_id == system_id and each.kind is wanted.kind and each.state in wanted.states
                if each.withdrawn_at is None
                if wanted.recipient is None or wanted.recipient in each.recipients
                if wanted.since is None or each.created_at >= wanted.since
                if wanted.until is None or each.created_at < wanted.until
            ]
        return found[wanted.page * wanted.size :][: wanted.size]

    async def counted(self, system_id: str, kind: Kind) -> int:
        """Count what waits."""
        return len(await self.listed(system_id, Wanted(kind, states=WAITING, size=_MOST)))

    async def incoming(self, system_id: str, doc_id: str) -> Incoming | None:
        """Return a package."""
        async with self._alone():
            found = self._incoming.get(doc_id)
        return found if found is not None and found.system_id == system_id else None

    async def move(self, system_id: str, doc_id: str, state: Plane, description: str, at: dt.datetime) -> bool:
        """Note what the partner says of a package."""
        _check(description)
        found = await self.incoming(system_id, doc_id)
        if found is None or found.withdrawn_at is not None or found.state not in before(state):
            return False
        self._incoming[doc_id] = replace(found, state=state, description=description, updated_at=at)
        return True

    async def unreported(self, limit: int, agencies: Collection[str]) -> list[Incoming]:
        """Return documents whose 01 is due."""
        async with self._alone():
            found = [
                replace(each, content=None)
                for doc_id, each in sorted(self._incoming.items())
                if each.state is Plane.DONE and each.kind is Kind.EDOC and doc_id not in self._reported
                if each.agency in agencies
            ]
        return found[:limit]

    async def reported(self, doc_id: str, at: dt.datetime) -> None:
        """Note that a 01 was handed over."""
        async with self._alone():
            self._reported.setdefault(doc_id, at)

    async def fetch(self, doc_id: str, at: dt.datetime) -> bool:
        """Note that a package is handed out."""
        async with self._alone():
            if self._incoming[doc_id].withdrawn_at is not None:
                return False
            self._fetched.setdefault(doc_id, at)
            return True

    async def recalled(self, envelope_id: str, recipients: Collection[str]) -> list[Recalled]:
        """Return the recalls of a document."""
        async with self._alone() as memory:
            return [
                Recalled(each.request, each.recipient, each.original, each.state not in {Talk.REQUESTED, Talk.AGREED})
                for _, each in sorted(memory.conversations.items())
                if each.about == envelope_id and each.kind is Ask.RECALL and each.state is not Talk.DECLINED
                if each.original is not None and each.original in recipients
            ]

    def fetched_at(self, envelope_id: str, mailbox: str | None) -> dt.datetime | None:
        """Return when the document system of a mailbox was handed an envelope first."""
        found = (
            self._fetched.get(doc_id)
            for doc_id, each in self._incoming.items()
            if (each.message_id, each.agency, each.kind) == (envelope_id, mailbox, Kind.EDOC)
        )
        return next(found, None)

    async def is_listed(self, agency: str, envelope_id: str) -> bool:
        """Say whether a document is kept and not withdrawn."""
        async with self._alone():
            kept = [each for each in self._incoming.values() if each.withdrawn_at is None]
            return (agency, envelope_id, Kind.EDOC) in {(each.agency, each.message_id, each.kind) for each in kept}

    async def withdraw(
        self, agency: str, envelope_id: str, recipients: Collection[str], at: dt.datetime
    ) -> Withdrawn | None:
        """Withdraw a document."""
        async with self._alone() as memory:
            for doc_id, each in self._incoming.items():
                named = (each.agency, each.message_id, each.kind) == (agency, envelope_id, Kind.EDOC)
                begun = each.state not in {Plane.INITIAL, Plane.FAIL} or doc_id in self._fetched
                if named and not begun and set(each.recipients) <= set(recipients):
                    first = each.withdrawn_at or at
                    self._incoming[doc_id] = replace(each, withdrawn_at=first, updated_at=first)
                    mailboxes = {one.row.mailbox for one in memory.deliveries.get(envelope_id, ())}
                    served = {code for one in self._partners.values() for code in one.agencies}
                    return Withdrawn(each.sha256, not (mailboxes & served) - {agency})
        return None

    async def forget_incoming(self, before: dt.datetime, limit: int) -> int:
        """Forget what came and is finished."""
        async with self._alone():
            due = [
                doc_id
                for doc_id, each in self._incoming.items()
                if each.updated_at < before and (each.withdrawn_at is not None or each.state is Plane.DONE)
                if each.withdrawn_at is not None or each.kind is Kind.STATUS or doc_id in self._reported
                if each.withdrawn_at is not None or self._reported.get(doc_id, each.updated_at) < before
            ][:limit]
            for doc_id in due:
                del self._incoming[doc_id]
        return len(due)

    async def forget_outgoing(self, before: dt.datetime, limit: int) -> int:
        """Forget what was sent long ago."""
        async with self._alone():
            due = [
                key
                for key, each in self._outgoing.items()
                if max(each.created_at, each.submitted_at or each.created_at) < before
                if each.state is not Plane.PROCESSING or each.submitted_at is None
            ][:limit]
            for key in due:
                del self._outgoing[key]
        return len(due)

    async def needed(self, packages: Collection[str]) -> set[str]:
        """Return which are of packages that are known."""
        async with self._alone():
            return {each.sha256 for each in self._incoming.values()} & set(packages)

    async def begin(self, package: Outgoing) -> Outgoing:
        """Keep a package that is about to be sent."""
        _check(package.document_id, package.subject, package.notation, package.description)
        async with self._alone():
            known = self._outgoing.setdefault(package.key, package)
            refused = known.state is Plane.FAIL and known.kind is Kind.EDOC
            old = known.created_at < package.created_at - _BEGINS_ANEW
            if old if known.submitted_at is None else refused:
                known = self._outgoing[package.key] = package
            return known

    async def submitted(self, doc_id: str, message_id: str, state: Plane, at: dt.datetime) -> None:
        """Note that a package is safe with the SDK."""
        async with self._alone():
            for key, each in self._outgoing.items():
                if each.doc_id == doc_id:
                    first = each.submitted_at is None
                    told = {"state": state, "description": "", "submitted_at": at} if first else {}
                    self._outgoing[key] = replace(each, message_id=message_id, **told)  # type: ignore[arg-type]  # by name

    async def refused(self, doc_id: str, description: str) -> None:
        """Note why a package was not handed over."""
        async with self._alone():
            for key, each in self._outgoing.items():
                if each.doc_id == doc_id and each.submitted_at is None:
                    self._outgoing[key] = replace(each, state=Plane.FAIL, description=description)

    async def answered(
        self, message_id: str, state: Plane, description: str, outcomes: Mapping[str, Outcome], at: dt.datetime
    ) -> bool:
        """Note what the receipt says."""
        async with self._alone():
            found = [key for key, each in self._outgoing.items() if each.message_id == message_id]
            for key in found:
                each = self._outgoing[key]
                self._outgoing[key] = replace(
                    each,
                    state=state,
                    description=description,
                    outcomes={**outcomes, **each.outcomes},
                    submitted_at=each.submitted_at or at,
                )
        return bool(found)

    async def heard(self, message_id: str, recipient: str, outcome: Outcome) -> bool:
        """Note what a recipient says."""
        noted = False
        async with self._alone():
            for key, each in self._outgoing.items():
                last = each.outcomes.get(recipient)
                named = each.message_id == message_id and each.kind is Kind.EDOC
                if named and (last is None or last.state is Plane.INITIAL or last.at <= outcome.at):
                    self._outgoing[key] = replace(each, outcomes={**each.outcomes, recipient: outcome})
                    noted = True
        return noted

    async def sent(self, system_id: str, kind: Kind, *, size: int, page: int) -> list[Outgoing]:
        """List what a partner sent."""
        async with self._alone():
            mine = [each for each in self._outgoing.values() if each.system_id == system_id and each.kind is kind]
        found = sorted(mine, key=lambda each: each.doc_id, reverse=True)[page * size :][:size]
        before = [sum(len(each.recipients) for each in found[:number]) for number in range(len(found))]
        return [each for each, count in zip(found, before, strict=True) if count < MOST_RECIPIENTS]

    async def outgoing(self, system_id: str, doc_id: str) -> Outgoing | None:
        """Return one package that the partner sent."""
        async with self._alone():
            mine = [each for each in self._outgoing.values() if each.system_id == system_id and each.doc_id == doc_id]
        return mine[0] if mine else None

    async def found_received(self, document_id: str, sender: str, mailbox: str) -> list[Found]:
        """Return envelopes about a document that came into a mailbox."""
        found = await self._found(document_id, sender, lambda each: each.mailbox == mailbox)
        return [each for each in found if each.recipients][:_FOUND]

    async def found_sent(self, document_id: str, sender: str, recipients: Collection[str]) -> list[Found]:
        """Return the versions of a document that was sent."""
        found = await self._found(document_id, sender, lambda each: each.recipient in recipients)
        versions = [each for each in found if each.action != Action.RECALL]
        return sorted(versions, key=lambda each: -len(each.recipients))[:_FOUND]

    async def _found(self, document_id: str, sender: str, asked: Callable[[DeliveryRow], bool]) -> list[Found]:
        async with self._alone() as memory:
            rows = [memory.envelopes[each].row for each in sorted(memory.envelopes, reverse=True)]
            return [
                Found(
                    row.id,
                    row.action,
                    row.sender,
                    tuple(
                        delivery.row.recipient
                        for delivery in memory.deliveries[row.id]
                        if asked(delivery.row) and delivery.row.state is not DeliveryState.REFUSED
                    ),
                )
                for row in rows
                if row.sender == sender and row.document_id in spellings(document_id)
            ]

    async def envelope(self, envelope_id: str) -> bytes | None:
        """Return the bytes of an envelope."""
        async with self._alone() as memory:
            stored = memory.envelopes.get(envelope_id)
        return None if stored is None else stored.row.body

    async def apply(self, application: Application) -> bool:
        """Keep a wish."""
        _check(application.code, *application.detail, *application.detail.values())
        async with self._alone():
            if application.fingerprint in self._closed:
                raise Refused("partner/replayed", f"{application.wish} {application.code} was decided before")
            mine = [each for each in self._open.values() if each.system_id == application.system_id]
            same = any((each.wish, each.code) == (application.wish, application.code) for each in mine)
            known = any(each.fingerprint == application.fingerprint for each in self._open.values())
            if same or known or len(mine) >= _MOST:
                return False
            self._open[application.id] = application
            return True

    async def applications(self, system_id: str | None = None, limit: int = 200) -> list[Application]:
        """List the open wishes."""
        async with self._alone():
            found = [each for _, each in sorted(self._open.items()) if system_id in {None, each.system_id}]
        return found[:limit]

    async def close_application(self, application_id: str, at: dt.datetime) -> bool:  # noqa: ARG002 - the fake keeps no time of it
        """Close a wish."""
        async with self._alone():
            closed = self._open.pop(application_id, None)
            if closed is not None:
                self._closed.add(closed.fingerprint)
        return closed is not None


def _check(*texts: str) -> None:
    """Refuse what PostgreSQL cannot hold either."""
    for each in texts:
        each.encode()
        if "\x00" in each:
            raise ValueError("NUL in a text")
