"""Asking about certificates, and judging what comes back; nothing is written here."""

import asyncio
import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from axis.evidence.fetching import Fetch, NotFetched
from axis.store import Stamp
from axis.trust.chains import Authorities, Chain
from axis.trust.revocation import Judged, Question, judge, questions

_AT_ONCE = 8


@dataclass(slots=True)
class Prover:
    """Asks each source once and remembers what it said; make a new one for each look at the world.

    `failures` says, by source, why it gave nothing.
    """

    fetch: Fetch
    authorities: Authorities
    received: dict[str, bytes] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    async def ask(self, chains: Iterable[Chain]) -> None:
        """Ask whomever the chains name, those not asked before."""
        wanted = {
            question.source: question
            for chain in chains
            for asked in questions(chain)
            for question in asked
            if question.source not in self.received and question.source not in self.failures
        }
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(question: Question) -> None:
            async with room:
                try:
                    self.received[question.source] = await self.fetch(question.url, question.body)
                except NotFetched as error:
                    self.failures[question.source] = error.detail

        async with asyncio.TaskGroup() as group:
            for question in wanted.values():
                group.create_task(one(question))

    def sources(self) -> list[str]:
        """Name the sources that said something."""
        return sorted(self.received)

    async def judge(self, chain: Chain, newest: Mapping[str, Stamp], at: dt.datetime) -> Judged:
        """Judge what was said about a chain; raises as `axis.trust.revocation.judge`."""
        # In a thread: the library reads a list as a whole each time, and this loop has documents to publish meanwhile.
        return await asyncio.to_thread(asyncio.run, judge(chain, self.authorities, self.received, newest, at))

    def told(self, chain: Chain) -> str:
        """Say why those asked about a chain gave nothing."""
        sources = [question.source for asked in questions(chain) for question in asked]
        return "; ".join(self.failures[source] for source in sources if source in self.failures)
