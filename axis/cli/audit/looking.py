"""Looking at both sides, and making the plan of what was found."""

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from axis.broker import Link, ManagementApi, Publisher, peek
from axis.cli.accounts import management
from axis.client.certificates import pinned
from axis.client.settings import CERTIFICATE
from axis.core.adopting import Gap, StatusAdoption, StrayReceipt, adopt_envelope, adopt_receipt, adopt_status
from axis.core.audit import (
    Plan,
    Side,
    Window,
    at_risk,
    lost_copies,
    lost_notices,
    orphans,
    refused_gap,
    traces,
)
from axis.core.decisions import Desk
from axis.core.directory import Directory
from axis.core.lanes import LANES, mailbox_queue, notices_queue
from axis.core.messages import Signer
from axis.core.sightings import WORKED_QUEUES, Known, Sightings, envelope_ids, is_looked_at, notice_ids
from axis.errors import Misconfigured, Refused, Unavailable
from axis.settings import Settings
from axis.store import Store
from axis.trust import Keyring, SigningKey
from schemas.wire import QUARANTINE_QUEUE

Progress = Callable[[str], None]

_EVER = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)  # before any envelope was made
_LOOKS = 120
_LOOK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Sides:
    """Store and broker, opened; and what proves things."""

    settings: Settings
    store: Store
    link: Link
    publisher: Publisher
    api: ManagementApi
    directory: Directory
    desk: Desk
    agencies: Keyring
    axis: Keyring

    def verify(self, body: bytes, signature: str, at: dt.datetime) -> Signer:
        """Prove whose words an envelope or status is."""
        return self.agencies.verify(body, signature, at)

    def verify_axis(self, body: bytes, signature: str, at: dt.datetime) -> Signer:
        """Prove that a receipt is ours."""
        return self.axis.verify(body, signature, at)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the operator said: from when on marks may be of lost things, until when, and what was restored."""

    since: dt.datetime | None
    until: dt.datetime | None
    restored: Side | None


@dataclass(frozen=True, slots=True)
class Looked:
    """The plan, and what it was made of."""

    plan: Plan
    window: Window
    newest: dt.datetime | None
    queues: int
    messages: int
    working: tuple[str, ...]  # queues that workers consume from: they change both sides while we look


@contextlib.asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Sides]:
    """Open both sides for a block."""
    certificate = settings.axis_key / CERTIFICATE
    if not certificate.is_file():
        raise Misconfigured(f"{certificate} is not there: receipts are proved with the axis's own certificate")
    key = SigningKey.load(settings.axis_key, settings.key)
    async with (
        Store.connect(settings.database_url.get_secret_value(), name="axis audit") as store,
        Link(settings.amqp_url.get_secret_value(), "axis audit") as link,
        Link(settings.amqp_url.get_secret_value(), "axis audit publishing") as publishing,
        management(settings) as api,
    ):
        organisations, mailboxes, certificates = await store.directory.load()
        directory = Directory.build(organisations, mailboxes)
        yield Sides(
            settings=settings,
            store=store,
            link=link,
            publisher=Publisher(publishing),
            api=api,
            directory=directory,
            desk=Desk(now=lambda: dt.datetime.now(dt.UTC), sign=key.sign, has_mailbox=directory.has_mailbox),
            agencies=Keyring(certificates),
            axis=Keyring([*pinned(certificate.read_bytes()), *(each for each in certificates if each.role == "axis")]),
        )


async def look_into(sides: Sides, mailbox: str, notices_since: dt.datetime | None, progress: Progress) -> Looked:
    """Look into the queues of one mailbox, and ask the store what has to be in them.

    What was marked until now and is not there counts as lost, notices from `notices_since` on only: nobody answers a
    notice, so all that were ever taken look the same as lost ones. Workers may run: what they commit meanwhile is
    marked later, and what they publish they have committed.
    """
    now = await sides.store.comparing.now()
    newest = await sides.store.comparing.newest()
    names = frozenset(await sides.api.queue_depths())
    seen = Sightings(queues=names)
    wanted = sorted(names.intersection(queues_of(mailbox)))
    for queue in wanted:
        progress(f"looking into {queue}")
        await _note(sides, queue, seen)
    plan = Plan(gaps=list(seen.gaps))
    await _adopt(sides, seen, plan)
    await _Losses(sides, Window(_EVER, now), _EVER, progress, mailbox).copies(seen, plan)
    if notices_since is not None:
        await _Losses(sides, Window(notices_since, now), _EVER, progress, mailbox).notices(seen, plan)
    return Looked(plan, Window(_EVER, now), newest, len(wanted), seen.messages, ())


async def look(sides: Sides, asked: Asked, progress: Progress) -> Looked:
    """Look into every queue, ask the store about what is there, then the other way round."""
    window = await _window(sides, asked)
    newest = await sides.store.comparing.newest()
    names = frozenset(await sides.api.queue_depths())
    states = await sides.link.queue_states([*WORKED_QUEUES, QUARANTINE_QUEUE])
    working = tuple(sorted(name for name, state in states.items() if state is not None and state.consumers))
    seen = Sightings(queues=names)
    wanted = sorted(filter(is_looked_at, names))
    for number, queue in enumerate(wanted, 1):
        await _note(sides, queue, seen)
        progress(f"queue {number} of {len(wanted)}: {queue}; {seen.messages} messages so far")
    plan = Plan(gaps=list(seen.gaps))
    await _adopt(sides, seen, plan)
    at_risk(seen, plan, newest=newest, window=window, restored=asked.restored)
    if asked.restored is not Side.DATABASE:  # the broker went on: what it confirmed it still has, or somebody took it
        made_since = window.since - dt.timedelta(days=sides.settings.id_past_days)
        losses = _Losses(sides, window, made_since, progress)
        await losses.copies(seen, plan)
        await losses.notices(seen, plan)
    return Looked(plan, window, newest, len(wanted), seen.messages, working)


@dataclass(frozen=True, slots=True)
class _Losses:
    """Where to look for what the store calls delivered and no queue has; `mailbox`: of this one alone."""

    sides: Sides
    window: Window
    made_since: dt.datetime
    progress: Progress
    mailbox: str | None = None

    async def copies(self, seen: Sightings, plan: Plan) -> None:
        """Plan the documents to put again."""
        comparing, window = self.sides.store.comparing, self.window
        pages = comparing.unanswered(window.since, window.until, made_since=self.made_since)
        async with contextlib.aclosing(pages) as copies:
            async for page in copies:
                lost_copies((each for each in page if self.mailbox in {None, each.mailbox}), seen, plan)
                self.progress(f"{len(plan.copies)} documents to put again so far")

    async def notices(self, seen: Sightings, plan: Plan) -> None:
        """Plan the notices to put again."""
        comparing, window = self.sides.store.comparing, self.window
        pages = comparing.told(window.since, window.until, made_since=self.made_since)
        async with contextlib.aclosing(pages) as notices:
            async for page in notices:
                lost_notices((each for each in page if self.mailbox in {None, each.mailbox}), seen, plan)
                self.progress(f"{len(plan.notices)} notices to put again so far")


async def _window(sides: Sides, asked: Asked) -> Window:
    """Take the store's clock for all times: marks were made by it."""
    until = asked.until or await _started(sides)
    return Window(asked.since or until - dt.timedelta(days=sides.settings.id_past_days), until)


