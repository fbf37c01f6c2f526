"""The auditor's looks and findings in PostgreSQL."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from axis.core.watching import HELD_COUNTED, Cause, Copies, Finding, HeldQueue, MailboxWatch, Unmarked
from axis.store import hostile, rows
from axis.store.pool import Pool
from axis.store.queries import load
from axis.store.watch_seam import WatchStore

_SQL = load("watching")
_COPIES = _SQL["copies"].replace("{unanswered}", load("comparing")["unanswered"])


class PostgresWatches(WatchStore):
    """Looks and findings in tables of their own."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def watches(self, mailboxes: Collection[str] | None = None) -> tuple[MailboxWatch, ...]:
        """Return the queues as last seen."""
        wanted = None if mailboxes is None else sorted(mailboxes)
        async with self._pool.link("read the looks at queues") as link:
            return tuple(MailboxWatch(**record) for record in await link.fetch(_SQL["watches"], wanted))

    async def seen(self, changed: Sequence[MailboxWatch], gone: Collection[str], at: dt.datetime) -> None:
        """Note a look at all queues."""
        values = [
            (
                hostile.text(each.queue, hostile.MAX_TEXT),
                None if each.mailbox is None else hostile.text(each.mailbox, hostile.MAX_TEXT),
                each.ready,
                each.unacked,
                each.consumers,
                each.no_consumer_since,
                each.oldest_at,
                each.still_since,
                each.moved_at,
                each.taken,
            )
            for each in sorted(changed, key=lambda each: each.queue)
        ]
        async with self._pool.link("note a look at the queues") as link, link.transaction():
            await link.execute(_SQL["look"], at)
            if values:
                await link.execute(_SQL["change"], *rows.columns(values, 10))
            if gone:
                await link.execute(_SQL["gone"], sorted(gone))

    async def mailboxes(self, at: dt.datetime) -> list[str]:
        """Return the mailboxes in force."""
        async with self._pool.link("list the mailboxes") as link:
            return [record["code"] for record in await link.fetch(_SQL["mailboxes"], at)]

    async def held(self, before: dt.datetime) -> list[HeldQueue]:
        """Return what has been held for long, by queue."""
        async with self._pool.link("find what is held") as link:
            return [HeldQueue(**record) for record in await link.fetch(_SQL["held"], before, HELD_COUNTED)]

    async def unmarked(self, before: dt.datetime) -> Unmarked:
        """Count what is not confirmed."""
        async with self._pool.link("count what is unmarked") as link:
            return Unmarked(**await link.fetchrow(_SQL["unmarked"], before, HELD_COUNTED))

    async def hasten(self, before: dt.datetime, limit: int) -> int:
        """Let the relay take up at once what waits for it."""
        async with self._pool.link("hasten what is unmarked") as link, link.transaction():
            envelopes = await link.fetch(_SQL["hasten_envelopes"], before, limit)
            return len(envelopes) + len(await link.fetch(_SQL["hasten_notices"], before, limit))

    async def copies(
        self, after: str | None, until: dt.datetime, old: dt.datetime, page: int = 1000
    ) -> tuple[str | None, Mapping[str, Copies]]:
        """Count the unanswered copies of the next envelopes."""
        async with self._pool.link("count what is unanswered") as link:
            ids = [str(record["id"]) for record in await link.fetch(_SQL["page"], after, page)]
            if not ids:
                return None, {}
            ever = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
            found = await link.fetch(_COPIES, ids, *rows.span(ids), ever, until, old)
        copies = {
            each["queue"]: Copies(each["count"], each["old"], each["oldest_at"], str(each["oldest_id"]))
            for each in found
        }
        return ids[-1], copies

    async def report(self, found: Sequence[Finding], at: dt.datetime) -> tuple[list[Finding], list[Finding]]:
        """Note all that is wrong now."""
        by_place = {(each.cause.value, each.subject): each for each in found}
        values = [
            (*place, each.mailbox, each.since, each.count, each.about) for place, each in sorted(by_place.items())
        ]
        async with self._pool.link("note findings") as link, link.transaction():
            records = await link.fetch(_SQL["report"], *rows.columns(values, 6), at) if values else []
            healed = await link.fetch(_SQL["healed_by_themselves"], *rows.columns(sorted(by_place), 2), at)
        new = [by_place[record["cause"], record["subject"]] for record in records if record["new"]]
        return new, list(map(_finding, healed))

    async def heal(self, findings: Sequence[Finding], at: dt.datetime) -> None:
        """Note what the auditor healed."""
        places = sorted((each.cause.value, each.subject) for each in findings)
        async with self._pool.link("note what was healed") as link:
            await link.execute(_SQL["heal"], *rows.columns(places, 2), at)

    async def findings(self, *, open: bool = True, limit: int = 100) -> tuple[Finding, ...]:  # noqa: A002
        """List findings."""
        async with self._pool.link("list findings") as link:
            records = await link.fetch(_SQL["open_findings" if open else "healed_findings"], limit)
        return tuple(map(_finding, records))


def _finding(record: Any) -> Finding:
    about = record["about"]
    return Finding(**{**record, "cause": Cause(record["cause"]), "about": None if about is None else str(about)})
