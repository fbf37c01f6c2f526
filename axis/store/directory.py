"""The directory's tables."""

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

import structlog
from pydantic import ValidationError

from axis.core.enrolment import Enrolment
from axis.errors import NotFound
from axis.store.listening import listen
from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.seam import Changed, Counts, DirectoryStore
from schemas import Certificate, Mailbox, Organisation, Quota
from schemas.directory import UnknownBelow

_SQL = load("directory")
_log = structlog.get_logger(part="directory")


class PostgresDirectory(DirectoryStore):
    """The directory in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def load(self) -> tuple[list[Organisation], list[Mailbox], list[Enrolment]]:
        """Read all of it."""
        return await self._read(None)

    async def load_changed(self, codes: Collection[str]) -> tuple[list[Organisation], list[Mailbox], list[Enrolment]]:
        """Read everything of some codes."""
        return await self._read(sorted(codes))

    async def shown(
        self, codes: Collection[str] | None = None
    ) -> tuple[list[Organisation], list[Mailbox], list[Enrolment]]:
        """Read it without the hashes of passwords."""
        return await self._read(None if codes is None else sorted(codes), _SQL["shown_mailboxes"])

    async def _read(
        self, codes: list[str] | None, mailboxes_of: str = _SQL["mailboxes"]
    ) -> tuple[list[Organisation], list[Mailbox], list[Enrolment]]:
        # One picture of all three tables: a mailbox without its organisation would hold nothing.
        async with (
            self._pool.link("read the directory") as link,
            link.transaction(isolation="repeatable_read", readonly=True),
        ):
            organisations = await link.fetch(_SQL["organisations"], codes)
            mailboxes = await link.fetch(mailboxes_of, codes)
            certificates = await link.fetch(_SQL["certificates"], codes)
        return (
            [_organisation(record) for record in organisations],
            [_mailbox(record) for record in mailboxes],
            [each for each in map(_enrolment, certificates) if each is not None],
        )

    async def put_organisations(self, organisations: Sequence[Organisation]) -> Counts:
        """Add or replace periods."""
        distinct = {(each.code, each.valid_from): each for each in organisations}
        columns: list[list[Any]] = [[] for _ in range(8)]
        for each in distinct.values():
            row = (
                each.code,
                each.name,
                each.valid_from,
                each.valid_to,
                each.successor,
                each.forwarding,
                each.unknown_below.value,
                each.code102,
            )
            for column, value in zip(columns, row, strict=True):
                column.append(value)
        async with self._pool.link("store organisations") as link:
            touched = await link.fetch(_SQL["put_organisations"], *columns)
        new = sum(record["inserted"] for record in touched)
        return Counts(new=new, changed=len(touched) - new, same=len(organisations) - len(touched))

    async def put_mailbox(self, mailbox: Mailbox) -> None:
        """Add or replace a period of a mailbox."""
        async with self._pool.link("store a mailbox") as link:
            await link.execute(
                _SQL["put_mailbox"],
                mailbox.code,
                mailbox.valid_from,
                mailbox.valid_to,
                mailbox.password_hash,
                mailbox.quota.model_dump_json(exclude_none=True),
            )

    async def put_certificate(self, certificate: Certificate) -> None:
        """Enrol a certificate."""
        row = Enrolment.of(certificate)
        async with self._pool.link("store a certificate") as link:
            await link.execute(
                _SQL["put_certificate"],
                row.thumbprint,
                row.organisation,
                row.role,
                row.subject,
                row.not_before,
                row.not_after,
                row.revoked_at,
                row.retired_at,
                row.invalid_since,
                row.revocation,
                row.trusted_until,
                row.anchor,
                row.matched,
                row.predecessor,
                row.der,
            )

    async def revoke(
        self, thumbprint: str, at: dt.datetime, *, invalid_since: dt.datetime | None = None, why: str | None = None
    ) -> None:
        """Revoke a certificate."""
        async with self._pool.link("revoke a certificate") as link:
            _known(thumbprint, await link.fetchval(_SQL["revoke"], thumbprint, at, invalid_since or at, why))

    async def retire(self, thumbprint: str, at: dt.datetime | None) -> None:
        """Retire a certificate."""
        async with self._pool.link("retire a certificate") as link:
            _known(thumbprint, await link.fetchval(_SQL["retire"], thumbprint, at))

    async def listen(self, changed: Changed) -> None:
        """Await `changed` after each change, until cancelled."""
        await listen(self._pool.dsn, f"{self._pool.name} listening", changed)


def _known(thumbprint: str, count: int) -> None:
    if not count:
        raise NotFound(f"no certificate {thumbprint} is enrolled", code="certificate/unknown")


def _enrolment(record: Any) -> Enrolment | None:
    """Make a certificate of its row; leave out one that is not understood, or it would end every worker."""
    try:
        return Enrolment(**record)
    except ValidationError as error:
        wrong = [".".join(map(str, each["loc"])) for each in error.errors()]
        _log.error(
            "a certificate is not understood and left out",
            thumbprint=record["thumbprint"],
            organisation=record["organisation"],
            wrong=wrong,
        )
        return None


def _mailbox(record: Any) -> Mailbox:
    return Mailbox(**{**record, "quota": _quota(record["code"], record["quota"])})


def _quota(code: str, text: str) -> Quota:
    # Every worker reads every row: one that cannot be understood must not end them all, now and at each start.
    try:
        return Quota.model_validate_json(text)
    except ValidationError as error:
        wrong = [".".join(map(str, each["loc"])) for each in error.errors()]
        _log.error("limits of a mailbox are not understood, the default ones hold", code=code, wrong=wrong)
        return Quota()


def _organisation(record: Any) -> Organisation:
    return Organisation(**{**record, "unknown_below": UnknownBelow(record["unknown_below"])})
