"""What a watcher tells as it goes: one line for each file, and the counts at the end."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class What(StrEnum):
    """What happened to a file."""

    PICKED_UP = "picked up"
    SENT = "sent"  # the axis has taken it for every recipient
    PARTLY = "partly sent"  # for some of them
    REPEATED = "repeated"  # the same was sent before: nothing was sent now
    REPORTED = "reported"  # a status was handed over
    REFUSED = "refused"
    KEPT = "kept"  # signed and kept; it is sent as soon as the broker is back
    GONE = "gone"  # somebody took the file away
    RECEIVED = "received"
    WITHDRAWN = "withdrawn"  # a recall of what was never handed over here
    STATUS = "status"
    RETURNED = "returned"  # nobody here can ever open it: its sender is told so by a 02
    ASIDE = "set aside"  # a document cannot be opened yet
    IGNORED = "ignored"
    TROUBLE = "trouble"
    MENDED = "mended"


@dataclass(frozen=True, slots=True)
class Event:
    """One line."""

    what: What
    file: str | None = None
    envelope: str | None = None
    code: str | None = None
    detail: str | None = None


@dataclass(slots=True)
class Teller:
    """Hand on what happens, and count it; a trouble that lasts is told once, and once more when it is over."""

    tell: Callable[[Event], None]
    counts: Counter[What] = field(default_factory=Counter)
    _troubles: dict[str, str] = field(default_factory=dict)

    def __call__(
        self,
        what: What,
        file: str | None = None,
        *,
        envelope: str | None = None,
        code: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Tell one thing."""
        self.counts[what] += 1
        self.tell(Event(what, file, envelope, code, detail))

    def trouble(self, where: str, detail: str, *, file: str | None = None, code: str | None = None) -> None:
        """Tell what is in the way at a place, unless it was told already."""
        if self._troubles.get(where) != detail:
            self._troubles[where] = detail
            self(What.TROUBLE, file, code=code, detail=detail)

    def mended(self, where: str) -> None:
        """Tell that nothing is in the way there any more."""
        if (detail := self._troubles.pop(where, None)) is not None:
            self(What.MENDED, detail=detail)

    @property
    def troubled(self) -> bool:
        """Whether anything is in the way now."""
        return bool(self._troubles)