async def _started(sides: Sides) -> dt.datetime:
    """Tell when the broker was started; a node that has just been says so after some seconds."""
    for _ in range(_LOOKS):
        if (running := await sides.api.running()) is not None:
            return await sides.store.comparing.now() - running
        await asyncio.sleep(_LOOK_SECONDS)
    raise Unavailable("the broker does not tell since when it runs: say when it came back (--until)")


async def _note(sides: Sides, queue: str, seen: Sightings) -> None:
    comparing = sides.store.comparing
    async with contextlib.aclosing(peek(sides.link, queue)) as batches:
        async for batch in batches:
            known = Known(
                await comparing.known_envelopes(envelope_ids(queue, batch)),
                await comparing.known_notices(notice_ids(queue, batch)),
            )
            seen.note(queue, batch, known)


async def _adopt(sides: Sides, seen: Sightings, plan: Plan) -> None:
    for identifier, stray in sorted(seen.envelopes.items()):
        receipt = seen.receipts_about.get(identifier)
        try:
            adoption = adopt_envelope(
                stray,
                receipt=receipt if receipt is not None and _is_proved(sides, receipt) else None,
                account=seen.submitted.get(identifier),
                directory=sides.directory,
                ready=seen.has_queues,
                verify=sides.verify,
                desk=sides.desk,
            )
            plan.envelopes.append(adoption)
        except Refused as error:
            plan.gaps.append(refused_gap(error, identifier, ", ".join(sorted(stray.copies))))
    plan.statuses.extend(_proved_statuses(sides, seen, plan))
    ids = set(seen.receipts_about) | {status.status.envelope for status in plan.statuses}
    known = set(await sides.store.comparing.known_envelopes(ids))
    traces(seen, known, plan)
    orphans(seen, known, plan)
    missing = {gap.id for gap in plan.gaps}
    for receipt in seen.receipts:
        # The receipt of a missing envelope stays unknown, so that the next look finds the trace again.
        if receipt.receipt.message_id not in missing:
            _adopt_receipt(sides, receipt, plan)


def _proved_statuses(sides: Sides, seen: Sightings, plan: Plan) -> list[StatusAdoption]:
    proved: list[StatusAdoption] = []
    for identifier, stray in sorted(seen.statuses.items()):
        try:
            proved.append(adopt_status(stray, directory=sides.directory, verify=sides.verify))
        except Refused as error:
            plan.gaps.append(refused_gap(error, identifier, stray.mailbox))
    return proved


def _is_proved(sides: Sides, stray: StrayReceipt) -> bool:
    try:
        adopt_receipt(stray, verify=sides.verify_axis)
    except Refused:
        return False  # it is named when the receipts are gone through
    return True


def _adopt_receipt(sides: Sides, stray: StrayReceipt, plan: Plan) -> None:
    try:
        plan.receipts.append(adopt_receipt(stray, verify=sides.verify_axis))
    except Refused as error:
        plan.gaps.append(refused_gap(error, stray.receipt.id, stray.mailbox))


def queues_of(mailbox: str) -> tuple[str, ...]:
    """Name the queues of a mailbox."""
    return (*(mailbox_queue(lane, mailbox) for lane in LANES), notices_queue(mailbox))


def unique(gaps: list[Gap]) -> list[Gap]:
    """Leave each gap once, in the order they came."""
    return list(dict.fromkeys(gaps))
