"""The directory of the fake store."""

import asyncio
import datetime as dt
from collections.abc import Callable, Collection, Sequence

from axis.core.enrolment import Enrolment
from axis.errors import NotFound, Unavailable
from axis.store.seam import Changed, Counts, DirectoryStore
from schemas import Certificate, Mailbox, Organisation

_AGAIN_SECONDS = 0.01


class FakeDirectory(DirectoryStore):
    """Organisations, mailboxes and certificates in memory."""

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._organisations: dict[tuple[str, dt.datetime], Organisation] = {}
        self._mailboxes: dict[tuple[str, dt.datetime], Mailbox] = {}
        self._certificates: dict[str, Enrolment] = {}
        self._listeners: list[asyncio.Queue[str]] = []

    async def load(self) -> tuple[list[Organisation], list[Mailbox], list[Enrolment]]:
        """Read all of it."""
        self._check()
        return (
            [self._organisations[key] for key in sorted(self._organisations)],
            [self._mailboxes[key] for key in sorted(self._mailboxes)],
            sorted(self._certificates.values(), key=lambda each: (each.organisation, each.not_before, each.thumbprint)),
        )

    async def load_changed(self, codes: Collection[str]) -> tuple[list[Organisation], list[Mailbox], list[Enrolment]]:
        """Read everything of some codes."""
        organisations, mailboxes, certificates = await self.load()
        return (
            [each for each in organisations if each.code in codes],
            [each for each in mailboxes if each.code in codes],
            [each for each in certificates if each.organisation in codes],
        )

    async def shown(
        self, codes: Collection[str] | None = None
    ) -> tuple[list[Organisation], list[Mailbox], list[Enrolment]]:
        """Read it without the hashes of passwords."""
        organisations, mailboxes, certificates = await (self.load() if codes is None else self.load_changed(codes))
        return organisations, [each.model_copy(update={"password_hash": ""}) for each in mailboxes], certificates

    async def put_organisations(self, organisations: Sequence[Organisation]) -> Counts:
        """Add or replace periods."""
        self._check()
        distinct = {(each.code, each.valid_from): each for each in organisations}
        new = [key for key in distinct if key not in self._organisations]
        changed = [key for key, each in distinct.items() if self._organisations.get(key, each) != each]
        self._organisations.update(distinct)
        self._tell({code for code, _ in (*new, *changed)})
        touched = len(new) + len(changed)
        return Counts(new=len(new), changed=len(changed), same=len(organisations) - touched)

    async def put_mailbox(self, mailbox: Mailbox) -> None:
        """Add or replace a period of a mailbox."""
        self._check()
        if self._mailboxes.get((mailbox.code, mailbox.valid_from)) != mailbox:
            self._mailboxes[mailbox.code, mailbox.valid_from] = mailbox
            self._tell({mailbox.code})

    async def put_certificate(self, certificate: Certificate) -> None:
        """Enrol a certificate; a revocation and its evidence stay."""
        self._check()
        new = Enrolment.of(certificate)
        old = self._certificates.get(new.thumbprint)
        if old is not None:
            kept: dict[str, object] = {
                "evidence": old.evidence,
                "trusted_until": old.trusted_until or new.trusted_until,
            }
            kept |= {"revoked_at": _earliest(old.revoked_at, new.revoked_at)}
            kept |= {"invalid_since": _earliest(old.invalid_since, new.invalid_since)}
            kept |= {"revocation": old.revocation or new.revocation}
            kept |= {name: getattr(new, name) or getattr(old, name) for name in ("anchor", "matched", "predecessor")}
            new = new.model_copy(update=kept)
        self._put(new)

    async def revoke(
        self, thumbprint: str, at: dt.datetime, *, invalid_since: dt.datetime | None = None, why: str | None = None
    ) -> None:
        """Revoke a certificate."""
        old = self._known(thumbprint)
        self.change(
            thumbprint,
            revoked_at=_earliest(old.revoked_at, at),
            invalid_since=_earliest(old.invalid_since, invalid_since or at),
            revocation=old.revocation or why,
        )

    async def retire(self, thumbprint: str, at: dt.datetime | None) -> None:
        """Retire a certificate."""
        self._known(thumbprint)
        self.change(thumbprint, retired_at=at)

    def change(self, thumbprint: str, **changes: object) -> None:
        """Change a certificate, if it is enrolled."""
        if (old := self._certificates.get(thumbprint)) is not None:
            self._put(old.model_copy(update=changes))

    def _put(self, new: Enrolment) -> None:
        if self._certificates.get(new.thumbprint) != new:
            self._certificates[new.thumbprint] = new
            self._tell({new.organisation})

    def _known(self, thumbprint: str) -> Enrolment:
        self._check()
        certificate = self._certificates.get(thumbprint)
        if certificate is None:
            raise NotFound(f"no certificate {thumbprint} is enrolled", code="certificate/unknown")
        return certificate

    async def listen(self, changed: Changed) -> None:
        """Await `changed` after each change, until cancelled."""
        news: asyncio.Queue[str] = asyncio.Queue()
        self._listeners.append(news)
        codes: set[str] | None = None
        try:
            while True:
                try:
                    self._check()
                    await changed(codes)
                except Unavailable:
                    codes = None
                    await asyncio.sleep(_AGAIN_SECONDS)
                    continue
                codes = {await news.get()}
                while not news.empty():
                    codes.add(news.get_nowait())
        finally:
            self._listeners.remove(news)

    def _tell(self, codes: set[str]) -> None:
        for news in self._listeners:
            for code in codes:
                news.put_nowait(code)


def _earliest(*moments: dt.datetime | None) -> dt.datetime | None:
    return min((each for each in moments if each is not None), default=None)
