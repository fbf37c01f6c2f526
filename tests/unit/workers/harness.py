"""Workers on a store and a broker in memory, at a fixed time."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import structlog
from structlog.testing import LogCapture

from axis.broker import FakeBroker, Publisher
from axis.core.admission import IdWindow
from axis.core.decisions import Desk
from axis.core.ids import new_id
from axis.core.lanes import lane_of, mailbox_queue, notices_queue, submit_key
from axis.core.messages import Submission
from axis.core.records import QuarantineRow
from axis.core.topology import WorkerUser, desired
from axis.store import FakeStore
from schemas import Priority, Receipt
from schemas.wire import SIGNATURE_HEADER
from tests.builders import (
    NOW,
    PASSWORD_HASH,
    document_submission,
    envelope_dict,
    mailbox,
    organisation,
    status_dict,
    status_submission,
)
from tests.unit.store.rows import quarantine_row
from tests.unit.trust.certified import certified
from workers.metrics import Metrics
from workers.post import Post
from workers.relay import Relay
from workers.router import Router
from workers.runtime import Finish
from workers.tracker import Tracker
from workers.view import View

MINUTE = dt.timedelta(minutes=1)
LIMIT = 10


class WholeRouter(Router):
    """A router that finishes a batch at once."""

    async def handle(self, batch: Sequence[Submission], source: str) -> Finish:
        finish = await super().handle(batch, source)
        await finish()
        return finish


class WholeTracker(Tracker):
    """A tracker that finishes a batch at once."""

    async def handle(self, batch: Sequence[Submission], source: str) -> Finish:
        finish = await super().handle(batch, source)
        await finish()
        return finish


class WholeRelay(Relay):
    """A relay that finishes a batch at once."""

    async def drain_quarantine(self, batch: Sequence[Submission], source: str) -> Finish:
        finish = await super().drain_quarantine(batch, source)
        await finish()
        return finish


@dataclass(slots=True)
class Axis:
    """Everything a worker needs; make it with `axis_of`."""

    store: FakeStore
    broker: FakeBroker
    view: View
    capture: LogCapture
    log: Any
    metrics: Metrics
    time: list[dt.datetime]
    window: IdWindow = field(default_factory=lambda: IdWindow(dt.timedelta(days=31), dt.timedelta(hours=1)))

    def now(self) -> dt.datetime:
        return self.time[-1]

    @property
    def publisher(self) -> Publisher:
        return cast("Publisher", self.broker.publisher())

    @property
    def _shared(self) -> dict[str, Any]:
        key, _, _ = certified("ed25519", "W00")
        desk = Desk(now=self.now, sign=key.sign, has_mailbox=self.view.has_mailbox)
        return {
            "store": self.store,
            "post": self.post(),
            "view": self.view,
            "desk": desk,
            "log": self.log,
            "metrics": self.metrics,
        }

    def post(self) -> Post:
        return Post(store=self.store, publisher=self.publisher, view=self.view, log=self.log, metrics=self.metrics)

    def router(self) -> Router:
        return WholeRouter(**self._shared, window=self.window)

    def tracker(self) -> Tracker:
        return WholeTracker(**self._shared, window=self.window)

    def relay(self) -> Relay:
        return WholeRelay(**self._shared, older_than=MINUTE, now=self.now)

    def pass_time(self) -> None:
        """Make everything that waits wait long enough for the relay."""
        self.time.append(self.now() + 2 * MINUTE)

    def events(self, event: str) -> list[Any]:
        return [entry for entry in self.capture.entries if entry["event"] == event]

    def mail(self, code: str) -> list[str | None]:
        return [each.message_id for each in self.broker.messages(mailbox_queue("normal", code))]

    def receipts(self, code: str) -> list[Receipt]:
        waiting = self.broker.messages(notices_queue(code))
        return [Receipt.model_validate_json(each.body) for each in waiting if each.type == "receipt"]


async def axis_of(codes: Iterable[str], *, without_queues: Iterable[str] = ()) -> Axis:
    """Make an axis of organisations with mailboxes."""
    codes, bare = list(codes), list(without_queues)
    time = [NOW]
    store = FakeStore(lambda: time[-1])
    boxes = [mailbox(code) for code in codes]
    await store.directory.put_organisations([organisation(code) for code in (*codes, *bare)])
    for box in (*boxes, *(mailbox(code) for code in bare)):
        await store.directory.put_mailbox(box)
    for code in codes[:2]:
        await store.directory.put_certificate(certified("ed25519", code)[1])
    broker = FakeBroker(desired(boxes, worker_user=WorkerUser("axis-worker", PASSWORD_HASH), at=NOW))
    capture = LogCapture()
    log = structlog.wrap_logger(
        structlog.testing.ReturnLogger(), processors=[capture], wrapper_class=structlog.make_filtering_bound_logger(0)
    )
    view = View(store, log, LIMIT)
    await view.load()
    return Axis(store, broker, view, capture, log, Metrics("test"), time)


def document(sender: str = "G22", **changes: Any) -> Submission:
    """Build a signed submission of a valid envelope."""
    body = envelope_dict(sender=sender, **changes)
    key = submit_key(lane_of(Priority(body["document"].get("priority", "normal"))), sender)
    unsigned = document_submission(body, routing_key=key)
    return _signed(unsigned, sender)


def set_aside(**changes: Any) -> QuarantineRow:
    """Build what is in quarantine of a good document that a fault of ours kept back."""
    came = document(id=new_id(NOW), recipients=["H37", "H99"])
    given: dict[str, Any] = {
        "reason": "message/poison",
        "detail": "ZeroDivisionError while the message was processed",
        "message_id": came.message_id,
        "body": came.body,
        "headers": came.headers,
        "properties": {"routing_key": came.routing_key, "type": came.type, "content_type": came.content_type},
    }
    return quarantine_row(**{**given, **changes})


def status(envelope: str, code: str = "03", *, reporter: str = "H37", **changes: Any) -> Submission:
    """Build a signed submission of a valid status."""
    return _signed(status_submission(status_dict(reporter=reporter, envelope=envelope, code=code, **changes)), reporter)


def _signed(submission: Submission, signer: str) -> Submission:
    key, _, _ = certified("ed25519", signer)
    return replace(submission, headers={SIGNATURE_HEADER: key.sign(submission.body)})
