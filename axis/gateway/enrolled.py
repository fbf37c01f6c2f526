"""The enrolled certificates and the directory, in memory, at most a second behind the store."""

import datetime as dt
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Protocol

import structlog

from axis.core.directory import Directory
from axis.core.enrolment import Enrolment
from axis.trust import Keyring
from schemas import Certificate, Mailbox, Organisation, Quota

Records = tuple[Sequence[Organisation], Sequence[Mailbox], Sequence[Certificate]]


class DirectoryStore(Protocol):
    """The part of the store's directory that is read here."""

    async def load(self) -> Records:
        """Read all of it."""

    async def load_changed(self, codes: set[str], /) -> Records:
        """Read everything of some codes."""

    async def listen(self, changed: Callable[[set[str] | None], Awaitable[None]], /) -> None:
        """Await `changed` after each change; Unavailable raised by it is a gap, after which all is read again."""


class Enrolled:
    """The keyring and the directory as they stand now. `default`: the limits of who has none of its own."""

    def __init__(
        self,
        certificates: Iterable[Certificate] = (),
        organisations: Iterable[Organisation] = (),
        mailboxes: Iterable[Mailbox] = (),
        *,
        default: Quota | None = None,
    ) -> None:
        self.directory = Directory.build(organisations, mailboxes)
        self._default = default or Quota()
        self._take(Keyring(certificates))
        self._log = structlog.get_logger(part="enrolled")

    def find(self, thumbprint: str) -> Certificate | None:
        """Return the certificate with this thumbprint, revoked and expired ones too."""
        return self.keyring.get(thumbprint)

    def for_sealing(self, code: str) -> Sequence[Enrolment]:
        """Return the certificates of an organisation that documents are sealed for, revoked and expired ones too."""
        return self._for_sealing.get(code, ())

    def quota_of(self, account: str, at: dt.datetime) -> Quota:
        """Return what limits hold for an account."""
        mailbox = self.directory.mailbox(account, at)
        return (Quota() if mailbox is None else mailbox.quota).or_else(self._default)

    async def load(self, store: DirectoryStore) -> None:
        """Read all of it; raises Unavailable."""
        organisations, mailboxes, certificates = await store.load()
        self.directory = Directory.build(organisations, mailboxes)
        self._take(Keyring(certificates))
        self._log.info("certificates", count=len(self.keyring))

    async def follow(self, store: DirectoryStore) -> None:
        """Keep up with the store until cancelled.

        No revocation is missed because the store was away for a moment: `listen` then has everything read again. Until
        it is, nobody gets anything: rights are asked of the same store.
        """

        async def changed(codes: set[str] | None) -> None:
            await (self.load(store) if codes is None else self._load_changed(store, codes))

        await store.listen(changed)

    async def _load_changed(self, store: DirectoryStore, codes: set[str]) -> None:
        organisations, mailboxes, certificates = await store.load_changed(codes)
        self.directory = self.directory.updated(organisations, mailboxes)
        self._take(self.keyring.updated(certificates))
        self._log.info("certificates changed", codes=sorted(codes)[:10], count=len(codes))

    def _take(self, keyring: Keyring) -> None:
        self.keyring = keyring
        found: defaultdict[str, list[Enrolment]] = defaultdict(list)
        for certificate in keyring.certificates():
            if certificate.role == "sealing":
                found[certificate.organisation].append(certificate)
        self._for_sealing = dict(found)
