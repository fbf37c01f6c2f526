"""Every combination of the four facts against a real broker and real workers: each ends as tests/four_facts.py says."""

import asyncio
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path

import aiormq
import pytest
from aiormq.abc import AbstractConnection
from aiormq.exceptions import ChannelAccessRefused, ChannelPreconditionFailed, ProbableAuthenticationError

from axis.core.ids import new_id
from axis.core.lanes import mailbox_queue, notices_queue
from axis.core.messages import Outgoing
from schemas.wire import ENVELOPE_MEDIA_TYPE, SIGNATURE_HEADER, STATUS_EXCHANGE, STATUS_MEDIA_TYPE, SUBMIT_EXCHANGE
from tests.builders import as_bytes, envelope_dict, status_dict
from tests.four_facts import (
    ACCOUNTS,
    CODES,
    KEY,
    KEY_AND_USER,
    LOGIN,
    USER,
    Combination,
    Kind,
    combinations,
    expected,
)
from tests.rig import DEADLINE_SECONDS, Process, Rig, envelope_id, now, publish, rig, until
from tests.services import Vhost

OTHER = "G22"
CHANNELS = 64  # of one connection, side by side
MEMBERS = {place: code for place, code in CODES.items() if place != "unknown"}


@pytest.mark.parametrize(("kind", "worker"), [("document", "router"), ("status", "tracker")])
async def test_every_combination_ends_as_the_table_says(
    vhost: Vhost, database: str, tmp_path: Path, kind: Kind, worker: str
) -> None:
    async with rig(vhost, database, tmp_path) as axis:
        await axis.connect([OTHER, *MEMBERS.values()])
        await axis.certify(CODES["same"], named="unknown", enrolled=False)
        about = await _document_of_all(axis)
        messages = {facts: _message(axis, kind, facts, about) for facts in combinations()}
        async with axis.worker(worker) as process:
            stopped = await _publish_all(axis, messages)
            await until(lambda: _all_counted(process, len(messages) - len(stopped)))
            ends = stopped | await _ends(axis, messages)
        wanted = {facts: expected(kind, facts) for facts in messages}
        wrong = {facts: (ends.get(facts), end) for facts, end in wanted.items() if not _agree(ends.get(facts), end)}
        assert wrong == {}


def _agree(end: str | None, wanted: str) -> bool:
    return end in {KEY, USER} if wanted == KEY_AND_USER else end == wanted


async def _all_counted(process: Process, count: int) -> bool:
    return await process.counted("axis_messages_total") == count


async def _document_of_all(axis: Rig) -> str:
    """Have all members receive a document, which statuses can then be about."""
    message = axis.submission(axis.envelope(OTHER, list(MEMBERS.values())))
    async with axis.worker("router"):
        await axis.send_as(OTHER, message)
        await axis.notices(OTHER, 1)
    return message.message_id


def _message(axis: Rig, kind: Kind, facts: Combination, about: str) -> Outgoing:
    """Build what a client with these facts sends; whatever is not about them is in order."""
    claim, identifier = CODES.get(facts.claim), new_id(now())
    key = CODES.get(facts.key, "")
    if kind == "document":
        content = envelope_dict(id=identifier, sender=claim, recipients=[OTHER], sent_at=now().isoformat())
        exchange, media_type, key = SUBMIT_EXCHANGE, ENVELOPE_MEDIA_TYPE, key and f"normal.{key}"
    else:
        content = status_dict(id=identifier, reporter=claim, envelope=about, code="03")
        exchange, media_type = STATUS_EXCHANGE, STATUS_MEDIA_TYPE
    body = as_bytes(content)
    signer = axis.keys.get("unknown" if facts.signer == "unknown" else CODES.get(facts.signer, ""))
    return Outgoing(
        exchange=exchange,
        routing_key=key,
        body=body,
        type=kind,
        content_type=media_type,
        message_id=identifier,
        headers={} if signer is None else {SIGNATURE_HEADER: signer.sign(body)},
        user_id=CODES.get(facts.user_id),
    )


async def _publish_all(axis: Rig, messages: Mapping[Combination, Outgoing]) -> dict[Combination, str]:
    """Publish every message under its account; return what the broker stopped, and how."""
    stopped: dict[Combination, str] = {}
    for account in ACCOUNTS:
        own = {facts: message for facts, message in messages.items() if facts.account == account}
        async with asyncio.timeout(DEADLINE_SECONDS):
            try:
                connection = await aiormq.connect(axis.url_of(CODES[account]))
            except ProbableAuthenticationError:  # aiormq's word for 403 while it logs in
                stopped |= dict.fromkeys(own, LOGIN)
                continue
            async with connection:
                waiting, numbers = iter(own.items()), count(1)
                lines = (_publish_some(connection, numbers, waiting, stopped) for _ in range(CHANNELS))
                await asyncio.gather(*lines)
    return stopped


async def _publish_some(
    connection: AbstractConnection,
    numbers: Iterator[int],
    waiting: Iterator[tuple[Combination, Outgoing]],
    stopped: dict[Combination, str],
) -> None:
    """Publish on one channel; the broker closes it with each message that it stops.

    No channel number is used twice: aiormq opens one anew before it has said that the old one is closed.
    """
    channel = None
    for facts, message in waiting:
        if channel is None:
            channel = await connection.channel(next(numbers), publisher_confirms=True)
        try:
            await publish(channel, message)
        except (ChannelAccessRefused, ChannelPreconditionFailed) as error:
            stopped[facts] = KEY if isinstance(error, ChannelAccessRefused) else USER
            channel = None


async def _ends(axis: Rig, messages: Mapping[Combination, Outgoing]) -> dict[Combination, str]:
    """Read in mailboxes, notices and quarantine what became of each message that the broker passed on."""
    ends: dict[str | None, str] = {}
    for code in MEMBERS.values():
        for receipt in await axis.receipts(code, await axis.waiting(notices_queue(code))):
            assert (receipt.account, receipt.outcome) in {(code, "accepted"), (code, "refused")}
            ends[receipt.message_id] = receipt.code or "accepted"
    for notice in await axis.notices(OTHER, await axis.waiting(notices_queue(OTHER))):
        assert notice.type == "status"
        ends[notice.message_id] = "recorded"
    for kept in await axis.store.quarantined(limit=len(messages)):
        assert ends.setdefault(kept.message_id, kept.reason) == kept.reason
    delivered = await axis.mail(OTHER, await axis.waiting(mailbox_queue("normal", OTHER)))
    assert sorted(map(envelope_id, delivered)) == sorted(
        identifier for identifier, end in ends.items() if end == "accepted" and identifier is not None
    )
    return {facts: ends[message.message_id] for facts, message in messages.items() if message.message_id in ends}
