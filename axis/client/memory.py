"""The ledger in memory."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice

from axis.client.ledger import Deferred, Entry, KeptNotice, KeptRecall, Suspicious, Taken
from axis.client.papers import Paper, Papers


class MemoryLedger:
    """A ledger that forgets with the process: for tests, and for applications that keep their own."""

    def __init__(self) -> None:
        self._taken: dict[str, Taken] = {}
        self._entries: dict[str, Entry] = {}
        self._keys: dict[str, list[str]] = {}  # id -> keys of the entries that carry it
        self._about: dict[str, list[str]] = {}  # envelope -> keys of the entries about it
        self._unconfirmed: dict[str, None] = {}  # keys, oldest first
        self._notices: dict[str, KeptNotice] = {}
        self._waiting: dict[str, None] = {}  # ids of notices that are not done, in their order
        self._receipts: dict[str, str] = {}  # message -> id of its last receipt
        self._suspicious: dict[str, Suspicious] = {}
        self._papers = Papers()
        self._recalls: dict[str, KeptRecall] = {}
        self._deferred: dict[str, Deferred] = {}
        self._number = 0

    async def write(
        self,
        *,
        taken: Sequence[Taken] = (),
        entries: Sequence[Entry] = (),
        notices: Sequence[KeptNotice] = (),
        suspicious: Sequence[Suspicious] = (),
        papers: Sequence[Paper] = (),
        recalls: Sequence[KeptRecall] = (),
        deferred: Sequence[Deferred] = (),
    ) -> list[Entry]:
        """See `Ledger`."""
        for each in taken:
            self._taken.setdefault(each.envelope_id, each)
        for entry in entries:
            if entry.key not in self._entries:
                self._keep(entry)
        for notice in notices:
            if notice.id not in self._notices:
                self._keep_notice(notice)
        for found in suspicious:
            self._suspicious.setdefault(found.sha256, found)
        self._papers.keep(papers)
        for recall in recalls:
            known = self._recalls.get(recall.envelope_id, recall)
            self._recalls[recall.envelope_id] = replace(known, withdrawn=known.withdrawn or recall.withdrawn)
        for each_deferred in deferred:
            self._deferred.setdefault(each_deferred.envelope_id, each_deferred)
        return [self._entries[entry.key] for entry in entries]

    async def confirm(self, entries: Sequence[Entry], at: dt.datetime) -> None:
        """See `Ledger`."""
        for published in entries:
            for key in self._keys.get(published.id, ()):
                if key in self._unconfirmed and self._entries[key].not_before == published.not_before:
                    del self._unconfirmed[key]
                    self._entries[key] = replace(self._entries[key], confirmed_at=at)

    async def postpone(self, entry_id: str, until: dt.datetime) -> bool:
        """See `Ledger`."""
        entry = await self.reopen(entry_id)
        if entry is not None:
            self._entries[entry.key] = replace(entry, not_before=until)
        return entry is not None

    async def next_due(self) -> dt.datetime | None:
        """See `Ledger`."""
        times = (self._entries[key].not_before for key in self._unconfirmed)
        return min((each for each in times if each is not None), default=None)

    async def entries(
        self,
        *,
        about: str | None = None,
        unconfirmed: bool = True,
        limit: int = 1000,
        due: dt.datetime | None = None,
    ) -> list[Entry]:
        """See `Ledger`."""
        keys: Iterable[str] = self._unconfirmed if unconfirmed else self._entries
        if about is not None:
            keys = [key for key in self._about.get(about, ()) if not unconfirmed or key in self._unconfirmed]
        found = (self._entries[key] for key in keys)
        return list(islice((each for each in found if due is None or each.is_due(due)), limit))

    async def entry(self, entry_id: str) -> Entry | None:
        """Return an entry, confirmed or not."""
        return next((self._entries[key] for key in self._keys.get(entry_id, ())), None)

    async def reopen(self, entry_id: str) -> Entry | None:
        """See `Ledger`."""
        for key in self._keys.get(entry_id, ()):
            self._entries[key] = replace(self._entries[key], confirmed_at=None, not_before=None)
            # Back in its place: the oldest is sent first.
            due = self._unconfirmed.keys() | {key}
            self._unconfirmed = dict.fromkeys(each for each in self._entries if each in due)
            return self._entries[key]
        return None

    async def taken(self, envelope_id: str) -> Taken | None:
        """See `Ledger`."""
        return self._taken.get(envelope_id)

    async def papers(
        self, *, document_id: str | None = None, envelope_id: str | None = None, concerns: str | None = None
    ) -> list[Paper]:
        """See `Ledger`."""
        return self._papers.find(document_id=document_id, envelope_id=envelope_id, concerns=concerns)

    async def forget(self, envelope_id: str) -> None:
        """See `Ledger`."""
        self._papers.forget(envelope_id)
        self._suspicious = {key: each for key, each in self._suspicious.items() if each.message_id != envelope_id}

    async def unblock(self, envelope_id: str | None, *, confirmed_before: dt.datetime | None = None) -> None:
        """See `Ledger`."""
        for key, entry in self._entries.items():
            if entry.waits_for is None or entry.confirmed_at is not None:
                continue
            first = await self.entry(entry.waits_for)
            sent = None if first is None else first.confirmed_at
            late = confirmed_before is not None and sent is not None and sent < confirmed_before
            if late or entry.waits_for == envelope_id:
                self._entries[key] = replace(entry, waits_for=None)

    async def give_up(self, envelope_id: str, at: dt.datetime) -> None:
        """See `Ledger`."""
        for key, entry in self._entries.items():
            if entry.waits_for == envelope_id and key in self._unconfirmed:
                del self._unconfirmed[key]
                self._entries[key] = replace(entry, confirmed_at=at)

    async def recalls(self, concerns: str) -> list[KeptRecall]:
        """See `Ledger`."""
        return [each for each in self._recalls.values() if each.concerns == concerns]

    async def open_recalls(self) -> list[KeptRecall]:
        """See `Ledger`."""
        return sorted((each for each in self._recalls.values() if not each.done), key=lambda each: not each.withdrawn)

    async def hand_out(self, envelope_id: str, at: dt.datetime, until: dt.datetime) -> bool:  # noqa: ARG002 - the seam's
        """See `Ledger`; there is no other process."""
        return not self._recalls[envelope_id].done

    async def finish_recall(self, envelope_id: str) -> None:
        """See `Ledger`."""
        self._recalls[envelope_id] = replace(self._recalls[envelope_id], done=True)

    async def deferred(self, envelope_id: str | None = None) -> list[Deferred]:
        """See `Ledger`."""
        return [each for each in self._deferred.values() if envelope_id in {None, each.envelope_id}]

    async def finish_deferred(self, envelope_id: str) -> None:
        """See `Ledger`."""
        self._deferred.pop(envelope_id, None)

    async def next_notice(self, after: int) -> KeptNotice | None:
        """See `Ledger`."""
        return next((n for n in map(self._notices.__getitem__, self._waiting) if n.number > after), None)

    async def finish_notice(self, notice_id: str) -> None:
        """See `Ledger`."""
        self._waiting.pop(notice_id, None)
        self._notices[notice_id] = replace(self._notices[notice_id], done=True)

    async def receipt_for(self, message_id: str) -> KeptNotice | None:
        """See `Ledger`."""
        found = self._receipts.get(message_id)
        return None if found is None else self._notices[found]

    async def suspicious(self) -> list[Suspicious]:
        """See `Ledger`."""
        return list(self._suspicious.values())

    async def prune(self, before: str) -> None:
        """See `Ledger`."""
        entries, notices = list(self._entries.values()), list(self._notices.values())
        self._entries, self._keys, self._about, self._unconfirmed = {}, {}, {}, {}
        self._notices, self._waiting, self._receipts = {}, {}, {}
        for entry in entries:
            if entry.confirmed_at is None or entry.id >= before or entry.about in self._recalls:
                self._keep(entry)
        for notice in notices:
            if not notice.done or notice.id >= before:
                self._remember(notice)

    async def close(self) -> None:
        """See `Ledger`."""

    def _keep(self, entry: Entry) -> None:
        self._entries[entry.key] = entry
        self._keys.setdefault(entry.id, []).append(entry.key)
        self._about.setdefault(entry.about, []).append(entry.key)
        if entry.confirmed_at is None:
            self._unconfirmed[entry.key] = None

    def _keep_notice(self, notice: KeptNotice) -> None:
        self._number += 1
        self._remember(replace(notice, number=self._number))

    def _remember(self, notice: KeptNotice) -> None:
        self._notices[notice.id] = notice
        if not notice.done:
            self._waiting[notice.id] = None
        if notice.kind == "receipt" and notice.about is not None:
            self._receipts[notice.about] = notice.id
