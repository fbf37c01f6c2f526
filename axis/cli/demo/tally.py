"""What became of every document for every recipient, counted from what the agencies' own clients saw.

The axis is not asked: a row is filled by the receipt the sender got, by the document in the recipient's hands and by
the statuses that came back to the sender.
"""

import datetime as dt
from dataclasses import dataclass, field

from schemas import Receipt, RecipientOutcome, StatusCode

# What each recipient of the story reports, one after the other; the sender has to see all of them.
_WHOLE_WAY = {StatusCode.ARRIVED, StatusCode.ACCEPTED, StatusCode.PROCESSING, StatusCode.FINISHED}


@dataclass(slots=True)
class Row:
    """One document for one recipient."""

    document: str
    envelope: str
    recipient: str
    sent_at: dt.datetime
    resolved: str = ""
    mailbox: str | None = None
    receipt: RecipientOutcome | None = None
    reason: str | None = None
    received_at: dt.datetime | None = None
    statuses: list[StatusCode] = field(default_factory=list)
    last_at: dt.datetime | None = None

    @property
    def state(self) -> str:
        """The state in a word: where the document is for this recipient."""
        if self.receipt is RecipientOutcome.REFUSED:
            return "refused by the axis"
        if self.receipt is None:
            return "no receipt"
        return "received" if self.received_at else self.receipt.value

    @property
    def last_status(self) -> StatusCode | None:
        """The status with the highest code that the sender saw; the nine codes rise as work goes on."""
        return max(self.statuses, default=None)

    @property
    def refused(self) -> bool:
        """Whether it ended as a refusal, of the axis or of the recipient, that the sender knows of."""
        return self.receipt is RecipientOutcome.REFUSED or StatusCode.REFUSED in self.statuses

    @property
    def acknowledged(self) -> bool:
        """Whether the recipient has it and the sender saw every status on the way to 06."""
        return self.received_at is not None and _WHOLE_WAY.issubset(self.statuses)

    @property
    def done(self) -> bool:
        """Whether nothing more can come for this row."""
        return self.receipt is not None and (self.refused or self.acknowledged)


@dataclass(frozen=True, slots=True)
class Counts:
    """The last line. sent = acknowledged + refused + lost, counted by document and recipient."""

    sent: int
    delivered: int
    acknowledged: int
    refused: int
    lost: int

    def __str__(self) -> str:
        return (
            f"demo: sent={self.sent} delivered={self.delivered} acknowledged={self.acknowledged} "
            f"refused={self.refused} lost={self.lost}"
        )


class Tally:
    """The rows of one run; what belongs to other runs is not counted."""

    def __init__(self) -> None:
        self._rows: dict[tuple[str, str], Row] = {}

    def sent(self, document: str, envelope: str, recipients: tuple[str, ...], at: dt.datetime) -> None:
        """Note that a document was sent to these recipients."""
        for recipient in recipients:
            self._rows[envelope, recipient] = Row(document, envelope, recipient, at)

    def receipt(self, receipt: Receipt) -> None:
        """Note what the axis said it did; a refusal of the whole message stands for every recipient."""
        if receipt.code is not None:
            for refused in self._of(receipt.message_id):
                refused.receipt, refused.reason = RecipientOutcome.REFUSED, receipt.code
        for told in receipt.recipients:
            row = self._rows.get((receipt.message_id or "", told.recipient))
            if row is not None:
                row.receipt, row.reason, row.mailbox = told.outcome, told.code, told.mailbox
                row.resolved = "; ".join(told.via) or ("itself" if told.mailbox else told.detail or "")

    def received(self, envelope: str, recipients: tuple[str, ...], at: dt.datetime) -> None:
        """Note that the document is in the hands of the recipients' client."""
        for recipient in recipients:
            if row := self._rows.get((envelope, recipient)):
                row.received_at = at

    def status(self, envelope: str, recipient: str, code: StatusCode, at: dt.datetime) -> None:
        """Note a status as the sender saw it; repeats and late ones change nothing."""
        row = self._rows.get((envelope, recipient))
        if row is not None and code not in row.statuses:
            row.statuses.append(code)
            row.last_at = at

    @property
    def rows(self) -> list[Row]:
        """All rows, in the order they were sent."""
        return list(self._rows.values())

    @property
    def done(self) -> bool:
        """Whether every row has come to its end."""
        return bool(self._rows) and all(row.done for row in self._rows.values())

    @property
    def counts(self) -> Counts:
        """Count the rows; what is neither acknowledged nor refused counts as lost."""
        rows = self.rows
        acknowledged = sum(row.acknowledged for row in rows)
        refused = sum(row.refused for row in rows)
        return Counts(
            sent=len(rows),
            delivered=sum(row.received_at is not None for row in rows),
            acknowledged=acknowledged,
            refused=refused,
            lost=sum(not row.acknowledged and not row.refused for row in rows),
        )

    def _of(self, envelope: str | None) -> list[Row]:
        return [row for row in self._rows.values() if row.envelope == envelope]
