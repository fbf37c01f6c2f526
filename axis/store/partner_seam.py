"""What the store promises about existing document systems; see `seam` for durability and failure."""

import datetime as dt
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping

from axis.core.partners import (
    Application,
    Found,
    Incoming,
    Kind,
    Outcome,
    Outgoing,
    Partner,
    Plane,
    Recalled,
    Wanted,
    Withdrawn,
)

MOST_RECIPIENTS = 20_000  # told in one page of what was sent


def spellings(document_id: str) -> list[str]:
    """Return how else a DocumentId may be written with the same letters: senders compose them as they like."""
    return [document_id, *(unicodedata.normalize(form, document_id) for form in ("NFC", "NFD"))]


class PartnerStore(ABC):
    """Partners, what lies ready for them, and what they sent. A list is never longer than what is asked for."""

    @abstractmethod
    async def partners(self) -> list[Partner]:
        """Read all of them, by system id; those that have ended serve no codes."""

    @abstractmethod
    async def put(self, partner: Partner) -> None:
        """Add or replace a partner with its codes; what waits for their agencies is its own from then on.

        Raises Refused `partner/code-taken` when another has one of them, or serves one of their agencies, and changes
        nothing then: what comes into a mailbox must be one partner's.
        """

    @abstractmethod
    async def receive(self, package: Incoming) -> bool:
        """Keep a package unless it is there: one for each message, agency and kind. Says whether it is new.

        It is the system's that serves the agency now; `system_id` where none does.
        """

    @abstractmethod
    async def listed(self, system_id: str, wanted: Wanted) -> list[Incoming]:
        """List packages, the oldest first, without the content of statuses; withdrawn ones never.

        Of many recipients the first 50 are named.
        """

    @abstractmethod
    async def counted(self, system_id: str, kind: Kind) -> int:
        """Count what waits, up to a thousand."""

    @abstractmethod
    async def incoming(self, system_id: str, doc_id: str) -> Incoming | None:
        """Return a package of the partner's own."""

    @abstractmethod
    async def move(self, system_id: str, doc_id: str, state: Plane, description: str, at: dt.datetime) -> bool:
        """Note what the partner says of a package; False, changing nothing, where `core.partners.MOVES` forbids it."""

    @abstractmethod
    async def unreported(self, limit: int, agencies: Collection[str]) -> list[Incoming]:
        """Return documents of these agencies that are done and whose 01 was not handed over yet, the oldest first."""

    @abstractmethod
    async def reported(self, doc_id: str, at: dt.datetime) -> None:
        """Note that the 01 of a document was handed over."""

    @abstractmethod
    async def fetch(self, doc_id: str, at: dt.datetime) -> bool:
        """Note that the bytes of a package are about to be handed out; False: it was withdrawn."""

    @abstractmethod
    async def recalled(self, envelope_id: str, recipients: Collection[str]) -> list[Recalled]:
        """Return which of the recipients of a document it was recalled from, and by which recalls.

        What a recipient has declined is no recall.
        """

    @abstractmethod
    async def is_listed(self, agency: str, envelope_id: str) -> bool:
        """Say whether a document is kept for the system of an agency, which may have fetched it, and not withdrawn."""

    @abstractmethod
    async def withdraw(
        self, agency: str, envelope_id: str, recipients: Collection[str], at: dt.datetime
    ) -> Withdrawn | None:
        """Withdraw a document that came for no others than these, that the partner has not begun with or fetched.

        None: it is not so. What was withdrawn before is so again.
        """

    @abstractmethod
    async def forget_incoming(self, before: dt.datetime, limit: int) -> int:
        """Forget so many packages that were finished before a time; return how many.

        Finished are those that are done (a document: its 01 handed over as well) and those that were withdrawn.
        """

    @abstractmethod
    async def forget_outgoing(self, before: dt.datetime, limit: int) -> int:
        """Forget so many packages sent before a time, but none that still waits for its receipt; return how many."""

    @abstractmethod
    async def needed(self, packages: Collection[str]) -> set[str]:
        """Return those SHA-256 that are of a package which lies ready, or did and is not forgotten."""

    @abstractmethod
    async def begin(self, package: Outgoing) -> Outgoing:
        """Keep a package that is about to be sent; return it as it is kept under its key.

        The first one's ids stay, so that a repeat is no second document. A document that the axis's receipt refused
        begins anew under the new ids, and so does what was not handed over in 25 days.
        """

    @abstractmethod
    async def submitted(self, doc_id: str, message_id: str, state: Plane, at: dt.datetime) -> None:
        """Note that a package is safe with the SDK, and as which message; a receipt heard before stays."""

    @abstractmethod
    async def refused(self, doc_id: str, description: str) -> None:
        """Note why a package was not handed over; what was handed over before is left alone."""

    @abstractmethod
    async def answered(
        self, message_id: str, state: Plane, description: str, outcomes: Mapping[str, Outcome], at: dt.datetime
    ) -> bool:
        """Note what the axis's receipt says; what recipients said before stays. False: no such message of ours."""

    @abstractmethod
    async def heard(self, message_id: str, recipient: str, outcome: Outcome) -> bool:
        """Note what a recipient says, unless it said something later; what a receipt said of it is always earlier.

        False: nothing was noted.
        """

    @abstractmethod
    async def sent(self, system_id: str, kind: Kind, *, size: int, page: int) -> list[Outgoing]:
        """List what a partner sent, the newest first; a page ends early where it has 20,000 recipients."""

    @abstractmethod
    async def outgoing(self, system_id: str, doc_id: str) -> Outgoing | None:
        """Return one package that the partner sent."""

    @abstractmethod
    async def found_received(self, document_id: str, sender: str, mailbox: str) -> list[Found]:
        """Return the latest 20 envelopes of a sender about a document that came into a mailbox, and for whom.

        The document is named in whichever way its letters are composed.
        """

    @abstractmethod
    async def found_sent(self, document_id: str, sender: str, recipients: Collection[str]) -> list[Found]:
        """Return 20 versions of a document (no recalls), and which of the recipients got each.

        First comes what went to most of them, the latest first among equals. Named as in `found_received`.
        """

    @abstractmethod
    async def envelope(self, envelope_id: str) -> bytes | None:
        """Return the bytes of an envelope that the axis has accepted."""

    @abstractmethod
    async def apply(self, application: Application) -> bool:
        """Keep a wish unless the same one is open, or a thousand are. Says whether it was kept.

        Raises Refused `partner/replayed` for the very request of one that an operator has closed.
        """

    @abstractmethod
    async def applications(self, system_id: str | None = None, limit: int = 200) -> list[Application]:
        """List the open wishes, the oldest first."""

    @abstractmethod
    async def close_application(self, application_id: str, at: dt.datetime) -> bool:
        """Close a wish; say whether it was open."""
