"""Existing document systems in PostgreSQL."""

import datetime as dt
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

import orjson

from axis.core.partners import (
    WAITING,
    Application,
    CodeForm,
    Found,
    Incoming,
    Kind,
    Outcome,
    Outgoing,
    Partner,
    Plane,
    Profile,
    Recalled,
    Wanted,
    Withdrawn,
    before,
)
from axis.errors import Refused
from axis.store.partner_seam import MOST_RECIPIENTS, PartnerStore, spellings
from axis.store.pool import Pool
from axis.store.queries import load

_SQL = load("partners")


class PostgresPartners(PartnerStore):
    """The tables whose names begin with partner."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def partners(self) -> list[Partner]:
        """Read all of them."""
        async with self._pool.link("read the partners") as link:
            return [_partner(record) for record in await link.fetch(_SQL["partners"])]

    async def put(self, partner: Partner) -> None:
        """Add or replace a partner."""
        codes = partner.codes if partner.ended_at is None else {}
        async with self._pool.link("write a partner") as link, link.transaction():
            await link.execute(
                _SQL["put_partner"],
                partner.system_id,
                partner.profile.value,
                partner.strict,
                partner.code_form.value,
                partner.clock_minutes,
                partner.added_at,
                partner.ended_at,
            )
            await link.execute(_SQL["clear_codes"], partner.system_id)
            put = await link.fetch(_SQL["put_codes"], partner.system_id, list(codes), list(codes.values()))
            taken = codes.keys() - {record["code"] for record in put}
            others = await link.fetch(_SQL["sharing"], partner.system_id, list(codes.values()))
            if taken := taken | {record["agency"] for record in others}:
                raise Refused("partner/code-taken", f"{', '.join(sorted(taken))}: another partner serves it")
            await link.execute(_SQL["take_over"], partner.system_id, list(codes.values()))

    async def receive(self, package: Incoming) -> bool:
        """Keep a package unless it is there."""
        async with self._pool.link("keep a package") as link:
            made = await link.fetchval(
                _SQL["receive"],
                package.doc_id,
                package.message_id,
                package.created_at,
                package.updated_at,
                package.size,
                package.system_id,
                package.agency,
                package.kind.value,
                package.state.value,
                package.sender,
                list(package.recipients),
                package.document_id,
                package.subject,
                package.notation,
                package.description,
                bytes.fromhex(package.sha256),
                package.content,
                package.withdrawn_at,
            )
        return made is not None

    async def listed(self, system_id: str, wanted: Wanted) -> list[Incoming]:
        """List packages."""
        span = (wanted.recipient, wanted.since, wanted.until, wanted.size, wanted.page * wanted.size)
        async with self._pool.link("list packages") as link:
            if wanted.states == WAITING:
                found = await link.fetch(_SQL["listed_waiting"], system_id, wanted.kind.value, *span)
            else:
                (state,) = wanted.states
                found = await link.fetch(_SQL["listed"], system_id, wanted.kind.value, *span, state.value)
        return [_incoming(record) for record in found]

    async def counted(self, system_id: str, kind: Kind) -> int:
        """Count what waits."""
        async with self._pool.link("count packages") as link:
            count: int = await link.fetchval(_SQL["counted"], system_id, kind.value)
        return count

    async def incoming(self, system_id: str, doc_id: str) -> Incoming | None:
        """Return a package."""
        async with self._pool.link("read a package") as link:
            record = await link.fetchrow(_SQL["incoming"], system_id, doc_id)
        return None if record is None else _incoming(record)

    async def move(self, system_id: str, doc_id: str, state: Plane, description: str, at: dt.datetime) -> bool:
        """Note what the partner says of a package."""
        allowed = [each.value for each in before(state)]
        async with self._pool.link("move a package") as link:
            moved = await link.fetchval(_SQL["move"], system_id, doc_id, state.value, description, at, allowed)
        return moved is not None

    async def unreported(self, limit: int, agencies: Collection[str]) -> list[Incoming]:
        """Return documents whose 01 is due."""
        async with self._pool.link("list documents to report") as link:
            return [_incoming(record) for record in await link.fetch(_SQL["unreported"], limit, list(agencies))]

    async def reported(self, doc_id: str, at: dt.datetime) -> None:
        """Note that a 01 was handed over."""
        async with self._pool.link("note a report") as link:
            await link.execute(_SQL["reported"], doc_id, at)

    async def fetch(self, doc_id: str, at: dt.datetime) -> bool:
        """Note that a package is handed out."""
        async with self._pool.link("note a fetch") as link:
            return await link.fetchval(_SQL["fetch"], doc_id, at) is not None

    async def recalled(self, envelope_id: str, recipients: Collection[str]) -> list[Recalled]:
        """Return the recalls of a document."""
        async with self._pool.link("look for recalls") as link:
            found = await link.fetch(_SQL["recalled"], envelope_id, list(recipients))
        return [Recalled(str(each["request"]), each["recipient"], each["original"], each["answered"]) for each in found]

    async def is_listed(self, agency: str, envelope_id: str) -> bool:
        """Say whether a document is kept and not withdrawn."""
        async with self._pool.link("look for a document") as link:
            return await link.fetchval(_SQL["is_listed"], agency, envelope_id) is not None

    async def withdraw(
        self, agency: str, envelope_id: str, recipients: Collection[str], at: dt.datetime
    ) -> Withdrawn | None:
        """Withdraw a document."""
        async with self._pool.link("withdraw a document") as link:
            record = await link.fetchrow(_SQL["withdraw"], agency, envelope_id, list(recipients), at)
        return None if record is None else Withdrawn(record["sha256"].hex(), record["alone"])

    async def forget_incoming(self, before: dt.datetime, limit: int) -> int:
        """Forget what came and is finished."""
        async with self._pool.link("forget packages") as link:
            return _count(await link.execute(_SQL["forget_incoming"], before, limit))

    async def forget_outgoing(self, before: dt.datetime, limit: int) -> int:
        """Forget what was sent long ago."""
        async with self._pool.link("forget what was sent") as link:
            return _count(await link.execute(_SQL["forget_outgoing"], before, limit))

    async def needed(self, packages: Collection[str]) -> set[str]:
        """Return which are of packages that are known."""
        async with self._pool.link("look for packages") as link:
            found = await link.fetch(_SQL["needed"], [bytes.fromhex(each) for each in packages])
        return {record["sha256"].hex() for record in found}

    async def begin(self, package: Outgoing) -> Outgoing:
        """Keep a package that is about to be sent."""
        async with self._pool.link("keep what is to be sent") as link:
            await link.execute(
                _SQL["begin"],
                package.doc_id,
                package.message_id,
                package.created_at,
                package.system_id,
                package.agency,
                package.kind.value,
                package.state.value,
                package.sender,
                list(package.recipients),
                package.document_id,
                package.subject,
                package.notation,
                package.description,
                package.key,
            )
            return _outgoing(await link.fetchrow(_SQL["outgoing_by_key"], package.key))

    async def submitted(self, doc_id: str, message_id: str, state: Plane, at: dt.datetime) -> None:
        """Note that a package is safe with the SDK."""
        async with self._pool.link("note what was sent") as link:
            await link.execute(_SQL["submitted"], doc_id, message_id, at, state.value)

    async def refused(self, doc_id: str, description: str) -> None:
        """Note why a package was not handed over."""
        async with self._pool.link("note a refusal") as link:
            await link.execute(_SQL["refused"], doc_id, description)

    async def answered(
        self, message_id: str, state: Plane, description: str, outcomes: Mapping[str, Outcome], at: dt.datetime
    ) -> bool:
        """Note what the receipt says."""
        told = orjson.dumps({recipient: _told(outcome) for recipient, outcome in outcomes.items()}).decode()
        async with self._pool.link("note a receipt") as link:
            return await link.fetchval(_SQL["answered"], message_id, state.value, description, told, at) is not None

    async def heard(self, message_id: str, recipient: str, outcome: Outcome) -> bool:
        """Note what a recipient says."""
        told = orjson.dumps(_told(outcome)).decode()
        async with self._pool.link("note a status") as link:
            return await link.fetchval(_SQL["heard"], message_id, recipient, told, outcome.at) is not None

    async def sent(self, system_id: str, kind: Kind, *, size: int, page: int) -> list[Outgoing]:
        """List what a partner sent."""
        async with self._pool.link("list what was sent") as link:
            found = await link.fetch(_SQL["sent"], system_id, kind.value, size, page * size, MOST_RECIPIENTS)
        return [_outgoing(record) for record in found]

    async def outgoing(self, system_id: str, doc_id: str) -> Outgoing | None:
        """Return one package that the partner sent."""
        async with self._pool.link("read what was sent") as link:
            record = await link.fetchrow(_SQL["outgoing"], system_id, doc_id)
        return None if record is None else _outgoing(record)

    async def found_received(self, document_id: str, sender: str, mailbox: str) -> list[Found]:
        """Return envelopes about a document that came into a mailbox."""
        async with self._pool.link("look for a document") as link:
            return [
                _found(each)
                for each in await link.fetch(_SQL["found_received"], spellings(document_id), sender, mailbox)
            ]

    async def found_sent(self, document_id: str, sender: str, recipients: Collection[str]) -> list[Found]:
        """Return the versions of a document that was sent."""
        async with self._pool.link("look for a document") as link:
            return [
                _found(each)
                for each in await link.fetch(_SQL["found_sent"], spellings(document_id), sender, list(recipients))
            ]

    async def envelope(self, envelope_id: str) -> bytes | None:
        """Return the bytes of an envelope."""
        async with self._pool.link("read an envelope") as link:
            body: bytes | None = await link.fetchval(_SQL["envelope"], envelope_id)
        return body

    async def apply(self, application: Application) -> bool:
        """Keep a wish."""
        async with self._pool.link("keep an application") as link:
            if await link.fetchval(_SQL["seen"], application.fingerprint):
                raise Refused("partner/replayed", f"{application.wish} {application.code} was decided before")
            kept = await link.fetchval(
                _SQL["apply"],
                application.id,
                application.system_id,
                application.wish,
                application.code,
                orjson.dumps(dict(application.detail)).decode(),
                application.fingerprint,
                application.at,
            )
        return kept is not None

    async def applications(self, system_id: str | None = None, limit: int = 200) -> list[Application]:
        """List the open wishes."""
        async with self._pool.link("list applications") as link:
            records = await link.fetch(_SQL["applications"], system_id, limit)
        return [
            Application(
                id=str(each["id"]),
                system_id=each["system_id"],
                wish=each["wish"],
                code=each["code"],
                detail=MappingProxyType(orjson.loads(each["detail"])),
                fingerprint=each["fingerprint"],
                at=each["at"],
            )
            for each in records
        ]

    async def close_application(self, application_id: str, at: dt.datetime) -> bool:
        """Close a wish."""
        async with self._pool.link("close an application") as link:
            return await link.fetchval(_SQL["close_application"], application_id, at) is not None


def _partner(record: Any) -> Partner:
    return Partner(
        system_id=record["system_id"],
        profile=Profile(record["profile"]),
        codes=dict(zip(record["codes"], record["agencies"], strict=True)),
        added_at=record["added_at"],
        strict=record["strict"],
        code_form=CodeForm(record["code_form"]),
        clock_minutes=record["clock_minutes"],
        ended_at=record["ended_at"],
    )


def _incoming(record: Any) -> Incoming:
    return Incoming(
        doc_id=str(record["doc_id"]),
        system_id=record["system_id"],
        agency=record["agency"],
        message_id=str(record["message_id"]),
        kind=Kind(record["kind"]),
        sender=record["sender"],
        recipients=tuple(record["recipients"]),
        document_id=record["document_id"],
        subject=record["subject"],
        notation=record["notation"],
        sha256=record["sha256"].hex(),
        size=record["size"],
        created_at=record["created_at"],
        updated_at=record["updated_at"],
        content=record["content"],
        state=Plane(record["state"]),
        description=record["description"],
        withdrawn_at=record["withdrawn_at"],
    )


def _outgoing(record: Any) -> Outgoing:
    return Outgoing(
        doc_id=str(record["doc_id"]),
        key=record["key"],
        system_id=record["system_id"],
        agency=record["agency"],
        kind=Kind(record["kind"]),
        sender=record["sender"],
        recipients=tuple(record["recipients"]),
        document_id=record["document_id"],
        subject=record["subject"],
        notation=record["notation"],
        message_id=str(record["message_id"]),
        created_at=record["created_at"],
        state=Plane(record["state"]),
        description=record["description"],
        submitted_at=record["submitted_at"],
        outcomes={name: _outcome(told) for name, told in orjson.loads(record["outcomes"]).items()},
    )


def _count(told: str) -> int:
    """Read how many rows a statement says that it changed."""
    return int(told.rpartition(" ")[2])


def _found(record: Any) -> Found:
    return Found(str(record["id"]), record["action"], record["sender"], tuple(record["recipients"]))


def _told(outcome: Outcome) -> dict[str, str]:
    return {"state": outcome.state.value, "code": outcome.code, "text": outcome.text, "at": outcome.at.isoformat()}


def _outcome(told: Mapping[str, str]) -> Outcome:
    return Outcome(Plane(told["state"]), told["code"], told["text"], dt.datetime.fromisoformat(told["at"]))
