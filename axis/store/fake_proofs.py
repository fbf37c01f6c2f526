"""Revocation evidence in memory."""

import datetime as dt
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager

from axis.core.evidence import Answer, Evidence, Proof
from axis.core.ids import time_of
from axis.store.fake_directory import FakeDirectory
from axis.store.fake_memory import Memory
from axis.store.proving import ProofStore, Signed, Stamp


class FakeProofs(ProofStore):
    """Evidence, and the certificates of a fake directory that rely on it."""

    def __init__(
        self,
        alone: Callable[[], AbstractAsyncContextManager[Memory]],
        directory: FakeDirectory,
        now: Callable[[], dt.datetime],
    ) -> None:
        self._alone = alone
        self._directory = directory
        self._now = now
        self._evidence: list[Evidence] = []
        self._answers: dict[str, Answer] = {}
        self._warned: dict[str, dict[int, dt.datetime]] = {}

    async def newest(self, sources: Collection[str]) -> dict[str, Stamp]:
        """Return how new the newest answer of each source is."""
        async with self._alone():
            found: dict[str, Stamp] = {}
            for answer in sorted(self._answers.values(), key=lambda each: (each.this_update, each.number or -1)):
                if answer.source in sources:
                    found[answer.source] = Stamp(answer.this_update, answer.number)
            return found

    async def keep(self, evidence: Evidence, trusted_until: dt.datetime) -> None:
        """Store evidence and rely on it."""
        async with self._alone():
            for answer in evidence.answers:
                self._answers.setdefault(answer.sha256, answer)
            known = next((number for number, each in enumerate(self._evidence) if _same(each, evidence)), None)
            if known is None:
                known = len(self._evidence)
                self._evidence.append(evidence)
            self._directory.change(evidence.thumbprint, evidence=known + 1, trusted_until=trusted_until)

    async def trust(self, thumbprint: str, until: dt.datetime | None) -> None:
        """Have a certificate rely until then on what it has; None: as long as it lasts."""
        async with self._alone():
            self._directory.change(thumbprint, trusted_until=until)

    async def proofs(self, ids: Collection[int]) -> dict[int, Proof]:
        """Return evidence by id."""
        async with self._alone():
            return {number: proof for number in ids if (proof := self.proof(number)) is not None}

    async def answers(self, evidence: int) -> list[Answer]:
        """Return the answers that make up evidence."""
        async with self._alone():
            known = self._evidence[evidence - 1].answers if 0 < evidence <= len(self._evidence) else ()
            return sorted({each.sha256: each for each in known}.values(), key=lambda each: each.source)

    async def warned(self) -> dict[str, dict[int, dt.datetime]]:
        """Return what was warned of."""
        async with self._alone():
            return {thumbprint: dict(days) for thumbprint, days in self._warned.items()}

    async def warn(self, thumbprint: str, days: int) -> bool:
        """Note a warning; say whether it is the first."""
        async with self._alone():
            known = self._warned.setdefault(thumbprint, {})
            first = days not in known
            known.setdefault(days, self._now())
            return first

    async def signed(
        self, thumbprint: str, *, made_since: dt.datetime, page: int = 5000
    ) -> AsyncGenerator[Sequence[Signed], None]:
        """Yield what was taken under a certificate."""
        async with self._alone() as memory:
            envelopes = [
                Signed(
                    "envelope", row.id, row.accepted_at, row.sender, row.account, row.document_id, self.of(row.evidence)
                )
                for _, each in sorted(memory.envelopes.items())
                if (row := each.row).thumbprint == thumbprint and time_of(row.id) >= made_since
            ]
            statuses = [
                Signed(
                    "status", row.id, row.received_at, row.reporter, row.account, row.envelope_id, self.of(row.evidence)
                )
                for _, row in sorted(memory.statuses.items())
                if row.thumbprint == thumbprint and time_of(row.id) >= made_since
            ]
        for found in (envelopes, statuses):
            for start in range(0, len(found), page):
                yield found[start : start + page]

    def of(self, evidence: int | None) -> Proof | None:
        """Return evidence that something names."""
        return None if evidence is None else self.proof(evidence)

    def proof(self, number: int) -> Proof | None:
        """Return evidence by its number, from 1."""
        if not 0 < number <= len(self._evidence):
            return None
        found = self._evidence[number - 1]
        return Proof(number, found.as_of, found.good_until)


def _same(one: Evidence, other: Evidence) -> bool:
    digests = [{answer.sha256 for answer in each.answers} for each in (one, other)]
    return one.thumbprint == other.thumbprint and digests[0] == digests[1]
